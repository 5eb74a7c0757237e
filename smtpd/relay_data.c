/*
 * relay_data: a message's content on its way out.
 *
 * What our users wrote is not trusted: by IMAP APPEND or submission a bare CR
 * or LF may stand in the spool, and servers differ in what they take for the
 * end of the content.  What leaves here has one reading: CRLF and stuffed dots
 * only.
 *
 * Cost: two memchr() over each byte and one copy.
 */
#include <sys/mman.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "smtpd/relay_data.h"

void
content_init(struct content *c, uint64_t size)
{
	memset(c, 0, sizeof(*c));
	c->size = size;
}

void
content_free(struct content *c)
{
	mime_recode_free(c->recode);
	c->recode = NULL;
	if (c->map != NULL)
		munmap(c->map, (size_t)c->size);
	c->map = NULL;
}

/*
 * The text is sealed, or a file of queue's, which looks at its size before it
 * lets us read it.  A net that was taken over while it received that file may
 * still write it: if it cuts it off while it is mapped here, relay ends and is
 * started again, and the file is set aside.
 */
enum mime_recode_error
content_recode(struct content *c, int fd, enum mime_recode_to to)
{
	enum mime_recode_error	 error;
	void			*map;

	if (c->size == 0)
		return (RECODE_OK);
	map = mmap(NULL, (size_t)c->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return (RECODE_NOMEM);
	c->map = map;
	c->recode = mime_recode_new(c->map, (size_t)c->size, to, &error);
	if (c->recode == NULL) {
		content_free(c);
		return (error);
	}
	c->recoded = mime_recode_size(c->recode);
	return (RECODE_OK);
}

uint64_t
content_size(const struct content *c)
{
	return (c->recode != NULL ? c->recoded : c->size);
}

/* A piece of a line, without its end; bare CRs in it are replaced. */
static char *
piece(struct content *c, const char *p, size_t len, char *out)
{
	char	*cr, *end;

	if (len == 0)
		return (out);
	if (!c->middle && p[0] == '.')
		*out++ = '.';
	c->middle = 1;
	memcpy(out, p, len);
	end = out + len;
	while ((cr = memchr(out, '\r', (size_t)(end - out))) != NULL) {
		*cr = ' ';
		out = cr + 1;
	}
	return (end);
}

/* The CR at the end of the chunk before was no part of a line's end. */
static char *
bare_cr(struct content *c, char *out)
{
	c->cr = 0;
	c->middle = 1;
	*out++ = ' ';
	return (out);
}

static char *
line_end(struct content *c, char *out)
{
	c->cr = 0;
	c->middle = 0;
	*out++ = '\r';
	*out++ = '\n';
	return (out);
}

size_t
content_stuff(struct content *c, const char *p, size_t len, char *start)
{
	const char	*nl;
	char		*out = start;
	size_t		 n;

	while (len > 0) {
		if (c->cr && p[0] != '\n')
			out = bare_cr(c, out);
		nl = memchr(p, '\n', len);
		n = nl != NULL ? (size_t)(nl - p) : len;
		c->cr = n > 0 && p[n - 1] == '\r';
		out = piece(c, p, c->cr ? n - 1 : n, out);
		p += n;
		len -= n;
		if (nl != NULL) {
			out = line_end(c, out);
			p++;
			len--;
		}
	}
	return ((size_t)(out - start));
}

size_t
content_end(struct content *c, char *start)
{
	char	*out = start;

	if (c->cr)
		out = bare_cr(c, out);
	if (c->middle)
		out = line_end(c, out);
	memcpy(out, ".\r\n", 3);
	return ((size_t)(out + 3 - start));
}

/* The next bytes as they are in the spool; 0 at the end. */
static ssize_t
read_chunk(struct content *c, int fd, char *chunk, size_t size)
{
	size_t	want;
	ssize_t	n;

	want = c->size - c->off < size ? (size_t)(c->size - c->off) : size;
	if (want == 0)
		return (0);
	do {
		n = pread(fd, chunk, want, (off_t)c->off);
	} while (n == -1 && errno == EINTR);
	if (n == 0) {
		errno = EPIPE;			/* shorter than it was */
		return (-1);
	}
	return (n);
}

ssize_t
content_next(struct content *c, int fd, char *out, int *last)
{
	static char	 chunk[CONTENT_CHUNK];
	char		*to = c->raw ? out : chunk;
	size_t		 len;
	ssize_t		 n;

	if (c->recode != NULL)
		n = (ssize_t)mime_recode_next(c->recode, to, CONTENT_CHUNK);
	else
		n = read_chunk(c, fd, to, CONTENT_CHUNK);
	if (n == -1)
		return (-1);
	c->off += (uint64_t)n;
	*last = c->off == content_size(c);
	if (c->raw)
		return (n);
	len = content_stuff(c, chunk, (size_t)n, out);
	if (*last)
		len += content_end(c, out + len);
	return ((ssize_t)len);
}
