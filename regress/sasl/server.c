/*
 * server: dialogues of PLAIN and LOGIN, and every way to spoil them.
 */
#include <errno.h>

#include "os/compat.h"
#include "sasl/base64.h"
#include "sasl/sasl.h"
#include "../test.h"

#define LEN(s)	(sizeof(s) - 1)

/* A message in clear and what PLAIN makes of it. */
static const struct {
	const char		*name;
	const char		*message;
	size_t			 len;
	enum sasl_status	 want;
	const char		*user, *pass;
} plain[] = {
	{ "simple", "\0tim\0tanstaaftanstaaf", LEN("\0tim\0tanstaaftanstaaf"),
	    SASL_DONE, "tim", "tanstaaftanstaaf" },
	{ "authzid-same", "tim\0tim\0x", LEN("tim\0tim\0x"), SASL_DONE, "tim",
	    "x" },
	{ "authzid-other", "kurt\0tim\0x", LEN("kurt\0tim\0x"),
	    SASL_BAD_SYNTAX, NULL, NULL },
	{ "authzid-prefix", "ti\0tim\0x", LEN("ti\0tim\0x"), SASL_BAD_SYNTAX,
	    NULL, NULL },
	{ "authzid-longer", "tim2\0tim\0x", LEN("tim2\0tim\0x"),
	    SASL_BAD_SYNTAX, NULL, NULL },
	{ "utf8", "\0t\xc3\xafm\0p\xc3\xa4ss", LEN("\0t\xc3\xafm\0p\xc3\xa4ss"),
	    SASL_DONE, "t\xc3\xafm", "p\xc3\xa4ss" },
	{ "empty", "", 0, SASL_BAD_SYNTAX, NULL, NULL },
	{ "no-nul", "tim", 3, SASL_BAD_SYNTAX, NULL, NULL },
	{ "one-nul", "\0tim", 4, SASL_BAD_SYNTAX, NULL, NULL },
	{ "two-nuls-only", "\0\0", 2, SASL_BAD_SYNTAX, NULL, NULL },
	{ "three-nuls-only", "\0\0\0", 3, SASL_BAD_SYNTAX, NULL, NULL },
	{ "no-user", "\0\0pass", 6, SASL_BAD_SYNTAX, NULL, NULL },
	{ "no-pass", "\0tim\0", 5, SASL_BAD_SYNTAX, NULL, NULL },
	{ "nul-in-pass", "\0tim\0a\0b", LEN("\0tim\0a\0b"), SASL_BAD_SYNTAX,
	    NULL, NULL },
	{ "nul-at-end", "\0tim\0ab\0", LEN("\0tim\0ab\0"), SASL_BAD_SYNTAX,
	    NULL, NULL },
	{ "newline-in-user", "\0t\nm\0x", LEN("\0t\nm\0x"), SASL_BAD_SYNTAX,
	    NULL, NULL },
	{ "delete-in-pass", "\0tim\0x\x7f", LEN("\0tim\0x\x7f"),
	    SASL_BAD_SYNTAX, NULL, NULL },
	{ "latin1", "\0t\xefm\0x", LEN("\0t\xefm\0x"), SASL_BAD_SYNTAX, NULL,
	    NULL },
	{ "overlong-utf8", "\0t\xc0\xafm\0x", LEN("\0t\xc0\xafm\0x"),
	    SASL_BAD_SYNTAX, NULL, NULL },
	{ "surrogate", "\0t\xed\xa0\x80\0x", LEN("\0t\xed\xa0\x80\0x"),
	    SASL_BAD_SYNTAX, NULL, NULL },
	{ "cut-utf8", "\0tim\0x\xe2\x82", LEN("\0tim\0x\xe2\x82"),
	    SASL_BAD_SYNTAX, NULL, NULL },
	{ "c1-control", "\0tim\0x\xc2\x85", LEN("\0tim\0x\xc2\x85"),
	    SASL_BAD_SYNTAX, NULL, NULL },
	{ "above-unicode", "\0tim\0\xf4\x90\x80\x80",
	    LEN("\0tim\0\xf4\x90\x80\x80"), SASL_BAD_SYNTAX, NULL, NULL }
};

static void
test_plain(void)
{
	struct sasl_server	*s;
	char			 text[200];
	size_t			 i;
	enum sasl_status	 got;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if ((s = sasl_server_new("plain", 1)) == NULL ||
		    base64_encode(plain[i].message, plain[i].len, text,
		    sizeof(text)) == -1)
			return;
		got = sasl_server_start(s, NULL, 0);
		if (got == SASL_CHALLENGE)
			got = sasl_server_step(s, text, strlen(text));
		TEST(plain[i].name, got == plain[i].want &&
		    (got != SASL_DONE ||
		    (strcmp(sasl_server_user(s), plain[i].user) == 0 &&
		    strcmp(sasl_server_pass(s), plain[i].pass) == 0)));
		sasl_server_free(s);
	}
}

/* NUL user NUL pass with given lengths. */
static enum sasl_status
plain_of(size_t zlen, size_t ulen, size_t plen)
{
	struct sasl_server	*s = sasl_server_new("PLAIN", 1);
	char			 message[4096], text[8192];
	size_t			 n = 0;
	enum sasl_status	 st;

	memset(message, 'u', sizeof(message));
	message[n += zlen] = '\0';
	n++;
	message[n += ulen] = '\0';
	n++;
	n += plen;
	if (base64_encode(message, n, text, sizeof(text)) == -1)
		return (SASL_CANCELLED);
	st = sasl_server_start(s, text, strlen(text));
	sasl_server_free(s);
	return (st);
}

static void
test_lengths(void)
{
	char	line[SASL_LINE_MAX + 8];

	TEST("longest", plain_of(255, 255, 255) == SASL_DONE);
	TEST("user-256", plain_of(0, 256, 3) == SASL_TOO_LONG);
	TEST("pass-256", plain_of(0, 3, 256) == SASL_TOO_LONG);
	TEST("line-max", plain_of(255, 255, 256) == SASL_TOO_LONG);
	TEST("huge", plain_of(1000, 1000, 1000) == SASL_TOO_LONG);
	memset(line, 'A', sizeof(line));
	{
		struct sasl_server *s = sasl_server_new("LOGIN", 1);

		TEST("line-over", sasl_server_start(s, line,
		    SASL_LINE_MAX + 1) == SASL_TOO_LONG);
		TEST("line-at", sasl_server_start(s, line, SASL_LINE_MAX) ==
		    SASL_TOO_LONG);
		sasl_server_free(s);
	}
}

/* Every length of base64 that is none, in both mechanisms, then go on. */
static void
test_bad_base64(void)
{
	static const char	 text[] = "AHRpbQB0YW5zdGFhZnRhbnN0YWFm";
	static const char *const mechs[] = { "PLAIN", "LOGIN" };
	struct sasl_server	*s;
	char			 name[40];
	size_t			 i, n;

	for (i = 0; i < 2; i++)
		for (n = 1; n < sizeof(text) - 1; n++) {
			if (n % 4 == 0)
				continue;
			s = sasl_server_new(mechs[i], 1);
			snprintf(name, sizeof(name), "cut-%s-%zu", mechs[i], n);
			TEST(name, sasl_server_step(s, text, n) ==
			    SASL_BAD_BASE64);
			sasl_server_free(s);
		}
	s = sasl_server_new("PLAIN", 1);
	TEST("garbage", sasl_server_step(s, "!!!!", 4) == SASL_BAD_BASE64);
	TEST("crlf", sasl_server_step(s, "AHR\r", 4) == SASL_BAD_BASE64);
	TEST("nul-in-line", sasl_server_step(s, "AH\0p", 4) ==
	    SASL_BAD_BASE64);
	TEST("stars", sasl_server_step(s, "**", 2) == SASL_BAD_BASE64);
	TEST("cancel", sasl_server_step(s, "*", 1) == SASL_CANCELLED);
	TEST("no-rest-of-pass", *sasl_server_pass(s) == '\0');
	sasl_server_free(s);
}

static void
test_login(void)
{
	struct sasl_server	*s = sasl_server_new("Login", 1);

	TEST("login-start", sasl_server_start(s, NULL, 0) == SASL_CHALLENGE);
	TEST_STR("login-ask-user", sasl_server_challenge(s), "VXNlcm5hbWU6");
	TEST("login-user", sasl_server_step(s, "dGlt", 4) == SASL_CHALLENGE);
	TEST_STR("login-ask-pass", sasl_server_challenge(s), "UGFzc3dvcmQ6");
	TEST("login-pass", sasl_server_step(s, "dGFuc3RhYWZ0YW5zdGFhZg==",
	    24) == SASL_DONE);
	TEST_STR("login-user-is", sasl_server_user(s), "tim");
	TEST_STR("login-pass-is", sasl_server_pass(s), "tanstaaftanstaaf");
	sasl_server_free(s);

	s = sasl_server_new("LOGIN", 1);
	TEST("login-initial", sasl_server_start(s, "dGlt", 4) ==
	    SASL_CHALLENGE);
	TEST("login-no-pass", sasl_server_step(s, "", 0) == SASL_BAD_SYNTAX);
	sasl_server_free(s);

	s = sasl_server_new("LOGIN", 1);
	TEST("login-no-user", sasl_server_step(s, "", 0) == SASL_BAD_SYNTAX);
	TEST("login-nul-user", sasl_server_step(s, "dGkAbQ==", 8) ==
	    SASL_BAD_SYNTAX);
	TEST("login-cancel", sasl_server_step(s, "*", 1) == SASL_CANCELLED);
	sasl_server_free(s);
}

/* What the client says goes on as it is; what auth says comes back. */
static void
test_scram(void)
{
	struct sasl_server	*s = sasl_server_new("scram-sha-256", 1);
	char			 line[SASL_LINE_MAX + 1], text[SASL_MESSAGE];
	size_t			 i;

	TEST("scram-start", sasl_server_start(s, NULL, 0) == SASL_CHALLENGE);
	TEST_STR("scram-asks", sasl_server_challenge(s), "");
	TEST("scram-first", sasl_server_step(s, "biwsbj1hLHI9Yg==", 16) ==
	    SASL_ASK);
	TEST_STR("scram-first-is", sasl_server_message(s), "n,,n=a,r=b");
	TEST("scram-begins", sasl_server_begins(s));
	TEST("scram-answer", sasl_server_answer(s, "r=bc,s=QQ==,i=4096") ==
	    SASL_CHALLENGE);
	TEST_STR("scram-answer-is", sasl_server_challenge(s),
	    "cj1iYyxzPVFRPT0saT00MDk2");
	TEST("scram-proof", sasl_server_step(s, "Yz1iaXdz", 8) == SASL_ASK &&
	    !sasl_server_begins(s));
	TEST_STR("scram-proof-is", sasl_server_message(s), "c=biws");
	TEST("scram-verifier", sasl_server_answer(s, "v=x") ==
	    SASL_CHALLENGE);
	TEST("scram-more", sasl_server_step(s, "eA==", 4) == SASL_BAD_SYNTAX);
	TEST("scram-acknowledged", sasl_server_step(s, "", 0) == SASL_ASK);
	TEST("scram-fourth", sasl_server_step(s, "", 0) == SASL_BAD_SYNTAX);
	sasl_server_free(s);

	s = sasl_server_new("SCRAM-SHA-256", 1);
	TEST("scram-empty", sasl_server_start(s, "=", 1) == SASL_BAD_SYNTAX);
	TEST("scram-nul", sasl_server_step(s, "biwAbj1h", 8) ==
	    SASL_BAD_SYNTAX);
	TEST("scram-garbage", sasl_server_step(s, "b!ws", 4) ==
	    SASL_BAD_BASE64);
	TEST("scram-cancel", sasl_server_step(s, "*", 1) == SASL_CANCELLED);
	memset(line, 'A', sizeof(line));
	TEST("scram-line-over", sasl_server_step(s, line, sizeof(line)) ==
	    SASL_TOO_LONG);
	memset(line, 'Q', sizeof(line));
	for (i = 0; i + 4 <= SASL_LINE_MAX; i += 4)
		memcpy(line + i, "eHh4", 4);
	TEST("scram-line-at", sasl_server_step(s, line, SASL_LINE_MAX) ==
	    SASL_ASK && strlen(sasl_server_message(s)) ==
	    BASE64_DECODED(SASL_LINE_MAX));
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	TEST("scram-long-answer", sasl_server_answer(s, text) ==
	    SASL_CHALLENGE && strlen(sasl_server_challenge(s)) ==
	    BASE64_ENCODED(sizeof(text) - 1));
	sasl_server_free(s);
}

static void
test_start(void)
{
	struct sasl_server	*s;

	errno = 0;
	TEST("unknown", sasl_server_new("CRAM-MD5", 1) == NULL &&
	    errno == ENOTSUP);
	TEST("unknown-empty", sasl_server_new("", 1) == NULL);
	TEST("unknown-longer", sasl_server_new("PLAINX", 1) == NULL);
	s = sasl_server_new("PLAIN", 1);
	TEST_STR("mech-name", sasl_server_mech(s), "PLAIN");
	TEST("initial-equals", sasl_server_start(s, "=", 1) ==
	    SASL_BAD_SYNTAX);
	TEST("initial-empty", sasl_server_start(s, "", 0) == SASL_BAD_BASE64);
	TEST("initial-star", sasl_server_start(s, "*", 1) == SASL_CANCELLED);
	TEST_STR("challenge-empty", sasl_server_challenge(s), "");
	sasl_server_free(s);
	sasl_server_free(NULL);
	TEST_STR("offered-first", sasl_mechanism(0, 1), "SCRAM-SHA-256");
	TEST_STR("offered-second", sasl_mechanism(1, 1), "PLAIN");
	TEST("offered-end", sasl_mechanism(3, 1) == NULL);
	TEST_STR("offered-no-keys", sasl_mechanism(0, 0), "PLAIN");
	TEST("offered-no-keys-end", sasl_mechanism(2, 0) == NULL);
	TEST("no-keys", sasl_server_new("SCRAM-SHA-256", 0) == NULL);
	TEST("no-plus", sasl_server_new("SCRAM-SHA-256-PLUS", 1) == NULL);
}

int
main(void)
{
	test_plain();
	test_lengths();
	test_bad_base64();
	test_login();
	test_scram();
	test_start();
	TEST_DONE();
}
