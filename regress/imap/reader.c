/*
 * reader: commands and literals out of bytes, in pieces of every size, and
 * the limits.
 */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "imap/reader.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct imap_limits small = { 32, 8, 48, 3 };

/*
 * What comes out: C(text) a command, + a continuation, D(bytes) streamed, R
 * refused, O too much.  A literal of 7 is streamed, one of 9 does not fit.
 */
static const struct {
	const char *name, *in, *want;
} t[] = {
	{ "command", "a NOOP\r\n", "C(a NOOP)" },
	{ "lf", "a NOOP\n", "C(a NOOP)" },
	{ "empty", "\r\n", "C()" },
	{ "two", "a NOOP\r\nb NOOP\r\n", "C(a NOOP)C(b NOOP)" },
	{ "unfinished", "a NOO", "" },
	{ "literal", "a X {3}\r\nabc\r\n", "+C(a X {3}\r\nabc)" },
	{ "literal+", "a X {3+}\r\nabc\r\n", "C(a X {3+}\r\nabc)" },
	{ "literal and more", "a X {1}\r\nb {1+}\r\nc d\r\n",
	    "+C(a X {1}\r\nb {1+}\r\nc d)" },
	{ "empty literal", "a X {0}\r\n\r\n", "+C(a X {0}\r\n)" },
	{ "literal with lines", "a X {4+}\r\nx\r\ny\r\n",
	    "C(a X {4+}\r\nx\r\ny)" },
	{ "brace in the middle", "a {3} b\r\n", "C(a {3} b)" },
	{ "no number", "a {}\r\nb {+}\r\n", "C(a {})C(b {+})" },
	{ "streamed", "a X {7}\r\n1234567 z\r\nb Y\r\n",
	    "+D(1234567)C( z)C(b Y)" },
	{ "refused, waits", "a X {9}\r\nb NOOP\r\n", "RC(b NOOP)" },
	{ "refused, skipped", "a X {9+}\r\nb NOOP\r\n. z\r\nc NOOP\r\n",
	    "RC(c NOOP)" },
	{ "refused twice", "a X {9+}\r\n123456789 {2+}\r\nxx\r\nb\r\n",
	    "RC(b)" },
	{ "skipped, then waits", "a X {9+}\r\n123456789 {2}\r\nb\r\n",
	    "RC(b)" },
	{ "too many literals",
	    "a {1+}\r\nx{1+}\r\nx{1+}\r\nx{1+}\r\nx\r\nb\r\n",
	    "O" },
	{ "huge number", "a {99999999999999999999}\r\n", "O" },
	{ "long line", "a 890123456789012345678901234567890\r\nb\r\n", "O" },
	{ "long number", "a {0000000000000000000000}\r\n", "O" }
};

static void
put(char *out, size_t size, const char *s, size_t n)
{
	size_t at = strlen(out);

	snprintf(out + at, size - at, "%.*s", (int)n, s);
}

static void
literal(struct imap_reader *r, char *out, size_t size)
{
	if (r->literal_size != 7 && !imap_reader_fits(r)) {
		imap_reader_refuse(r);
		return;
	}
	if (r->literal_sync)
		put(out, size, "+", 1);
	if (r->literal_size == 7)
		imap_reader_stream(r);
	else
		imap_reader_take(r);
}

/* Streamed bytes come in pieces of any size: shown as one. */
static void
run(const char *in, size_t step, char *out, size_t size)
{
	struct imap_reader r;
	enum imap_event ev;
	size_t len = strlen(in), done = 0, end, used, n;
	char data[64] = "";
	const char *text;

	out[0] = '\0';
	imap_reader_init(&r, &small);
	for (end = 0; done < len;) {
		end = len - done < step ? len : done + step;
		ev = imap_reader_feed(&r, in + done, end - done, &used);
		done += used;
		switch (ev) {
		case IMAP_COMMAND:
			if (data[0] != '\0') {
				put(out, size, "D(", 2);
				put(out, size, data, strlen(data));
				put(out, size, ")", 1);
				data[0] = '\0';
			}
			text = imap_reader_text(&r, &n);
			put(out, size, "C(", 2);
			put(out, size, n > 0 ? text : "", n);
			put(out, size, ")", 1);
			imap_reader_next(&r);
			break;
		case IMAP_LITERAL:
			literal(&r, out, size);
			break;
		case IMAP_DATA:
			put(data, sizeof(data), r.data, r.datalen);
			break;
		case IMAP_REFUSED:
			put(out, size, "R", 1);
			imap_reader_next(&r);
			break;
		case IMAP_OVERFLOW:
			put(out, size, "O", 1);
			imap_reader_free(&r);
			return;
		case IMAP_MORE:
			break;
		}
		if (done == len && ev != IMAP_MORE &&
		    imap_reader_feed(&r, "", 0, &used) == IMAP_REFUSED) {
			put(out, size, "R", 1);
			imap_reader_next(&r);
		}
	}
	while (imap_reader_feed(&r, "", 0, &used) == IMAP_COMMAND) {
		text = imap_reader_text(&r, &n);
		put(out, size, "C(", 2);
		put(out, size, n > 0 ? text : "", n);
		put(out, size, ")", 1);
		imap_reader_next(&r);
	}
	imap_reader_free(&r);
}

/* Memory of one connection, whatever is sent. */
static void
bounded(void)
{
	struct imap_reader r;
	enum imap_event ev = IMAP_MORE;
	char line[64];
	size_t used, n, most = 0;
	int i;

	imap_reader_init(&r, &imap_limits_before);
	for (i = 0; i < 100000 && ev != IMAP_OVERFLOW; i++) {
		snprintf(line, sizeof(line), "%s{5+}\r\nxxxxx",
		    i == 0 ? "a " : "");
		for (n = 0; n < strlen(line); n += used) {
			ev = imap_reader_feed(&r, line + n, strlen(line) - n,
			    &used);
			if (ev == IMAP_LITERAL) {
				if (imap_reader_fits(&r))
					imap_reader_take(&r);
				else
					imap_reader_refuse(&r);
			} else if (ev == IMAP_OVERFLOW)
				break;
		}
		if (buf_len(&r.text) > most)
			most = buf_len(&r.text);
	}
	TEST("endless literals end", ev == IMAP_OVERFLOW);
	TEST("endless literals are bounded",
	    most <= imap_limits_before.command);
	imap_reader_free(&r);
}

/* After what a command is not over, and the next one could not begin. */
static void
between(void)
{
	static const struct {
		const char *in;
		int	    want;
	} b[] = {
		{ "", 1 }, { "a NOOP\r\n", 1 }, { "a", 0 }, { "\r", 0 },
		{ "a X {9+}\r\n", 0 }, { "a X {9+}\r\n123456789", 0 },
		{ "a X {9+}\r\n123456789\r\n", 1 }, { "a X {7+}\r\n", 0 },
		{ "a X {7+}\r\n1234567", 0 },
		{ "a X {7+}\r\n1234567\r\n", 1 },
		{ "a {1+}\r\n", 0 }, { "a {1+}\r\nx", 0 }
	};
	struct imap_reader r;
	enum imap_event ev;
	size_t i, used, at, len;

	for (i = 0; i < COUNT(b); i++) {
		imap_reader_init(&r, &small);
		len = strlen(b[i].in);
		for (at = 0; (ev = imap_reader_feed(&r, b[i].in + at,
		    len - at, &used)) != IMAP_MORE || at + used < len;) {
			at += used;
			if (ev == IMAP_LITERAL && r.literal_size == 7)
				imap_reader_stream(&r);
			else if (ev == IMAP_LITERAL && !imap_reader_fits(&r))
				imap_reader_refuse(&r);
			else if (ev == IMAP_LITERAL)
				imap_reader_take(&r);
			else if (ev == IMAP_COMMAND || ev == IMAP_REFUSED)
				imap_reader_next(&r);
		}
		TEST("between commands",
		    imap_reader_between(&r) == b[i].want);
		imap_reader_free(&r);
	}
}

int
main(void)
{
	char whole[256], piece[256];
	size_t i, step;
	int same;

	for (i = 0; i < COUNT(t); i++) {
		run(t[i].in, 4096, whole, sizeof(whole));
		TEST_STR(t[i].name, whole, t[i].want);
		same = 1;
		for (step = 1; step < 12; step++) {
			run(t[i].in, step, piece, sizeof(piece));
			same = same && strcmp(piece, t[i].want) == 0;
		}
		TEST("in pieces", same);
	}
	bounded();
	between();
	TEST_DONE();
}
