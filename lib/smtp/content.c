/*
 * content: the text of a message as DATA carries it.  Pure.
 *
 * Cost: memchr() over each line; lines that are in order are handed on in
 * runs, without a copy.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "smtp/content.h"

#define PART_LINE	8192	/* an unfinished line is cut here */

struct out {
	smtp_content_put	 put;
	void			*arg;
	const char		*run;	/* not handed on yet */
	size_t			 len;
};

static int
flush(struct out *o)
{
	int	r = 0;

	if (o->len > 0)
		r = o->put(o->arg, o->run, o->len);
	o->len = 0;
	return (r);
}

static int
put(struct out *o, const char *p, size_t n)
{
	if (n == 0)
		return (0);
	if (o->len > 0 && o->run + o->len == p) {
		o->len += n;
		return (0);
	}
	if (flush(o) == -1)
		return (-1);
	o->run = p;
	o->len = n;
	return (0);
}

/* Text without its line end; a bare CR in it becomes a line end. */
static int
text(struct smtp_content *c, struct out *o, const char *p, size_t n)
{
	const char	*cr;

	if (!c->nul && memchr(p, '\0', n) != NULL)
		c->nul = 1;
	while ((cr = memchr(p, '\r', n)) != NULL) {
		c->bare = 1;
		if (put(o, p, cr - p) == -1 || put(o, "\r\n", 2) == -1)
			return (-1);
		n -= cr + 1 - p;
		p = cr + 1;
	}
	return (put(o, p, n));
}

/* The header ends here: fields that a submission must have are added. */
static int
end_header(struct smtp_content *c, struct out *o)
{
	c->header = 0;
	if (!c->has_date && c->add_date[0] != '\0' &&
	    (put(o, "Date: ", 6) == -1 ||
	    put(o, c->add_date, strlen(c->add_date)) == -1 ||
	    put(o, "\r\n", 2) == -1))
		return (-1);
	if (c->msgid[0] != '\0' || c->add_msgid[0] == '\0')
		return (0);
	memcpy(c->msgid, c->add_msgid, sizeof(c->msgid));
	if (put(o, "Message-ID: ", 12) == -1 ||
	    put(o, c->add_msgid, strlen(c->add_msgid)) == -1)
		return (-1);
	return (put(o, "\r\n", 2));
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

/* A line from p to the LF at nl.  1 it was the end, 0 go on, -1 put. */
static int
line(struct smtp_content *c, struct out *o, const char *p, const char *nl)
{
	int	crlf = nl > p && nl[-1] == '\r';
	size_t	n = nl - p - (crlf ? 1 : 0);

	if (c->bol && crlf && n == 1 && *p == '.')
		return (c->header && end_header(c, o) == -1 ? -1 : 1);
	if (c->bol && n > 0 && *p == '.') {
		p++;
		n--;
	}
	if (c->header && c->bol) {
		if (n > 0)
			look(c, p, n);
		else if (end_header(c, o) == -1)
			return (-1);
	}
	if (text(c, o, p, n) == -1)
		return (-1);
	c->bol = crlf;
	if (crlf)
		return (put(o, nl - 1, 2));
	c->bare = 1;
	return (put(o, "\r\n", 2));
}

static int
has_eightbit(const char *p, size_t n)
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
	struct out	 o = { .put = fn, .arg = arg };
	const char	*p = in, *end = in + len, *nl;
	size_t		 n;
	int		 r;

	while (p < end) {
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
		if (text(c, &o, p, n) == -1)
			return (-1);
		c->bol = 0;
		p += n;
		break;
	}
	if (!c->eightbit)
		c->eightbit = has_eightbit(in, p - in);
	return (flush(&o) == -1 ? -1 : p - in);
}
