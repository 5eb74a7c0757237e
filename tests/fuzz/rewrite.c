/*
 * rewrite: header fields of any bytes.  In one piece and in bytes it comes to
 * the same; without anything to change not a byte changes.
 *
 * fuzz: lib/mime/rewrite.c lib/buf/buf.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mime/rewrite.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct sink {
	char	*p;
	size_t	 n, cap;
};

static int
put(void *arg, const void *p, size_t n)
{
	struct sink	*s = arg;

	if (n > s->cap - s->n)
		abort();
	memcpy(s->p + s->n, p, n);
	s->n += n;
	return (0);
}

static const char *
domain(void *arg, const char *p, size_t n)
{
	return (n > 0 && *p == 'h' ? "d" : NULL);
}

static void
run(const char *p, size_t n, size_t piece, int change, struct sink *s)
{
	struct rewrite	r = { .origin = change ? "o" : NULL,
			    .domain = change ? domain : NULL, .put = put,
			    .put_arg = s };
	size_t		i;

	s->n = 0;
	s->cap = 4 * n + 16;
	if ((s->p = malloc(s->cap)) == NULL)
		abort();
	rewrite_init(&r);
	for (i = 0; i < n; i += piece)
		if (rewrite_feed(&r, p + i, n - i < piece ? n - i : piece) ==
		    -1)
			abort();
	if (rewrite_end(&r) == -1)
		abort();
	rewrite_free(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sink	 a, b, c;
	const char	*p = (const char *)data;

	if (size > 20000)
		return (0);
	run(p, size, size + 1, 1, &a);
	run(p, size, 1, 1, &b);
	run(p, size, 7, 0, &c);
	if (a.n != b.n || memcmp(a.p, b.p, a.n) != 0)
		abort();
	if (c.n != size || (size > 0 && memcmp(c.p, p, size) != 0))
		abort();
	free(a.p);
	free(b.p);
	free(c.p);
	return (0);
}
