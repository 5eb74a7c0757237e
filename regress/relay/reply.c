/*
 * Replies of SMTP servers, good and hostile.
 */
#include <stdlib.h>
#include <string.h>

#include "regress/test.h"
#include "smtp/reply.h"

static const struct test {
	const char	*name;
	const char	*in;
	const char	*want;		/* printed, or "more", or "bad" */
} tests[] = {
	{ "plain", "250 2.1.5 ok\r\n", "250 2.1.5 ok" },
	{ "without an enhanced code", "550 no such user\r\n",
	    "550 5.0.0 no such user" },
	{ "status without text", "250\r\n", "250 2.0.0" },
	{ "status and a space", "250 \r\n", "250 2.0.0" },
	{ "enhanced code alone", "451 4.3.0\r\n", "451 4.3.0" },
	{ "LF only", "250 ok\n", "250 2.0.0 ok" },
	{ "lines", "550-5.7.1 go\r\n550-5.7.1 far\r\n550 5.7.1 away\r\n",
	    "550 5.7.1 go far away" },
	{ "lines of another class", "550-5.7.1 a\r\n550 4.7.1 b\r\n",
	    "550 5.7.1 a 4.7.1 b" },
	{ "empty lines", "250-\r\n250-\r\n250 x\r\n", "250 2.0.0 x" },
	{ "class of another", "550 2.1.1 odd\r\n", "550 5.0.0 2.1.1 odd" },
	{ "no enhanced code", "550 5.1 is pi\r\n", "550 5.0.0 5.1 is pi" },
	{ "long detail", "550 5.1.1234 x\r\n", "550 5.0.0 5.1.1234 x" },
	{ "354", "354 go\r\n", "354 3.0.0 go" },
	{ "control characters", "250 a\tb\001\r c\r\n", "250 2.0.0 a?b?? c" },
	{ "beyond ASCII", "250 \303\244\r\n", "250 2.0.0 ??" },
	{ "not yet", "250 ok", "more" },
	{ "not yet all", "250-ok\r\n", "more" },
	{ "nothing", "", "more" },
	{ "code of one digit", "2 ok\r\n", "bad" },
	{ "code 199", "199 ok\r\n", "bad" },
	{ "code 600", "600 ok\r\n", "bad" },
	{ "code 2x0", "2x0 ok\r\n", "bad" },
	{ "four digits", "2500 ok\r\n", "bad" },
	{ "no code", "hello\r\n", "bad" },
	{ "an empty line", "\r\n", "bad" },
	{ "a lone LF", "\n", "bad" },
	{ "code that changes", "550-5.1.1 x\r\n250 2.0.0 y\r\n", "bad" },
	{ "newline in the text", "550-a\r\nX-Evil: 1\r\n550 b\r\n", "bad" },
	{ "tab for a space", "250\tok\r\n", "bad" },
};

/* In pieces of n bytes, as the network may cut it. */
static void
feed(const char *in, size_t len, size_t n, char *out, size_t size)
{
	struct reply		 r;
	enum reply_status	 status = REPLY_MORE;
	size_t			 off = 0, end = 0, used;

	reply_init(&r);
	while (status == REPLY_MORE && end < len) {
		end = len - end < n ? len : end + n;
		status = reply_read(&r, NULL, in + off, end - off, &used);
		off += used;
	}
	if (status == REPLY_DONE)
		reply_print(&r, out, size);
	else
		snprintf(out, size, "%s",
		    status == REPLY_BAD ? "bad" : "more");
}

static const char *
many(const char *line, size_t count, const char *end)
{
	static char	out[512];
	size_t		len = strlen(line), i;
	char		*in = malloc(len * count + strlen(end) + 1);

	for (i = 0; i < count; i++)
		memcpy(in + i * len, line, len);
	strcpy(in + count * len, end);
	feed(in, strlen(in), 65536, out, sizeof(out));
	free(in);
	return (out);
}

static void
test_bounds(void)
{
	static char	line[REPLY_LINE + 2];

	TEST_STR("100 lines", many("250-x\r\n", 99, "250 x\r\n") + 208,
	    "x");
	TEST_STR("101 lines", many("250-x\r\n", 100, "250 x\r\n"), "bad");
	TEST_STR("endless", many("250-x\r\n", 100000, ""), "bad");
	memset(line, 'a', sizeof(line));
	memcpy(line, "250-", 4);
	memcpy(line + REPLY_LINE - 2, "\r\n", 3);
	TEST_STR("33000 octets", many(line, 17, "250 x\r\n"), "bad");
	TEST_STR("a line of 2000", many(line, 1, ""), "more");
	memcpy(line + REPLY_LINE - 2, "a\r\n", 4);
	TEST_STR("a line of 2001", many(line, 1, ""), "bad");
	TEST_STR("64 KB without an end", many("a", 65536, ""), "bad");
	line[REPLY_LINE - 1] = '\0';
	TEST_STR("1999 octets without an end", many(line, 1, ""), "more");
	memcpy(line, "250 ", 4);
	TEST("long text is cut", strlen(many(line, 1, "\n")) ==
	    strlen("250 2.0.0 ") + REPLY_TEXT - 1);
}

static void
test_ehlo(void)
{
	static const char	in[] = "250-PIPELINING.example SIZE\r\n"
	    "250-pipelining\r\n250-SIZE 1000\r\n250-STARTTLS now\r\n"
	    "250-AUTH=OLD\r\n250-AUTH PLAIN  SCRAM-SHA-256\r\n"
	    "250-XSIZE 3\r\n250 8BITMIME\r\n250 next\r\n";
	struct reply		r;
	struct ehlo		e = { 0 };
	size_t			used;

	reply_init(&r);
	TEST("ehlo is read", reply_read(&r, &e, in, sizeof(in) - 1, &used) ==
	    REPLY_DONE && strcmp(in + used, "250 next\r\n") == 0);
	TEST("ehlo offers", e.offers == (EHLO_PIPELINING | EHLO_SIZE |
	    EHLO_STARTTLS | EHLO_AUTH | EHLO_8BITMIME) && e.size == 1000);
	TEST("ehlo auth", ehlo_has_auth(&e, "OLD") &&
	    !ehlo_has_auth(&e, "PLAIN"));
	memset(&e, 0, sizeof(e));
	strcpy(e.auth, "PLAIN  SCRAM-SHA-256");
	TEST("auth words", ehlo_has_auth(&e, "plain") &&
	    ehlo_has_auth(&e, "SCRAM-SHA-256") &&
	    !ehlo_has_auth(&e, "SCRAM") && !ehlo_has_auth(&e, ""));
	memset(&e, 0, sizeof(e));
	reply_init(&r);
	TEST("limits", reply_read(&r, &e, "250-x\r\n250-LIMITS RCPTMAX=50  "
	    "mailmax=7 FOO=1 RCPTDOMAINMAX=0 RCPTDOMAINMAX=9999999\r\n"
	    "250-dsn\r\n250-CHUNKING\r\n250 BINARYMIME\r\n", 124, &used) ==
	    REPLY_DONE && e.rcptmax == 50 && e.mailmax == 7 &&
	    e.rcptdomainmax == 0 && e.offers == (EHLO_DSN | EHLO_CHUNKING |
	    EHLO_BINARYMIME));
	memset(&e, 0, sizeof(e));
	reply_init(&r);
	TEST("a size beyond 64 bits", reply_read(&r, &e, "250-x\r\n250 SIZE "
	    "99999999999999999999\r\n", 38, &used) == REPLY_DONE &&
	    e.size == 0);
}

int
main(void)
{
	char	out[512], name[80];
	size_t	i, n;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		for (n = 1; n < 100; n += 13) {
			feed(tests[i].in, strlen(tests[i].in), n, out,
			    sizeof(out));
			if (strcmp(out, tests[i].want) != 0)
				break;
		}
		snprintf(name, sizeof(name), "%s", tests[i].name);
		TEST_STR(name, out, tests[i].want);
	}
	test_bounds();
	test_ehlo();
	TEST_DONE();
}
