/*
 * who_filter: which connections mailctl means.
 */
#include "os/compat.h"
#include <stdio.h>
#include <string.h>

#include "daemon/who_filter.h"
#include "../test.h"

static const struct {
	const char	*text;
	int		 match;		/* -1: refused */
	int		 whole;
} cases[] = {
	{ "", 1, 1 },
	{ "alice@example.org", 1, 1 },
	{ "Alice@example.org", 0, 1 },
	{ "alice", 0, 1 },
	{ "*", 0, 1 },				/* a name is no pattern */
	{ "user=*", 1, 1 },
	{ "user=ALICE@*", 1, 1 },
	{ "user=a*  service=imap", 1, 1 },
	{ "user=a* service=pop3", 0, 1 },
	{ "address=192.0.2.7", 1, 0 },
	{ "address=192.0.2.*", 1, 0 },
	{ "address=192.0.2.0/24", 1, 0 },
	{ "address=192.0.3.0/24", 0, 0 },
	{ "address=2001:db8::/32", 0, 0 },
	{ "address=!192.0.2.0/24", -1, 0 },
	{ "address=192.0.2.7/24", -1, 0 },	/* bits of a host */
	{ "alice@example.org address=192.0.2.8", 0, 0 },
	{ "id=imap-17", 1, 0 },
	{ "id=imap-1", 0, 0 },
	{ "user=", -1, 0 },
	{ "id=", -1, 0 },
	{ "a a a a a a a a a a a a a a a a a", -1, 0 },
};

int
main(void)
{
	struct who_facts facts = { "alice@example.org", "imap", "192.0.2.7",
	    "imap-17" };
	struct who_filter f;
	char text[256], name[300];
	size_t i;
	int got;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strlcpy(text, cases[i].text, sizeof(text));
		got = who_filter_parse(&f, text) == NULL ?
		    who_filter_match(&f, &facts) : -1;
		snprintf(name, sizeof(name), "\"%s\"", cases[i].text);
		TEST(name, got == cases[i].match && (got == -1 ||
		    who_filter_whole(&f) == cases[i].whole));
	}
	TEST_DONE();
}
