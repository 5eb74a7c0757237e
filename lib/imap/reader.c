/*
 * reader: lines and literals of IMAP commands, with limits on each.
 *
 * Used by the process that talks to strangers and by the session.  Pure; one
 * look at each byte.  A literal that is refused is skipped together with the
 * rest of its command, so that mail never runs as commands (RFC 7888 4).
 */
#include <errno.h>
#include <string.h>

#include "imap/reader.h"

#define LITERAL_DIGITS	19		/* fits 64 bits */

enum {
	ST_LINE,		/* collecting a line */
	ST_DECIDE,		/* a literal was announced */
	ST_TAKE,		/* literal into text */
	ST_STREAM,		/* literal to the caller */
	ST_SKIP,		/* literal of a refused command */
	ST_COMMAND,		/* text is complete */
	ST_REFUSED,
	ST_OVERFLOW
};

const struct imap_limits imap_limits_before = {
	IMAP_LINE_BEFORE, IMAP_LITERAL_BEFORE, 4 * IMAP_LITERAL_BEFORE, 8
};
const struct imap_limits imap_limits_after = {
	IMAP_LINE_AFTER, IMAP_LITERAL_AFTER, 4 * IMAP_LITERAL_AFTER,
	IMAP_LITERALS_MAX
};

void
imap_reader_init(struct imap_reader *r, const struct imap_limits *limits)
{
	memset(r, 0, sizeof(*r));
	r->limits = limits;
	r->state = ST_LINE;
	buf_init(&r->text, limits->command);
}

void
imap_reader_free(struct imap_reader *r)
{
	buf_wipe(&r->text);
}

char *
imap_reader_text(const struct imap_reader *r, size_t *len)
{
	*len = buf_len(&r->text);
	return (buf_data(&r->text));
}

int
imap_reader_between(const struct imap_reader *r)
{
	return (r->state == ST_LINE && !r->refused && r->literals == 0 &&
	    buf_len(&r->text) == 0);
}

void
imap_reader_next(struct imap_reader *r)
{
	buf_wipe(&r->text);	/* it may hold a password */
	r->state = ST_LINE;
	r->refused = 0;
	r->line = 0;
	r->literals = 0;
}

/*
 * Does the line end in {n} or {n+}?  1 yes, 0 no, -1 a number that no
 * literal can have.
 */
static int
literal_spec(struct imap_reader *r, const char *s, size_t len)
{
	uint64_t n = 0;
	size_t end, start;

	if (len < 3 || s[len - 1] != '}')
		return (0);
	end = len - 1;
	r->literal_sync = s[end - 1] != '+';
	if (!r->literal_sync)
		end--;
	for (start = end; start > 0 && s[start - 1] >= '0' &&
	    s[start - 1] <= '9'; start--)
		if (end - start > LITERAL_DIGITS)
			return (-1);
	if (start == end || start == 0 || s[start - 1] != '{')
		return (0);
	if (end - start > LITERAL_DIGITS)
		return (-1);
	for (; start < end; start++)
		n = n * 10 + (uint64_t)(s[start] - '0');
	r->literal_size = n;
	return (1);
}

static void
overflow(struct imap_reader *r)
{
	buf_wipe(&r->text);
	r->state = ST_OVERFLOW;
}

/* Skip a literal that nobody waits for, or be done with the command. */
static void
skip_literal(struct imap_reader *r)
{
	buf_free(&r->text);
	r->line = 0;
	r->refused = 1;
	if (r->literal_sync) {
		r->state = ST_REFUSED;
		return;
	}
	if (r->literal_size > IMAP_REFUSED_MAX ||
	    r->literals >= r->limits->literals) {
		overflow(r);
		return;
	}
	r->literals++;
	r->left = r->literal_size;
	r->state = ST_SKIP;
}

/* A line end came: what is the line? */
static void
line_ended(struct imap_reader *r)
{
	const char *s;
	size_t len, strip;

	len = buf_len(&r->text);
	s = buf_data(&r->text);
	strip = r->line >= 2 && s[len - 2] == '\r' ? 2 : 1;
	switch (literal_spec(r, s + (len - r->line), r->line - strip)) {
	case -1:
		overflow(r);
		return;
	case 1:
		if (r->refused)
			skip_literal(r);
		else
			r->state = ST_DECIDE;
		return;
	}
	if (r->refused) {
		buf_free(&r->text);
		r->state = ST_REFUSED;
		return;
	}
	r->text.end -= strip;
	r->state = ST_COMMAND;
}

static size_t
feed_line(struct imap_reader *r, const char *p, size_t len)
{
	const char *nl;
	size_t n;

	n = (nl = memchr(p, '\n', len)) != NULL ? (size_t)(nl - p) + 1 : len;
	if (n > r->limits->line - r->line ||
	    buf_add(&r->text, p, n) == -1) {
		overflow(r);
		return (n);
	}
	r->line += n;
	if (nl != NULL)
		line_ended(r);
	return (n);
}

/* Bytes of a literal; a fault of memory is treated as a limit. */
static size_t
feed_literal(struct imap_reader *r, const char *p, size_t len)
{
	size_t n = len < r->left ? len : (size_t)r->left;

	if (r->state == ST_TAKE && buf_add(&r->text, p, n) == -1) {
		overflow(r);
		return (n);
	}
	r->data = p;
	r->datalen = n;
	r->left -= n;
	return (n);
}

enum imap_event
imap_reader_feed(struct imap_reader *r, const char *p, size_t len,
    size_t *used)
{
	size_t n;
	int state;

	*used = 0;
	for (;;) {
		n = 0;
		state = r->state;
		switch (state) {
		case ST_DECIDE:
			return (IMAP_LITERAL);
		case ST_COMMAND:
			return (IMAP_COMMAND);
		case ST_REFUSED:
			return (IMAP_REFUSED);
		case ST_OVERFLOW:
			*used += len;
			return (IMAP_OVERFLOW);
		case ST_TAKE:
		case ST_STREAM:
		case ST_SKIP:
			if (r->left == 0) {
				r->state = ST_LINE;
				r->line = 0;
				continue;
			}
			break;
		}
		if (len == 0)
			return (IMAP_MORE);
		if (state == ST_LINE)
			n = feed_line(r, p, len);
		else
			n = feed_literal(r, p, len);
		*used += n;
		if (state == ST_STREAM)
			return (IMAP_DATA);
		p += n;
		len -= n;
	}
}

int
imap_reader_fits(const struct imap_reader *r)
{
	size_t held = buf_len(&r->text);

	return (r->literal_size <= r->limits->literal &&
	    r->literals < r->limits->literals &&
	    held <= r->limits->command &&
	    r->literal_size <= r->limits->command - held);
}

void
imap_reader_take(struct imap_reader *r)
{
	r->literals++;
	r->left = r->literal_size;
	r->state = ST_TAKE;
}

void
imap_reader_stream(struct imap_reader *r)
{
	buf_free(&r->text);
	r->literals++;
	r->left = r->literal_size;
	r->state = ST_STREAM;
}

void
imap_reader_refuse(struct imap_reader *r)
{
	skip_literal(r);
}
