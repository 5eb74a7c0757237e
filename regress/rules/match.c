/*
 * match: which rule decides; and the matrix of every way in which somebody
 * could try to have us relay.
 */
#include "world.h"
#include "../test.h"

#define CONF								\
	"hostname \"mx.example.org\"\norigin \"example.org\"\n"		\
	"postmaster \"alice@example.org\"\n"				\
	"network nets { 10.0.0.0/8, !10.9.0.0/16, 2001:db8::/48 }\n"	\
	"table people { \"x\" }\ntable aliases { \"x\" }\n"		\
	"table blocked { \"x\" }\n"					\
	"domain { \"example.org\", \"example.com\" } {\n"		\
	"	alias \"example.net\"\n	users <people>\n"		\
	"	aliases <aliases>\n"					\
	"	deliver maildir \"/var/mail/%d/%n\" as nobody\n}\n"

static const struct row rows[] = {
	{ "people", "alice@example.org", "" },
	{ "aliases", "sales", "alice" },
	{ "blocked", "@spam.example", "" },
	{ "blocked", "evil@example.com", "" },
	{ "blocked", "*.bulk.example", "" },
	{ "blocked", "*.bad.test", "" },
	{ "blocked", "<>", "" },
	{ "blocked", "spam.helo.example", "" },
	{ "blocked", "*.test", "" },
	{ NULL, NULL, NULL }
};

/* What a client may say behind RCPT TO:, and where it leads. */
static const struct {
	const char	*path;
	char		 where;		/* o ours, u ours but unknown,
					   f foreign, r refused as such */
} rcpts[] = {
	{ "<alice@example.org>", 'o' },
	{ "<ALICE@EXAMPLE.ORG>", 'o' },
	{ "<alice@example.com>", 'o' },
	{ "<alice@example.net>", 'o' },
	{ "<alice+x@example.org>", 'o' },
	{ "<\"alice\"@example.org>", 'o' },
	{ "<@relay.example:alice@example.org>", 'o' },
	{ "alice@example.org", 'o' },
	{ "<alice>", 'o' },
	{ "<postmaster>", 'o' },
	{ "<Postmaster@example.net>", 'o' },
	{ "<sales@example.com>", 'o' },
	{ "<bob@example.org>", 'u' },
	{ "<x%elsewhere.example@example.org>", 'u' },
	{ "<elsewhere.example!x@example.org>", 'u' },
	{ "<\"x@elsewhere.example\"@example.org>", 'u' },
	{ "<\"x@elsewhere.example\">", 'u' },
	{ "<\"<x@elsewhere.example>\"@example.org>", 'u' },
	{ "<x@elsewhere.example>", 'f' },
	{ "x@elsewhere.example", 'f' },
	{ "<@example.org:x@elsewhere.example>", 'f' },
	{ "<@example.org,@example.com:x@elsewhere.example>", 'f' },
	{ "<x%example.org@elsewhere.example>", 'f' },
	{ "<\"x@example.org\"@elsewhere.example>", 'f' },
	{ "<x@[192.0.2.1]>", 'f' },
	{ "<x@[IPv6:::1]>", 'f' },
	{ "<x@[127.0.0.1]>", 'f' },
	{ "<x@sub.example.org>", 'f' },
	{ "<x@example.orgs>", 'f' },
	{ "<x@xexample.org>", 'f' },
	{ "<x@org>", 'f' },
	{ "<x@xn--exmple-4nf.org>", 'f' },
	{ "<x@elsewhere.example.>", 'r' },
	{ "<alice@example.org.>", 'r' },
	{ "<x@example.org@elsewhere.example>", 'r' },
	{ "<x@elsewhere.example@example.org>", 'r' },
	{ "<x@y@>", 'r' },
	{ "<x@ex\xd0\xb0mple.org>", 'f' },
	{ "<x@elsewhere.example >", 'r' },
	{ "<x@elsewhere.example,y@example.org>", 'r' },
	{ "<@example.org:@example.com:x@elsewhere.example>", 'r' },
	{ "<x@>", 'r' },
};

static const struct {
	const char	*addr, *user;
	int		 trusted;
} sources[] = {
	{ "203.0.113.9", NULL, 0 },
	{ "203.0.113.9", "alice", 1 },
	{ "10.1.2.3", NULL, 1 },
	{ "10.9.2.3", NULL, 0 },
	{ "10.9.2.3", "alice", 1 },
	{ "2001:db8::1", NULL, 1 },
	{ "2001:db9::1", NULL, 0 },
	{ "127.0.0.1", NULL, 0 },
	{ "::ffff:203.0.113.9", NULL, 0 },
	{ "", NULL, 0 },
};

static enum rules_result
decide(const struct rules_env *env, const struct rules_request *q,
    struct rules_answer *a)
{
	struct rules_dests	 dests;
	char			 reply[C_REPLY];
	enum rules_result	 r;

	rules_decide(env, q, a);
	if (a->result != RULES_OK)
		return (a->result);
	r = rules_resolve(env, q->sender, q->rcpt, 1, &dests, reply);
	if (r == RULES_OK)
		rules_dests_free(&dests);
	return (r);
}

static void
matrix_row(const struct rules_env *env, size_t s, size_t i, const char *from)
{
	struct rules_request	 q = { .addr = sources[s].addr,
				    .user = sources[s].user, .helo = "h",
				    .sender = from };
	struct rules_answer	 a;
	char			 rcpt[SMTP_ADDR_SIZE], name[200];
	const char		*p = rcpts[i].path;
	enum rules_result	 r;
	int			 good;

	snprintf(name, sizeof(name), "%s%s%s from <%s> to %s",
	    sources[s].addr, sources[s].user != NULL ? " as " : "",
	    sources[s].user != NULL ? sources[s].user : "", from, p);
	if (smtp_path(&p, rcpt) != NULL) {
		TEST(name, rcpts[i].where == 'r');
		return;
	}
	if (rules_complete(env->conf, rcpt) == -1)
		exit(2);
	q.rcpt = rcpt;
	r = decide(env, &q, &a);
	good = a.ours == (rcpts[i].where == 'o' || rcpts[i].where == 'u');
	if (rcpts[i].where == 'f')
		good &= r == (sources[s].trusted ? RULES_OK : RULES_NO);
	else
		good &= r == (rcpts[i].where == 'o' ? RULES_OK : RULES_NO);
	TEST(name, good && rcpts[i].where != 'r');
}

static void
test_matrix(void)
{
	static const char	*const froms[] = { "", "alice@example.org",
				    "x@elsewhere.example" };
	struct conf		*c = world_conf(CONF "permit nets relay\n"
				    "permit authenticated relay\n"
				    "permit any deliver\n");
	struct rules_env	 env = world_env(c);
	size_t			 s, i, f;

	for (s = 0; s < sizeof(sources) / sizeof(sources[0]); s++)
		for (i = 0; i < sizeof(rcpts) / sizeof(rcpts[0]); i++)
			for (f = 0; f < 3; f++)
				matrix_row(&env, s, i, froms[f]);
	TEST("the proof", rules_check(c, NULL, NULL) == 0);
	conf_free(c);
}

#define ANY	"203.0.113.9"

static const struct {
	const char	*name, *rules;
	const char	*addr, *user, *helo, *tag, *sender, *rcpt;
	int		 tls;
	const char	*want;		/* start of the reply; "" permitted */
} cases[] = {
	{ "no rules, own domain", "", ANY, NULL, "h", NULL, "",
	    "a@example.org", 0, "" },
	{ "no rules, elsewhere", "", ANY, NULL, "h", NULL, "", "a@b.example",
	    0, "550 5.7.1 <a@b.example>: relaying denied" },
	{ "no rules, loopback", "", "127.0.0.1", NULL, "h", NULL, "",
	    "a@b.example", 0, "" },
	{ "no rules, local", "", NULL, NULL, "h", NULL, "", "a@b.example", 0,
	    "" },
	{ "no rules, logged in", "", ANY, "u", "h", NULL, "", "a@b.example",
	    0, "" },
	{ "only elsewhere", "permit nets relay\n", ANY, NULL, "h", NULL, "",
	    "a@example.org", 0, "550 5.7.1 <a@example.org>: not permitted" },
	{ "postmaster always", "permit nets relay\n", ANY, NULL, "h", NULL,
	    "", "PostMaster@example.org", 0, "" },
	{ "not of others", "permit nets relay\n", ANY, NULL, "h", NULL, "",
	    "postmaster@b.example", 0, "550 5.7.1" },
	{ "first match", "reject any\npermit any deliver\n", ANY, NULL, "h",
	    NULL, "", "a@example.org", 0, "550 5.7.1" },
	{ "a reply", "reject any sender \"@s.example\" \"450 4.7.0 later\"\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL, "x@S.example",
	    "a@example.org", 0, "450 4.7.0 later" },
	{ "a reply without a status", "reject any \"450 later\"\n", ANY,
	    NULL, "h", NULL, "", "a@example.org", 0, "450 4.7.1 later" },
	{ "one that begins with a number", "reject any \"550 5.x is old\"\n",
	    ANY, NULL, "h", NULL, "", "a@example.org", 0,
	    "550 5.7.1 5.x is old" },
	{ "other sender", "reject any sender \"@s.example\"\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL, "x@t.example",
	    "a@example.org", 0, "" },
	{ "null sender", "reject any sender \"<>\"\npermit any deliver\n",
	    ANY, NULL, "h", NULL, "", "a@example.org", 0, "550" },
	{ "table", "reject any sender <blocked>\npermit any deliver\n", ANY,
	    NULL, "h", NULL, "x@spam.example", "a@example.org", 0, "550" },
	{ "table, address", "reject any recipient <blocked>\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL, "",
	    "evil@example.com", 0, "550" },
	{ "table, none", "reject any sender <blocked>\npermit any deliver\n",
	    ANY, NULL, "h", NULL, "x@ham.example", "a@example.org", 0, "" },
	{ "table, other case", "reject any sender <blocked>\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL,
	    "EVIL@example.com", "a@example.org", 0, "550" },
	{ "table, below", "reject any sender <blocked>\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL,
	    "x@y.z.bulk.example", "a@example.org", 0, "550" },
	{ "table, not below itself", "reject any sender <blocked>\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL,
	    "x@bulk.example", "a@example.org", 0, "" },
	{ "table, a literal", "reject any sender <blocked>\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL,
	    "x@[192.0.2.1]", "a@example.org", 0, "" },
	{ "table, null sender", "reject any sender <blocked>\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL, "",
	    "a@example.org", 0, "550" },
	{ "table, helo", "reject any helo <blocked>\npermit any deliver\n",
	    ANY, NULL, "Spam.HELO.example", NULL, "x@y.example",
	    "a@example.org", 0, "550" },
	{ "table, helo below", "reject any helo <blocked>\n"
	    "permit any deliver\n", ANY, NULL, "a.bulk.example", NULL,
	    "x@y.example", "a@example.org", 0, "550" },
	{ "table, recipient below", "permit any recipient <blocked> relay\n",
	    ANY, NULL, "h", NULL, "", "x@y.bad.test", 0, "" },
	{ "table, a top level is no list", "permit any recipient <blocked> "
	    "relay\n", ANY, NULL, "h", NULL, "", "x@y.test", 0, "550" },
	{ "table, a top level to reject", "reject any recipient <blocked>\n"
	    "permit local relay\n", NULL, NULL, "h", NULL, "", "x@y.test",
	    0, "550" },
	{ "a detail", "reject any recipient \"boss@example.org\"\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL, "",
	    "boss+x@example.org", 0, "550" },
	{ "another name", "reject any recipient \"boss@example.org\"\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL, "",
	    "boss@example.net", 0, "550" },
	{ "both", "reject any recipient \"boss@example.org\"\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL, "",
	    "Boss+x@example.com", 0, "550" },
	{ "both, in a table", "reject any recipient <blocked>\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL, "",
	    "evil+x@example.com", 0, "550" },
	{ "somebody else", "reject any recipient \"boss@example.org\"\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL, "",
	    "+boss@example.net", 0, "" },
	{ "a detail of others", "reject any recipient \"boss@b.example\"\n"
	    "permit local relay\n", NULL, NULL, "h", NULL, "",
	    "boss+x@b.example", 0, "" },
	{ "the other name only", "reject any recipient \"@example.net\"\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL, "",
	    "a@example.org", 0, "" },
	{ "helo", "reject any helo spam.example\npermit any deliver\n", ANY,
	    NULL, "SPAM.example", NULL, "", "a@example.org", 0, "550" },
	{ "other helo", "reject any helo spam.example\npermit any deliver\n",
	    ANY, NULL, "ham.example", NULL, "", "a@example.org", 0, "" },
	{ "no tls", "reject any no tls\npermit any deliver\n", ANY, NULL,
	    "h", NULL, "", "a@example.org", 0, "550" },
	{ "tls", "reject any no tls\npermit any deliver\n", ANY, NULL, "h",
	    NULL, "", "a@example.org", 1, "" },
	{ "all conditions", "reject any no tls helo h sender \"<>\"\n"
	    "permit any deliver\n", ANY, NULL, "h", NULL, "a@b",
	    "a@example.org", 0, "" },
	{ "backup MX", "permit any recipient \"@b.example\" relay "
	    "unsafe\n", ANY, NULL, "h", NULL, "", "a@b.example", 0, "" },
	{ "and only that", "permit any recipient \"@b.example\" relay "
	    "unsafe\n", ANY, NULL, "h", NULL, "", "a@c.example", 0, "550" },
	{ "permit of a sender", "permit authenticated sender "
	    "\"@example.org\" relay\n", ANY, "u", "h", NULL,
	    "a@b.example", "a@c.example", 0, "550" },
	{ "local is no network", "permit local relay\n", "127.0.0.1", NULL,
	    "h", NULL, "", "a@c.example", 0, "550" },
};

static void
test_rules(void)
{
	struct rules_request	 q = { 0 };
	struct rules_answer	 a;
	struct rules_env	 env;
	struct conf		*c;
	char			 text[1000];
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", CONF, cases[i].rules);
		c = world_conf(text);
		env = world_env(c);
		q.addr = cases[i].addr;
		q.user = cases[i].user;
		q.helo = cases[i].helo;
		q.tag = cases[i].tag;
		q.sender = cases[i].sender;
		q.rcpt = cases[i].rcpt;
		q.tls = cases[i].tls;
		rules_decide(&env, &q, &a);
		TEST(cases[i].name, *cases[i].want == '\0' ?
		    a.result == RULES_OK : a.result == RULES_NO &&
		    strncmp(a.reply, cases[i].want,
		    strlen(cases[i].want)) == 0);
		conf_free(c);
	}
}

static void
test_tables(void)
{
	struct conf		*c = world_conf(CONF
				    "listen smtp on all tag out\n"
				    "reject any sender <blocked>\n"
				    "permit any tag out sender \"@t.example\""
				    " recipient \"@c.example\" relay unsafe\n"
				    "permit any deliver\n");
	struct rules_env	 env = world_env(c);
	struct rules_request	 q = { .addr = ANY, .helo = "h",
				    .sender = "x@t.example",
				    .rcpt = "a@example.org" };
	struct rules_answer	 a;

	world.failing = "blocked";
	rules_decide(&env, &q, &a);
	TEST("a table that fails", a.result == RULES_TEMPFAIL &&
	    strncmp(a.reply, "451 4.3.0", 9) == 0);
	world.failing = NULL;
	world.late = "blocked";
	rules_decide(&env, &q, &a);
	TEST("a late one", a.result == RULES_PENDING && world.resumed == 0);
	world_now();
	TEST("asks again", world.resumed == 1);
	rules_decide(&env, &q, &a);
	TEST("now it is there", a.result == RULES_OK);
	q.rcpt = "a@c.example";
	rules_decide(&env, &q, &a);
	TEST("no tag", a.result == RULES_NO);
	q.tag = "in";
	rules_decide(&env, &q, &a);
	TEST("other tag", a.result == RULES_NO);
	q.tag = "out";
	rules_decide(&env, &q, &a);
	TEST("tag", a.result == RULES_OK);
	conf_free(c);
}

/* One domain, one spelling: U-labels become A-labels as they are read. */
static void
test_idn(void)
{
	struct conf	*c = world_conf("hostname mx.example.org\n"
			    "table t { x }\ndomain \"xn--exmple-cua.org\" {\n"
			    "	aliases <t>\n}\n");
	char		 addr[SMTP_ADDR_SIZE];

	TEST("U-label", smtp_address("x@ex\xc3\xa4mple.org", addr) == NULL &&
	    rules_domain(c, addr) != NULL);
	TEST("A-label", smtp_address("x@XN--exmple-cua.org", addr) == NULL &&
	    rules_domain(c, addr) != NULL);
	TEST("looks alike", smtp_address("x@ex\xd0\xb0mple.org", addr) ==
	    NULL && rules_domain(c, addr) == NULL);
	conf_free(c);
}

static void
test_complete(void)
{
	struct conf	*c = world_conf(CONF);
	char		 addr[SMTP_ADDR_SIZE] = "alice";

	TEST("complete", rules_complete(c, addr) == 0);
	TEST_STR("with origin", addr, "alice@example.org");
	TEST("complete already", rules_complete(c, addr) == 0);
	TEST_STR("as it was", addr, "alice@example.org");
	addr[0] = '\0';
	TEST("null path", rules_complete(c, addr) == 0 && *addr == '\0');
	strlcpy(addr, "\"a@b\"", sizeof(addr));
	TEST("quoted", rules_complete(c, addr) == 0);
	TEST_STR("quoted with origin", addr, "\"a@b\"@example.org");
	memset(addr, 'x', sizeof(addr));
	addr[sizeof(addr) - 5] = '\0';
	TEST("too long", rules_complete(c, addr) == -1);
	conf_free(c);
}

static void
test_qualified(void)
{
	static const struct {
		const char	*addr;
		int		 want;
	} domains[] = {
		{ "", 1 }, { "a@b.example", 1 }, { "a@[192.0.2.1]", 1 },
		{ "a@[IPv6:::1]", 1 }, { "\"x@y.z\"@b", 0 }, { "a@b", 0 },
		{ "a.b@c", 0 }, { "a@localhost", 0 }, { "a@INTRANET", 1 },
	};
	struct conf	*c = world_conf(CONF "domain \"intranet\" {\n"
			    "	aliases <aliases>\n}\n");
	size_t		 i;

	for (i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		if (rules_is_qualified(c, domains[i].addr) == domains[i].want)
			printf("ok qualified <%s>\n", domains[i].addr);
		else
			printf("not ok qualified <%s>\n", domains[i].addr);
	conf_free(c);
}

int
main(void)
{
	world.rows = rows;
	test_matrix();
	test_rules();
	test_tables();
	test_complete();
	test_qualified();
	test_idn();
	TEST_DONE();
}
