/*
 * expand: from a recipient to all the places it ends at.
 */
#include "world.h"
#include "../test.h"

#define CONF								\
	"hostname \"mx.example.org\"\norigin \"example.org\"\n"		\
	"postmaster \"alice@example.org\"\n"				\
	"table people { \"x\" }\ntable aliases { \"x\" }\n"		\
	"table secrets { isp = \"u:p\" }\ntable odd { \"x\" }\n"	\
	"domain { \"example.org\", \"example.com\" } {\n"		\
	"	alias \"example.net\"\n	users <people>\n"		\
	"	aliases <aliases>\n"					\
	"	deliver maildir \"/var/mail/%d/%n\" as nobody\n}\n"	\
	"domain unix.example {\n	users system\n"			\
	"	aliases <aliases>\n"					\
	"	deliver maildir \"~/Maildir\"\n}\n"			\
	"domain catch.example {\n	users <people>\n"		\
	"	catchall \"carol@example.org\"\n"			\
	"	deliver maildir \"/var/mail/%d/%n\" as nobody\n}\n"	\
	"domain only.example {\n	aliases <aliases>\n}\n"

static const struct row rows[] = {
	{ "people", "alice@example.org", "" },
	{ "people", "bob@example.org", "" },
	{ "people", "carol", "" },
	{ "people", "with+plus@example.org", "" },
	{ "people", "\"a b\"@example.org", "" },
	{ "aliases", "sales@example.org", "alice, bob" },
	{ "aliases", "all", "sales, carol,dave@else.example" },
	{ "aliases", "nested", "all, sales, alice" },
	{ "aliases", "out", "x@else.example" },
	{ "aliases", "twice", "X@else.example, x@ELSE.example,alice,alice" },
	{ "aliases", "alice@example.org", "alice" },
	{ "aliases", "bob@example.org", "bob, x@else.example" },
	{ "aliases", "carol", "carol@example.org, alice" },
	{ "aliases", "loop1", "loop2" },
	{ "aliases", "loop2", "loop3" },
	{ "aliases", "loop3", "loop1" },
	{ "aliases", "loopout", "loopout2, alice" },
	{ "aliases", "loopout2", "loopout" },
	{ "aliases", "self", "self" },
	{ "aliases", "empty", "" },
	{ "aliases", "blank", " , ,, " },
	{ "aliases", "broken", "alice, b@@c" },
	{ "aliases", "nobodyknows", "ghost" },
	{ "aliases", "nobodies", "ghost, wraith, nobodyknows" },
	{ "aliases", "half", "alice, ghost" },
	{ "aliases", "half2", "Ghost, alice" },
	{ "aliases", "halfx", "ghost+x, x@else.example" },
	{ "aliases", "halfunix", "alice, no-such-account@unix.example" },
	{ "aliases", "halves", "bob, half" },
	{ "aliases", "halfcatch", "alice, who@catch.example" },
	{ "aliases", "root", "daemon" },
	{ "aliases", "news", "alice, x@else.example, talk" },
	{ "aliases", "owner-news", "carol, y@else.example" },
	{ "aliases", "talk", "bob, ghost, quiet" },
	{ "people", "owner-talk", "" },
	{ "aliases", "quiet", "z@else.example, news" },
	{ "aliases", "owner-owner-news", "alice" },
	{ "aliases", "news-request", "owner-news" },
	{ "aliases", "owner-news-request", "alice" },
	{ "aliases", "d+tail", "bob@example.org" },
	{ "aliases", "tagged+list", "alice@example.org" },
	{ "odd", "@odd.example", "" },
	{ NULL, NULL, NULL }
};

static const struct {
	const char	*name, *rcpt, *want;
} cases[] = {
	{ "user", "alice@example.org", "alice@example.org" },
	{ "case", "ALICE@Example.Org", "alice@example.org" },
	{ "second name", "alice@example.com", "alice@example.org" },
	{ "alias of the domain", "alice@example.net", "alice@example.org" },
	{ "bare key", "carol@example.com", "carol alice@example.org" },
	{ "detail", "alice+x+y@example.org", "alice@example.org" },
	{ "detail of an alias", "out+x@example.org", "x@else.example:25" },
	{ "a name with a plus", "with+plus@example.org",
	    "with+plus@example.org" },
	{ "an alias with a plus", "tagged+list@example.org",
	    "alice@example.org" },
	{ "quoted", "\"a b\"@example.org", "\"a b\"@example.org" },
	{ "nobody", "ghost@example.org", "550 5.1.1 <ghost@example.org>" },
	{ "only a detail", "+x@example.org", "550 5.1.1" },
	{ "group", "sales@example.org",
	    "alice@example.org bob@example.org x@else.example:25" },
	{ "group of groups", "all@example.org", "carol dave@else.example:25 "
	    "alice@example.org bob@example.org x@else.example:25" },
	{ "nested group", "nested@example.org", "alice@example.org carol "
	    "dave@else.example:25 bob@example.org x@else.example:25" },
	{ "one copy", "twice@example.org",
	    "X@else.example:25 alice@example.org" },
	{ "alias to itself", "alice@example.com", "alice@example.org" },
	{ "and a copy elsewhere", "bob@example.org",
	    "bob@example.org x@else.example:25" },
	{ "loop", "loop1@example.org", "550 5.1.1 <loop1@example.org>: "
	    "the alias leads nowhere" },
	{ "loop and a way out", "loopout@example.org", "alice@example.org" },
	{ "itself without an account", "self@example.org", "550 5.1.1" },
	{ "empty alias", "empty@example.org", "550 5.1.1" },
	{ "blank alias", "blank@example.org", "550 5.1.1" },
	{ "broken alias", "broken@example.org", "451 4.3.5 <b@@c>" },
	{ "alias to nobody", "nobodyknows@example.org",
	    "550 5.1.1 <ghost@example.org>" },
	{ "group of nobody", "nobodies@example.org",
	    "550 5.1.1 <ghost@example.org>: no such user here" },
	{ "half a group", "half@example.org", "alice@example.org ghost!" },
	{ "the bad one first", "half2@example.org",
	    "ghost! alice@example.org" },
	{ "with a detail", "halfx@example.org", "ghost! x@else.example:25" },
	{ "an account that is none", "halfunix@example.org",
	    "alice@example.org no-such-account!" },
	{ "a group with half a group", "halves@example.org",
	    "bob@example.org x@else.example:25 alice@example.org ghost!" },
	{ "unknown, and a catch-all", "halfcatch@example.org",
	    "alice@example.org carol" },
	{ "postmaster", "postmaster@example.org", "alice@example.org" },
	{ "Postmaster", "PostMaster@example.com", "alice@example.org" },
	{ "catch-all", "whoever@catch.example",
	    "carol alice@example.org" },
	{ "user before catch-all", "carol@catch.example", "carol" },
	{ "postmaster before catch-all", "postmaster@catch.example",
	    "alice@example.org" },
	{ "aliases only", "out@only.example", "x@else.example:25" },
	{ "no user there", "alice@only.example", "550 5.1.1" },
	{ "account", "daemon@unix.example", "daemon" },
	{ "account in capitals", "DAEMON@unix.example", "daemon" },
	{ "account with detail", "daemon+x@unix.example", "daemon" },
	{ "root by its alias", "root@unix.example", "daemon" },
	{ "no account", "no-such-account@unix.example", "550 5.1.1" },
	{ "a path for a name", "../daemon@unix.example", "550 5.1.1" },
	{ "outside", "x@else.example", "x@else.example:25" },
	{ "literal", "x@[192.0.2.1]", "x@[192.0.2.1]:25 direct" },
};

/* Whom a member that cannot be reached is told to. */
static void
test_owners(void)
{
	static const struct {
		const char	*name, *sender, *rcpt, *want;
	} lists[] = {
		{ "nobody keeps it", "s@x.example", "all@example.org",
		    "- - - - -" },
		{ "a list", "s@x.example", "news@example.org",
		    "news news talk talk talk" },
		{ "by another name of the domain", "s@x.example",
		    "News+x@EXAMPLE.com", "news news talk talk talk" },
		{ "on a list without an owner", "s@x.example",
		    "quiet@example.org", "- news news talk talk" },
		{ "the null path", "", "news@example.org", "- - - - -" },
		{ "the owner himself", "s@x.example", "owner-news@example.org",
		    "- - -" },
		{ "requests", "s@x.example", "news-request@example.org",
		    "- - -" },
		{ "one without an account", "s@x.example", "alice@example.org",
		    "-" },
	};
	struct conf		*c = world_conf(CONF);
	struct rules_env	 env = world_env(c);
	struct rules_dests	 d;
	char			 got[400], reply[C_REPLY], *p;
	size_t			 i, j;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		*got = '\0';
		if (rules_resolve(&env, lists[i].sender, lists[i].rcpt, 1, &d,
		    reply) != RULES_OK)
			strlcpy(got, reply, sizeof(got));
		for (j = 0; j < d.n; j++) {
			strlcat(got, j > 0 ? " " : "", sizeof(got));
			p = d.v[j].owner;
			if (*p == '\0')
				p = strdup("-");
			else if (strncmp(p, "owner-", 6) == 0 &&
			    strcmp(strchr(p, '@'), "@example.org") == 0)
				p = strndup(p + 6, strcspn(p + 6, "@"));
			else
				p = strdup(p);
			strlcat(got, p, sizeof(got));
			free(p);
		}
		rules_dests_free(&d);
		TEST_STR(lists[i].name, got, lists[i].want);
	}
	world.failing = "people";
	TEST("nobody knows whether it has one", rules_resolve(&env, "s@x",
	    "talk@example.org", 1, &d, reply) == RULES_TEMPFAIL);
	world.failing = NULL;
	conf_free(c);
}

static void
describe(const struct rules_dests *d, char *to, size_t size)
{
	const struct rules_dest	*v;
	size_t			 i, n;

	*to = '\0';
	for (i = 0; i < d->n; i++) {
		v = &d->v[i];
		n = strlen(to);
		if (v->local)
			snprintf(to + n, size - n, "%s%s%s", i > 0 ? " " : "",
			    v->user, v->dead ? "!" : "");
		else
			snprintf(to + n, size - n, "%s%.*s@%s:%u%s%s%s%s%s",
			    i > 0 ? " " : "",
			    (int)(smtp_address_at(v->rcpt) - v->rcpt),
			    v->rcpt, v->host, v->port,
			    v->nomx ? " direct" : "",
			    *v->label != '\0' ? " label " : "", v->label,
			    *v->source != '\0' ? " from " : "", v->source);
	}
}

static int
same_start(const char *got, const char *want)
{
	if (want[0] >= '4' && want[0] <= '5')
		return (strncmp(got, want, strlen(want)) == 0);
	return (strcmp(got, want) == 0);
}

static const char *
resolve(const struct conf *c, const char *sender, const char *rcpt,
    int expand)
{
	static char		 got[4096];
	struct rules_env	 env = world_env(c);
	struct rules_dests	 d;
	char			 reply[C_REPLY];

	switch (rules_resolve(&env, sender, rcpt, expand, &d, reply)) {
	case RULES_OK:
		describe(&d, got, sizeof(got));
		rules_dests_free(&d);
		break;
	case RULES_PENDING:
		return ("pending");
	default:
		if (d.n != 0 || d.v != NULL)
			return ("destinations of a refusal");
		strlcpy(got, reply, sizeof(got));
	}
	return (got);
}

static void
test_table(void)
{
	struct conf	*c = world_conf(CONF);
	const char	*got;
	size_t		 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got = resolve(c, "s@x.example", cases[i].rcpt, 1);
		if (same_start(got, cases[i].want))
			printf("ok %s\n", cases[i].name);
		else
			TEST_STR(cases[i].name, got, cases[i].want);
	}
	TEST_STR("no expansion of our own", resolve(c, "", "sales@example.org",
	    0), "550 5.1.1 <sales@example.org>: no such user here");
	conf_free(c);
}

#define ROUTES								\
	"relay to \"*.corp.example\" via \"smtp://10.0.0.7\" from "	\
	    "\"@example.org\"\n"					\
	"relay to <odd> via \"smtps://[relay.example]\" source 192.0.2.9\n" \
	"relay to l.example via \"smtp+tls://isp@smtp.isp.net:587\" "	\
	    "auth <secrets>\n"						\
	"bounce to \"gone@b.example\" \"551 5.1.6 moved\"\n"		\
	"bounce to n.example\n"

static void
test_routes(void)
{
	static const struct {
		const char	*name, *sender, *rcpt, *want;
	} routes[] = {
		{ "by sender", "a@example.org", "x@y.corp.example",
		    "x@10.0.0.7:25 direct" },
		{ "other sender", "a@b.example", "x@y.corp.example",
		    "x@y.corp.example:25" },
		{ "by table", "", "x@odd.example",
		    "x@relay.example:465 direct from 192.0.2.9" },
		{ "with login", "", "x@l.example",
		    "x@smtp.isp.net:587 label isp" },
		{ "bounce", "", "gone@b.example", "551 5.1.6 moved" },
		{ "bounce without words", "", "x@n.example", "550 5.1.1" },
		{ "default", "", "x@b.example", "x@b.example:25" },
	};
	struct conf	*c = world_conf(CONF ROUTES);
	const char	*got;
	size_t		 i;
	int		 expand;

	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		for (expand = 0; expand <= 1; expand++) {
			got = resolve(c, routes[i].sender, routes[i].rcpt,
			    expand);
			if (same_start(got, routes[i].want))
				printf("ok route %s\n", routes[i].name);
			else
				TEST_STR(routes[i].name, got,
				    routes[i].want);
		}
	world.failing = "odd";
	TEST_STR("route table fails", resolve(c, "", "x@b.example", 0),
	    "451 4.3.0 a table cannot be read now, try again later");
	world.failing = NULL;
	conf_free(c);
}

static void
test_troubles(void)
{
	static const char	*const tables[] = { "aliases", "people" };
	struct conf		*c = world_conf(CONF);
	size_t			 i;

	for (i = 0; i < 2; i++) {
		world.failing = tables[i];
		TEST_STR("a table fails", resolve(c, "", "bob@example.org",
		    1), "451 4.3.0 a table cannot be read now, try again "
		    "later");
		world.failing = NULL;
		world.late = tables[i];
		world.resumed = 0;
		TEST_STR("a table is late", resolve(c, "", "bob@example.org",
		    1), "pending");
		world_now();
		TEST("it comes", world.resumed == 1);
		TEST_STR("and then", resolve(c, "", "bob@example.org", 1),
		    "bob@example.org x@else.example:25");
	}
	conf_free(c);
}

/* A chain that is too deep, and a group that is too large. */
static void
test_bounds(void)
{
	static struct row	 chain[RULES_DEPTH_MAX + 12];
	static char		 keys[RULES_DEPTH_MAX + 12][16];
	static char		 big[65536];
	struct row		 large[] = { { "aliases", "big", big },
				    { "aliases", "huge", big },
				    { NULL, NULL, NULL } };
	struct conf		*c = world_conf(CONF);
	struct rules_env	 env = world_env(c);
	struct rules_dests	 d;
	char			 reply[C_REPLY];
	size_t			 i, n = 0;

	for (i = 0; i < RULES_DEPTH_MAX + 10; i++)
		snprintf(keys[i], sizeof(keys[i]), "c%zu", i);
	for (i = 0; i + 1 < RULES_DEPTH_MAX + 10; i++) {
		chain[i].table = "aliases";
		chain[i].key = keys[i];
		chain[i].value = keys[i + 1];
	}
	chain[i].table = "people";
	chain[i].key = keys[i];
	world.rows = chain;
	TEST_STR("deep", resolve(c, "", "c12@example.org", 1), "c29");
	TEST("too deep", strncmp(resolve(c, "", "c0@example.org", 1),
	    "550 5.4.6", 9) == 0);
	for (i = 0; n + 20 < sizeof(big); i++)
		n += (size_t)snprintf(big + n, sizeof(big) - n, "u%zu@e,", i);
	world.rows = large;
	TEST("large", i < RULES_EXPAND_MAX && rules_resolve(&env, "",
	    "big@example.org", 1, &d, reply) == RULES_OK && d.n == i);
	rules_dests_free(&d);
	for (i = 0, n = 0; n + 6 < sizeof(big); i++)
		n += (size_t)snprintf(big + n, sizeof(big) - n, "%zx,", i);
	TEST("too large", i > RULES_EXPAND_MAX && strncmp(resolve(c, "",
	    "huge@example.org", 1), "550 5.4.6", 9) == 0);
	world.rows = rows;
	conf_free(c);
}

int
main(void)
{
	world.rows = rows;
	test_table();
	test_owners();
	test_routes();
	test_troubles();
	test_bounds();
	TEST_DONE();
}
