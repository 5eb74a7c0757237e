/*
 * prove: small rule sets at random, each judged by the proof and by trying
 * everybody against the live code; and sets whose answer is known.
 */
#include "world.h"
#include "dns/wire.h"
#include "rules/prove.h"
#include "../test.h"

#define ROUNDS		120

#define HEAD								\
	"hostname \"mx.example.org\"\norigin \"example.org\"\n"		\
	"network lan { 10.0.0.0/8, fd00::/8 }\n"			\
	"network half { 128.0.0.0/1, 4000::/2 }\n"			\
	"network most { 0.0.0.0/1, 128.0.0.0/1, ::/1, 8000::/1, "	\
	"!10.0.0.0/8, !fd00::/8 }\n"					\
	"table t1 { x }\ntable t2 { x }\n"				\
	"auth system\n"						\
	"tls t cert \"/c\" key \"/k\"\n"				\
	"domain \"example.org\" {\n	alias \"example.net\"\n"	\
	"	aliases <t1>\n}\n"					\
	"listen smtp on all\nlisten smtp on all port 26 tag in\n"	\
	"listen smtps on all port 27 tag out\n"				\
	"listen smtp on loopback port 28 tag here\n"

static const char *const words[] = { "a@b.example", "@b.example",
	"*.b.example", "b.example", "*.example", "c@example.org", "<>",
	"*.invalid" };
static const char *const helos[] = { "h.example", "*.example", "localhost",
	"mx.example.org", "*.invalid", "example.org", "malformed" };
static const char *const codes[] = { "", " = 127.0.0.2",
	" = { 127.0.0.4/30, 127.0.0.9 }" };

/* Everybody who could come, with everything that could be so. */
static const char *const addrs[] = { "203.0.113.9", "1.2.3.4", "10.1.2.3",
	"127.0.0.1", "2001:db8:ffff::9", "fd00::1", "5000::1", "::1" };
static const char *const mails[] = { "q@nowhere.test", "a@b.example",
	"q@b.example", "q@x.b.example", "q@x.example", "q@x.invalid",
	"c@example.org", "q@example.org", "" };
static const char *const names[] = { "h.nowhere.test", "h.example",
	"x.example", "x.invalid", "localhost", "mx.example.org", "example.org",
	"example.net", "bad", "malformed", "-x.example", "-x.invalid" };
static const char *const listings[] = { "", "127.0.0.2", "127.0.0.5",
	"127.0.0.9", "127.0.0.77" };
static const struct {
	const char	*tag;
	int		 tls;
} doors[] = { { NULL, 0 }, { NULL, 1 }, { "in", 0 }, { "in", 1 },
	{ "out", 1 } };

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* What is so in the world that is being tried. */
static struct {
	const char	*listed[2];
	int		 no_rdns, unknown;
	int		 in[2][3];	/* table, what */
	const struct rules_request *q;
} so;

static uint32_t	seed = 1;

static unsigned int
rnd(unsigned int n)
{
	seed = seed * 1664525 + 1013904223;
	return ((seed >> 8) % n);
}

static void
try_lookup(const struct conf_table *t, enum table_form form, const char *key,
    table_cb cb, void *arg)
{
	struct table_answer	a = { .result = TABLE_NONE, .key = key,
				    .value = "" };
	int			n = strcmp(t->name, "t2") == 0;

	if ((so.in[n][0] && strcmp(key, so.q->sender) == 0) ||
	    (so.in[n][1] && strcmp(key, so.q->rcpt) == 0) ||
	    (so.in[n][2] && strcmp(key, so.q->helo) == 0))
		a.result = TABLE_FOUND;
	cb(&a, arg);
}

static enum rules_result
try_dns(const struct rules_env *env, unsigned int type, const char *name,
    struct rules_names *v)
{
	const char	*answer;

	v->n = 0;
	if (type == DNS_WIRE_PTR)
		return (so.no_rdns ? RULES_NO : (strlcpy(v->v[v->n++],
		    "back.test", DNS_NAME), RULES_OK));
	if (strcmp(name, "back.test") == 0)
		return (strlcpy(v->v[v->n++], so.q->addr, DNS_NAME),
		    RULES_OK);
	if (strstr(name, ".z0.test") == NULL && strstr(name, ".z1.test") ==
	    NULL)
		return (so.unknown ? RULES_NO : RULES_OK);
	answer = so.listed[strstr(name, ".z1.test") != NULL];
	if (*answer == '\0')
		return (RULES_NO);
	strlcpy(v->v[v->n++], answer, DNS_NAME);
	return (RULES_OK);
}

static size_t
add_condition(char *s, size_t size)
{
	static const char *const	kinds[] = { "sender", "recipient" };
	const char			*kind = kinds[rnd(2)];

	switch (rnd(12)) {
	case 0:
		return (snprintf(s, size, " no tls"));
	case 1:
		return (snprintf(s, size, " tag %s", rnd(3) == 0 ? "here" :
		    rnd(2) ? "in" : "out"));
	case 2:
		return (snprintf(s, size, " dnsbl z%u.test%s", rnd(2),
		    codes[rnd(COUNT(codes))]));
	case 3:
		return (snprintf(s, size, " no rdns"));
	case 4:
		return (snprintf(s, size, " helo %s", rnd(3) == 0 ? "unknown" :
		    rnd(2) ? "malformed" : "ours"));
	case 5:
		return (snprintf(s, size, " helo { \"%s\", \"%s\" }",
		    helos[rnd(COUNT(helos))], helos[rnd(COUNT(helos))]));
	case 6:
	case 7:
		return (snprintf(s, size, " %s <t%u>", rnd(5) == 0 ? "helo" :
		    kind, 1 + rnd(2)));
	default:
		return (snprintf(s, size, " %s { \"%s\", \"%s\" }", kind,
		    words[rnd(COUNT(words))], words[rnd(COUNT(words))]));
	}
}

static void
random_rules(char *s, size_t size)
{
	static const char *const	nets[] = { "lan", "half", "most",
					    "localhost" };
	unsigned int			i, rules = 1 + rnd(5), n;
	size_t				len = 0;
	int				permit;

	for (i = 0; i < rules; i++) {
		permit = i + 1 == rules || rnd(3) == 0;
		/* "permit any relay" needs a recipient or "unsafe". */
		len += snprintf(s + len, size - len, "%s %s", permit ?
		    "permit" : "reject", rnd(8) == 0 ? "authenticated" :
		    !permit && rnd(2) ? "any" : nets[rnd(COUNT(nets))]);
		for (n = rnd(3); n > 0; n--)
			len += add_condition(s + len, size - len);
		len += snprintf(s + len, size - len, "%s\n", permit ?
		    rnd(4) == 0 ? " deliver" : " relay" :
		    rnd(4) == 0 ? " relay" : rnd(6) == 0 ? " deliver" : "");
	}
}

/* What prove.h says of strangers, for these networks. */
static int
is_stranger(const struct conf *c, const char *addr)
{
	const struct conf_rule	*r;
	int			 lan = strcmp(addr, "10.1.2.3") == 0 ||
				    strcmp(addr, "fd00::1") == 0;

	if (addr_is_loopback(addr))
		return (0);
	TAILQ_FOREACH(r, &c->rules, entry)
		if (lan && r->source == SOURCE_NETWORK &&
		    r->scope != SCOPE_DELIVER && strcmp(r->network->name,
		    r->permit ? "lan" : "most") == 0)
			return (0);
	return (1);
}

/* Does a rule list this recipient?  A whole top level lists nobody. */
static int
is_listed(const struct conf_rule *r, const char *rcpt)
{
	const struct conf_cond	*c;
	struct conf_words	 one = { NULL, 1 };
	size_t			 i;

	TAILQ_FOREACH(c, &r->conds, entry) {
		if (c->kind != COND_RECIPIENT)
			continue;
		if (c->set.table != NULL)
			return (1);
		for (i = 0; i < c->set.words.n; i++) {
			one.v = &c->set.words.v[i];
			if (strcmp(one.v[0], "*.example") != 0 &&
			    strcmp(one.v[0], "*.invalid") != 0 &&
			    conf_words_match(&one, rcpt))
				return (1);
		}
	}
	return (0);
}

static int
relays(const struct rules_env *env, const struct rules_request *q)
{
	struct rules_answer	a;

	so.q = q;
	rules_decide(env, q, &a);
	return (a.result == RULES_OK && !a.ours && a.rule != NULL &&
	    !is_listed(a.rule, q->rcpt));
}

/* All that a rule set can ask about, for one client and its addresses. */
static int
try_world(const struct rules_env *env, struct rules_request *q,
    unsigned int uses)
{
	unsigned int	i, j, k;

	for (i = 0; i < (uses & 1 ? COUNT(listings) : 1); i++)
	for (j = 0; j < (uses & 2 ? COUNT(listings) : 1); j++)
	for (k = 0; k < 256; k++) {
		if ((k & ~(uses >> 2)) != 0)
			continue;
		so.listed[0] = listings[i];
		so.listed[1] = listings[j];
		so.no_rdns = k & 1;
		so.unknown = k >> 1 & 1;
		so.in[0][0] = k >> 2 & 1;
		so.in[0][1] = k >> 3 & 1;
		so.in[0][2] = k >> 4 & 1;
		so.in[1][0] = k >> 5 & 1;
		so.in[1][1] = k >> 6 & 1;
		so.in[1][2] = k >> 7 & 1;
		if (relays(env, q))
			return (1);
	}
	return (0);
}

/* A bit each, in the order that try_world() has them. */
static const char *const asks[] = { "z0.test", "z1.test", "no rdns",
	"unknown", "sender <t1>", "recipient <t1>", "helo <t1>",
	"sender <t2>", "recipient <t2>", "helo <t2>" };

/* Whoever comes: does one of them relay? */
static int
try_everybody(const struct conf *c, const char *rules)
{
	struct rules_env	env = world_env(c);
	struct rules_request	q = { 0 };
	unsigned int		a, d, h, s, r, uses;

	env.lookup = try_lookup;
	env.dns = try_dns;
	for (uses = 0, a = 0; a < COUNT(asks); a++)
		uses |= (strstr(rules, asks[a]) != NULL) << a;
	for (a = 0; a < COUNT(addrs); a++) {
		if (!is_stranger(c, addrs[a]))
			continue;
		for (d = 0; d < COUNT(doors); d++)
		for (h = 0; h < (strstr(rules, "helo") ? COUNT(names) : 1);
		    h++)
		for (s = 0; s < (strstr(rules, "sender") ? COUNT(mails) : 1);
		    s++)
		for (r = 0; r < 7; r++) {
			q.addr = addrs[a];
			q.tag = doors[d].tag;
			q.tls = doors[d].tls;
			q.helo = names[h];
			q.sender = mails[s];
			q.rcpt = mails[r];
			if (try_world(&env, &q, uses))
				return (1);
		}
	}
	return (0);
}

/* Is the witness let in by the rule that it names? */
static int
confirmed(const struct conf *c, const struct rules_witness *w)
{
	struct rules_env	env = world_env(c);
	struct rules_request	q = { .addr = w->addr, .helo = w->helo,
				    .tls = w->tls, .sender = w->sender,
				    .rcpt = w->rcpt };
	struct rules_answer	a;
	const char		*p;
	char			key[40], answer[2][40];
	int			t, z;

	env.lookup = try_lookup;
	env.dns = try_dns;
	q.tag = *w->tag != '\0' ? w->tag : NULL;
	memset(&so, 0, sizeof(so));
	so.q = &q;
	so.no_rdns = strstr(w->given, "its address has no name") != NULL;
	so.unknown = strstr(w->given, "not known to the name") != NULL;
	for (z = 0; z < 2; z++) {
		so.listed[z] = "";
		snprintf(key, sizeof(key), "listed in z%d.test and ", z);
		if ((p = strstr(w->given, key)) != NULL) {
			p += strlen(key);
			snprintf(answer[z], sizeof(answer[z]), "%.*s",
			    (int)strcspn(p, " "), p);
			so.listed[z] = answer[z];
		}
	}
	for (t = 0; t < 2; t++) {
		snprintf(key, sizeof(key), "the sender is in <t%d>", t + 1);
		so.in[t][0] = strstr(w->given, key) != NULL;
		snprintf(key, sizeof(key), "the recipient is in <t%d>", t + 1);
		so.in[t][1] = strstr(w->given, key) != NULL;
		snprintf(key, sizeof(key), "HELO name is in <t%d>", t + 1);
		so.in[t][2] = strstr(w->given, key) != NULL;
	}
	rules_decide(&env, &q, &a);
	return (a.result == RULES_OK && !a.ours && a.rule == w->rule);
}

/* Has a permit a list twice?  Then the proof need not know. */
static int
asks_twice(const struct conf *c)
{
	const struct conf_rule	*r;
	const struct conf_cond	*a, *b;

	TAILQ_FOREACH(r, &c->rules, entry)
		TAILQ_FOREACH(a, &r->conds, entry)
			TAILQ_FOREACH(b, &r->conds, entry)
				if (r->permit && a != b &&
				    a->kind == COND_DNSBL &&
				    b->kind == COND_DNSBL &&
				    strcmp(a->word, b->word) == 0)
					return (1);
	return (0);
}

static void
test_random(void)
{
	static struct rules_witness	 w;
	enum rules_proof		 proof;
	struct conf			*c;
	char				 text[4000], rules[2000];
	unsigned int			 i, safe = 0, bad = 0;

	for (i = 0; i < ROUNDS && bad == 0; i++) {
		random_rules(rules, sizeof(rules));
		snprintf(text, sizeof(text), "%s%s", HEAD, rules);
		if ((c = conf_parse(text, strlen(text), NULL, NULL)) == NULL)
			continue;
		proof = rules_prove(c, &w);
		safe += proof == PROOF_SAFE;
		if (proof == PROOF_UNKNOWN && asks_twice(c)) {
			conf_free(c);
			continue;
		}
		if (proof == PROOF_UNKNOWN ||
		    (proof == PROOF_RELAYS) != try_everybody(c, rules)) {
			printf("# %d for\n%s", (int)proof, rules);
			bad++;
		} else if (proof == PROOF_RELAYS && !confirmed(c, &w)) {
			printf("# %s %s %s %s given %s for\n%s", w.addr,
			    w.helo, w.sender, w.rcpt, w.given, rules);
			bad++;
		}
		conf_free(c);
	}
	TEST("at random", bad == 0);
	TEST("both answers came", safe > ROUNDS / 10 &&
	    safe < ROUNDS - ROUNDS / 10);
}

static const struct {
	const char	*name, *rules, *given;	/* NULL: proven */
} cases[] = {
	{ "default", "", NULL },
	{ "backup MX", "permit any recipient \"@b.example\" relay\n", NULL },
	{ "backup MX by table", "permit any recipient <t1> relay\n", NULL },
	{ "half of the list is everybody", "permit any recipient "
	    "{ \"@b.example\", \"*.com\" } relay\n", "" },
	{ "sub-domains are a list", "permit any recipient \"*.b.example\" "
	    "relay\n", NULL },
	{ "only what is left", "reject most\npermit half relay\n"
	    "permit any recipient \"*.com\" relay\n", NULL },
	{ "left out by a permit", "permit most relay\n", "" },
	{ "covered piece by piece", "network a { 0.0.0.0/2 }\n"
	    "network b { 64.0.0.0/2 }\nnetwork c { 0.0.0.0/1 }\n"
	    "reject a\nreject b\npermit c relay\n", NULL },
	{ "but not this piece", "network a { 0.0.0.0/2 }\n"
	    "network b { 64.0.0.0/2, !64.0.0.0/12 }\n"
	    "network c { 0.0.0.0/1 }\nreject a tag in\n"
	    "reject a no tls\nreject b\npermit c relay\n", "" },
	{ "both sides of TLS", "reject half no tls\nreject half tag out\n"
	    "permit half tag out relay\n", NULL },
	{ "never this tag", "reject half\npermit half tag here relay\n",
	    NULL },
	{ "only on loopback", "permit half tag here relay\n", NULL },
	{ "a list of friends", "permit half dnsbl friends.test = 127.0.0.3 "
	    "relay\n", "its address is listed in friends.test and 127.0.0.3 "
	    "is the answer" },
	{ "no list, no friends", "reject any dnsbl z.test\n"
	    "permit half dnsbl z.test = 127.0.0.3 relay\n", NULL },
	{ "a table of senders", "permit half sender <t1> relay\n",
	    "the sender is in <t1>" },
	{ "in it or not", "reject half sender <t1>\n"
	    "permit half sender <t1> relay\n", NULL },
	{ "senders are not recipients", "reject half recipient <t1>\n"
	    "permit half sender <t1> relay\n", "the sender is in <t1>" },
	{ "a top level that nobody has", "reject any sender \"*.invalid\"\n"
	    "reject any recipient \"*.invalid\"\n"
	    "reject any helo \"*.invalid\"\npermit half relay\n", "" },
	{ "below such a one", "reject any recipient \"*.invalid.com\"\n"
	    "permit any recipient \"*.com\" relay\n", "" },
	{ "some name of ours", "reject any helo { \"mx.example.org\", "
	    "\"example.org\" }\npermit half helo ours relay\n", "" },
	{ "every name of ours", "reject any helo { \"mx.example.org\", "
	    "\"example.org\", \"example.net\" }\n"
	    "permit half helo ours relay\n", NULL },
	{ "some malformed name", "reject any helo \"malformed\"\n"
	    "permit half helo malformed relay\n", "" },
	{ "unsafe is meant", "permit any relay unsafe\n", NULL },
};

/* Many rules that each can fail in many ways, and in the end none does. */
static void
test_many(void)
{
	static struct rules_witness	 w;
	struct conf			*c;
	char				*text;
	size_t				 size = 200000, n;
	int				 i;

	if ((text = malloc(size)) == NULL)
		exit(2);
	n = strlcpy(text, HEAD, size);
	for (i = 0; i < 300; i++)
		n += snprintf(text + n, size - n, "reject half sender "
		    "\"@s%d.example\" helo h%d.example dnsbl z%d.test\n", i,
		    i, i);
	strlcpy(text + n, "permit half relay\n", size - n);
	c = world_conf(text);
	TEST("many rules, a way through", rules_prove(c, &w) == PROOF_RELAYS);
	conf_free(c);
	strlcpy(text + n, "reject half\npermit half relay\n", size - n);
	c = world_conf(text);
	TEST("many rules, a wall", rules_prove(c, &w) != PROOF_RELAYS);
	conf_free(c);
	n = strlcpy(text, HEAD "network big {", size);
	for (i = 0; i < 8000; i++)
		n += snprintf(text + n, size - n, " 128.%d.%d.0/24,",
		    i / 256 * 2, i % 256);
	strlcpy(text + n, " 1.2.3.4 }\nreject big\npermit half relay\n",
	    size - n);
	c = world_conf(text);
	TEST("many networks", rules_prove(c, &w) == PROOF_RELAYS);
	conf_free(c);
	free(text);
}

/* Both answers may come at once; a domain may be called like a stranger. */
static void
test_unknown(void)
{
	static struct rules_witness	 w;
	struct conf			*c;

	c = world_conf(HEAD "permit half dnsbl z.test = 127.0.0.2 "
	    "dnsbl z.test = 127.0.0.3 relay\n");
	TEST("one list, two answers", rules_prove(c, &w) == PROOF_UNKNOWN);
	conf_free(c);
	c = world_conf(HEAD "domain \"stranger.invalid\" {\n"
	    "	aliases <t1>\n}\npermit half relay\n");
	TEST("a domain of ours called stranger", rules_prove(c, &w) ==
	    PROOF_RELAYS);
	conf_free(c);
}

int
main(void)
{
	static struct rules_witness	 w;
	enum rules_proof		 proof;
	struct conf			*c;
	char				 text[4000];
	size_t				 i;

	for (i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text), "%s%s", HEAD, cases[i].rules);
		c = world_conf(text);
		proof = rules_prove(c, &w);
		if (cases[i].given == NULL)
			TEST(cases[i].name, proof == PROOF_SAFE);
		else {
			TEST(cases[i].name, proof == PROOF_RELAYS);
			TEST_STR(cases[i].name, w.given, cases[i].given);
		}
		conf_free(c);
	}
	test_many();
	test_unknown();
	test_random();
	TEST_DONE();
}
