/*
 * contract: the gate between two processes, check by check, with a contract
 * of its own.
 */
#include <stdlib.h>

#include "imsg/contract.h"
#include "os/compat.h"
#include "../test.h"

#define ASK_FIELDS(NUM, STR, SECRET)					\
	NUM(conn, 100)							\
	STR(name, 8)							\
	SECRET(pass, 8)							\
	NUM(any, UINT64_MAX)
#define GIVE_FIELDS(NUM, STR, SECRET)					\
	NUM(flag, 1)
#define WIDE_FIELDS(NUM, STR, SECRET)					\
	NUM(none, 0)
#define TEST_MESSAGES(MSG)						\
MSG(ASK,	R_NET,	R_AUTH,			10, 0, 5, WHEN_RUN)	\
MSG(GIVE,	R_NET | R_AUTH,	R_PARENT,	0, 1, 0, WHEN_START)	\
MSG(WIDE,	R_ALL | R_PARENT, R_ALL | R_CTL, 0, 0, 0, WHEN_ANY)	\
MSG(MANY,	R_ALL,	R_ALL & ~R_SESSION,	0, 0, 0, WHEN_ANY)
#define MANY_FIELDS	WIDE_FIELDS

enum { TEST_MESSAGES(CONTRACT_ENUM) M_COUNT };
TEST_MESSAGES(CONTRACT_STRUCT)
TEST_MESSAGES(CONTRACT_FIELDS)

static const struct msg_def messages[] = { TEST_MESSAGES(CONTRACT_ROW) };
static const struct contract contract = { "test", messages, M_COUNT };

#define ASK	sizeof(struct msg_ASK)

static const struct {
	const char	*name;
	enum role	 from, to;
	unsigned int	 phase;
	uint32_t	 type;
	size_t		 len;
	unsigned int	 nfds;
	const char	*want;		/* NULL: good */
} cases[] = {
	{ "good", ROLE_NET, ROLE_AUTH, WHEN_RUN, M_ASK, ASK, 0, NULL },
	{ "with a tail", ROLE_NET, ROLE_AUTH, WHEN_RUN, M_ASK, ASK + 10, 0,
	    NULL },
	{ "tail too long", ROLE_NET, ROLE_AUTH, WHEN_RUN, M_ASK, ASK + 11, 0,
	    "wrong length" },
	{ "one byte short", ROLE_NET, ROLE_AUTH, WHEN_RUN, M_ASK, ASK - 1, 0,
	    "wrong length" },
	{ "empty", ROLE_NET, ROLE_AUTH, WHEN_RUN, M_ASK, 0, 0,
	    "wrong length" },
	{ "type behind the last", ROLE_NET, ROLE_AUTH, WHEN_RUN, M_COUNT, ASK,
	    0, "unknown type" },
	{ "greatest type", ROLE_NET, ROLE_AUTH, WHEN_RUN, UINT32_MAX, ASK, 0,
	    "unknown type" },
	{ "other sender", ROLE_AUTH, ROLE_AUTH, WHEN_RUN, M_ASK, ASK, 0,
	    "not this sender's message" },
	{ "parent as sender", ROLE_PARENT, ROLE_AUTH, WHEN_RUN, M_ASK, ASK, 0,
	    "not this sender's message" },
	{ "other receiver", ROLE_NET, ROLE_QUEUE, WHEN_RUN, M_ASK, ASK, 0,
	    "not this receiver's message" },
	{ "too early", ROLE_NET, ROLE_AUTH, WHEN_START, M_ASK, ASK, 0,
	    "not now" },
	{ "too late", ROLE_NET, ROLE_PARENT, WHEN_RUN, M_GIVE, 8, 1,
	    "not now" },
	{ "descriptor", ROLE_NET, ROLE_PARENT, WHEN_START, M_GIVE, 8, 1,
	    NULL },
	{ "descriptor missing", ROLE_NET, ROLE_PARENT, WHEN_START, M_GIVE, 8,
	    0, "wrong number of descriptors" },
	{ "two descriptors", ROLE_NET, ROLE_PARENT, WHEN_START, M_GIVE, 8, 2,
	    "wrong number of descriptors" },
	{ "unwanted descriptor", ROLE_NET, ROLE_AUTH, WHEN_RUN, M_ASK, ASK, 1,
	    "wrong number of descriptors" },
	{ "any time", ROLE_DNS, ROLE_CTL, WHEN_START, M_WIDE, 8, 0, NULL },
	{ "no tail here", ROLE_DNS, ROLE_CTL, WHEN_RUN, M_WIDE, 9, 0,
	    "wrong length" },
	{ "R_ALL is without mailctl", ROLE_CTL, ROLE_NET, WHEN_RUN, M_WIDE, 8,
	    0, "not this sender's message" },
};

/* Memory of the exact size, so that a sanitizer sees an over-read. */
static const char *
check(enum role from, enum role to, unsigned int phase, uint32_t type,
    const void *body, size_t size, size_t len, unsigned int nfds,
    struct msg *m)
{
	static void	*copy;

	free(copy);
	if ((copy = calloc(1, len > 0 ? len : 1)) == NULL)
		exit(2);
	memcpy(copy, body, size < len ? size : len);
	memset(m, 0xff, sizeof(*m));
	return (contract_check(&contract, from, to, phase, type, copy, len,
	    nfds, m));
}

static void
test_table(void)
{
	const struct msg_ASK	 ask = { .conn = 100, .name = "bob" };
	const struct msg_GIVE	 give = { .flag = 1 };
	const struct msg_WIDE	 none = { 0 };
	struct msg		 m;
	const char		*got;
	const void		*body;
	size_t			 i, size;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		body = cases[i].type == M_GIVE ? (const void *)&give :
		    cases[i].type == M_WIDE ? (const void *)&none : &ask;
		size = cases[i].type == M_GIVE || cases[i].type == M_WIDE ?
		    8 : sizeof(ask);
		got = check(cases[i].from, cases[i].to, cases[i].phase,
		    cases[i].type, body, size, cases[i].len, cases[i].nfds,
		    &m);
		if (cases[i].want != NULL) {
			TEST_STR(cases[i].name, got, cases[i].want);
			continue;
		}
		TEST(cases[i].name, got == NULL && m.type == cases[i].type &&
		    m.from == cases[i].from && m.fd == -1 &&
		    m.taillen == cases[i].len - size &&
		    m.tail == (char *)m.body + size &&
		    memcmp(m.body, body, size) == 0);
	}
}

static const char *
check_ask(const struct msg_ASK *ask)
{
	struct msg	m;

	return (check(ROLE_NET, ROLE_AUTH, WHEN_RUN, M_ASK, ask, sizeof(*ask),
	    sizeof(*ask), 0, &m));
}

static void
test_fields(void)
{
	struct msg_ASK	ask = { .conn = 0, .any = UINT64_MAX };

	TEST("zero and the greatest", check_ask(&ask) == NULL);
	ask.conn = 101;
	TEST_STR("one too many", check_ask(&ask), "number out of range");
	ask.conn = UINT64_MAX;
	TEST_STR("far too many", check_ask(&ask), "number out of range");
	ask.conn = 1ull << 32;
	TEST_STR("upper half", check_ask(&ask), "number out of range");
	ask.conn = 0;
	memset(ask.name, 'x', sizeof(ask.name));
	TEST_STR("string without end", check_ask(&ask),
	    "string not terminated");
	ask.name[sizeof(ask.name) - 1] = '\0';
	TEST("longest string", check_ask(&ask) == NULL);
	memset(ask.pass, 'x', sizeof(ask.pass));
	TEST_STR("secret without end", check_ask(&ask),
	    "string not terminated");
}

static void
test_format(void)
{
	struct msg_ASK	ask = { .conn = 7, .name = "bob", .pass = "sesame",
			    .any = UINT64_MAX };
	struct msg	m = { .type = M_ASK, .body = &ask, .taillen = 3 };
	char		text[128], part[128];
	size_t		n;

	contract_format(&contract, &m, text, sizeof(text));
	TEST_STR("format", text, "ASK conn=7 name=bob pass=*** "
	    "any=18446744073709551615 +3");
	for (n = 1; n <= strlen(text); n++) {
		memset(part, 'x', sizeof(part));
		contract_format(&contract, &m, part, n);
		if (strlen(part) != n - 1 || strncmp(part, text, n - 1) != 0 ||
		    part[n] != 'x')
			break;
	}
	TEST("format cut at every byte", n == strlen(text) + 1);
	contract_wipe(&contract, &m);
	TEST("wipe", memcmp(ask.pass, "\0\0\0\0\0\0\0", 8) == 0 &&
	    strcmp(ask.name, "bob") == 0 && ask.conn == 7 &&
	    ask.any == UINT64_MAX);
}

static void
test_print(void)
{
	char	*text;

	if ((text = contract_print(&contract, 0)) == NULL)
		exit(2);
	TEST_STR("print", text,
	    "ASK                net -> auth; when run, rate 5, fds 0, "
	    "tail 10: conn<=100 name[8] *pass[8] any<=18446744073709551615\n"
	    "GIVE               net|auth -> parent; when start, rate 0, "
	    "fds 1, tail 0: flag<=1\n"
	    "WIDE               all|parent -> all|mailctl; when any, rate 0, "
	    "fds 0, tail 0: none<=0\n"
	    "MANY               all -> net|auth|signer|lookup|dns|queue|"
	    "relay|deliver|watch|pipe|submit; when any, rate 0, fds 0, tail 0: "
	    "none<=0\n");
	free(text);
	if ((text = contract_print(&contract, 1)) == NULL)
		exit(2);
	TEST("JSON", strncmp(text, "[\n    {\"name\": \"ASK\", "
	    "\"from\": [\"net\"], \"to\": [\"auth\"], ", 54) == 0 &&
	    strstr(text, "{\"name\": \"pass\", \"kind\": \"secret\", "
	    "\"size\": 8}") != NULL && strstr(text, "]},\n  ]") == NULL);
	free(text);
	TEST_STR("no role", role_name(ROLE_COUNT), "nobody");
}

int
main(void)
{
	test_table();
	test_fields();
	test_format();
	test_print();
	TEST_DONE();
}
