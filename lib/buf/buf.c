/*
 * buf: one growable byte buffer.  Memory is taken in powers of two, moved to
 * the front only when the room at the end is short, and freed when empty.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf/buf.h"
#include "os/compat.h"

#define BUF_FIRST	256

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

static void
release(struct buf *b)
{
	if (b->secret)
		freezero(b->mem, b->top);
	else
		free(b->mem);
}

void
buf_free(struct buf *b)
{
	release(b);
	b->mem = NULL;
	b->off = b->end = b->cap = b->top = 0;
}

void
buf_wipe(struct buf *b)
{
	freezero(b->mem, b->top);
	b->mem = NULL;
	b->off = b->end = b->cap = b->top = 0;
}

/* Room that nobody used is not touched: reserving much must cost little. */
static void
grown(struct buf *b, size_t n)
{
	b->end += n;
	if (b->end > b->top)
		b->top = b->end;
}

void *
buf_reserve(struct buf *b, size_t n)
{
	unsigned char	*mem;
	size_t		 len = b->end - b->off, cap;

	if (len > b->max || n > b->max - len) {
		errno = ENOBUFS;
		return (NULL);
	}
	if (b->cap - b->end >= n)
		return (b->mem + b->end);
	if (b->off > 0 && b->cap - len >= n && b->off >= len) {
		memcpy(b->mem, b->mem + b->off, len);
		b->off = 0;
		b->end = len;
		return (b->mem + b->end);
	}
	/* A quarter stays free, so that bytes are not moved again at once. */
	for (cap = b->cap > 0 ? b->cap : BUF_FIRST; cap - len < n ||
	    cap - len < cap / 4; cap *= 2)
		if (cap > SIZE_MAX / 2) {
			errno = ENOMEM;
			return (NULL);
		}
	if ((mem = malloc(cap)) == NULL)
		return (NULL);
	if (len > 0)
		memcpy(mem, b->mem + b->off, len);
	release(b);
	b->mem = mem;
	b->cap = cap;
	b->off = 0;
	b->end = b->top = len;
	return (b->mem + b->end);
}

void
buf_commit(struct buf *b, size_t n)
{
	if (n > b->cap - b->end)
		abort();
	grown(b, n);
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	void	*room;

	if (n == 0)
		return (0);
	if ((room = buf_reserve(b, n)) == NULL)
		return (-1);
	memcpy(room, p, n);
	grown(b, n);
	return (0);
}

int
buf_puts(struct buf *b, const char *s)
{
	return (buf_add(b, s, strlen(s)));
}

/* Listings of many thousand lines are made of these. */
int
buf_number(struct buf *b, uint64_t n)
{
	char	 digits[20];
	size_t	 i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return (buf_add(b, digits + i, sizeof(digits) - i));
}

int
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	char	 small[512], *p;
	va_list	 again;
	int	 n, ret = -1;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n < 0) {
		va_end(again);
		return (-1);
	}
	if ((size_t)n < sizeof(small)) {
		va_end(again);
		return (buf_add(b, small, n));
	}
	/* Not into the buffer: the NUL may be one more than its maximum. */
	if ((p = malloc((size_t)n + 1)) != NULL &&
	    vsnprintf(p, (size_t)n + 1, fmt, again) == n)
		ret = buf_add(b, p, n);
	va_end(again);
	if (p != NULL)
		freezero(p, (size_t)n + 1);
	return (ret);
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list	 ap;
	int	 ret;

	va_start(ap, fmt);
	ret = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return (ret);
}

size_t
buf_len(const struct buf *b)
{
	return (b->end - b->off);
}

void *
buf_data(const struct buf *b)
{
	return (b->mem == NULL ? NULL : b->mem + b->off);
}

void
buf_drain(struct buf *b, size_t n)
{
	if (n > b->end - b->off)
		abort();
	b->off += n;
	if (b->off == b->end)
		buf_free(b);
}

void
cursor_init(struct cursor *c, const void *p, size_t n)
{
	c->p = p;
	c->left = n;
}

int
cursor_get(struct cursor *c, void *to, size_t n)
{
	if (n > c->left)
		return (-1);
	memcpy(to, c->p, n);
	c->p += n;
	c->left -= n;
	return (0);
}

int
cursor_u32(struct cursor *c, unsigned int *v)
{
	unsigned char	b[4];

	if (cursor_get(c, b, sizeof(b)) == -1)
		return (-1);
	*v = b[0] | (unsigned int)b[1] << 8 | (unsigned int)b[2] << 16 |
	    (unsigned int)b[3] << 24;
	return (0);
}

int
cursor_skip(struct cursor *c, size_t n, const void **start)
{
	if (n > c->left)
		return (-1);
	*start = c->p;
	c->p += n;
	c->left -= n;
	return (0);
}
