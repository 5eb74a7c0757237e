/*
 * scram: the exchange of RFC 7677 section 3, verifiers, and messages that must
 * be refused.
 */
#include "os/compat.h"
#include "sasl/base64.h"
#include "sasl/scram.h"
#include "../test.h"

#define CNONCE	"rOprNGfwEbeRWgbNEkqO"
#define SNONCE	"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SALT	"W22ZaJ0SNY7soEsUEjb6gQ=="
#define FIRST	"n,,n=user,r=" CNONCE
#define SFIRST	"r=" CNONCE SNONCE ",s=" SALT ",i=4096"
#define BARE	"c=biws,r=" CNONCE SNONCE
#define PROOF	"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SFINAL	"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static struct scram_verifier	verifier;

static void
test_vectors(void)
{
	struct scram	s, c;
	char		out[SCRAM_MESSAGE];
	unsigned char	salt[32];
	size_t		len;

	TEST("salt", base64_decode(SALT, strlen(SALT), salt, sizeof(salt),
	    &len) == 0 && len == 16);
	TEST("verifier", scram_verifier_make(&verifier, "pencil", salt, len,
	    4096) == 0);
	TEST("client-first", scram_client_first(&c, "user", CNONCE, out,
	    sizeof(out)) == 0 && strcmp(out, FIRST) == 0);
	TEST("hello", scram_server_hello(&s, out) == 0 &&
	    strcmp(s.user, "user") == 0);
	TEST("server-first", scram_server_first(&s, &verifier, SNONCE, out,
	    sizeof(out)) == 0);
	TEST_STR("server-first-is", out, SFIRST);
	TEST("client-final", scram_client_final(&c, "pencil", SFIRST, out,
	    sizeof(out)) == 0);
	TEST_STR("client-final-is", out, BARE ",p=" PROOF);
	TEST("server-final", scram_server_final(&s, &verifier, BARE ",p="
	    PROOF, out, sizeof(out)) == 1);
	TEST_STR("server-final-is", out, SFINAL);
	TEST("client-check", scram_client_check(&c, SFINAL) == 1);
	TEST("client-check-wrong", scram_client_check(&c, "v=" PROOF) == 0);
	TEST("client-check-error", scram_client_check(&c, "e=other-error") ==
	    -1);
	scram_wipe(&c);
	TEST("wiped", c.nonce[0] == '\0' && c.server_sig[0] == 0);
}

/* A fresh server up to its first message, then one last message. */
static int
final(const char *message)
{
	struct scram	s;
	char		out[SCRAM_MESSAGE];

	if (scram_server_hello(&s, FIRST) == -1 ||
	    scram_server_first(&s, &verifier, SNONCE, out, sizeof(out)) == -1)
		return (-2);
	return (scram_server_final(&s, &verifier, message, out, sizeof(out)));
}

static void
test_final(void)
{
	char	longer[2 * SCRAM_MESSAGE];

	TEST("final-right", final(BARE ",p=" PROOF) == 1);
	TEST("final-wrong-proof", final(BARE
	    ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") == 0);
	TEST("final-other-text", final(BARE ",x=1,p=" PROOF) == 0);
	TEST("final-short-proof", final(BARE ",p=AAAA") == -1);
	TEST("final-long-proof", final(BARE ",p=" PROOF "AAAA") == -1);
	TEST("final-no-proof", final(BARE) == -1);
	TEST("final-after-proof", final(BARE ",p=" PROOF ",x=1") == -1);
	TEST("final-nonce", final("c=biws,r=" CNONCE ",p=" PROOF) == -1);
	TEST("final-nonce-longer", final(BARE "x,p=" PROOF) == -1);
	TEST("final-binding-y", final("c=eSws,r=" CNONCE SNONCE ",p=" PROOF) ==
	    -1);
	TEST("final-binding-empty", final("c=,r=" CNONCE SNONCE ",p=" PROOF) ==
	    -1);
	TEST("final-binding-cut", final("c=biw=,r=" CNONCE SNONCE ",p="
	    PROOF) == -1);
	TEST("final-order", final("r=" CNONCE SNONCE ",c=biws,p=" PROOF) ==
	    -1);
	TEST("final-empty", final("") == -1);
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	TEST("final-long", final(longer) == -1);
}

static const struct {
	const char	*name, *message, *user;
} hellos[] = {
	{ "hello-y", "y,,n=user,r=abc", "user" },
	{ "hello-comma", "n,,n=a=2Cb=3Dc,r=abc", "a,b=c" },
	{ "hello-authzid", "n,a=user,n=user,r=abc", "user" },
	{ "hello-extension", "n,,n=user,r=abc,x=1", "user" },
	{ "hello-authzid-other", "n,a=root,n=user,r=abc", NULL },
	{ "hello-plus", "p=tls-unique,,n=user,r=abc", NULL },
	{ "hello-mandatory", "n,,m=x,n=user,r=abc", NULL },
	{ "hello-equals", "n,,n=a=2c,r=abc", NULL },
	{ "hello-equals-end", "n,,n=a=2,r=abc", NULL },
	{ "hello-no-user", "n,,n=,r=abc", NULL },
	{ "hello-no-nonce", "n,,n=user", NULL },
	{ "hello-empty-nonce", "n,,n=user,r=", NULL },
	{ "hello-space-nonce", "n,,n=user,r=a b", NULL },
	{ "hello-no-header", "n=user,r=abc", NULL },
	{ "hello-empty", "", NULL },
	{ "hello-n", "n", NULL },
	{ "hello-nc", "n,", NULL },
	{ "hello-na", "n,a", NULL },
	{ "hello-naeq", "n,a=user", NULL },
	{ "hello-utf8", "n,,n=\xff,r=abc", NULL }
};

static void
test_hello(void)
{
	struct scram	s;
	char		text[4 * SCRAM_MESSAGE];
	size_t		i;
	int		got;

	for (i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
		got = scram_server_hello(&s, hellos[i].message);
		TEST(hellos[i].name, hellos[i].user == NULL ? got == -1 :
		    got == 0 && strcmp(s.user, hellos[i].user) == 0);
	}
	for (i = 300; i < sizeof(text); i += 500) {
		memcpy(text, "n,,n=", 5);
		memset(text + 5, 'u', i);
		text[i] = '\0';
		TEST("hello-long", scram_server_hello(&s, text) == -1);
	}
	TEST("nonce-too-long", scram_server_hello(&s, "n,,n=user,r="
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	    == -1);
}

static void
test_client(void)
{
	static const char *const bad[] = {
		"", "r=" CNONCE ",s=" SALT ",i=4096",	/* nothing added */
		"r=other,s=" SALT ",i=4096", "r=" CNONCE "x,s=,i=4096",
		"r=" CNONCE "x,s=" SALT ",i=1", "r=" CNONCE "x,s=" SALT,
		"r=" CNONCE "x,s=" SALT ",i=99999999",
		"r=" CNONCE "x,s=" SALT ",i=-4096", "r=" CNONCE "x,s=!,i=4096",
		"m=1,r=" CNONCE "x,s=" SALT ",i=4096"
	};
	struct scram	c;
	char		out[SCRAM_MESSAGE], name[32];
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(name, sizeof(name), "client-bad-%zu", i);
		TEST(name, scram_client_first(&c, "user", CNONCE, out,
		    sizeof(out)) == 0 && scram_client_final(&c, "pencil",
		    bad[i], out, sizeof(out)) == -1);
	}
	TEST("client-escapes", scram_client_first(&c, "a,b=c", "n", out,
	    sizeof(out)) == 0 && strcmp(out, "n,,n=a=2Cb=3Dc,r=n") == 0);
	TEST("client-small-buffer", scram_client_first(&c, "user", "n", out,
	    12) == -1);
}

static void
test_verifier(void)
{
	struct scram_verifier	v;
	char			text[SCRAM_TEXT], copy[SCRAM_TEXT];

	TEST("print", scram_verifier_print(&verifier, text, sizeof(text)) ==
	    0);
	TEST("print-prefix", strncmp(text, "{SCRAM-SHA-256}4096," SALT ",",
	    20) == 0 && strchr(text, ':') == NULL);
	TEST("parse", scram_verifier_parse(&v, text) == 0 &&
	    memcmp(&v, &verifier, sizeof(v)) == 0);
	TEST("parse-bare", scram_verifier_parse(&v, text + 15) == 0);
	TEST("check-right", scram_verifier_check(&v, "pencil") == 1);
	TEST("check-wrong", scram_verifier_check(&v, "pencils") == 0);
	TEST("check-empty", scram_verifier_check(&v, "") == 0);
	strlcpy(copy, text, sizeof(copy));
	copy[strlen(copy) - 1] = '\0';
	TEST("parse-cut", scram_verifier_parse(&v, copy) == -1);
	strlcpy(copy, text, sizeof(copy));
	strlcat(copy, ",", sizeof(copy));
	strlcat(copy, "x", sizeof(copy));
	TEST("parse-more", scram_verifier_parse(&v, copy) == -1);
	TEST("parse-empty", scram_verifier_parse(&v, "") == -1);
	TEST("parse-few", scram_verifier_parse(&v, "4096,AAAA") == -1);
	TEST("parse-low", scram_verifier_parse(&v, "4095" "," SALT) == -1);
	TEST("parse-sign", scram_verifier_parse(&v, "+4096,AAAA,,") == -1);
	TEST("print-small", scram_verifier_print(&verifier, text, 40) == -1);
	TEST("make-few-rounds", scram_verifier_make(&v, "x", "salt", 4, 1) ==
	    -1);
	TEST("make-no-salt", scram_verifier_make(&v, "x", "", 0, 4096) == -1);
}

int
main(void)
{
	test_vectors();
	test_final();
	test_hello();
	test_client();
	test_verifier();
	TEST_DONE();
}
