/*
 * What a process of mailctl that asks the name system and was taken over says:
 * one answer after the other, to questions of each kind.
 *
 * fuzz: mailctl/names_take.c lib/dns/wire.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "mailctl/names.h"
#include "mailctl/names_take.h"

#define QUESTIONS	4

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Nothing but what a name or an address is made of may come out. */
static void
check(const struct names_question *q)
{
	size_t	i;

	if (q->names.n > RULES_NAMES || (q->result != RULES_OK &&
	    q->names.n > 0))
		abort();
	for (i = 0; i < q->names.n; i++) {
		const char	*s = q->names.v[i];

		if (memchr(s, '\0', DNS_NAME) == NULL || *s == '\0')
			abort();
		for (; *s != '\0'; s++)
			if (*s <= ' ' || *s > '~')
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const unsigned int	 types[QUESTIONS] = { DNS_WIRE_A,
					    DNS_WIRE_AAAA, DNS_WIRE_MX,
					    DNS_WIRE_PTR };
	struct names_question		*q = calloc(QUESTIONS, sizeof(*q));
	struct names_answer		 a;
	size_t				 i, n;

	if (q == NULL)
		return (0);
	for (i = 0; i < QUESTIONS; i++) {
		q[i].type = types[i];
		q[i].result = RULES_PENDING;
	}
	while (len > 0) {
		n = len < sizeof(a) ? len : sizeof(a);
		memset(&a, 0, sizeof(a));
		memcpy(&a, data, n);
		a.number &= 7;
		a.result &= 7;
		names_take(q, QUESTIONS - 1, 0, &a);
		data += n;
		len -= n;
	}
	for (i = 0; i < QUESTIONS; i++)
		check(&q[i]);
	if (q[QUESTIONS - 1].result != RULES_PENDING)
		abort();		/* it was not asked */
	free(q);
	return (0);
}
