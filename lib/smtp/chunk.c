/*
 * chunk: the text of a message as BDAT carries it (RFC 3030).  Pure.
 *
 * Nothing in a chunk ends it but its length.  A chunk may be cut anywhere, so
 * a CR at its end waits for what follows.
 *
 * Cost: as for DATA, memchr() over each line, and no copy but of a header
 * line that is cut.
 */
#include <string.h>

#include "smtp/content_out.h"

#define LINE_MAX_OCTETS	998	/* RFC 5321 4.5.3.1.6, without CRLF */

static int
line_end(struct smtp_content *c, struct content_out *o, const char *end)
{
	c->column = 0;
	return (content_put(o, end, 2));
}

static int
some(struct smtp_content *c, struct content_out *o, const char *p, size_t n,
    int ends)
{
	c->column += n;
	if (c->column > LINE_MAX_OCTETS)
		c->odd = 1;
	return (content_piece(c, o, p, n, ends));
}

/* A CR or LF alone: in a text a line end, in what is binary a byte. */
static int
bare(struct smtp_content *c, struct content_out *o, const char *byte)
{
	c->bare = c->odd = 1;
	if (c->binary)
		return (some(c, o, byte, 1, 0));
	if (content_piece(c, o, byte, 0, 1) == -1)
		return (-1);
	return (line_end(c, o, "\r\n"));
}

/* Text up to a line end or the end of input, with bare CRs in it. */
static int
stretch(struct smtp_content *c, struct content_out *o, const char *p,
    size_t n, int ends)
{
	const char	*cr;

	while ((cr = memchr(p, '\r', n)) != NULL) {
		if (some(c, o, p, cr - p, 0) == -1 || bare(c, o, "\r") == -1)
			return (-1);
		n -= cr + 1 - p;
		p = cr + 1;
	}
	return (some(c, o, p, n, ends));
}

/* What became of the CR that the piece before ended with? */
static int
after_cr(struct smtp_content *c, struct content_out *o, const char **p)
{
	c->cr = 0;
	if (**p != '\n')
		return (bare(c, o, "\r"));
	(*p)++;
	if (content_piece(c, o, *p, 0, 1) == -1)
		return (-1);
	return (line_end(c, o, "\r\n"));
}

int
smtp_content_chunk(struct smtp_content *c, const char *in, size_t len,
    smtp_content_put fn, void *arg)
{
	struct content_out	 o = { .put = fn, .arg = arg };
	const char		*p = in, *end = in + len, *nl;
	int			 crlf;

	if (len == 0)
		return (0);
	if (!c->eightbit)
		c->eightbit = content_has_eightbit(in, len);
	if (c->cr && after_cr(c, &o, &p) == -1)
		return (-1);
	while ((nl = memchr(p, '\n', end - p)) != NULL) {
		crlf = nl > p && nl[-1] == '\r';
		if (stretch(c, &o, p, nl - p - crlf, crlf) == -1 ||
		    (crlf ? line_end(c, &o, nl - 1) :
		    bare(c, &o, "\n")) == -1)
			return (-1);
		p = nl + 1;
	}
	if (p < end && end[-1] == '\r') {
		c->cr = 1;
		end--;
	}
	if (stretch(c, &o, p, end - p, 0) == -1)
		return (-1);
	return (content_flush(&o));
}

int
smtp_content_end(struct smtp_content *c, smtp_content_put fn, void *arg)
{
	struct content_out	 o = { .put = fn, .arg = arg };

	if (c->cr && bare(c, &o, "\r") == -1)
		return (-1);
	c->cr = 0;
	/* Added fields stand on lines of their own, whatever came. */
	if (c->column > 0 && (!c->binary || c->header)) {
		if (content_piece(c, &o, "", 0, 1) == -1 ||
		    line_end(c, &o, "\r\n") == -1)
			return (-1);
	} else if (c->column > 0)
		c->odd = 1;
	if (c->header && content_end_header(c, &o) == -1)
		return (-1);
	if (c->nul)
		c->odd = 1;
	return (content_flush(&o));
}
