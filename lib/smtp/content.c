/*
 * content: the text of a message as DATA carries it.  Pure.
 *
 * Cost: memchr() over each line; lines that are in order are handed on in
 * runs, without a copy.
 *
 * Bare LF as a line end (lf, for a listener that is lenient to clients of
 * that kind): such a client ended DATA itself and every command before with a
 * bare LF, so it is no relay that passes on, between CRLF commands, a text
 * that somebody else wrote; for it LF . LF is the end and it will never send
 * CRLF . CRLF.  The two ends cannot be confused, because a single CR in such
 * a message ends the session with a refusal.  For everybody else, on that
 * listener too, CRLF . CRLF is the end and nothing else.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "smtp/content_out.h"

#define PART_LINE	8192	/* an unfinished line is cut here */

int
content_flush(struct content_out *o)
{
	int	r = 0;

	if (o->len > 0)
		r = o->put(o->arg, o->run, o->len);
	o->len = 0;
	return (r);
}

int
content_put(struct content_out *o, const char *p, size_t n)
{
	if (n == 0)
		return (0);
	if (o->len > 0 && o->run + o->len == p) {
		o->len += n;
		return (0);
	}
	if (content_flush(o) == -1)
		return (-1);
	o->run = p;
	o->len = n;
	return (0);
}

/* A field that the client left out; name has its colon and blank. */
static int
add_field(struct smtp_content *c, struct content_out *o, const char *name,
    const char *value)
{
	c->added += strlen(name) + strlen(value) + 2;
	return (content_put(o, name, strlen(name)) == -1 ||
	    content_put(o, value, strlen(value)) == -1 ||
	    content_put(o, "\r\n", 2) == -1 ? -1 : 0);
}

int
content_end_header(struct smtp_content *c, struct content_out *o)
{
	c->header = 0;
	if (!c->has_date && c->add_date[0] != '\0' &&
	    add_field(c, o, "Date: ", c->add_date) == -1)
		return (-1);
	if (c->msgid[0] != '\0' || c->add_msgid[0] == '\0')
		return (0);
	memcpy(c->msgid, c->add_msgid, sizeof(c->msgid));
	return (add_field(c, o, "Message-ID: ", c->add_msgid));
}

/* What the log and the loop check want to know of the header. */
static void
look(struct smtp_content *c, const char *p, size_t n)
{
	static const char	rec[] = "Received:", mid[] = "Message-ID:";
	size_t			i;

	if (n >= 5 && strncasecmp(p, "Date:", 5) == 0)
		c->has_date = 1;
	if (n >= sizeof(rec) - 1 && strncasecmp(p, rec, sizeof(rec) - 1) == 0)
		c->received++;
	if (c->msgid[0] != '\0' || n < sizeof(mid) - 1 ||
	    strncasecmp(p, mid, sizeof(mid) - 1) != 0)
		return;
	p += sizeof(mid) - 1;
	n -= sizeof(mid) - 1;
	for (; n > 0 && (*p == ' ' || *p == '\t'); p++)
		n--;
	for (i = 0; i < n && i < sizeof(c->msgid) - 1; i++)
		c->msgid[i] = isgraph((unsigned char)p[i]) ? p[i] : '?';
	c->msgid[i] = '\0';
}

/* The start of a line of the header that comes in pieces. */
static void
keep_head(struct smtp_content *c, const char *p, size_t n)
{
	if (n > sizeof(c->head) - c->headlen)
		n = sizeof(c->head) - c->headlen;
	memcpy(c->head + c->headlen, p, n);
	c->headlen += n;
}

int
content_piece(struct smtp_content *c, struct content_out *o, const char *p,
    size_t n, int ends)
{
	if (!c->nul && memchr(p, '\0', n) != NULL)
		c->nul = 1;
	if (!c->header)
		return (content_put(o, p, n));
	if (!c->utf8)
		c->utf8 = content_has_eightbit(p, n);
	if (!ends || c->headlen > 0)
		keep_head(c, p, n);
	if (ends) {
		if (c->headlen > 0)
			look(c, c->head, c->headlen);
		else if (n > 0)
			look(c, p, n);
		else if (content_end_header(c, o) == -1)
			return (-1);
		c->headlen = 0;
	}
	return (content_put(o, p, n));
}

/* Text without its line end; a bare CR in it becomes a line end. */
static int
text(struct smtp_content *c, struct content_out *o, const char *p, size_t n,
    int ends)
{
	const char	*cr;

	while ((cr = memchr(p, '\r', n)) != NULL) {
		c->bare = 1;
		if (c->lf) {
			c->mixed = 1;
			return (0);
		}
		if (content_piece(c, o, p, cr - p, 1) == -1 ||
		    content_put(o, "\r\n", 2) == -1)
			return (-1);
		n -= cr + 1 - p;
		p = cr + 1;
	}
	return (content_piece(c, o, p, n, ends));
}

/* A line from p to the LF at nl.  1 it was the end, 0 go on, -1 put. */
static int
line(struct smtp_content *c, struct content_out *o, const char *p,
    const char *nl)
{
	int	crlf = nl > p && nl[-1] == '\r' && !c->lf;
	size_t	n = nl - p - (crlf ? 1 : 0);

	if (c->bol && (crlf || c->lf) && n == 1 && *p == '.')
		return (c->header && content_end_header(c, o) == -1 ? -1 : 1);
	if (c->bol && n > 0 && *p == '.') {
		p++;
		n--;
	}
	if (text(c, o, p, n, 1) == -1)
		return (-1);
	c->bol = crlf || c->lf;
	if (crlf)
		return (content_put(o, nl - 1, 2));
	c->bare = 1;
	return (content_put(o, "\r\n", 2));
}

int
content_has_eightbit(const char *p, size_t n)
{
	unsigned long	w;
	const unsigned long high = (unsigned long)-1 / 255 * 128;

	for (; n >= sizeof(w); p += sizeof(w), n -= sizeof(w)) {
		memcpy(&w, p, sizeof(w));
		if (w & high)
			return (1);
	}
	for (; n > 0; p++, n--)
		if (*p & 0x80)
			return (1);
	return (0);
}

void
smtp_content_init(struct smtp_content *c)
{
	memset(c, 0, sizeof(*c));
	c->bol = 1;
	c->header = 1;
}

ssize_t
smtp_content_feed(struct smtp_content *c, const char *in, size_t len,
    smtp_content_put fn, void *arg)
{
	struct content_out	 o = { .put = fn, .arg = arg };
	const char		*p = in, *end = in + len, *nl;
	size_t			 n;
	int			 r;

	while (p < end && !c->mixed) {
		if ((nl = memchr(p, '\n', end - p)) != NULL) {
			if ((r = line(c, &o, p, nl)) == -1)
				return (-1);
			p = nl + 1;
			if (r == 1) {
				c->done = 1;
				break;
			}
			continue;
		}
		n = end - p;
		if (n < PART_LINE)
			break;
		if (p[n - 1] == '\r')
			n--;		/* may be half of a CRLF */
		if (c->bol && *p == '.') {
			p++;
			n--;
		}
		if (text(c, &o, p, n, 0) == -1)
			return (-1);
		c->bol = 0;
		p += n;
		break;
	}
	if (!c->eightbit)
		c->eightbit = content_has_eightbit(in, p - in);
	return (content_flush(&o) == -1 ? -1 : p - in);
}
