/*
 * What is known of addresses, and whose connection may be whose.
 */
#include <stdlib.h>

#include "conf/conf.h"
#include "regress/test.h"
#include "smtpd/relay_known.h"
#include "smtpd/relay_share.h"
#include "smtpd/relay_state.h"

#define NOW	1000000		/* ms */
#define MAY(k, believe, now) known_may(k, believe, NOW, now)

static void
test_window(void)
{
	struct known	*k = known_get("192.0.2.1", 25, "");
	unsigned int	 i;

	TEST("the same address", known_get("192.0.2.1", 25, "") == k);
	TEST("another port", known_get("192.0.2.1", 26, "") != k);
	TEST("another source", known_get("192.0.2.1", 25, "::1") != k);
	for (i = 0; MAY(k, 600, NOW) == KNOWN_GO; i++)
		k->nopen++;
	TEST("a new one gets two", i == KNOWN_FIRST);
	known_reached(k);
	TEST("a message makes room for one", known_took(k) == 1 &&
	    MAY(k, 600, NOW) == KNOWN_GO);
	for (i = 0; i < 100; i++)
		(void)known_took(k);
	TEST("and never for more than the most", k->window == KNOWN_MOST &&
	    known_took(k) == 0);
	TEST("a failure beside one that works", known_failed(k, "too many",
	    NOW) == 0 && MAY(k, 600, NOW) == KNOWN_FULL &&
	    k->window == 1);
	for (i = 1; known_took(k) == 0; i++)
		;
	TEST("one more than it had enough of comes late", i == KNOWN_SLOWLY);
	k->nopen = k->nready = 0;
}

static void
test_down(void)
{
	struct known	*k = known_get("192.0.2.2", 25, "");

	k->nopen = 1;
	TEST("it fails", known_failed(k, "refused", NOW) == 1);
	k->nopen = 0;
	TEST("down", MAY(k, 300, NOW) == KNOWN_DOWN &&
	    MAY(k, 300, NOW + 299000) == KNOWN_DOWN);
	TEST_STR("why", k->why, "refused");
	TEST("the time that is left", known_rest(k, 300, NOW + 100000) == 200 &&
	    known_rest(k, 300, NOW + 300000) == 1);
	TEST("who believes nothing", MAY(k, 0, NOW) == KNOWN_GO);
	TEST("who waited for it to fail", known_may(k, 0, NOW - 1, NOW + 1) ==
	    KNOWN_DOWN);
	TEST("when its time is over", MAY(k, 300, NOW + 300000) ==
	    KNOWN_GO);
	k->nopen = 1;
	TEST("one finds out", MAY(k, 300, NOW + 300000) == KNOWN_FULL);
	known_reached(k);
	TEST("there again", MAY(k, 300, NOW) == KNOWN_FULL);
	k->nopen = k->nready = 0;
	TEST("with what it can bear", MAY(k, 300, NOW) == KNOWN_GO);
}

static void
test_bounds(void)
{
	struct known	*k = known_get("192.0.2.3", 25, "");
	char		 addr[C_ADDR];
	unsigned int	 i;

	k->nopen = 1;
	(void)known_failed(known_get("192.0.2.4", 25, ""), "gone", NOW);
	for (i = 0; i < 2 * KNOWN_MAX; i++) {
		(void)snprintf(addr, sizeof(addr), "2001:db8::%x", i);
		if (known_get(addr, 25, "") == NULL)
			break;
	}
	TEST("no more than so many", i == 2 * KNOWN_MAX &&
	    known_count() == KNOWN_MAX);
	TEST("one in use stays", known_get("192.0.2.3", 25, "") == k);
	TEST("one that is not is forgotten", MAY(known_get("192.0.2.4",
	    25, ""), 600, NOW) == KNOWN_GO);
	k->nopen = 0;
}

/* A session to an address of a host; the certificate names are hosts. */
struct side {
	unsigned int	 scheme;
	const char	*domain;
	int		 nomx;
	const char	*host;
	int		 secure;	/* its MX were validated */
	const char	*addr;
	const char	*source;
	const char	*label;
	unsigned int	 route;
	const char	*proven;	/* of the idle one; NULL: nothing */
	int		 loggedin;
	int		 clear;
};

#define MX(d)	SCHEME_SMTP, d, 0, "mx.lab", 0, "192.0.2.1", ""
#define VIA(s)	s, "mx.lab", 1, "mx.lab", 0, "192.0.2.1", ""
#define HERE	SCHEME_SMTP_NOTLS, "127.0.0.1", 1, "127.0.0.1", 0,	\
		    "127.0.0.1", ""

static const struct {
	const char	*name;
	int		 same;
	struct side	 idle, other;
} pairs[] = {
	{ "two domains, one MX", 1, { MX("a.lab"), "", 0, NULL, 0, 0 },
	    { MX("b.lab"), "", 0, NULL, 0, 0 } },
	{ "another route of the same kind", 1,
	    { MX("a.lab"), "", 0, NULL, 0, 0 },
	    { MX("b.lab"), "", 3, NULL, 0, 0 } },
	{ "TLS failed on it", 0, { MX("a.lab"), "", 0, NULL, 0, 1 },
	    { MX("b.lab"), "", 0, NULL, 0, 0 } },
	{ "another address", 0, { MX("a.lab"), "", 0, NULL, 0, 0 },
	    { SCHEME_SMTP, "b.lab", 0, "mx.lab", 0, "192.0.2.2", "", "", 0,
	    NULL, 0, 0 } },
	{ "another source", 0, { MX("a.lab"), "", 0, NULL, 0, 0 },
	    { SCHEME_SMTP, "b.lab", 0, "mx.lab", 0, "192.0.2.1", "192.0.2.9",
	    "", 0, NULL, 0, 0 } },
	{ "a route that may lead to ourselves", 0,
	    { VIA(SCHEME_SMTP), "", 0, NULL, 0, 0 },
	    { MX("b.lab"), "", 0, NULL, 0, 0 } },
	{ "no proof for one that demands it", 0,
	    { VIA(SCHEME_SMTP), "", 0, NULL, 0, 0 },
	    { VIA(SCHEME_SMTP_TLS), "", 0, NULL, 0, 0 } },
	{ "a proof that is not demanded", 0,
	    { VIA(SCHEME_SMTP_TLS), "", 0, "mx.lab", 0, 0 },
	    { VIA(SCHEME_SMTP), "", 0, NULL, 0, 0 } },
	{ "the same name was proven", 1,
	    { VIA(SCHEME_SMTP_TLS), "", 0, "MX.lab", 0, 0 },
	    { VIA(SCHEME_SMTP_TLS), "", 0, NULL, 0, 0 } },
	{ "another name was proven", 0,
	    { VIA(SCHEME_SMTP_TLS), "", 0, "other.lab", 0, 0 },
	    { VIA(SCHEME_SMTP_TLS), "", 0, NULL, 0, 0 } },
	{ "no name was proven", 0,
	    { VIA(SCHEME_SMTP_TLS), "", 0, NULL, 0, 0 },
	    { VIA(SCHEME_SMTP_TLS), "", 0, NULL, 0, 0 } },
	{ "an MX that was validated is its own name", 1,
	    { SCHEME_SMTP_TLS, "a.lab", 0, "mx.lab", 1, "192.0.2.1", "", "", 0,
	    "mx.lab", 0, 0 }, { SCHEME_SMTP_TLS, "b.lab", 0, "mx.lab", 1,
	    "192.0.2.1", "", "", 0, NULL, 0, 0 } },
	{ "one that was not has to prove the domain", 0,
	    { SCHEME_SMTP_TLS, "a.lab", 0, "mx.lab", 1, "192.0.2.1", "", "", 0,
	    "mx.lab", 0, 0 }, { SCHEME_SMTP_TLS, "b.lab", 0, "mx.lab", 0,
	    "192.0.2.1", "", "", 0, NULL, 0, 0 } },
	{ "STARTTLS and TLS from the start", 0,
	    { VIA(SCHEME_SMTP_TLS), "", 0, "mx.lab", 0, 0 },
	    { VIA(SCHEME_SMTPS), "", 0, NULL, 0, 0 } },
	{ "LMTP and SMTP", 0, { VIA(SCHEME_LMTP), "", 0, NULL, 0, 0 },
	    { VIA(SCHEME_SMTP_NOTLS), "", 0, NULL, 0, 0 } },
	{ "the same user", 1, { HERE, "me", 1, NULL, 1, 0 },
	    { HERE, "me", 1, NULL, 0, 0 } },
	{ "another user", 0, { HERE, "me", 1, NULL, 1, 0 },
	    { HERE, "you", 1, NULL, 0, 0 } },
	{ "the same name in another table", 0, { HERE, "me", 1, NULL, 1, 0 },
	    { HERE, "me", 2, NULL, 0, 0 } },
	{ "nobody for a user", 0, { HERE, "", 1, NULL, 0, 0 },
	    { HERE, "me", 1, NULL, 0, 0 } },
	{ "a user for nobody", 0, { HERE, "me", 1, NULL, 1, 0 },
	    { HERE, "", 1, NULL, 0, 0 } },
	{ "who has not logged in", 0, { HERE, "me", 1, NULL, 0, 0 },
	    { HERE, "me", 1, NULL, 0, 0 } },
};

static void
fill(struct session *s, const struct side *v)
{
	static struct relay_host	host[2];
	static struct relay_addr	addr[2];
	static int			i;

	memset(s, 0, sizeof(*s));
	i = !i;
	s->hop.hosts = &host[i];
	s->hop.addrs = &addr[i];
	s->hop.nhosts = s->hop.naddrs = s->hop.addr = 1;
	s->hop.from_mx = !v->nomx;
	s->hop.secure = v->secure;
	s->dest.scheme = v->scheme;
	s->dest.port = 25;
	s->dest.nomx = (uint64_t)v->nomx;
	s->dest.route = v->route;
	strlcpy(s->dest.host, v->domain, sizeof(s->dest.host));
	strlcpy(s->dest.label, v->label, sizeof(s->dest.label));
	strlcpy(s->dest.source, v->source, sizeof(s->dest.source));
	strlcpy(host[i].name, v->host, sizeof(host[i].name));
	strlcpy(addr[i].text, v->addr, sizeof(addr[i].text));
	s->verified = v->proven != NULL;
	strlcpy(s->proven, v->proven != NULL ? v->proven : v->host,
	    sizeof(s->proven));
	s->loggedin = v->loggedin;
	s->clear = v->clear;
}

int
main(void)
{
	struct session	idle, other;
	size_t		i;

	test_window();
	test_down();
	test_bounds();
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		fill(&idle, &pairs[i].idle);
		fill(&other, &pairs[i].other);
		TEST(pairs[i].name, share_same(&idle, &other) ==
		    pairs[i].same);
	}
	TEST_DONE();
}
