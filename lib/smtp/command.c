/*
 * command: a parser for SMTP commands.  Pure; linear; a stranger's input.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "buf/utf8.h"
#include "os/compat.h"
#include "smtp/command.h"

static const struct {
	const char	*word;
	enum smtp_verb	 verb;
} verbs[] = {
	{ "HELO", SMTP_HELO },
	{ "EHLO", SMTP_EHLO },
	{ "LHLO", SMTP_LHLO },
	{ "MAIL", SMTP_MAIL },
	{ "RCPT", SMTP_RCPT },
	{ "DATA", SMTP_DATA },
	{ "BDAT", SMTP_BDAT },
	{ "RSET", SMTP_RSET },
	{ "NOOP", SMTP_NOOP },
	{ "QUIT", SMTP_QUIT },
	{ "VRFY", SMTP_VRFY },
	{ "EXPN", SMTP_EXPN },
	{ "HELP", SMTP_HELP },
	{ "STARTTLS", SMTP_STARTTLS },
	{ "AUTH", SMTP_AUTH },
	{ "GET", SMTP_HTTP },
	{ "POST", SMTP_HTTP },
	{ "PUT", SMTP_HTTP },
	{ "HEAD", SMTP_HTTP },
	{ "OPTIONS", SMTP_HTTP },
	{ "CONNECT", SMTP_HTTP },
};

/* "FROM:" or "TO:", any case, spaces as beginners put them. */
static int
skip_word(const char **s, const char *word)
{
	size_t	n = strlen(word);

	if (strncasecmp(*s, word, n) != 0)
		return (-1);
	*s += n;
	while (**s == ' ')
		(*s)++;
	if (**s != ':')
		return (-1);
	(*s)++;
	return (0);
}

static int
is_key(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return (0);
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && *s != '-')
			return (0);
	return (1);
}

static int
is_value(const char *s)
{
	const unsigned char	*p = (const unsigned char *)s;

	if (*p == '\0')
		return (0);
	for (; *p != '\0'; p++)
		if (*p <= ' ' || *p == 0x7f || *p == '=')
			return (0);
	return (utf8_valid(s, strlen(s)));
}

/*
 * RFC 5321 4.1.2: esmtp-param; values have no '=', space or control, and
 * UTF-8 in them (RFC 6531 3.4) is for the parameter's own check.
 */
static const char *
params(char *s, struct smtp_command *c)
{
	struct smtp_param	*p;
	char			*word, *eq;

	while ((word = strsep(&s, " \t")) != NULL) {
		if (*word == '\0')
			continue;
		if (c->nparams == SMTP_PARAMS)
			return ("501 5.5.4 too many parameters");
		p = &c->params[c->nparams++];
		if ((eq = strchr(word, '=')) != NULL)
			*eq++ = '\0';
		if (!is_key(word) || (eq != NULL && !is_value(eq)))
			return ("501 5.5.4 malformed parameter");
		p->key = word;
		p->value = eq;
	}
	return (NULL);
}

static const char *
path_command(const char *word, char *arg, struct smtp_command *c)
{
	const char	*s = arg;

	if (skip_word(&s, word) == -1)
		return (c->verb == SMTP_MAIL ?
		    "501 5.5.4 say MAIL FROM:<address>" :
		    "501 5.5.4 say RCPT TO:<address>");
	if (smtp_path(&s, c->addr) != NULL)
		return (c->verb == SMTP_MAIL ?
		    "501 5.1.7 malformed address; say MAIL FROM:<user@domain>" :
		    "501 5.1.3 malformed address; say RCPT TO:<user@domain>");
	return (params(arg + (s - arg), c));
}

const char *
smtp_command(char *line, struct smtp_command *c)
{
	size_t	 i, n, len;
	char	*end;

	memset(c, 0, sizeof(*c));
	c->verb = SMTP_UNKNOWN;
	c->arg = "";
	len = strlen(line);
	for (end = line + len; end > line && (end[-1] == ' ' ||
	    end[-1] == '\t'); end--)
		end[-1] = '\0';
	for (n = 0; isalpha((unsigned char)line[n]); n++)
		;
	if (line[n] != '\0' && line[n] != ' ' && line[n] != '\t')
		return (NULL);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strlen(verbs[i].word) == n &&
		    strncasecmp(line, verbs[i].word, n) == 0) {
			c->verb = verbs[i].verb;
			break;
		}
	for (line += n; *line == ' ' || *line == '\t'; line++)
		;
	c->arg = line;
	if (c->verb == SMTP_MAIL)
		return (path_command("FROM", line, c));
	if (c->verb == SMTP_RCPT)
		return (path_command("TO", line, c));
	return (NULL);
}
