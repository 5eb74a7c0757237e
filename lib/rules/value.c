/*
 * value: words of aliases.  Pure, linear; a user may have written them.
 */
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "rules/value.h"

#define INCLUDE		":include:"

static const char *
skip_line(const char *s)
{
	return (s + strcspn(s, "\n"));
}

/* What stands between words; a comment begins a line. */
static const char *
skip_between(const char *s)
{
	size_t	n;
	int	bol = 1;

	for (;;) {
		n = strspn(s, " \t\r\n,");
		bol |= memchr(s, '\n', n) != NULL;
		s += n;
		if (*s != '#' || !bol)
			return (s);
		s = skip_line(s);
		bol = 0;
	}
}

/* "a \"b\" c" at *s; what is inside goes to to.  -1 if it has no end. */
static int
quoted(const char **sp, char *to, size_t size)
{
	const char	*s = *sp + 1;
	size_t		 n = 0;

	for (; *s != '"'; s++) {
		if (*s == '\\' && s[1] != '\0')
			s++;
		if (*s == '\0' || *s == '\n' || n == size - 1)
			return (-1);
		to[n++] = *s;
	}
	to[n] = '\0';
	*sp = s + 1;
	return (0);
}

/* Up to a comma or the end of the line, quotes kept whole. */
static int
plain(const char **sp, char *to, size_t size)
{
	const char	*s = *sp;
	size_t		 n = 0;
	int		 quote = 0;

	for (; *s != '\0' && *s != '\n' && (quote || *s != ','); s++) {
		if (*s == '"')
			quote = !quote;
		if (*s == '\\' && s[1] != '\0' && s[1] != '\n') {
			if (n == size - 1)
				return (-1);
			to[n++] = *s++;
		}
		if (n == size - 1)
			return (-1);
		to[n++] = *s;
	}
	while (n > 0 && strchr(" \t\r", to[n - 1]) != NULL)
		n--;
	to[n] = '\0';
	*sp = s;
	return (quote ? -1 : 0);
}

/* |command, |"command", "|command"; the mark has gone already. */
static enum value_kind
kind_of(char *word)
{
	char	*s = word;

	if (*s == '|') {
		s++;
		s += strspn(s, " \t");
		memmove(word, s, strlen(s) + 1);
		return (*word == '\0' ? VALUE_BAD : VALUE_COMMAND);
	}
	if (*s == '/')
		return (VALUE_FILE);
	if (strncasecmp(s, INCLUDE, sizeof(INCLUDE) - 1) == 0) {
		s += sizeof(INCLUDE) - 1;
		memmove(word, s, strlen(s) + 1);
		return (*word == '/' ? VALUE_INCLUDE : VALUE_BAD);
	}
	if (*s == '\\') {
		memmove(word, s + 1, strlen(s));
		return (*word == '\0' ? VALUE_BAD : VALUE_OWN);
	}
	/* Name <address> */
	if ((s = strrchr(word, '<')) != NULL && strlen(s) > 2 &&
	    s[strlen(s) - 1] == '>') {
		s[strlen(s) - 1] = '\0';
		memmove(word, s + 1, strlen(s));
	}
	return (VALUE_ADDRESS);
}

/* "| command", with the quotes of |"command" gone. */
static enum value_kind
command(const char **sp, char *to)
{
	const char	*s = *sp + 1;

	s += strspn(s, " \t");
	if (*s != '"') {
		*sp = s;
		if (plain(sp, to, VALUE_WORD) == -1 || *to == '\0')
			return (VALUE_BAD);
		return (VALUE_COMMAND);
	}
	if (quoted(&s, to, VALUE_WORD) == -1 || *to == '\0')
		return (VALUE_BAD);
	*sp = s;
	return (VALUE_COMMAND);
}

enum value_kind
value_next(const char **p, char to[VALUE_WORD])
{
	const char	*s = skip_between(*p), *after;
	enum value_kind	 kind;

	to[0] = '\0';
	*p = s;
	if (*s == '\0')
		return (VALUE_END);
	if (*s == '|') {
		if ((kind = command(p, to)) == VALUE_BAD)
			*p = skip_line(*p);
		return (kind);
	}
	if (*s == '"') {
		after = s;
		if (quoted(&after, to, VALUE_WORD) == -1) {
			*p = skip_line(s);
			return (VALUE_BAD);
		}
		/* "a b"@domain, or an address that needs no quotes */
		after += strspn(after, " \t\r");
		if (*after == '\0' || *after == ',' || *after == '\n') {
			*p = after;
			return (kind_of(to));
		}
	}
	if (plain(p, to, VALUE_WORD) == -1) {
		*p = skip_line(*p);
		return (VALUE_BAD);
	}
	return (kind_of(to));
}
