/*
 * submission: see submission.h.  Every byte is looked at a constant number of
 * times.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mime/address.h"
#include "mime/header.h"
#include "mime/submission.h"
#include "os/compat.h"

#define ADDRESS_MAX	(2 * MIME_ADDRESS_PART + 2)
#define NAME_BYTES	120		/* of a full name that is encoded */
#define WORD_BYTES	20		/* in an encoded word of 75 */

enum kind { OTHER, ADDRESS, TO, BCC, DROP };

static const struct {
	const char	*name;
	enum kind	 kind;
	int		 resent;
} fields[] = {
	{ "From",		ADDRESS, 0 },
	{ "Sender",		ADDRESS, 0 },
	{ "Reply-To",		ADDRESS, 0 },
	{ "To",			TO, 0 },
	{ "Cc",			TO, 0 },
	{ "Bcc",		BCC, 0 },
	{ "Resent-From",	ADDRESS, 1 },
	{ "Resent-Sender",	ADDRESS, 1 },
	{ "Resent-To",		TO, 1 },
	{ "Resent-Cc",		TO, 1 },
	{ "Resent-Bcc",		BCC, 1 },
	{ "Return-Path",	DROP, 0 },
};
#define NFIELDS	(sizeof(fields) / sizeof(fields[0]))

/* What a header has, of itself and of a resending. */
struct seen {
	int	from, date, msgid;
};

/* Length of the line at p with its end. */
static size_t
line_length(const char *p, const char *end)
{
	const char	*nl = memchr(p, '\n', (size_t)(end - p));

	return (nl == NULL ? (size_t)(end - p) : (size_t)(nl - p) + 1);
}

/* A name of printable characters, blanks perhaps, and a colon. */
static int
is_field(const char *p, size_t len)
{
	size_t	n = 0;

	while (n < len && p[n] > ' ' && p[n] < 0x7f && p[n] != ':')
		n++;
	if (n == 0)
		return (0);
	while (n < len && (p[n] == ' ' || p[n] == '\t'))
		n++;
	return (n < len && p[n] == ':');
}

static int
is_from_line(const char *p, size_t len)
{
	return (len >= 5 && memcmp(p, "From ", 5) == 0);
}

size_t
submission_body(const char *text, size_t len)
{
	const char	*p = text, *end = text + len;
	size_t		 n;

	for (; p < end; p += n) {
		n = line_length(p, end);
		if (*p == '\n' || (n == 2 && *p == '\r'))
			return ((size_t)(p - text) + n);
		if (p == text ? !is_from_line(p, n) && !is_field(p, n) :
		    *p != ' ' && *p != '\t' && !is_field(p, n))
			break;
	}
	return ((size_t)(p - text));
}

/* Lines of the text with CRLF; what is no line end stays. */
static int
put_lines(struct buf *out, const char *p, size_t len)
{
	const char	*end = p + len;
	size_t		 n, keep;

	for (; p < end; p += n) {
		keep = n = line_length(p, end);
		if (p[keep - 1] == '\n') {
			keep--;
			if (keep > 0 && p[keep - 1] == '\r')
				keep--;
		}
		if (buf_add(out, p, keep) == -1 || buf_add(out, "\r\n", 2) ==
		    -1)
			return (-1);
	}
	return (0);
}

/* Where a mailbox of a list has its one word, while it is being read. */
struct mailbox {
	size_t	words;
	size_t	behind;		/* the last word */
	int	at;		/* an '@' was seen, or it has no end */
	int	angle;		/* between < and > */
	int	closed;		/* was in < > */
};

/* What is copied up to here, and "@origin" if the mailbox lacks it. */
static int
complete(struct mailbox *m, const char *value, size_t *done,
    const char *origin, struct buf *out)
{
	if (m->at || m->words != 1 || m->closed)
		return (0);
	if (buf_add(out, value + *done, m->behind - *done) == -1 ||
	    buf_printf(out, "@%s", origin) == -1)
		return (-1);
	*done = m->behind;
	return (0);
}

/* Behind the comment or quoted string that begins at i; it may not end. */
static size_t
skip_quoted(const char *v, size_t len, size_t i, int *open_end)
{
	char	open = v[i], close = open == '(' ? ')' : '"';
	int	depth = 1;

	for (i++; i < len && depth > 0; i++) {
		if (v[i] == '\\' && i + 1 < len)
			i++;
		else if (v[i] == close)
			depth--;
		else if (v[i] == open)
			depth++;
	}
	*open_end |= depth > 0;
	return (i);
}

/* Behind a domain literal. */
static size_t
skip_literal(const char *v, size_t len, size_t i)
{
	while (i < len && v[i] != ']')
		i++;
	return (i < len ? i + 1 : len);
}

static size_t
skip_word(const char *v, size_t len, size_t i)
{
	while (i < len && strchr(" \t\r\n()<>,:;@[\"", v[i]) == NULL)
		i++;
	return (i);
}

int
submission_complete(const char *v, size_t len, const char *origin,
    struct buf *out)
{
	struct mailbox	m = { 0 };
	size_t		i = 0, done = 0;

	while (i < len) {
		switch (v[i]) {
		case '(':
			i = skip_quoted(v, len, i, &m.at);
			continue;
		case '"':
			i = m.behind = skip_quoted(v, len, i, &m.at);
			m.words++;
			continue;
		case '@':
			m.at = 1;
			break;
		case '<':
			memset(&m, 0, sizeof(m));
			m.angle = 1;
			break;
		case '>':
			if (complete(&m, v, &done, origin, out) == -1)
				return (-1);
			m.closed = 1;
			break;
		case ',':
		case ';':
		case ':':
			if (v[i] != ':' &&
			    complete(&m, v, &done, origin, out) == -1)
				return (-1);
			memset(&m, 0, sizeof(m));
			break;
		case '[':
			i = skip_literal(v, len, i);
			continue;
		case ' ':
		case '\t':
		case '\r':
		case '\n':
		case '\0':
		case ')':
			break;
		default:
			i = m.behind = skip_word(v, len, i);
			m.words++;
			continue;
		}
		i++;
	}
	if (complete(&m, v, &done, origin, out) == -1)
		return (-1);
	return (buf_add(out, v + done, len - done));
}

/* Characters that may stand in a phrase as they are. */
static int
is_plain(const char *name)
{
	for (; *name != '\0'; name++)
		if ((unsigned char)*name >= 0x7f || *name < ' ' ||
		    strchr("()<>[]:;@\\,.\"=?", *name) != NULL)
			return (0);
	return (1);
}

static int
is_printable(const char *name)
{
	for (; *name != '\0'; name++)
		if ((unsigned char)*name >= 0x7f || *name < ' ')
			return (0);
	return (1);
}

/* RFC 2047 in pieces that end where a character does. */
static int
encode_words(const char *name, struct buf *out)
{
	size_t	i, n, len = strlen(name);

	if (len > NAME_BYTES)
		len = NAME_BYTES;
	while (len > 0) {
		n = len > WORD_BYTES ? WORD_BYTES : len;
		while (n > 1 && ((unsigned char)name[n] & 0xc0) == 0x80)
			n--;
		if (buf_puts(out, "=?utf-8?Q?") == -1)
			return (-1);
		for (i = 0; i < n; i++)
			if (buf_printf(out, "=%02X",
			    (unsigned int)(unsigned char)name[i]) == -1)
				return (-1);
		name += n;
		len -= n;
		if (buf_puts(out, len > 0 ? "?= " : "?=") == -1)
			return (-1);
	}
	return (0);
}

int
submission_phrase(const char *name, struct buf *out)
{
	if (is_plain(name))
		return (buf_puts(out, name));
	if (!is_printable(name))
		return (encode_words(name, out));
	if (buf_puts(out, "\"") == -1)
		return (-1);
	for (; *name != '\0'; name++)
		if (((*name == '"' || *name == '\\') && buf_puts(out, "\\") ==
		    -1) || buf_add(out, name, 1) == -1)
			return (-1);
	return (buf_puts(out, "\""));
}

static enum kind
kind_of(const struct mime_field *f, int *resent)
{
	size_t	i;

	*resent = f->namelen > 7 && strncasecmp(f->name, "Resent-", 7) == 0;
	for (i = 0; i < NFIELDS; i++)
		if (mime_field_is(f, fields[i].name))
			return (fields[i].kind);
	return (OTHER);
}

/* An address as a command carries it: a local part is quoted if need be. */
static int
print_address(const struct mime_address *a, const char *origin, char *out,
    size_t size)
{
	static const char	 special[] = " ()<>[]:;@\\,\"";
	const char		*p;
	size_t			 n = 0;
	int			 quote = 0, len;

	for (p = a->mailbox; *p != '\0'; p++)
		quote |= strchr(special, *p) != NULL;
	if (quote)
		out[n++] = '"';
	for (p = a->mailbox; *p != '\0'; p++) {
		if (size - n < 4)
			return (-1);
		if (*p == '"' || *p == '\\')
			out[n++] = '\\';
		out[n++] = *p;
	}
	if (quote)
		out[n++] = '"';
	len = snprintf(out + n, size - n, "@%s", *a->host != '\0' ? a->host :
	    origin);
	return (len < 0 || (size_t)len >= size - n ? -1 : 0);
}

static int
take_one(const struct submission *s, const struct mime_address *a)
{
	char	address[ADDRESS_MAX];

	if (a->kind != ADDRESS_MAILBOX || *a->mailbox == '\0')
		return (0);
	if (print_address(a, s->origin, address, sizeof(address)) == -1) {
		errno = ENOBUFS;
		return (-1);
	}
	return (s->recipient(s->arg, address));
}

/* The recipients that a field names. */
static int
take(const struct submission *s, const struct mime_field *f)
{
	struct mime_addresses	list;
	size_t			i;
	int			rv = 0;

	if (mime_addresses_parse(&list, f->value, f->valuelen) == -1)
		return (-1);
	for (i = 0; i < list.n && rv == 0; i++)
		rv = take_one(s, &list.v[i]);
	mime_addresses_free(&list);
	return (rv);
}

static int
put_field(const struct submission *s, const struct mime_field *f,
    enum kind kind, struct buf *out)
{
	struct buf	b;
	int		rv;

	if (kind == BCC || kind == DROP)
		return (0);
	if (kind == OTHER)
		return (put_lines(out, f->raw, f->rawlen));
	buf_init(&b, 2 * SUBMISSION_HEADER_MAX);
	rv = buf_add(&b, f->raw, (size_t)(f->value - f->raw));
	if (rv == 0)
		rv = submission_complete(f->value, f->valuelen, s->origin, &b);
	if (rv == 0)
		rv = put_lines(out, buf_data(&b), buf_len(&b));
	buf_free(&b);
	return (rv);
}

static void
note(struct seen *seen, const struct mime_field *f, const char *prefix)
{
	char	name[32];

	snprintf(name, sizeof(name), "%sFrom", prefix);
	seen->from |= mime_field_is(f, name);
	snprintf(name, sizeof(name), "%sDate", prefix);
	seen->date |= mime_field_is(f, name);
	snprintf(name, sizeof(name), "%sMessage-ID", prefix);
	seen->msgid |= mime_field_is(f, name);
}

/* The fields that a message must have and this one lacks. */
static int
add_missing(const struct submission *s, const struct seen *seen,
    const char *prefix, struct buf *out)
{
	if (!seen->msgid && buf_printf(out, "%sMessage-ID: %s\r\n", prefix,
	    s->msgid) == -1)
		return (-1);
	if (!seen->date && buf_printf(out, "%sDate: %s\r\n", prefix,
	    s->date) == -1)
		return (-1);
	if (seen->from)
		return (0);
	if (buf_printf(out, "%sFrom: ", prefix) == -1)
		return (-1);
	if (*s->fullname != '\0' && (submission_phrase(s->fullname, out) ==
	    -1 || buf_puts(out, " ") == -1))
		return (-1);
	if (buf_printf(out, "<%s", s->from) == -1 ||
	    (strrchr(s->from, '@') == NULL && buf_printf(out, "@%s",
	    s->origin) == -1))
		return (-1);
	return (buf_puts(out, ">\r\n"));
}

int
submission_header(const struct submission *s, const char *text, size_t len,
    struct buf *out)
{
	struct mime_fields	it;
	struct mime_field	f;
	struct seen		own = { 0 }, again = { 0 };
	enum kind		kind;
	int			resent, any = 0;

	if (len > SUBMISSION_HEADER_MAX) {
		errno = ENOBUFS;
		return (-1);
	}
	mime_fields_init(&it, text, len);
	while (mime_fields_next(&it, &f)) {
		(void)kind_of(&f, &resent);
		any |= resent;
		note(&own, &f, "");
		note(&again, &f, "Resent-");
	}
	if (any && add_missing(s, &again, "Resent-", out) == -1)
		return (-1);
	mime_fields_init(&it, text, len);
	while (mime_fields_next(&it, &f)) {
		kind = kind_of(&f, &resent);
		/* who resends does not send to those of the first time */
		if (s->take && (kind == TO || kind == BCC) && resent == any &&
		    take(s, &f) == -1)
			return (-1);
		if (put_field(s, &f, kind, out) == -1)
			return (-1);
	}
	if (add_missing(s, &own, "", out) == -1)
		return (-1);
	return (buf_puts(out, "\r\n"));
}
