/*
 * write: quoted strings, literals, mailbox names, sets.  Pure.
 */
#include <string.h>
#include <strings.h>

#include "imap/mutf7.h"
#include "imap/write.h"

#define QUOTED_MAX	1024		/* longer ones go as literals */
#define NAME_MAX_ENC	8192		/* a name in modified UTF-7 */

/* Lists of messages are made of these: no printf. */
static int
quotable(const char *s, size_t len)
{
	unsigned char c;
	size_t i;

	if (len > QUOTED_MAX)
		return (0);
	for (i = 0; i < len; i++) {
		/* No CR, LF, NUL and nothing above 7 bits; no escapes. */
		c = (unsigned char)s[i];
		if ((c < 0x20 && c != '\t') || c >= 0x7f || c == '"' ||
		    c == '\\')
			return (0);
	}
	return (1);
}

/* RFC 3501 9: a literal has any byte but NUL. */
static int
add_without_nul(struct buf *b, const char *s, size_t len)
{
	const char *nul;
	size_t n;

	while (len > 0) {
		nul = memchr(s, '\0', len);
		n = nul != NULL ? (size_t)(nul - s) : len;
		if (buf_add(b, s, n) == -1)
			return (-1);
		if (nul == NULL)
			break;
		if (buf_add(b, "\x80", 1) == -1)
			return (-1);
		s = nul + 1;
		len -= n + 1;
	}
	return (0);
}

int
imap_write_string(struct buf *b, const char *s, size_t len)
{
	char *room;

	if (quotable(s, len)) {
		if ((room = buf_reserve(b, len + 2)) == NULL)
			return (-1);
		room[0] = room[len + 1] = '"';
		if (len > 0)
			memcpy(room + 1, s, len);
		buf_commit(b, len + 2);
		return (0);
	}
	if (buf_printf(b, "{%zu}\r\n", len) == -1)
		return (-1);
	return (add_without_nul(b, s, len));
}

int
imap_write_nstring(struct buf *b, const char *s, size_t len)
{
	if (s == NULL)
		return (buf_puts(b, "NIL"));
	return (imap_write_string(b, s, len));
}

static int
is_atom(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || (len == 3 && strncasecmp(s, "NIL", 3) == 0))
		return (0);
	for (i = 0; i < len; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f ||
		    strchr("(){%*\"\\", s[i]) != NULL)
			return (0);
	return (1);
}

int
imap_write_astring(struct buf *b, const char *s, size_t len)
{
	if (is_atom(s, len))
		return (buf_add(b, s, len));
	return (imap_write_string(b, s, len));
}

/* RFC 9051 9: a quoted string may have UTF-8. */
static int
write_utf8(struct buf *b, const char *name)
{
	const char *p;

	if (is_atom(name, strlen(name)))
		return (buf_puts(b, name));
	if (buf_puts(b, "\"") == -1)
		return (-1);
	for (p = name; *p != '\0'; p++) {
		if ((*p == '"' || *p == '\\') && buf_puts(b, "\\") == -1)
			return (-1);
		if (buf_add(b, p, 1) == -1)
			return (-1);
	}
	return (buf_puts(b, "\""));
}

int
imap_write_mailbox(struct buf *b, const char *name, int utf8)
{
	struct buf enc;
	int ret;

	if (utf8)
		return (write_utf8(b, name));
	buf_init(&enc, NAME_MAX_ENC);
	if ((ret = imap_mutf7_encode(name, &enc)) == 0)
		ret = imap_write_astring(b, buf_data(&enc), buf_len(&enc));
	buf_free(&enc);
	return (ret);
}

static int
write_range(struct buf *b, struct imap_set_writer *w)
{
	const char *comma = w->any ? "," : "";

	w->any = 1;
	if (buf_puts(b, comma) == -1 || buf_number(b, w->first) == -1)
		return (-1);
	if (w->first == w->last)
		return (0);
	if (buf_puts(b, ":") == -1)
		return (-1);
	return (buf_number(b, w->last));
}

int
imap_write_set(struct buf *b, struct imap_set_writer *w, unsigned int n)
{
	if (w->last != 0 && n == w->last + 1) {
		w->last = n;
		return (0);
	}
	if (w->last != 0 && write_range(b, w) == -1)
		return (-1);
	w->first = w->last = n;
	return (0);
}

int
imap_write_set_end(struct buf *b, struct imap_set_writer *w)
{
	if (w->last == 0)
		return (0);
	return (write_range(b, w));
}
