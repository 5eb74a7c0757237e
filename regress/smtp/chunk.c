/*
 * chunk: messages as BDAT carries them, cut at every byte: the same comes
 * out, with no bare CR or LF unless it is binary.
 */
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "smtp/content.h"
#include "../test.h"

static char	out[4096];
static size_t	outlen;

static int
put(void *arg, const void *p, size_t n)
{
	if (n > sizeof(out) - 1 - outlen)
		exit(2);
	memcpy(out + outlen, p, n);
	outlen += n;
	out[outlen] = '\0';
	return (0);
}

static const struct {
	const char	*in;
	size_t		 len;
	const char	*text;		/* what comes out of a text */
	int		 odd;		/* were it binary */
} cases[] = {
#define C(s)	s, sizeof(s) - 1
	{ C("A: b\r\n\r\nbody\r\n"), "A: b\r\n\r\nbody\r\n", 0 },
	{ C("A: b\r\n\r\nbody"), "A: b\r\n\r\nbody\r\n", 1 },
	{ C("A: b\r\n\r\n.\r\n..\r\n"), "A: b\r\n\r\n.\r\n..\r\n", 0 },
	{ C("A: b\n\nbody\n"), "A: b\r\n\r\nbody\r\n", 1 },
	{ C("A: b\r\rbody\r"), "A: b\r\n\r\nbody\r\n", 1 },
	{ C("A: b\r\n\r\na\n.\r\nb\r\n"), "A: b\r\n\r\na\r\n.\r\nb\r\n", 1 },
	{ C("A: b\r\n\r\na\r.\rb\r\n"), "A: b\r\n\r\na\r\n.\r\nb\r\n", 1 },
	{ C("A: b\r\n\r\na\r\r\nb\r\n"), "A: b\r\n\r\na\r\n\r\nb\r\n", 1 },
	{ C("A: b"), "A: b\r\n", 0 },
	{ C("\r\nbody\r\n"), "\r\nbody\r\n", 0 },
	{ C(""), "", 0 },
	{ C("\n"), "\r\n", 1 },
	{ C("\r"), "\r\n", 1 },
#undef C
};

static void
run(struct smtp_content *c, const char *in, size_t len, size_t cut,
    int binary)
{
	outlen = 0;
	out[0] = '\0';
	smtp_content_init(c);
	c->binary = binary;
	if (smtp_content_chunk(c, in, cut, put, NULL) == -1 ||
	    smtp_content_chunk(c, in + cut, len - cut, put, NULL) == -1 ||
	    smtp_content_end(c, put, NULL) == -1)
		exit(2);
}

static void
test_cuts(void)
{
	struct smtp_content	 c;
	size_t			 i, cut;
	char			 name[64];

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (cut = 0; cut <= cases[i].len; cut++) {
			snprintf(name, sizeof(name), "text %zu cut at %zu", i,
			    cut);
			run(&c, cases[i].in, cases[i].len, cut, 0);
			TEST_STR(name, out, cases[i].text);
			snprintf(name, sizeof(name), "binary %zu cut at %zu",
			    i, cut);
			run(&c, cases[i].in, cases[i].len, cut, 1);
			TEST(name, c.odd == cases[i].odd);
			TEST(name, outlen >= cases[i].len &&
			    memcmp(out, cases[i].in, cases[i].len) == 0);
		}
}

/* A field is found however its line was cut. */
static void
test_header(void)
{
	static const char	 in[] = "Received: from x\r\n"
	    "DATE: today\r\nMessage-ID: <a@b>\r\nX: y\r\n\r\n"
	    "Received: body\r\n";
	struct smtp_content	 c;
	size_t			 cut;

	for (cut = 0; cut < sizeof(in); cut++) {
		run(&c, in, sizeof(in) - 1, cut, 0);
		TEST("received", c.received == 1);
		TEST_STR("message id", c.msgid, "<a@b>");
		TEST("date", c.has_date && !c.header);
	}
}

static void
test_added(void)
{
	static const char	*ins[] = { "Subject: x\r\n\r\nbody\r\n",
	    "Subject: x\n\nbody\n", "Subject: x\r\rbody\r" };
	struct smtp_content	 c;
	size_t			 i, cut, len;

	for (i = 0; i < 3; i++)
		for (len = strlen(ins[i]), cut = 0; cut <= len; cut++) {
			outlen = 0;
			smtp_content_init(&c);
			strlcpy(c.add_date, "D", sizeof(c.add_date));
			strlcpy(c.add_msgid, "<M>", sizeof(c.add_msgid));
			if (smtp_content_chunk(&c, ins[i], cut, put, NULL) ||
			    smtp_content_chunk(&c, ins[i] + cut, len - cut,
			    put, NULL) || smtp_content_end(&c, put, NULL))
				exit(2);
			TEST_STR("added fields", out, "Subject: x\r\nDate: D"
			    "\r\nMessage-ID: <M>\r\n\r\nbody\r\n");
		}
}

static void
test_flags(void)
{
	static char		 line[1200];
	struct smtp_content	 c;

	run(&c, "A: \xc3\xa4\r\n\r\nb\r\n", 11, 5, 0);
	TEST("eight bits in the header", c.eightbit && c.utf8);
	run(&c, "A: b\r\n\r\n\xc3\xa4\r\n", 12, 5, 0);
	TEST("eight bits in the body", c.eightbit && !c.utf8);
	run(&c, "A: b\r\n\r\n\0\r\n", 11, 8, 1);
	TEST("NUL", c.nul && c.odd);
	memset(line, 'x', sizeof(line));
	memcpy(line + 998, "\r\n", 2);
	run(&c, line, 1000, 500, 1);
	TEST("998 octets", !c.odd);
	memset(line, 'x', sizeof(line));
	memcpy(line + 999, "\r\n", 2);
	run(&c, line, 1001, 500, 1);
	TEST("999 octets", c.odd);
}

int
main(void)
{
	test_cuts();
	test_header();
	test_added();
	test_flags();
	TEST_DONE();
}
