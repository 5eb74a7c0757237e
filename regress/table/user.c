/*
 * user: fields of a passwd-like line.
 */
#include "os/compat.h"
#include "table/user.h"
#include "../test.h"

static const struct {
	const char	*name;
	const char	*line;
	int		 ok;
	const char	*hash, *home;
	long long	 uid, gid, quota;	/* -1: not given */
} cases[] = {
	{ "full", "$6$x:5000:5001:Alice A.:/var/mail/a:/bin/sh:quota=5g", 1,
	    "$6$x", "/var/mail/a", 5000, 5001, 5LL << 30 },
	{ "two-fields", "$6$x", 1, "$6$x", "", -1, -1, -1 },
	{ "empty-ids", "h:::::", 1, "h", "", -1, -1, -1 },
	{ "extra-colons", "h:1:2::/h::a=b:quota=7k", 1, "h", "/h", 1, 2, -1 },
	{ "extra-words", "h:1:2::/h::x=y,quota=10M z", 1, "h", "/h", 1, 2,
	    10LL << 20 },
	{ "quota-bytes", "h::::::quota=123", 1, "h", "", -1, -1, 123 },
	{ "quota-other", "h::::::userdb_quota=123", 1, "h", "", -1, -1, -1 },
	{ "uid-max", "h:4294967294:1", 1, "h", "", 4294967294LL, 1, -1 },
	{ "uid-minus-one", "h:4294967295:1", 0, NULL, NULL, 0, 0, 0 },
	{ "uid-negative", "h:-1:1", 0, NULL, NULL, 0, 0, 0 },
	{ "uid-plus", "h:+1:1", 0, NULL, NULL, 0, 0, 0 },
	{ "uid-space", "h: 1:1", 0, NULL, NULL, 0, 0, 0 },
	{ "uid-word", "h:vmail:1", 0, NULL, NULL, 0, 0, 0 },
	{ "uid-overflow", "h:18446744073709551617:1", 0, NULL, NULL, 0, 0, 0 },
	{ "uid-hex", "h:0x10:1", 0, NULL, NULL, 0, 0, 0 },
	{ "gid-word", "h:1:mail", 0, NULL, NULL, 0, 0, 0 },
	{ "gid-negative", "h:1:-2", 0, NULL, NULL, 0, 0, 0 },
	{ "quota-word", "h::::::quota=much", 0, NULL, NULL, 0, 0, 0 },
	{ "quota-empty", "h::::::quota=", 1, "h", "", -1, -1, -1 },
	{ "quota-unit", "h::::::quota=5x", 0, NULL, NULL, 0, 0, 0 },
	{ "quota-units", "h::::::quota=5gg", 0, NULL, NULL, 0, 0, 0 },
	{ "quota-overflow", "h::::::quota=9999999999t", 0, NULL, NULL, 0, 0,
	    0 },
	{ "quota-long", "h::::::quota=111111111111111111111111111111111111",
	    0, NULL, NULL, 0, 0, 0 }
};

static const struct {
	const char	*name;
	const char	*extra;
	int		 ok;
	uint64_t	 quota, messages;
} limits[] = {
	{ "messages", "messages=50", 1, 0, 50 },
	{ "messages-and-quota", "x=y quota=5k,messages=50", 1, 5120, 50 },
	{ "messages-first", "Messages=50 quota=5k", 1, 5120, 50 },
	{ "messages-none", "messages=", 1, 0, 0 },
	{ "messages-other", "my_messages=4", 1, 0, 0 },
	{ "messages-size", "messages=5k", 0, 0, 0 },
	{ "messages-negative", "messages=-1", 0, 0, 0 },
	{ "messages-large", "messages=4000000001", 0, 0, 0 },
	{ "messages-long", "messages=000000000000000000000000000000000001", 0,
	    0, 0 },
};

static void
test_limits(void)
{
	struct table_user	 u;
	const char		*why;
	size_t			 i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		memset(&u, 0, sizeof(u));
		why = table_user_extra(&u, limits[i].extra);
		TEST(limits[i].name, (why == NULL) == limits[i].ok &&
		    (why != NULL || (u.quota == limits[i].quota &&
		    u.messages == limits[i].messages)));
	}
}

int
main(void)
{
	struct table_user	 u;
	const char		*why;
	char			 line[256];
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strlcpy(line, cases[i].line, sizeof(line));
		why = table_user_parse(&u, "n", line);
		if (!cases[i].ok) {
			TEST(cases[i].name, why != NULL);
			continue;
		}
		TEST(cases[i].name, why == NULL &&
		    strcmp(u.hash, cases[i].hash) == 0 &&
		    strcmp(u.home, cases[i].home) == 0 &&
		    strcmp(u.name, "n") == 0 &&
		    (u.has_uid ? (long long)u.uid : -1) == cases[i].uid &&
		    (u.has_gid ? (long long)u.gid : -1) == cases[i].gid &&
		    (u.has_quota ? (long long)u.quota : -1) ==
		    cases[i].quota);
	}
	test_limits();
	TEST_DONE();
}
