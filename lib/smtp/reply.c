/*
 * reply: what an SMTP or LMTP server answers.
 *
 * Trusts nothing: lines, their length and their sum are bounded, every byte
 * of the text that is not printable becomes a '?'.  Each byte is looked at
 * once or twice.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "smtp/reply.h"

#define LIMIT_DIGITS	6		/* RFC 9422 section 4 */
#define ENH_DIGITS	3		/* of subject and detail, RFC 3463 2 */

static enum reply_status take_line(struct reply *, struct ehlo *,
		    const char *, size_t);

void
reply_init(struct reply *r)
{
	memset(r, 0, sizeof(*r));
}

enum reply_status
reply_read(struct reply *r, struct ehlo *e, const char *data, size_t len,
    size_t *used)
{
	enum reply_status	 status = REPLY_MORE;
	const char		*line, *nl;
	size_t			 n;

	*used = 0;
	while (status == REPLY_MORE && *used < len) {
		line = data + *used;
		n = len - *used < REPLY_LINE ? len - *used : REPLY_LINE;
		if ((nl = memchr(line, '\n', n)) == NULL)
			return (n == REPLY_LINE ? REPLY_BAD : REPLY_MORE);
		n = (size_t)(nl - line);
		if (r->lines == REPLY_LINES || REPLY_TOTAL - r->total <= n)
			return (REPLY_BAD);
		r->lines++;
		r->total += n + 1;
		*used += n + 1;
		if (n > 0 && line[n - 1] == '\r')
			n--;
		status = take_line(r, e, line, n);
	}
	return (status);
}

static int
is_digit(char c)
{
	return (c >= '0' && c <= '9');
}

static unsigned int
take_code(const char *p)
{
	if (p[0] < '2' || p[0] > '5' || !is_digit(p[1]) || !is_digit(p[2]))
		return (0);
	return ((unsigned int)(p[0] - '0') * 100 +
	    (unsigned int)(p[1] - '0') * 10 + (unsigned int)(p[2] - '0'));
}

static size_t
digits(const char *p, size_t len)
{
	size_t	n;

	for (n = 0; n < len && n < ENH_DIGITS && is_digit(p[n]); n++)
		;
	return (n);
}

/*
 * The length of an enhanced code (RFC 3463) of the reply's own class at the
 * start of a text, or 0.
 */
static size_t
enhanced(unsigned int code, const char *p, size_t len)
{
	size_t	n, d;

	if (len < 5 || p[0] != (char)('0' + code / 100) || p[0] == '3' ||
	    p[1] != '.')
		return (0);
	n = 2;
	if ((d = digits(p + n, len - n)) == 0)
		return (0);
	n += d;
	if (n == len || p[n] != '.')
		return (0);
	n++;
	if ((d = digits(p + n, len - n)) == 0)
		return (0);
	n += d;
	if (n < len && p[n] != ' ')
		return (0);
	return (n);
}

static void
add_text(struct reply *r, const char *p, size_t len)
{
	size_t	i, room;

	if (len == 0)
		return;
	if (r->textlen > 0 && sizeof(r->text) - r->textlen > 1)
		r->text[r->textlen++] = ' ';
	room = sizeof(r->text) - 1 - r->textlen;
	if (len > room)
		len = room;
	for (i = 0; i < len; i++)
		r->text[r->textlen++] = p[i] >= 0x20 && p[i] < 0x7f ?
		    p[i] : '?';
	r->text[r->textlen] = '\0';
}

/* A whole number and nothing else; 0 if it is none, or beyond all bounds. */
static uint64_t
number(const char *arg, size_t len)
{
	size_t		 i;
	uint64_t	 n = 0;

	for (i = 0; i < len && is_digit(arg[i]); i++) {
		if (n > (UINT64_MAX - 9) / 10)
			return (0);
		n = n * 10 + (uint64_t)(arg[i] - '0');
	}
	return (i == len ? n : 0);
}

static void
offer_size(struct ehlo *e, const char *arg, size_t len)
{
	e->offers |= EHLO_SIZE;
	e->size = number(arg, len);
}

/* RFC 9422 section 4: "RCPTMAX=50 MAILMAX=10"; unknown names are skipped. */
static void
offer_limit(struct ehlo *e, const char *p, size_t len)
{
	const struct {
		const char	*name;
		unsigned int	*to;
	} limits[] = {
		{ "MAILMAX=",		&e->mailmax },
		{ "RCPTMAX=",		&e->rcptmax },
		{ "RCPTDOMAINMAX=",	&e->rcptdomainmax },
	};
	size_t		 i, n;
	uint64_t	 value;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		n = strlen(limits[i].name);
		if (len <= n || len - n > LIMIT_DIGITS ||
		    strncasecmp(p, limits[i].name, n) != 0)
			continue;
		value = number(p + n, len - n);
		if (value > 0)
			*limits[i].to = (unsigned int)value;
	}
}

static void
offer_limits(struct ehlo *e, const char *arg, size_t len)
{
	size_t	n;

	while (len > 0) {
		for (n = 0; n < len && arg[n] != ' '; n++)
			;
		offer_limit(e, arg, n);
		if (n < len)
			n++;
		arg += n;
		len -= n;
	}
}

/* The first list counts: "AUTH=" of old servers repeats it. */
static void
offer_auth(struct ehlo *e, const char *arg, size_t len)
{
	size_t	i;

	if ((e->offers & EHLO_AUTH) || len >= sizeof(e->auth))
		return;
	for (i = 0; i < len; i++)
		if (arg[i] < 0x20 || arg[i] > 0x7e)
			return;
	e->offers |= EHLO_AUTH;
	memcpy(e->auth, arg, len);
	e->auth[len] = '\0';
}

/* RFC 5321 4.1.1.1: ehlo-keyword *( SP ehlo-param ) */
static void
offer(struct ehlo *e, const char *p, size_t len)
{
	static const struct {
		const char	*word;
		unsigned int	 bit;
	} words[] = {
		{ "PIPELINING",	EHLO_PIPELINING },
		{ "8BITMIME",	EHLO_8BITMIME },
		{ "STARTTLS",	EHLO_STARTTLS },
		{ "SMTPUTF8",	EHLO_SMTPUTF8 },
		{ "DSN",	EHLO_DSN },
		{ "CHUNKING",	EHLO_CHUNKING },
		{ "BINARYMIME",	EHLO_BINARYMIME },
	};
	const char	*arg;
	size_t		 i, n, arglen;

	for (n = 0; n < len && p[n] != ' ' && p[n] != '='; n++)
		;
	arg = p + n;
	arglen = len - n;
	if (arglen > 0) {
		arg++;
		arglen--;
	}
	if (n == 4 && strncasecmp(p, "SIZE", n) == 0)
		offer_size(e, arg, arglen);
	else if (n == 4 && strncasecmp(p, "AUTH", n) == 0)
		offer_auth(e, arg, arglen);
	else if (n == 6 && strncasecmp(p, "LIMITS", n) == 0)
		offer_limits(e, arg, arglen);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == n &&
		    strncasecmp(p, words[i].word, n) == 0)
			e->offers |= words[i].bit;
}

/*
 * One line without its end.  RFC 5321 4.2.1: all lines of a reply have the
 * same code; a server that changes its mind half-way is not believed.
 */
static enum reply_status
take_line(struct reply *r, struct ehlo *e, const char *p, size_t len)
{
	unsigned int	code;
	size_t		n;
	int		more = 0;

	if (len < 3 || (code = take_code(p)) == 0 ||
	    (r->code != 0 && code != r->code))
		return (REPLY_BAD);
	r->code = code;
	p += 3;
	len -= 3;
	if (len > 0) {
		if (*p != ' ' && *p != '-')
			return (REPLY_BAD);
		more = *p == '-';
		p++;
		len--;
	}
	if (e != NULL && r->lines > 1)
		offer(e, p, len);
	if ((n = enhanced(code, p, len)) > 0) {
		if (r->lines == 1) {
			memcpy(r->enh, p, n);
			r->enh[n] = '\0';
		}
		/* Repeated on every line, it is said once. */
		if (strlen(r->enh) == n && memcmp(r->enh, p, n) == 0) {
			p += n;
			len -= n;
			if (len > 0) {
				p++;
				len--;
			}
		}
	}
	add_text(r, p, len);
	return (more ? REPLY_MORE : REPLY_DONE);
}

void
reply_print(const struct reply *r, char *out, size_t size)
{
	char	made[8];
	int	n;

	(void)snprintf(made, sizeof(made), "%u.0.0", r->code / 100 % 10);
	n = snprintf(out, size, "%u %s%s%s", r->code,
	    r->enh[0] != '\0' ? r->enh : made, r->textlen > 0 ? " " : "",
	    r->text);
	if (n < 0 && size > 0)
		out[0] = '\0';
}

int
ehlo_has_auth(const struct ehlo *e, const char *word)
{
	const char	*p = e->auth;
	size_t		 n, len = strlen(word);

	while (*p != '\0') {
		n = strcspn(p, " ");
		if (n == len && strncasecmp(p, word, len) == 0)
			return (1);
		p += n;
		p += strspn(p, " ");
	}
	return (0);
}
