/*
 * Our side of a login, against the server's side of SCRAM and by hand.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "regress/test.h"
#include "sasl/base64.h"
#include "sasl/client.h"
#include "sasl/scram.h"

/* What is in base64, as text with '|' for NUL. */
static const char *
clear(const char *b64)
{
	static char	out[SCRAM_MESSAGE];
	size_t		n, i;

	if (b64 == NULL || base64_decode(b64, strlen(b64), out,
	    sizeof(out) - 1, &n) == -1)
		return (NULL);
	for (i = 0; i < n; i++)
		if (out[i] == '\0')
			out[i] = '|';
	out[n] = '\0';
	return (out);
}

static const char *
step(struct sasl_client *c, const char *text)
{
	char	b64[2 * SCRAM_MESSAGE];

	if (base64_encode(text, strlen(text), b64, sizeof(b64)) == -1)
		return (NULL);
	return (sasl_client_step(c, b64, strlen(b64)));
}

static void
test_plain(void)
{
	struct sasl_client	*c;

	c = sasl_client_new("PLAIN", "bob", "secret", "x");
	TEST_STR("plain", clear(sasl_client_initial(c)), "|bob|secret");
	TEST("plain is done", sasl_client_done(c));
	TEST_STR("plain asked again", clear(step(c, "")), "|bob|secret");
	TEST("plain asked thrice", step(c, "") == NULL);
	sasl_client_free(c);
	c = sasl_client_new("login", "bob", "secret", "x");
	TEST("login says nothing first", sasl_client_initial(c) == NULL);
	TEST_STR("login name", clear(step(c, "Username:")), "bob");
	TEST_STR("login password", clear(step(c, "Password:")), "secret");
	TEST("login asked thrice", step(c, "Why?") == NULL);
	sasl_client_free(c);
	c = sasl_client_new("XOAUTH2", "bob@x", "to.ken", "x");
	TEST_STR("xoauth2", clear(sasl_client_initial(c)),
	    "user=bob@x\001auth=Bearer to.ken\001\001");
	TEST_STR("xoauth2 is refused", step(c, "{\"status\":\"400\"}"), "");
	sasl_client_free(c);
	c = sasl_client_new("OAUTHBEARER", "b,o=b", "to.ken", "x");
	TEST_STR("oauthbearer", clear(sasl_client_initial(c)),
	    "n,a=b=2Co=3Db,\001auth=Bearer to.ken\001\001");
	TEST_STR("oauthbearer asked", clear(step(c, "")),
	    "n,a=b=2Co=3Db,\001auth=Bearer to.ken\001\001");
	TEST_STR("oauthbearer is refused", clear(step(c, "{}")), "\001");
	TEST("oauthbearer without end", step(c, "{}") == NULL);
	sasl_client_free(c);
	TEST("a token with a blank", sasl_client_new("XOAUTH2", "b", "a b",
	    "x") == NULL && errno == EINVAL);
	errno = 0;
	TEST("unknown", sasl_client_new("GSSAPI", "a", "b", "x") == NULL &&
	    errno == ENOTSUP);
	TEST("a name that cannot be", sasl_client_new("PLAIN", "a\nb", "b",
	    "x") == NULL && errno == EINVAL);
	c = sasl_client_new("LOGIN", "bob", "secret", "x");
	TEST("no base64", sasl_client_step(c, "!", 1) == NULL);
	sasl_client_free(c);
}

/* lie: 0 the real server, 1 a wrong signature, 2 success at once. */
static void
scram(const char *name, const char *pass, int lie, int want)
{
	struct scram_verifier	 v;
	struct scram		 s;
	struct sasl_client	*c;
	char			 out[SCRAM_MESSAGE];
	const char		*p;
	int			 ok = 0;

	if (scram_verifier_make(&v, "secret", "0123456789abcdef", 16, 4096) ==
	    -1)
		exit(2);
	c = sasl_client_new("SCRAM-SHA-256", "bob", pass, "abcdef");
	p = clear(sasl_client_initial(c));
	if (scram_server_hello(&s, p) == -1 || scram_server_first(&s, &v,
	    "server", out, sizeof(out)) == -1)
		exit(2);
	if (lie < 2 && (p = clear(step(c, out))) != NULL &&
	    scram_server_final(&s, &v, p, out, sizeof(out)) == 1) {
		if (lie == 1)
			out[5] = out[5] == 'A' ? 'B' : 'A';
		p = step(c, out);
		ok = p != NULL && *p == '\0';
	}
	TEST(name, (ok && sasl_client_done(c)) == want);
	sasl_client_free(c);
}

int
main(void)
{
	test_plain();
	scram("scram", "secret", 0, 1);
	scram("scram with a wrong password", "Secret", 0, 0);
	scram("scram with a false server", "secret", 1, 0);
	scram("scram that is cut short", "secret", 2, 0);
	TEST_DONE();
}
