/*
 * address: a parser for envelope addresses.  Pure; linear in its input, which
 * a stranger wrote.
 *
 * What is accepted is what RFC 5321 4.1.2 and RFC 6531 3.3 allow.  A domain in
 * UTF-8 becomes the one that the DNS knows, so that it has one spelling and no
 * look-alike is taken for one of ours; a local part stays as it is.  Anything
 * that could mean something else further on (a second '@' outside of quotes, a
 * trailing dot, control characters, a percent sign as a route) is either
 * refused here or stays an ordinary character that no later stage interprets.
 */
#include <ctype.h>
#include <string.h>

#include "buf/utf8.h"
#include "os/compat.h"
#include "smtp/address.h"
#include "smtp/punycode.h"

static int
is_atext(unsigned char c)
{
	return (isalnum(c) || c >= 0x80 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL));
}

/* UTF-8, without the controls U+0080 to U+009F. */
static int
is_utf8(const char *s, size_t len)
{
	unsigned int	l;
	uint32_t	c;

	for (; len > 0; s += l, len -= l)
		if ((l = utf8_decode(s, len, &c)) == 0 ||
		    (c >= 0x80 && c < 0xa0))
			return (0);
	return (1);
}

int
smtp_is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s & 0x80)
			return (0);
	return (1);
}

int
smtp_is_domain(const char *s, size_t len)
{
	size_t	i, label = 0;

	if (len == 0 || len > SMTP_DOMAIN_MAX)
		return (0);
	if (s[0] == '[') {
		if (len < 3 || s[len - 1] != ']')
			return (0);
		for (i = 1; i < len - 1; i++)
			if (!isxdigit((unsigned char)s[i]) && s[i] != ':' &&
			    s[i] != '.' && strchr("IPvipV", s[i]) == NULL)
				return (0);
		return (1);
	}
	for (i = 0; i < len; i++) {
		if (s[i] == '.') {
			if (label == 0 || s[i - 1] == '-')
				return (0);
			label = 0;
			continue;
		}
		/* '_' is no host name, but it is in use */
		if (!isalnum((unsigned char)s[i]) && s[i] != '_' &&
		    (s[i] != '-' || label == 0))
			return (0);
		if (++label > 63)
			return (0);
	}
	return (label > 0 && s[len - 1] != '-');
}

/* "a b"@x keeps its quotes, "ab"@x loses them: one address, one spelling. */
static size_t
unquote(char *local, size_t n)
{
	size_t	i;

	if (n == 2)
		return (n);
	for (i = 1; i + 1 < n; i++)
		if (!is_atext(local[i]) && (local[i] != '.' || i == 1 ||
		    local[i - 1] == '.' || i + 2 == n))
			return (n);
	memmove(local, local + 1, n - 2);
	return (n - 2);
}

/* A backslash stays only in front of what would need one. */
static const char *
quoted_local(const char **sp, char *to, size_t *n)
{
	const char	*s = *sp;
	size_t		 o = 0, escape;

	to[o++] = *s++;
	while (*s != '"') {
		if (*s == '\\')
			s++;
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return ("bad character in quoted local part");
		escape = *s == '"' || *s == '\\';
		if (o + escape > SMTP_LOCAL_MAX - 2)
			return ("local part is too long");
		if (escape)
			to[o++] = '\\';
		to[o++] = *s++;
	}
	to[o++] = '"';
	*n = unquote(to, o);
	*sp = s + 1;
	return (NULL);
}

static const char *
dot_local(const char **sp, char *to, size_t *n)
{
	const char	*s = *sp;
	size_t		 o = 0;

	while (is_atext(*s) || *s == '.') {
		if (o == SMTP_LOCAL_MAX)
			return ("local part is too long");
		if (*s == '.' && (o == 0 || to[o - 1] == '.'))
			return ("misplaced dot in local part");
		to[o++] = *s++;
	}
	if (o == 0)
		return ("local part is missing");
	if (to[o - 1] == '.')
		return ("misplaced dot in local part");
	*n = o;
	*sp = s;
	return (NULL);
}

/* local part, and a domain if there is one; stops at what is neither. */
static const char *
mailbox(const char **sp, char to[SMTP_ADDR_SIZE])
{
	const char	*s = *sp, *d, *wrong;
	size_t		 n;

	wrong = *s == '"' ? quoted_local(&s, to, &n) : dot_local(&s, to, &n);
	if (wrong != NULL)
		return (wrong);
	if (!is_utf8(to, n))
		return ("local part is no UTF-8");
	to[n] = '\0';
	if (*s != '@') {
		*sp = s;
		return (NULL);
	}
	d = ++s;
	while (*s != '\0' && *s != '>' && *s != ' ' && *s != '\t')
		s++;
	to[n++] = '@';
	if (smtp_domain_ascii(d, s - d, to + n, SMTP_ADDR_SIZE - n) == -1 ||
	    !smtp_is_domain(to + n, strlen(to + n)))
		return ("bad domain");
	*sp = s;
	return (NULL);
}

/* "@one,@two:", which only ever was a way to abuse relays, goes. */
static const char *
skip_route(const char **sp)
{
	const char	*s = *sp;

	if (*s != '@')
		return (NULL);
	while (*s != ':' && *s != '\0' && *s != '>')
		s++;
	if (*s != ':')
		return ("bad source route");
	*sp = s + 1;
	return (NULL);
}

const char *
smtp_path(const char **sp, char to[SMTP_ADDR_SIZE])
{
	const char	*s = *sp, *wrong;
	int		 angle;

	while (*s == ' ' || *s == '\t')
		s++;
	angle = *s == '<';
	if (angle)
		s++;
	to[0] = '\0';
	if (!(angle && *s == '>') && ((wrong = skip_route(&s)) != NULL ||
	    (wrong = mailbox(&s, to)) != NULL))
		return (wrong);
	if (angle && *s++ != '>')
		return ("'>' is missing");
	if (*s != '\0' && *s != ' ' && *s != '\t')
		return ("garbage after the address");
	*sp = s;
	return (NULL);
}

const char *
smtp_address(const char *s, char to[SMTP_ADDR_SIZE])
{
	const char	*wrong;

	if ((wrong = mailbox(&s, to)) != NULL)
		return (wrong);
	return (*s == '\0' ? NULL : "garbage after the address");
}

const char *
smtp_address_at(const char *addr)
{
	const char	*quote;

	/* A quoted local part may hold one; behind it there is no quote. */
	if (*addr == '"' && (quote = strrchr(addr, '"')) != NULL)
		addr = quote;
	return (strchr(addr, '@'));
}
