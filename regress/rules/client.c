/*
 * client: conditions that need the name system: block lists, reverse names,
 * HELO names.
 */
#include "world.h"
#include "dns/wire.h"
#include "../test.h"

#define HEAD								\
	"hostname \"mx.example.org\"\norigin \"example.org\"\n"		\
	"domain example.org {\n	aliases <t>\n}\ntable t { x }\n"	\
	"network nets { 10.0.0.0/8 }\n"

/* What the world's name servers say. */
static const struct {
	unsigned int	 type;
	const char	*name;
	const char	*v[8];
} zone[] = {
	{ DNS_WIRE_A, "9.113.0.203.zen.example", { "127.0.0.2",
	    "127.0.0.4" } },
	{ DNS_WIRE_A, "10.113.0.203.zen.example", { "192.0.2.1" } },
	{ DNS_WIRE_A, "11.113.0.203.zen.example", { NULL } },
	{ DNS_WIRE_A, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d."
	    "0.1.0.0.2.zen.example", { "127.0.0.2" } },
	{ DNS_WIRE_PTR, "203.0.113.9", { "a.example", "b.example" } },
	{ DNS_WIRE_A, "a.example", { "203.0.113.8" } },
	{ DNS_WIRE_A, "b.example", { "203.0.113.7", "203.0.113.9" } },
	{ DNS_WIRE_PTR, "203.0.113.10", { "liar.example", "a.example" } },
	{ DNS_WIRE_A, "liar.example", { "192.0.2.1" } },
	{ DNS_WIRE_PTR, "203.0.113.11", { "fail.example", "a.example" } },
	{ DNS_WIRE_PTR, "203.0.113.12", { "n1.example", "n2.example",
	    "n3.example", "n4.example", "n5.example", "b12.example" } },
	{ DNS_WIRE_A, "b12.example", { "203.0.113.12" } },
	{ DNS_WIRE_PTR, "2001:db8::1", { "six.example" } },
	{ DNS_WIRE_AAAA, "six.example", { "2001:db8::1" } },
	{ DNS_WIRE_PTR, "2001:db8::2", { "six.example" } },
	{ DNS_WIRE_MX, "mx-only.example", { "a.example" } },
};

static struct {
	const char	*failing;	/* part of a name */
	int		 late;		/* the next one comes later */
	unsigned int	 asked;
} dns;

static enum rules_result
fake_dns(const struct rules_env *env, unsigned int type, const char *name,
    struct rules_names *names)
{
	size_t	i;

	dns.asked++;
	names->n = 0;
	if (dns.late) {
		dns.late = 0;
		return (RULES_PENDING);
	}
	if ((dns.failing != NULL && strstr(name, dns.failing) != NULL) ||
	    strcmp(name, "fail.example") == 0)
		return (RULES_TEMPFAIL);
	for (i = 0; i < sizeof(zone) / sizeof(zone[0]); i++)
		if (zone[i].type == type && strcmp(zone[i].name, name) == 0) {
			while (zone[i].v[names->n] != NULL) {
				strlcpy(names->v[names->n],
				    zone[i].v[names->n], DNS_NAME);
				names->n++;
			}
			return (RULES_OK);
		}
	return (RULES_NO);
}

static const struct {
	const char	*name, *rule, *addr, *helo;
	int		 refused;
} cases[] = {
	{ "listed", "dnsbl zen.example", "203.0.113.9", "h", 1 },
	{ "not listed", "dnsbl zen.example", "203.0.113.99", "h", 0 },
	{ "other zone", "dnsbl other.example", "203.0.113.9", "h", 0 },
	{ "an answer outside of 127/8", "dnsbl zen.example", "203.0.113.10",
	    "h", 0 },
	{ "no usable answer", "dnsbl zen.example", "203.0.113.11", "h", 0 },
	{ "IPv6", "dnsbl zen.example", "2001:db8::1", "h", 1 },
	{ "IPv6 not listed", "dnsbl zen.example", "2001:db8::2", "h", 0 },
	{ "its code", "dnsbl zen.example = 127.0.0.4", "203.0.113.9", "h",
	    1 },
	{ "another code", "dnsbl zen.example = 127.0.0.3", "203.0.113.9",
	    "h", 0 },
	{ "a range", "dnsbl zen.example = { 127.0.0.8/30, 127.0.0.4/30 }",
	    "203.0.113.9", "h", 1 },
	{ "zone that fails", "dnsbl broken.example", "203.0.113.9", "h", 0 },
	{ "local submission", "dnsbl zen.example", NULL, "h", 0 },

	{ "name and back", "no rdns", "203.0.113.9", "h", 0 },
	{ "names that are not its", "no rdns", "203.0.113.10", "h", 1 },
	{ "no name", "no rdns", "203.0.113.99", "h", 1 },
	{ "a name that fails", "no rdns", "203.0.113.11", "h", 0 },
	{ "more names than looked at", "no rdns", "203.0.113.12", "h", 1 },
	{ "IPv6 and back", "no rdns", "2001:db8::1", "h", 0 },
	{ "IPv6 and not back", "no rdns", "2001:db8::2", "h", 1 },
	{ "local has a name", "no rdns", NULL, "h", 0 },
	{ "so has a local socket", "no rdns", "local", "h", 0 },

	{ "good helo", "helo malformed", "203.0.113.9", "a.example", 0 },
	{ "underscore", "helo malformed", "203.0.113.9", "a_b.example", 0 },
	{ "one label", "helo malformed", "203.0.113.9", "localhost", 1 },
	{ "bare address", "helo malformed", "203.0.113.9", "203.0.113.9", 1 },
	{ "literal", "helo malformed", "203.0.113.9", "[203.0.113.9]", 0 },
	{ "IPv6 literal", "helo malformed", "203.0.113.9",
	    "[IPv6:2001:db8::1]", 0 },
	{ "IPv6 without tag", "helo malformed", "203.0.113.9",
	    "[2001:db8::1]", 1 },
	{ "tag without IPv6", "helo malformed", "203.0.113.9",
	    "[IPv6:1.2.3.4]", 1 },
	{ "network for a literal", "helo malformed", "203.0.113.9",
	    "[10.0.0.0/8]", 1 },
	{ "empty literal", "helo malformed", "203.0.113.9", "[]", 1 },
	{ "half a literal", "helo malformed", "203.0.113.9", "[1.2.3.4", 1 },
	{ "empty", "helo malformed", "203.0.113.9", "", 1 },
	{ "final dot", "helo malformed", "203.0.113.9", "a.example.", 1 },
	{ "two dots", "helo malformed", "203.0.113.9", "a..example", 1 },

	{ "our hostname", "helo ours", "203.0.113.9", "MX.example.org", 1 },
	{ "our domain", "helo ours", "203.0.113.9", "example.org", 1 },
	{ "below our domain", "helo ours", "203.0.113.9", "a.example.org",
	    0 },

	{ "known", "helo unknown", "203.0.113.9", "a.example", 0 },
	{ "known by AAAA", "helo unknown", "203.0.113.9", "six.example", 0 },
	{ "known by MX", "helo unknown", "203.0.113.9", "mx-only.example",
	    0 },
	{ "unknown", "helo unknown", "203.0.113.9", "nobody.example", 1 },
	{ "not to be told", "helo unknown", "203.0.113.9", "fail.example",
	    0 },
	{ "a literal is no name", "helo unknown", "203.0.113.9",
	    "[192.0.2.1]", 0 },
};

static enum rules_result
decide(const char *rule, const char *addr, const char *helo, int with_dns)
{
	struct rules_request	 q = { .addr = addr, .helo = helo,
				    .sender = "", .rcpt = "x@example.org" };
	struct rules_answer	 a;
	struct rules_env	 env;
	struct conf		*c;
	char			 text[1000];

	snprintf(text, sizeof(text), HEAD "reject any %s\npermit any deliver\n"
	    "permit local deliver\npermit nets relay\n", rule);
	c = world_conf(text);
	env = world_env(c);
	if (with_dns)
		env.dns = fake_dns;
	rules_decide(&env, &q, &a);
	conf_free(c);
	return (a.result);
}

int
main(void)
{
	struct rules_env	 env;
	struct conf		*c;
	size_t			 i;

	dns.failing = "broken.example";
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dns.late = 0;
		TEST(cases[i].name, decide(cases[i].rule, cases[i].addr,
		    cases[i].helo, 1) == (cases[i].refused ? RULES_NO :
		    RULES_OK));
		dns.late = 1;
		if (decide(cases[i].rule, cases[i].addr, cases[i].helo, 1) ==
		    RULES_PENDING)
			TEST("late", dns.late == 0);
		else
			TEST("nobody was asked", dns.late == 1);
	}
	TEST("nobody to ask: not listed", decide("dnsbl zen.example",
	    "203.0.113.9", "h", 0) == RULES_OK);
	TEST("nobody to ask: has a name", decide("no rdns", "203.0.113.99",
	    "h", 0) == RULES_OK);
	dns.asked = 0;
	dns.late = 0;
	TEST("asked last", decide("dnsbl zen.example no tls recipient "
	    "\"@other.example\"", "203.0.113.9", "h", 1) == RULES_OK &&
	    dns.asked == 0);

	c = world_conf(HEAD "reject nets dnsbl zen.example\nreject any "
	    "no rdns helo unknown\nreject authenticated dnsbl b.example\n"
	    "permit any deliver\n");
	env = world_env(c);
	env.dns = fake_dns;
	TEST("rules that ask", rules_ask_dns(c));
	rules_prefetch(&env, "10.0.0.1", "nobody.example");
	TEST("prefetched", dns.asked == 1 + 1 + 3);
	dns.asked = 0;
	rules_prefetch(&env, "203.0.113.99", "a.example");
	TEST("only what concerns it", dns.asked == 1 + 1);
	conf_free(c);
	c = world_conf(HEAD "permit nets relay\n");
	TEST("rules that do not", !rules_ask_dns(c));
	conf_free(c);
	TEST_DONE();
}
