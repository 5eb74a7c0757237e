/*
 * sender: which senders belong to who logged in.
 */
#include "world.h"
#include "../test.h"

#define CONF								\
	"hostname \"mx.example.org\"\norigin \"example.org\"\n"		\
	"table people { \"x\" }\ntable others { \"x\" }\n"		\
	"table aliases { \"x\" }\nauth <people>\n"			\
	"table bare { \"x\" }\nauth <bare>\n"			\
	"domain \"example.org\" {\n	alias \"example.net\"\n"	\
	"	users <people>\n	aliases <aliases>\n"		\
	"	deliver maildir \"/var/mail/%d/%n\" as nobody\n}\n"	\
	"domain \"catch.example\" {\n	users <people>\n"		\
	"	catchall \"bob@example.org\"\n"				\
	"	deliver maildir \"/var/mail/%d/%n\" as nobody\n}\n"	\
	"domain \"bare.example\" {\n	users <bare>\n"		\
	"	deliver maildir \"/var/mail/%d/%n\" as nobody\n}\n"	\
	"domain \"other.example\" {\n	users <others>\n"		\
	"	deliver maildir \"/var/mail/%d/%n\" as nobody\n}\n"

static const struct row rows[] = {
	{ "people", "alice@example.org", "quota=1g" },
	{ "people", "bob@example.org", "sender=@club.example,quota=1g "
	    "sender=boss@else.example sender= sender=*.sub.example" },
	{ "people", "root@example.org", "sender=*" },
	{ "others", "alice@example.org", "" },
	{ "others", "carol@other.example", "" },
	{ "aliases", "sales", "alice, bob" },
	{ "aliases", "chain", "sales" },
	{ "aliases", "half", "bob, dan@bare.example" },
	{ "people", "dan", "" },
	{ "aliases", "out", "alice@elsewhere.example" },
	{ NULL, NULL, NULL }
};

static const struct {
	const char	*user, *sender;
	int		 own;
} cases[] = {
	{ "alice@example.org", "", 1 },
	{ "alice@example.org", "alice@example.org", 1 },
	{ "alice@example.org", "ALICE@example.org", 1 },
	{ "Alice@example.org", "alice@example.org", 1 },
	{ "alice@example.org", "alice@example.net", 1 },
	{ "alice@example.org", "alice+x@example.org", 1 },
	{ "alice@example.org", "sales@example.org", 1 },
	{ "alice@example.org", "chain@example.net", 1 },
	{ "alice@example.org", "bob@example.org", 0 },
	{ "alice@example.org", "nobody@example.org", 0 },
	{ "alice@example.org", "out@example.org", 0 },
	{ "alice@example.org", "alice@elsewhere.example", 0 },
	{ "alice@example.org", "x@club.example", 0 },
	{ "alice@example.org", "any@catch.example", 0 },
	{ "bob@example.org", "sales@example.org", 1 },
	{ "bob@example.org", "any@catch.example", 1 },
	{ "bob@example.org", "x@club.example", 1 },
	{ "bob@example.org", "x@clubs.example", 0 },
	{ "bob@example.org", "x@a.club.example", 0 },
	{ "bob@example.org", "boss@else.example", 1 },
	{ "bob@example.org", "x@else.example", 0 },
	{ "bob@example.org", "x@a.sub.example", 1 },
	{ "bob@example.org", "alice@example.org", 0 },
	{ "root@example.org", "anybody@elsewhere.example", 1 },
	/* nobody logs in with the passwords of this domain's table */
	{ "carol@other.example", "carol+x@other.example", 0 },
	{ "nobody@example.org", "alice@example.org", 0 },
	/* a member that does not exist is nobody's account of that name */
	{ "bob@example.org", "half@example.org", 1 },
	{ "dan", "half@example.org", 0 },
};

static void
test_cases(const struct conf *c)
{
	struct rules_env	env = world_env(c);
	char			name[128];
	size_t			i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(name, sizeof(name), "%s as %s", cases[i].user,
		    cases[i].sender);
		TEST(name, rules_sender(&env, cases[i].user,
		    cases[i].sender) ==
		    (cases[i].own ? RULES_OK : RULES_NO));
	}
}

/* A table that cannot be read, or not yet, is no "no". */
static void
test_tables(const struct conf *c)
{
	struct rules_env	env = world_env(c);

	world.failing = "aliases";
	TEST("an alias that cannot be told", rules_sender(&env,
	    "alice@example.org", "sales@example.org") == RULES_TEMPFAIL);
	world.failing = "people";
	TEST("a user that cannot be told", rules_sender(&env,
	    "bob@example.org", "x@club.example") == RULES_TEMPFAIL);
	world.failing = NULL;
	world.late = "aliases";
	TEST("a table that is late", rules_sender(&env, "alice@example.org",
	    "sales@example.org") == RULES_PENDING);
	world_now();
	TEST("comes", world.resumed == 1);
}

int
main(void)
{
	struct conf	*c = world_conf(CONF);

	world.rows = rows;
	test_cases(c);
	test_tables(c);
	conf_free(c);
	TEST_DONE();
}
