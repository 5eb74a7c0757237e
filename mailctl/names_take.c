/*
 * names_take: what mailctl believes of the process that asks the name system.
 *
 * That process reads what strangers wrote; here whoever took it over is met.
 * No input or output, so that it can be tried with anything.
 */
#include <arpa/inet.h>
#include <string.h>

#include "dns/wire.h"
#include "os/compat.h"
#include "names.h"
#include "names_take.h"

/* A name, or for a question about a name's addresses an address. */
static int
fits(unsigned int type, const char *name)
{
	unsigned char	addr[16];

	switch (type) {
	case DNS_WIRE_A:
		return (inet_pton(AF_INET, name, addr) == 1);
	case DNS_WIRE_AAAA:
		return (inet_pton(AF_INET6, name, addr) == 1);
	default:
		return (strcmp(name, ".") == 0 || dns_name_ok(name));
	}
}

void
names_take(struct names_question *q, size_t asked, uint32_t first,
    const struct names_answer *a)
{
	char	name[DNS_NAME];
	size_t	i, at = (uint32_t)(a->number - first);

	/* One that comes late is to a question of before. */
	if (at >= asked || q[at].result != RULES_PENDING)
		return;
	q = &q[at];
	q->result = a->result == RULES_OK ? RULES_OK :
	    a->result == RULES_NO ? RULES_NO : RULES_TEMPFAIL;
	if (q->result != RULES_OK)
		return;
	for (i = 0; i < a->n && i < RULES_NAMES; i++) {
		memcpy(name, a->v[i], sizeof(name));
		name[sizeof(name) - 1] = '\0';
		if (fits(q->type, name))
			strlcpy(q->names.v[q->names.n++], name, DNS_NAME);
	}
}
