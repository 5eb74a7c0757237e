/*
 * The text of a message: however it is cut the same comes out, it has no bare
 * CR or LF, and only CRLF . CRLF ends it.  The same as chunks of BDAT, where
 * what is binary comes out as it went in.
 *
 * fuzz: lib/smtp/content.c lib/smtp/chunk.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smtp/content.h"

#define OUT_MAX	65536

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct result;
static void	check(const struct result *, const char *);

struct result {
	char	out[OUT_MAX];
	size_t	len, end;
	int	done, bare, nul, eightbit;
};

static int
put(void *arg, const void *p, size_t n)
{
	struct result	*r = arg;

	if (n > OUT_MAX - r->len)
		abort();
	memcpy(r->out + r->len, p, n);
	r->len += n;
	return (0);
}

static void
feed(struct result *r, const char *in, size_t len, size_t step)
{
	struct smtp_content	 c;
	char			*copy;
	size_t			 have, done = 0;
	ssize_t			 n;

	memset(r, 0, sizeof(*r));
	smtp_content_init(&c);
	for (have = step < len ? step : len; ; have = len - have < step ?
	    len : have + step) {
		if ((copy = malloc(have - done + 1)) == NULL)
			abort();
		memcpy(copy, in + done, have - done);
		n = smtp_content_feed(&c, copy, have - done, put, r);
		free(copy);
		if (n < 0 || (size_t)n > have - done)
			abort();
		done += (size_t)n;
		if (c.done || have == len)
			break;
	}
	r->done = c.done;
	r->bare = c.bare;
	r->nul = c.nul;
	r->eightbit = c.eightbit;
	r->end = done;
	if (memchr(c.msgid, '\0', sizeof(c.msgid)) == NULL)
		abort();
}

/* As feed(), in chunks of BDAT. */
static void
chunks(struct result *r, const char *in, size_t len, size_t step, int binary)
{
	struct smtp_content	 c;
	char			*copy;
	size_t			 n;

	memset(r, 0, sizeof(*r));
	smtp_content_init(&c);
	c.binary = binary;
	for (; len > 0; in += n, len -= n) {
		n = step < len ? step : len;
		if ((copy = malloc(n)) == NULL)
			abort();
		memcpy(copy, in, n);
		if (smtp_content_chunk(&c, copy, n, put, r) == -1)
			abort();
		free(copy);
	}
	if (smtp_content_end(&c, put, r) == -1)
		abort();
	r->bare = c.bare;
	r->nul = c.nul;
	r->eightbit = c.eightbit;
	r->end = c.received;
	if (memchr(c.msgid, '\0', sizeof(c.msgid)) == NULL)
		abort();
}

static int
same(const struct result *a, const struct result *b)
{
	return (a->done == b->done && a->end == b->end && a->len == b->len &&
	    a->bare == b->bare && a->nul == b->nul &&
	    a->eightbit == b->eightbit &&
	    memcmp(a->out, b->out, a->len) == 0);
}

static void
check_chunks(const char *in, size_t len, size_t step)
{
	static struct result	whole, pieces;
	int			binary;

	for (binary = 0; binary <= 1; binary++) {
		chunks(&whole, in, len, len + 1, binary);
		chunks(&pieces, in, len, step, binary);
		if (!same(&whole, &pieces))
			abort();
		if (!binary)
			check(&whole, in);
		else if (whole.len < len || memcmp(whole.out, in, len) != 0)
			abort();
	}
}

static void
check(const struct result *r, const char *in)
{
	size_t	i;

	for (i = 0; i < r->len; i++)
		if ((r->out[i] == '\n' && (i == 0 ||
		    r->out[i - 1] != '\r')) || (r->out[i] == '\r' &&
		    i + 1 < r->len && r->out[i + 1] != '\n'))
			abort();
	if (!r->done)
		return;
	if (r->end < 3 || memcmp(in + r->end - 3, ".\r\n", 3) != 0 ||
	    (r->end > 3 && (r->end < 5 ||
	    memcmp(in + r->end - 5, "\r\n", 2) != 0)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct result	whole, pieces;

	/* A line with 8 KB and no end may be let go here or there. */
	if (len < 1 || len > 8000)
		return (0);
	feed(&whole, (const char *)data + 1, len - 1, len);
	check(&whole, (const char *)data + 1);
	feed(&pieces, (const char *)data + 1, len - 1, data[0] % 32 + 1);
	if (!same(&whole, &pieces))
		abort();
	check_chunks((const char *)data + 1, len - 1, data[0] % 32 + 1);
	return (0);
}
