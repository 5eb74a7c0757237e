/*
 * filter: which messages a question of mailctl is about.
 */
#include <string.h>

#include "os/compat.h"
#include "smtp/queueid.h"
#include "smtpd/queue_filter.h"
#include "../test.h"

static const struct filter_facts	facts = {
	.id = 1ull << 50, .age = 7200, .sender = "Alice@Example.org",
	.rcpt = "bob@far.test", .orig = "team@near.test", .state = "deferred"
};

/* 1 matches, 0 does not, -1 is refused. */
static int
filter(const char *words)
{
	struct queue_filter	f;
	char			text[2048];

	strlcpy(text, words, sizeof(text));
	if (queue_filter_parse(&f, text) != NULL)
		return (-1);
	return (queue_filter_match(&f, &facts));
}

int
main(void)
{
	static const struct {
		const char	*words;
		int		 want;
	} cases[] = {
		{ "", 1 }, { "all", 1 }, { "sender=alice@*", 1 },
		{ "sender=*@example.ORG to=bob@*", 1 }, { "sender=bob*", 0 },
		{ "domain=far.test", 1 }, { "domain=*.test", 1 },
		{ "domain=test", 0 }, { "older=2h", 1 }, { "older=7201", 0 },
		{ "older=1d", 0 }, { "state=deferred", 1 },
		{ "state=held", 0 }, { "older=x", -1 }, { "older=1y", -1 },
		{ "older=-1", -1 }, { "foo=bar", -1 }, { "foo", -1 },
		{ "to=team@*", 1 }, { "domain=near.test", 0 },
		{ "state=held older=1d", 0 }, { "state=waiting", -1 },
		{ "state=", -1 }, { "sender=[", 0 }, { "to=*?*", 1 },
	};
	char	ids[2048], id[QUEUEID_SIZE];
	size_t	i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		TEST("filter", filter(cases[i].words) == cases[i].want);
	queueid_text(facts.id, id);
	TEST("its id", filter(id) == 1);
	ids[0] = '\0';
	for (i = 0; i < FILTER_IDS; i++) {
		queueid_text(facts.id + 1 + i, id);
		strlcat(ids, id, sizeof(ids));
		strlcat(ids, " ", sizeof(ids));
	}
	TEST("other ids", filter(ids) == 0);
	queueid_text(facts.id, id);
	memcpy(ids, id, strlen(id));
	TEST("one of many ids", filter(ids) == 1);
	strlcat(ids, id, sizeof(ids));
	TEST("too many ids", filter(ids) == -1);
	(void)snprintf(ids, sizeof(ids), "%s sender=bob", id);
	TEST("an id and a word", filter(ids) == 0);
	ids[0] = '\0';
	for (i = 0; i <= FILTER_WORDS; i++)
		strlcat(ids, "to=* ", sizeof(ids));
	TEST("too many words", filter(ids) == -1);
	TEST_DONE();
}
