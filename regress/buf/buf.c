/*
 * buf: the maximum, what is kept over growing and draining, and the cursor.
 */
#include <errno.h>
#include <stdlib.h>

#include "buf/buf.h"
#include "../test.h"

static void
test_limits(void)
{
	static const struct {
		const char	*name;
		size_t		 max, first, second;
		int		 want;		/* of the second */
	} cases[] = {
		{ "nothing in nothing",	0,	0,	0,	0 },
		{ "a byte in nothing",	0,	0,	1,	-1 },
		{ "up to the maximum",	10,	0,	10,	0 },
		{ "one more",		10,	0,	11,	-1 },
		{ "the rest",		1000,	999,	1,	0 },
		{ "more than the rest",	1000,	999,	2,	-1 },
		{ "much more",		1000,	999,	(size_t)-1,	-1 },
		{ "nothing when full",	1000,	1000,	0,	0 },
	};
	static char	zero[1000];
	struct buf	b;
	size_t		i;
	int		r;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&b, cases[i].max);
		errno = 0;
		r = buf_add(&b, zero, cases[i].first);
		if (r == 0)
			r = cases[i].second > sizeof(zero) ?
			    (buf_reserve(&b, cases[i].second) == NULL ? -1 :
			    0) : buf_add(&b, zero, cases[i].second);
		TEST(cases[i].name, r == cases[i].want &&
		    (r == 0 || errno == ENOBUFS) && buf_len(&b) ==
		    cases[i].first + (r == 0 ? cases[i].second : 0));
		buf_free(&b);
	}
}

/* What comes out is what went in, whatever the sizes of the pieces. */
static void
test_stream(void)
{
	struct buf	 b;
	unsigned char	 piece[700], *p;
	unsigned int	 in = 0, out = 0, seed = 1;
	size_t		 n, i;
	int		 turn, good = 1;

	buf_init(&b, 20000);
	for (turn = 0; turn < 20000; turn++) {
		seed = seed * 1103515245 + 12345;
		n = (seed >> 16) % sizeof(piece);
		for (i = 0; i < n; i++)
			piece[i] = (unsigned char)((in + i) % 251);
		if (buf_add(&b, piece, n) == 0)
			in += n;
		else
			good &= n > 20000 - buf_len(&b);
		n = (seed >> 8) % (buf_len(&b) + 1);
		p = buf_data(&b);
		for (i = 0; i < n; i++)
			good &= p[i] == (out + i) % 251;
		out += n;
		buf_drain(&b, n);
		good &= buf_len(&b) == in - out;
	}
	TEST("random pieces", good && in > 1000000);
	buf_drain(&b, buf_len(&b));
	TEST("no memory when empty", b.mem == NULL && b.cap == 0);
	buf_free(&b);
}

/* A queue that stays nearly full must not move itself for each message. */
static void
test_work(void)
{
	struct buf	 b;
	static char	 fill[65536];
	unsigned char	*before;
	size_t		 moves = 0;
	int		 i;

	buf_init(&b, 1 << 20);
	TEST("fill", buf_add(&b, fill, sizeof(fill) - 100) == 0);
	before = b.mem;
	for (i = 0; i < 10000; i++) {
		buf_drain(&b, 100);
		if (buf_add(&b, fill, 100) == -1)
			break;
		if (b.mem != before || b.off == 0)
			moves++;
		before = b.mem;
	}
	TEST("all added", i == 10000 && buf_len(&b) == sizeof(fill) - 100);
	TEST("moved seldom", moves < 200);
	buf_free(&b);
}

/* What has to be zeroed: all that was held since the memory was taken. */
static void
test_top(void)
{
	static char	fill[300];
	struct buf	b;

	memset(fill, 'x', sizeof(fill));
	buf_init(&b, 1 << 20);
	b.secret = 1;
	TEST("room is not content", buf_reserve(&b, 65536) != NULL &&
	    b.top == 0);
	buf_commit(&b, 10);
	TEST("committed", b.top == 10);
	TEST("added", buf_add(&b, fill, sizeof(fill)) == 0 && b.top == 310);
	buf_drain(&b, 305);
	TEST("moved to the front", buf_reserve(&b, b.cap - 5) != NULL &&
	    b.off == 0 && b.top == 310);
	TEST("other memory", buf_reserve(&b, b.cap) != NULL && b.top == 5);
	buf_drain(&b, 5);
	TEST("none", b.mem == NULL && b.top == 0);
}

static void
test_printf(void)
{
	static const size_t	lens[] = { 0, 1, 255, 256, 510, 511, 512, 513,
				    4000 };
	static char		text[4001], name[64];
	struct buf		b;
	size_t			i;

	memset(text, 'x', sizeof(text) - 1);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		snprintf(name, sizeof(name), "printf %zu", lens[i]);
		buf_init(&b, lens[i]);
		TEST(name, buf_printf(&b, "%.*s", (int)lens[i], text) == 0 &&
		    buf_len(&b) == lens[i] && (lens[i] == 0 ||
		    memcmp(buf_data(&b), text, lens[i]) == 0));
		buf_free(&b);
		if (lens[i] == 0)
			continue;
		snprintf(name, sizeof(name), "printf %zu too long", lens[i]);
		buf_init(&b, lens[i] - 1);
		TEST(name, buf_printf(&b, "%.*s", (int)lens[i], text) == -1 &&
		    buf_len(&b) == 0);
		buf_free(&b);
	}
	buf_init(&b, 100);
	TEST("puts", buf_puts(&b, "ab") == 0 && buf_puts(&b, "") == 0 &&
	    buf_len(&b) == 2);
	buf_wipe(&b);
	TEST("wiped", buf_len(&b) == 0 && b.mem == NULL && b.max == 100);
}

static void
test_cursor(void)
{
	static const unsigned char	 bytes[] = { 1, 2, 3, 4, 5, 0xff, 0xff,
					    0xff, 0xff };
	struct cursor			 c;
	const void			*p;
	unsigned char			 got[4];
	unsigned int			 v = 7;
	size_t				 n;

	cursor_init(&c, bytes, sizeof(bytes));
	TEST("u32", cursor_u32(&c, &v) == 0 && v == 0x04030201);
	TEST("skip", cursor_skip(&c, 1, &p) == 0 && p == bytes + 4);
	TEST("too far", cursor_skip(&c, 5, &p) == -1 &&
	    cursor_skip(&c, (size_t)-1, &p) == -1 && c.left == 4);
	TEST("u32 of ones", cursor_u32(&c, &v) == 0 && v == 0xffffffff);
	TEST("empty", cursor_get(&c, got, 1) == -1 &&
	    cursor_get(&c, got, 0) == 0 && cursor_skip(&c, 0, &p) == 0);
	for (n = 0; n < 4; n++) {
		cursor_init(&c, bytes, n);
		v = 9;
		if (cursor_u32(&c, &v) != -1 || v != 9 || c.left != n ||
		    c.p != bytes)
			break;
	}
	TEST("u32 cut at every byte", n == 4);
}

int
main(void)
{
	test_limits();
	test_stream();
	test_work();
	test_top();
	test_printf();
	test_cursor();
	TEST_DONE();
}
