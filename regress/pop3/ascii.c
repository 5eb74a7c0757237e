/*
 * Headers as ASCII, in every way to split them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "pop3/ascii.h"

#define U	"\xc3\xbc"
#define Q(t)	"=?UTF-8?Q?" t "?="

static const struct row {
	const char	*in;
	const char	*out;
} rows[] = {
	{ "", "" },
	{ "Subject: a b\r\n\r\n", "Subject: a b\r\n\r\n" },
	{ "S: " U "\n", "S: " Q("=C3=BC") "\n" },
	{ "S: " U, "S: " Q("=C3=BC") },
	{ "S: a" U "b c " U "\n", "S: " Q("a=C3=BCb") " c " Q("=C3=BC") "\n" },
	{ "S: " U " " U "\n", "S: " Q("=C3=BC") " " Q("_=C3=BC") "\n" },
	{ "S: " U "  " U "\n", "S: " Q("=C3=BC") "  " Q("=C3=BC") "\n" },
	{ "S: " U "\n " U "\n", "S: " Q("=C3=BC") "\n " Q("=C3=BC") "\n" },
	{ "T: \"" U "\" <" U "@x>, y\n",
	    "T: \"" Q("=C3=BC") "\" <" Q("=C3=BC") "@x>, y\n" },
	{ "S: \xfc\n", "S: =?unknown-8bit?Q?=FC?=\n" },
	{ "S: " U "\n\n" U "\n", "S: " Q("=C3=BC") "\n\n" U "\n" },
	{ "S: " U "\r\n\r\n" U "\r\n",
	    "S: " Q("=C3=BC") "\r\n\r\n" U "\r\n" },
	{ "\n" U, "\n" U },
	{ "S: " U U U U U U U U U U U "\n", "S: "
	    Q("=C3=BC=C3=BC=C3=BC=C3=BC=C3=BC=C3=BC=C3=BC=C3=BC=C3=BC") " "
	    Q("=C3=BC=C3=BC") "\n" },
	{ "S: a" U U U U U U U U U U U "\n", "S: "
	    Q("a=C3=BC=C3=BC=C3=BC=C3=BC=C3=BC=C3=BC=C3=BC=C3=BC") " "
	    Q("=C3=BC=C3=BC=C3=BC") "\n" },
	{ "S: abcdefghijklmnopqrstuvw" U "\n", "S: "
	    Q("abcdefghijklmnopqr") " " Q("stuvw=C3=BC") "\n" },
};

static void
run(const struct row *r, size_t step)
{
	static char out[8192];
	struct pop3_ascii a;
	size_t i, n, len = strlen(r->in), o = 0;
	char name[64];

	pop3_ascii_init(&a);
	for (i = 0; i < len; i += n) {
		n = len - i < step ? len - i : step;
		o += pop3_ascii(&a, r->in + i, n, out + o);
	}
	o += pop3_ascii_end(&a, out + o);
	out[o] = '\0';
	snprintf(name, sizeof(name), "row %zu by %zu",
	    (size_t)(r - rows), step);
	TEST_STR(name, out, r->out);
}

/* What the caller makes room for is enough for the worst there is. */
static void
test_bounds(void)
{
	static char in[3000], out[sizeof(in) * POP3_ASCII_GROWS +
	    2 * POP3_ASCII_END];
	static const char *const bad[] = { "\xfc", "\xfc ", "\xfc<", "\xc3",
	    "\xf0\x9f\x98\x80 ", "aaaaaaaaaaaaaaaaa\xe2\x82\xac" };
	struct pop3_ascii a;
	size_t i, j, o;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (j = 0; j < sizeof(in); j++)
			in[j] = bad[i][j % strlen(bad[i])];
		pop3_ascii_init(&a);
		o = pop3_ascii(&a, in, sizeof(in), out);
		TEST("growth", o <= sizeof(in) * POP3_ASCII_GROWS +
		    POP3_ASCII_END);
		TEST("end", pop3_ascii_end(&a, out + o) <= POP3_ASCII_END);
		for (j = 0; j < o && (out[j] & 0x80) == 0; j++)
			continue;
		TEST("ASCII", j == o);
	}
}

/* What is taken as it is must be what it would have become. */
static void
test_already(void)
{
	static const struct {
		const char	*in;
		int		 already;
	} cases[] = {
		{ "", 0 },
		{ "\n", 1 },
		{ "\r\n", 1 },
		{ "S: a", 0 },
		{ "S: a\r\n", 0 },
		{ "S: a\r\n\r", 0 },
		{ "S: a\r\n\r\n", 1 },
		{ "S: a\n\n" U, 1 },
		{ "S: a\n\r\r\n" U, 1 },
		{ "S: a\n \n" U, 0 },
		{ "S: " U "\n\n", 0 },
		{ "S: a\n" U ": b\n\n", 0 },
	};
	static char out[1024];
	struct pop3_ascii a;
	size_t i, o, len;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = strlen(cases[i].in);
		TEST("already", pop3_ascii_already(cases[i].in, len) ==
		    cases[i].already);
		pop3_ascii_init(&a);
		o = pop3_ascii(&a, cases[i].in, len, out);
		o += pop3_ascii_end(&a, out + o);
		out[o] = '\0';
		if (cases[i].already)
			TEST_STR("as it is", out, cases[i].in);
	}
}

int
main(void)
{
	size_t i, step;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (step = 1; step < 8; step++)
			run(&rows[i], step);
		run(&rows[i], 1000);
	}
	test_bounds();
	test_already();
	TEST_DONE();
}
