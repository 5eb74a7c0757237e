/*
 * names: a process that was to ask the name system and was taken over.
 */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "dns/wire.h"
#include "os/compat.h"
#include "../../mailctl/names.h"
#include "../../mailctl/names_take.h"

#define FIRST	UINT32_MAX		/* the second question is number 0 */

static const struct {
	const char		*name;
	unsigned int		 type;		/* of the question */
	uint32_t		 number, result, n;
	const char		*says;		/* first name */
	size_t			 at;		/* question that is answered */
	enum rules_result	 want;
	const char		*got;		/* first name, NULL none */
} cases[] = {
	{ "an MX", DNS_WIRE_MX, FIRST, RULES_OK, 1, "mx.example.org",
	    0, RULES_OK, "mx.example.org" },
	{ "the root", DNS_WIRE_MX, FIRST, RULES_OK, 1, ".",
	    0, RULES_OK, "." },
	{ "an address", DNS_WIRE_A, 0, RULES_OK, 1, "192.0.2.7",
	    1, RULES_OK, "192.0.2.7" },
	{ "a name for an address", DNS_WIRE_A, FIRST, RULES_OK, 1,
	    "mx.example.org", 0, RULES_OK, NULL },
	{ "an address of the other kind", DNS_WIRE_AAAA, FIRST, RULES_OK, 1,
	    "192.0.2.7", 0, RULES_OK, NULL },
	{ "for a terminal", DNS_WIRE_MX, FIRST, RULES_OK, 1, "\033[2Jx",
	    0, RULES_OK, NULL },
	{ "a line more", DNS_WIRE_PTR, FIRST, RULES_OK, 1, "a.org\nall OK",
	    0, RULES_OK, NULL },
	{ "no UTF-8", DNS_WIRE_PTR, FIRST, RULES_OK, 1, "a\377.org",
	    0, RULES_OK, NULL },
	{ "nothing", DNS_WIRE_MX, FIRST, RULES_OK, 1, "", 0, RULES_OK, NULL },
	{ "no end", DNS_WIRE_MX, FIRST, RULES_OK, 1, NULL, 0, RULES_OK, NULL },
	{ "names of nobody", DNS_WIRE_MX, FIRST, RULES_NO, 1,
	    "mx.example.org", 0, RULES_NO, NULL },
	{ "no such result", DNS_WIRE_MX, FIRST, 77, 1, "mx.example.org",
	    0, RULES_TEMPFAIL, NULL },
	{ "still pending", DNS_WIRE_MX, FIRST, RULES_PENDING, 1,
	    "mx.example.org", 0, RULES_TEMPFAIL, NULL },
	{ "more names than fit", DNS_WIRE_MX, FIRST, RULES_OK, UINT32_MAX,
	    "mx.example.org", 0, RULES_OK, "mx.example.org" },
	{ "not asked yet", DNS_WIRE_MX, 1, RULES_OK, 1, "mx.example.org",
	    2, RULES_PENDING, NULL },
	{ "of before", DNS_WIRE_MX, FIRST - 1, RULES_OK, 1,
	    "mx.example.org", 0, RULES_PENDING, NULL },
	{ "of nowhere", DNS_WIRE_MX, 1u << 31, RULES_OK, 1,
	    "mx.example.org", 0, RULES_PENDING, NULL },
};

static void
test_case(size_t i)
{
	/* Memory of their own, so that a sanitizer sees what is beyond. */
	struct names_question	*q = calloc(3, sizeof(*q));
	struct names_answer	*a = calloc(1, sizeof(*a));
	size_t			 j;
	int			 others = 1;

	if (q == NULL || a == NULL)
		exit(1);
	for (j = 0; j < 3; j++) {
		q[j].type = cases[i].type;
		q[j].result = RULES_PENDING;
	}
	a->number = cases[i].number;
	a->result = cases[i].result;
	a->n = cases[i].n;
	if (cases[i].says != NULL)
		strlcpy(a->v[0], cases[i].says, DNS_NAME);
	else
		memset(a->v, 'x', sizeof(a->v));
	names_take(q, 2, FIRST, a);
	for (j = 0; j < 3; j++)
		others &= j == cases[i].at || q[j].result == RULES_PENDING;
	q += cases[i].at;
	TEST(cases[i].name, others && q->result == cases[i].want &&
	    q->names.n == (cases[i].got != NULL) && (cases[i].got == NULL ||
	    strcmp(q->names.v[0], cases[i].got) == 0));
	/* What was said once is not said otherwise later. */
	a->result = RULES_NO;
	names_take(q - cases[i].at, 2, FIRST, a);
	TEST("and once", q->result == cases[i].want ||
	    cases[i].want == RULES_PENDING);
	free(q - cases[i].at);
	free(a);
}

int
main(void)
{
	size_t	i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		test_case(i);
	TEST_DONE();
}
