/*
 * pop3/command: a client's command line, taken apart.
 */
#include "os/compat.h"
#include <sys/types.h>
#include <string.h>
#include <strings.h>

#include "pop3/command.h"

#define VERB_MAX	7		/* the longest known, "CONNECT" */

enum shape {
	SHAPE_NONE,		/* no argument */
	SHAPE_WORD_OR_NONE,	/* one word, or nothing */
	SHAPE_REST,		/* all that follows the first space */
	SHAPE_NUMBER,		/* a message */
	SHAPE_OPTIONAL,		/* a message, or nothing */
	SHAPE_TOP,		/* a message and a count of lines */
	SHAPE_AUTH,		/* nothing, a mechanism, an initial response */
	SHAPE_ANY		/* does not matter */
};

struct verb {
	const char	*name;
	enum pop3_verb	 verb;
	enum shape	 shape;
};

static const struct verb verbs[] = {
	{ "APOP", POP3_APOP, SHAPE_ANY },
	{ "AUTH", POP3_AUTH, SHAPE_AUTH },
	{ "CAPA", POP3_CAPA, SHAPE_NONE },
	{ "DELE", POP3_DELE, SHAPE_NUMBER },
	{ "LANG", POP3_LANG, SHAPE_WORD_OR_NONE },
	{ "LIST", POP3_LIST, SHAPE_OPTIONAL },
	{ "NOOP", POP3_NOOP, SHAPE_NONE },
	{ "PASS", POP3_PASS, SHAPE_REST },
	{ "QUIT", POP3_QUIT, SHAPE_NONE },
	{ "RETR", POP3_RETR, SHAPE_NUMBER },
	{ "RSET", POP3_RSET, SHAPE_NONE },
	{ "STAT", POP3_STAT, SHAPE_NONE },
	{ "STLS", POP3_STLS, SHAPE_NONE },
	{ "TOP", POP3_TOP, SHAPE_TOP },
	{ "UIDL", POP3_UIDL, SHAPE_OPTIONAL },
	{ "USER", POP3_USER, SHAPE_REST },
	{ "UTF8", POP3_UTF8, SHAPE_NONE },
	/* RFC 9110 9: what a browser that was lured here would say. */
	{ "GET", POP3_HTTP, SHAPE_ANY },
	{ "HEAD", POP3_HTTP, SHAPE_ANY },
	{ "POST", POP3_HTTP, SHAPE_ANY },
	{ "PUT", POP3_HTTP, SHAPE_ANY },
	{ "DELETE", POP3_HTTP, SHAPE_ANY },
	{ "CONNECT", POP3_HTTP, SHAPE_ANY },
	{ "OPTIONS", POP3_HTTP, SHAPE_ANY },
	{ "TRACE", POP3_HTTP, SHAPE_ANY },
	{ "PATCH", POP3_HTTP, SHAPE_ANY },
};
#define NVERBS	(sizeof(verbs) / sizeof(verbs[0]))

struct rest {
	const char	*p;
	size_t		 left;
};

static const struct verb *find_verb(const char *, size_t);
static enum pop3_error	parse_args(struct pop3_command *, enum shape,
		    struct rest);
static enum pop3_error	parse_message(struct pop3_command *, struct rest *);
static int	take_number(struct rest *, uint32_t *);
static int	take_word(struct rest *, char *, size_t);
static int	take_rest(struct rest *, char *, size_t);

ptrdiff_t
pop3_line(const char *data, size_t len, size_t *used)
{
	const char *nl;
	size_t n;

	if (len == 0 || (nl = memchr(data, '\n', len)) == NULL)
		return (-1);
	n = (size_t)(nl - data);
	*used = n + 1;
	if (n > 0 && data[n - 1] == '\r')
		n--;
	return ((ptrdiff_t)n);
}

enum pop3_error
pop3_parse(struct pop3_command *cmd, const char *line, size_t len)
{
	struct rest rest = { line, len };
	const struct verb *v;
	size_t n;

	explicit_bzero(cmd, sizeof(*cmd));
	cmd->verb = POP3_UNKNOWN;
	for (n = 0; n < len && n <= VERB_MAX && line[n] != ' '; n++)
		;
	if ((v = find_verb(line, n)) == NULL)
		return (POP3_NO_COMMAND);
	cmd->verb = v->verb;
	/* No byte of a command is a control character (RFC 2449 4). */
	if (len >= POP3_LINE_MAX || memchr(line, '\0', len) != NULL ||
	    memchr(line, '\r', len) != NULL || memchr(line, '\n', len) != NULL)
		return (POP3_BAD_ARGUMENT);
	rest.p += n;
	rest.left -= n;
	return (parse_args(cmd, v->shape, rest));
}

const char *
pop3_verb_name(enum pop3_verb verb)
{
	size_t i;

	for (i = 0; i < NVERBS; i++) {
		if (verbs[i].verb == verb && verb != POP3_HTTP)
			return (verbs[i].name);
	}
	return ("unknown");
}

static const struct verb *
find_verb(const char *s, size_t n)
{
	size_t i;

	if (n == 0 || n > VERB_MAX)
		return (NULL);
	for (i = 0; i < NVERBS; i++) {
		if (strlen(verbs[i].name) == n &&
		    strncasecmp(verbs[i].name, s, n) == 0)
			return (&verbs[i]);
	}
	return (NULL);
}

static enum pop3_error
parse_args(struct pop3_command *cmd, enum shape shape, struct rest rest)
{
	if (shape == SHAPE_ANY)
		return (POP3_OK);
	if (shape == SHAPE_REST)
		return (take_rest(&rest, cmd->arg, sizeof(cmd->arg)) == -1 ?
		    POP3_BAD_ARGUMENT : POP3_OK);
	/* Blanks at the end are not an argument; many clients send one. */
	while (rest.left > 0 && rest.p[rest.left - 1] == ' ')
		rest.left--;
	if (shape == SHAPE_AUTH && rest.left > 0) {
		if (take_word(&rest, cmd->arg, sizeof(cmd->arg)) == -1)
			return (POP3_BAD_ARGUMENT);
		if (rest.left > 0) {
			if (take_word(&rest, cmd->initial,
			    sizeof(cmd->initial)) == -1)
				return (POP3_BAD_ARGUMENT);
			cmd->has_initial = 1;
		}
	} else if (shape == SHAPE_WORD_OR_NONE && rest.left > 0) {
		if (take_word(&rest, cmd->arg, sizeof(cmd->arg)) == -1)
			return (POP3_BAD_ARGUMENT);
	} else if (shape == SHAPE_NUMBER || shape == SHAPE_TOP ||
	    (shape == SHAPE_OPTIONAL && rest.left > 0)) {
		if (parse_message(cmd, &rest) != POP3_OK)
			return (POP3_BAD_NUMBER);
		if (shape == SHAPE_TOP && take_number(&rest, &cmd->lines) == -1)
			return (POP3_BAD_NUMBER);
	}
	return (rest.left == 0 ? POP3_OK : POP3_BAD_ARGUMENT);
}

static enum pop3_error
parse_message(struct pop3_command *cmd, struct rest *rest)
{
	if (take_number(rest, &cmd->number) == -1 || cmd->number == 0)
		return (POP3_BAD_NUMBER);
	cmd->has_number = 1;
	return (POP3_OK);
}

/*
 * Digits only: no sign, no blank, nothing that does not fit.  Leading zeros
 * are harmless and have been seen.
 */
static int
take_number(struct rest *rest, uint32_t *np)
{
	char word[24];
	uint64_t n = 0;
	const char *p;

	if (take_word(rest, word, sizeof(word)) == -1)
		return (-1);
	for (p = word; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return (-1);
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > UINT32_MAX)
			return (-1);
	}
	*np = (uint32_t)n;
	return (0);
}

/* One word of printable ASCII after at least one space. */
static int
take_word(struct rest *rest, char *buf, size_t size)
{
	size_t n;

	if (rest->left == 0 || *rest->p != ' ')
		return (-1);
	while (rest->left > 0 && *rest->p == ' ') {
		rest->p++;
		rest->left--;
	}
	for (n = 0; n < rest->left && rest->p[n] != ' '; n++) {
		if (rest->p[n] < 0x21 || rest->p[n] > 0x7e)
			return (-1);
	}
	if (n == 0 || n >= size)
		return (-1);
	memcpy(buf, rest->p, n);
	buf[n] = '\0';
	rest->p += n;
	rest->left -= n;
	return (0);
}

/*
 * All after one space: a password may hold spaces, also at its ends
 * (RFC 1939 7 PASS).  Bytes above ASCII are left to the password check.
 */
static int
take_rest(struct rest *rest, char *buf, size_t size)
{
	if (rest->left < 2 || *rest->p != ' ' || rest->left - 1 >= size)
		return (-1);
	memcpy(buf, rest->p + 1, rest->left - 1);
	buf[rest->left - 1] = '\0';
	rest->left = 0;
	return (0);
}
