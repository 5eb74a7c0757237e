/*
 * crlf: line ends, on the way to disk and back.  One pass each way; memchr()
 * and memcpy() a line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mime/casemap.h"
#include "os/compat.h"
#include "os/os.h"
#include "store/crlf.h"
#include "store/file.h"
#include "store/store.h"

static int crlf_put(struct crlf *, const char *, size_t);
static int crlf_line(struct crlf *, const char *, size_t);
static int crlf_flush(struct crlf *);
static unsigned int crlf_head(struct crlf_head *, const char *, size_t);

int
crlf_init(struct crlf *c, int fd)
{
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	return ((c->buf = malloc(CRLF_BUFFER)) == NULL ? -1 : 0);
}

int
crlf_write(struct crlf *c, const void *data, size_t len)
{
	const char *p = data, *end, *nl;
	size_t n;

	if (len == 0)
		return (0);
	end = p + len;
	while (p < end && (nl = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (crlf_line(c, p, (size_t)(nl - p)) == -1)
			return (-1);
		p = nl + 1;
	}
	if ((n = (size_t)(end - p)) == 0)
		return (0);
	if (c->held && crlf_put(c, "\r", 1) == -1)
		return (-1);
	c->held = end[-1] == '\r';
	return (crlf_put(c, p, c->held ? n - 1 : n));
}

int
crlf_finish(struct crlf *c)
{
	if (c->held && crlf_put(c, "\r", 1) == -1)
		return (-1);
	c->held = 0;
	if (c->fsize > 0 && c->last != '\n')
		c->text |= TEXT_UNENDED;
	return (crlf_flush(c));
}

void
crlf_free(struct crlf *c)
{
	free(c->buf);
	c->buf = NULL;
}

/* The rest of a line; p[len] is the LF. */
static int
crlf_line(struct crlf *c, const char *p, size_t len)
{
	int cr, crcr;

	if (len > 0) {
		if (c->held && crlf_put(c, "\r", 1) == -1)
			return (-1);
		c->held = 0;
		cr = p[len - 1] == '\r';
		crcr = cr && (len > 1 ? p[len - 2] : c->last) == '\r';
		if (cr)
			len--;
		if (crlf_put(c, p, len) == -1)
			return (-1);
	} else {
		cr = c->held;
		crcr = cr && c->last == '\r';
	}
	c->held = 0;
	if (crcr)	/* CR CR LF: kept, or it would not come back */
		return (crlf_put(c, "\r\n", 2));
	c->size++;
	return (crlf_put(c, "\n", 1));
}

static int
crlf_put(struct crlf *c, const char *p, size_t len)
{
	size_t n;

	if (len == 0)
		return (0);
	if (!c->head.over)
		c->text |= crlf_head(&c->head, p, len);
	c->last = p[len - 1];
	c->size += len;
	c->fsize += len;
	while (len > 0) {
		if (c->n == CRLF_BUFFER && crlf_flush(c) == -1)
			return (-1);
		n = CRLF_BUFFER - c->n < len ? CRLF_BUFFER - c->n : len;
		memcpy(c->buf + c->n, p, n);
		c->n += n;
		p += n;
		len -= n;
	}
	return (0);
}

static int
crlf_flush(struct crlf *c)
{
	size_t n = c->n;

	c->n = 0;
	return (os_write_all(c->fd, c->buf, n));
}

/* One pass over the header, which ends with the first empty line. */
static unsigned int
crlf_head(struct crlf_head *h, const char *p, size_t len)
{
	unsigned int text = 0;
	size_t i;

	for (i = 0; i < len && !h->over; i++) {
		if (p[i] == '\n') {
			h->over = !h->filled;
			h->filled = 0;
		} else if (p[i] != '\r') {
			h->filled = 1;
			if ((unsigned char)p[i] >= 0x80)
				text = TEXT_8BIT;
		}
	}
	return (text);
}

/* 1 if there is nothing in it but CRs. */
static int
crlf_empty(const char *p, const char *nl)
{
	while (p < nl && *p == '\r')
		p++;
	return (p == nl);
}

/* As crlf_head() of the whole. */
unsigned int
crlf_text(const char *data, size_t len)
{
	const char *p = data, *end = data + len, *nl;
	unsigned int text = 0;
	size_t head;

	while (p < end && (nl = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (crlf_empty(p, nl))
			end = nl;
		p = nl + 1;
	}
	head = (size_t)(end - data);
	if (mime_ascii_length(data, head) < head)
		text |= TEXT_8BIT;
	if (len > 0 && data[len - 1] != '\n')
		text |= TEXT_UNENDED;
	return (text);
}

size_t
crlf_count(const char *data, size_t len)
{
	const char *p = data, *end = data + len;
	size_t n = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (p == data || p[-1] != '\r')
			n++;
		p++;
	}
	return (n);
}

/* A file that gives fewer than asked has ended. */
int
crlf_measure(int fd, uint64_t *size, unsigned int *text)
{
	struct crlf_head h = { 0 };
	char buf[CRLF_BUFFER], last = '\n';
	off_t off = 0;
	ssize_t n;

	*size = 0;
	*text = 0;
	do {
		if ((n = pread(fd, buf, sizeof(buf), off)) == -1) {
			if (errno != EINTR)
				return (-1);
			continue;
		}
		if (n == 0)
			break;
		off += n;
		*size += (uint64_t)n + crlf_count(buf, (size_t)n);
		/* That LF was not alone. */
		if (last == '\r' && buf[0] == '\n')
			(*size)--;
		*text |= crlf_head(&h, buf, (size_t)n);
		last = buf[n - 1];
	} while (n == -1 || (size_t)n == sizeof(buf));
	if (*size > 0 && last != '\n')
		*text |= TEXT_UNENDED;
	return (0);
}

void
crlf_expand(char *buf, size_t buflen, size_t len)
{
	char *to = buf, *p = buf + (buflen - len), *end = buf + buflen, *nl;
	char last = '\0';
	size_t n;

	/* to never passes p: the room between is the CRs still to come. */
	while (p < end && (nl = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		n = (size_t)(nl - p);
		if (n > 0)
			last = nl[-1];
		memmove(to, p, n);
		to += n;
		if (last != '\r')
			*to++ = '\r';
		*to++ = '\n';
		last = '\n';
		p = nl + 1;
	}
	memmove(to, p, (size_t)(end - p));
}
