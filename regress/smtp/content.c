/*
 * content: what ends a message and what does not, however the bytes are cut;
 * and the same answer as a reference that looks at one byte at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "smtp/content.h"
#include "../test.h"

#define OUT_MAX	(1 << 20)

struct text {
	char	*p;
	size_t	 len;
};

static char	out[OUT_MAX], ref[OUT_MAX];
static size_t	outlen, reflen;

static int
put(void *arg, const void *p, size_t n)
{
	if (n > sizeof(out) - outlen)
		exit(2);
	memcpy(out + outlen, p, n);
	outlen += n;
	return (0);
}

/*
 * Feed as a connection does: what is not consumed comes again with more.
 * Returns the bytes up to and with the final dot; 0 if there was none.
 */
static size_t
feed(struct smtp_content *c, const char *in, size_t len, size_t step,
    size_t first)
{
	size_t	have = first > 0 ? first : step, done = 0;
	ssize_t	n;

	outlen = 0;
	smtp_content_init(c);
	for (;;) {
		if (have > len)
			have = len;
		/* Memory of the exact size, so that an over-read shows. */
		char *copy = malloc(have - done + 1);

		if (copy == NULL)
			exit(2);
		memcpy(copy, in + done, have - done);
		n = smtp_content_feed(c, copy, have - done, put, NULL);
		free(copy);
		if (n < 0 || (size_t)n > have - done)
			exit(2);
		done += (size_t)n;
		if (c->done)
			return (done);
		if (have == len)
			return (0);
		have += step;
	}
}

static void
ref_put(char c)
{
	if (reflen == sizeof(ref))
		exit(2);
	ref[reflen++] = c;
}

/*
 * The reference (RFC 5321 4.5.2): LF ends a line; only one that ended in CRLF
 * lets the next dot mean something; every bare CR or LF comes out as CRLF.
 */
static size_t
reference(const char *in, size_t len, int *bare)
{
	size_t	i, start = 0, end;
	int	bol = 1, crlf;

	reflen = 0;
	*bare = 0;
	for (i = 0; i < len; i++) {
		if (in[i] != '\n')
			continue;
		crlf = i > start && in[i - 1] == '\r';
		end = crlf ? i - 1 : i;
		if (bol && crlf && end - start == 1 && in[start] == '.')
			return (i + 1);
		if (bol && end > start && in[start] == '.')
			start++;
		for (; start < end; start++) {
			if (in[start] == '\r') {
				*bare = 1;
				ref_put('\r');
				ref_put('\n');
			} else
				ref_put(in[start]);
		}
		ref_put('\r');
		ref_put('\n');
		*bare |= !crlf;
		bol = crlf;
		start = i + 1;
	}
	return (0);
}

#define HEAD	"Subject: x\r\n\r\none"
#define NEXT	"MAIL FROM:<evil@x>\r\nRCPT TO:<y@z>\r\nDATA\r\nx"
#define END	"\r\n.\r\n"

/* incidents of 2023 and later: pseudo-terminators, none of which is one */
static const struct {
	const char	*name;
	const char	*bytes;
	size_t		 len;
} pseudo[] = {
	{ "LF.LF", "\n.\n", 3 },
	{ "LF.CRLF", "\n.\r\n", 4 },
	{ "CRLF.LF", "\r\n.\n", 4 },
	{ "CR.CR", "\r.\r", 3 },
	{ "CRLF.CR", "\r\n.\r", 4 },
	{ "CR.CRLF", "\r.\r\n", 4 },
	{ "CR.LF", "\r.\n", 3 },
	{ "CRLF NUL.CRLF", "\r\n\0.\r\n", 6 },
	{ "CRLF.NUL CRLF", "\r\n.\0\r\n", 6 },
	{ "CRLF..CRLF", "\r\n..\r\n", 6 },
	{ "CRLF.CRCRLF", "\r\n.\r\r\n", 6 },
	{ "CRCRLF.CRLF", "\n\r.\r\n", 5 },
	{ "LFCR.LFCR", "\n\r.\n\r", 5 },
	{ "CRLF. CRLF", "\r\n. \r\n", 6 },
	{ "CRLF .CRLF", "\r\n .\r\n", 6 },
};

static int
has_bare(const char *p, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if ((p[i] == '\n' && (i == 0 || p[i - 1] != '\r')) ||
		    (p[i] == '\r' && (i + 1 == n || p[i + 1] != '\n')))
			return (1);
	return (0);
}

static void
test_smuggling(void)
{
	struct smtp_content	c;
	char			in[300];
	size_t			i, len, split, end;
	int			bare, good;

	for (i = 0; i < sizeof(pseudo) / sizeof(pseudo[0]); i++) {
		len = strlen(HEAD);
		memcpy(in, HEAD, len);
		memcpy(in + len, pseudo[i].bytes, pseudo[i].len);
		len += pseudo[i].len;
		memcpy(in + len, NEXT, strlen(NEXT));
		len += strlen(NEXT);
		memcpy(in + len, END, strlen(END));
		len += strlen(END);
		end = reference(in, len, &bare);
		good = end == len;
		for (split = 1; split <= len; split++)
			good &= feed(&c, in, len, len, split) == len &&
			    outlen == reflen && memcmp(out, ref, outlen) ==
			    0 && c.bare == bare && !has_bare(out, outlen);
		good &= feed(&c, in, len, 1, 0) == len && outlen == reflen &&
		    memcmp(out, ref, outlen) == 0;
		TEST(pseudo[i].name, good);
	}
}

/* Only what is in want comes out, and nothing behind the dot is taken. */
static void
test_table(void)
{
	static const struct {
		const char	*name, *in, *want;
		size_t		 left;
	} cases[] = {
		{ "empty", ".\r\n", "", 0 },
		{ "a line", "a\r\n.\r\n", "a\r\n", 0 },
		{ "a dot", "..\r\n.\r\n", ".\r\n", 0 },
		{ "two dots", "...\r\n.\r\n", "..\r\n", 0 },
		{ "dot and text", ".a\r\n.\r\n", "a\r\n", 0 },
		{ "dot inside", "a.\r\n.\r\n", "a.\r\n", 0 },
		{ "bare LF", "a\nb\r\n.\r\n", "a\r\nb\r\n", 0 },
		{ "bare CR", "a\rb\r\n.\r\n", "a\r\nb\r\n", 0 },
		{ "LF only", "a\n\n.\n\r\n.\r\n",
		    "a\r\n\r\n.\r\n\r\n", 0 },
		{ "CRs", "\r\r\r\n.\r\n", "\r\n\r\n\r\n", 0 },
		{ "pipelined", "a\r\n.\r\nQUIT\r\n", "a\r\n", 6 },
		{ "pipelined dot", ".\r\n.\r\n", "", 3 },
	};
	struct smtp_content	c;
	size_t			i, n, len, step;
	int			good;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = strlen(cases[i].in);
		good = 1;
		for (step = 1; step <= len; step++) {
			n = feed(&c, cases[i].in, len, step, 0);
			good &= n == len - cases[i].left &&
			    outlen == strlen(cases[i].want) &&
			    memcmp(out, cases[i].want, outlen) == 0;
		}
		TEST(cases[i].name, good);
	}
}

static void
test_facts(void)
{
	struct smtp_content	c;
	static char		many[4096];
	int			i;

	(void)feed(&c, "a\0b\r\n.\r\n", 8, 1, 0);
	TEST("NUL", c.nul && !c.bare && !c.eightbit && outlen == 5);
	(void)feed(&c, "0123456789\xe4\r\n.\r\n", 16, 20, 0);
	TEST("eight bits", c.eightbit && !c.nul);
	(void)feed(&c, "\x80\r\n.\r\n", 6, 20, 0);
	TEST("eight bits alone", c.eightbit);
	(void)feed(&c, "01234567\r\n.\r\n", 13, 20, 0);
	TEST("seven bits", !c.eightbit && !c.bare);
	for (i = 0; i < 101; i++)
		strlcat(many, i % 2 ? "received: x\r\n" : "Received:\r\n",
		    sizeof(many));
	strlcat(many, "Message-Id:  <a b\x01@c> \r\n\r\n"
	    "Received: no\r\nMessage-ID: <no>\r\n.\r\n", sizeof(many));
	(void)feed(&c, many, strlen(many), 7, 0);
	TEST("Received", c.received == 101);
	TEST_STR("Message-ID", c.msgid, "<a?b?@c>?");
	strlcpy(many, "Message-ID: ", sizeof(many));
	memset(many + 12, 'x', 1000);
	strlcpy(many + 1012, "\r\n.\r\n", 10);
	(void)feed(&c, many, strlen(many), 99, 0);
	TEST("long Message-ID", strlen(c.msgid) == sizeof(c.msgid) - 1);
	(void)feed(&c, "Message-ID:\r\nMessage-ID: <2>\r\n.\r\n", 33, 99, 0);
	TEST_STR("an empty one", c.msgid, "<2>");
}

/* Lines around the size at which the start of one is let go. */
static void
test_long(void)
{
	static char		in[40000];
	struct smtp_content	c;
	size_t			n, len, step;
	int			bare, good = 1;

	for (n = 8180; n < 8200; n++)
		for (step = 1; step <= 4; step++) {
			memset(in, 'x', n);
			in[0] = '.';
			if (step > 1)
				in[n - step] = '\r';
			memcpy(in + n, step == 3 ? "\n.\r\n.\r\n" :
			    "\r\n.\r\n..", 7);
			len = n + (step == 3 ? 7 : 5);
			good &= feed(&c, in, len, 4096 + step, 0) ==
			    reference(in, len, &bare) && outlen == reflen &&
			    memcmp(out, ref, outlen) == 0 && c.bare == bare;
			good &= feed(&c, in, len, n, 0) ==
			    reference(in, len, &bare) && outlen == reflen &&
			    memcmp(out, ref, outlen) == 0;
		}
	TEST("at 8192 bytes", good);
	memset(in, '\r', sizeof(in));
	memcpy(in + sizeof(in) - 5, "\r\n.\r\n", 5);
	TEST("only CR", feed(&c, in, sizeof(in), 5000, 0) == sizeof(in) &&
	    outlen == 2 * (sizeof(in) - 4));
	memset(in, 'x', sizeof(in));
	(void)feed(&c, in, sizeof(in), 100, 0);
	TEST("a line without end is let go", outlen > sizeof(in) - 8192);
}

static void
test_random(void)
{
	static const char	alphabet[] = "..\r\r\n\n\na\0\xff";
	static char		in[30000];
	struct smtp_content	c;
	size_t			i, len, step, end;
	int			round, bare, good = 1, ends = 0;

	for (round = 0; round < 3000; round++) {
		len = round < 2900 ? arc4random_uniform(80) + 1 :
		    arc4random_uniform(sizeof(in) - 1) + 1;
		for (i = 0; i < len; i++)
			in[i] = round < 2900 || arc4random_uniform(2000) == 0 ?
			    alphabet[arc4random_uniform(sizeof(alphabet) -
			    1)] : 'x';
		end = reference(in, len, &bare);
		ends += end > 0;
		step = arc4random_uniform(round < 2900 ? 10 : 10000) + 1;
		good &= feed(&c, in, len, step, 0) == end;
		/* Of a line that has no end yet more may be out. */
		good &= end > 0 ? outlen == reflen : outlen >= reflen;
		good &= memcmp(out, ref, reflen) == 0 &&
		    (!bare || c.bare);
	}
	TEST("random bytes", good && ends > 50);
}

static int
fail(void *arg, const void *p, size_t n)
{
	return (-1);
}

int
main(void)
{
	struct smtp_content	c;

	test_table();
	test_smuggling();
	test_facts();
	test_long();
	test_random();
	smtp_content_init(&c);
	TEST("put fails", smtp_content_feed(&c, "a\r\n", 3, fail, NULL) ==
	    -1);
	TEST_DONE();
}
