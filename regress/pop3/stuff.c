/*
 * Messages as multi-line replies, in every way to split them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "pop3/stuff.h"

#define ALL	UINT32_MAX		/* RETR, not TOP */

struct row {
	const char	*name;
	const char	*in;
	uint32_t	 lines;
	const char	*out;
};

static const struct row rows[] = {
	{ "empty", "", ALL, ".\r\n" },
	{ "CRLF", "a\r\n", ALL, "a\r\n.\r\n" },
	{ "LF", "a\nb\n", ALL, "a\r\nb\r\n.\r\n" },
	{ "no line end", "a", ALL, "a\r\n.\r\n" },
	{ "CR at the end", "a\r", ALL, "a\r\r\n.\r\n" },
	{ "bare CR", "a\rb\r\r\n", ALL, "a\rb\r\r\n.\r\n" },
	{ "dot", ".\r\n", ALL, "..\r\n.\r\n" },
	{ "dots", "..\n.a\na.\n", ALL, "...\r\n..a\r\na.\r\n.\r\n" },
	{ "dot after bare CR", "a\r.\r\n", ALL, "a\r.\r\n.\r\n" },
	{ "smuggled end", "a\n.\nb\n", ALL, "a\r\n..\r\nb\r\n.\r\n" },
	{ "NUL is a byte", "a\n\n.", ALL, "a\r\n\r\n..\r\n.\r\n" },
	{ "top 0", "h: 1\n\nb1\nb2\n", 0, "h: 1\r\n\r\n.\r\n" },
	{ "top 1", "h: 1\n\nb1\nb2\n", 1, "h: 1\r\n\r\nb1\r\n.\r\n" },
	{ "top 2", "h: 1\r\n\r\n.b1\r\nb2\r\n", 2,
	    "h: 1\r\n\r\n..b1\r\nb2\r\n.\r\n" },
	{ "top 9", "h: 1\n\nb1\nb2", 9, "h: 1\r\n\r\nb1\r\nb2\r\n.\r\n" },
	{ "top empty lines", "h: 1\n\n\n\n\nx\n", 2,
	    "h: 1\r\n\r\n\r\n\r\n.\r\n" },
	{ "top no body", "h: 1\n", 5, "h: 1\r\n.\r\n" },
	{ "top no header", "\nb1\nb2\n", 1, "\r\nb1\r\n.\r\n" },
};

/* One piece of step bytes after the other. */
static size_t
stuff(const struct row *r, size_t step, char *out)
{
	struct pop3_stuff s;
	size_t o = 0, i, n, len = strlen(r->in);

	if (r->lines == ALL)
		pop3_stuff_init(&s);
	else
		pop3_stuff_top(&s, r->lines);
	for (i = 0; i < len; i += n) {
		n = len - i < step ? len - i : step;
		o += pop3_stuff(&s, r->in + i, n, out + o);
	}
	o += pop3_stuff_end(&s, out + o);
	return (o);
}

int
main(void)
{
	char out[256];
	size_t i, step, n;
	int good;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		good = 1;
		for (step = 1; step <= strlen(rows[i].in) + 1; step++) {
			n = stuff(&rows[i], step, out);
			if (n != strlen(rows[i].out) ||
			    memcmp(out, rows[i].out, n) != 0)
				good = 0;
		}
		TEST(rows[i].name, good);
	}
	TEST_DONE();
}
