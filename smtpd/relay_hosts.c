/*
 * relay_hosts: the hosts of a destination.
 *
 * Their names are strangers': they are counted and compared, and nothing else
 * is believed of them.
 */
#include "os/compat.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "smtpd/relay_hosts.h"
#include "smtpd/relay_state.h"

void
hosts_add(struct relay_hop *hop, unsigned int pref, const char *name)
{
	if (hop->nhosts == DNS_HOSTS)
		return;
	hop->hosts[hop->nhosts].pref = pref;
	(void)strlcpy(hop->hosts[hop->nhosts].name, name,
	    sizeof(hop->hosts[0].name));
	hop->nhosts++;
}

static int
by_preference(const void *a, const void *b)
{
	const struct relay_host	*x = a, *y = b;

	return (x->pref < y->pref ? -1 : x->pref > y->pref);
}

/* The sort need not keep an order, so the random number decides after it. */
void
hosts_sort(struct relay_hop *hop)
{
	struct relay_host	 swap;
	size_t			 i, j, k, end;

	qsort(hop->hosts, hop->nhosts, sizeof(hop->hosts[0]), by_preference);
	for (i = 0; i < hop->nhosts; i = end) {
		for (end = i + 1; end < hop->nhosts &&
		    hop->hosts[end].pref == hop->hosts[i].pref; end++)
			;
		for (j = end - 1; j > i; j--) {
			k = i + arc4random_uniform((uint32_t)(j - i + 1));
			swap = hop->hosts[j];
			hop->hosts[j] = hop->hosts[k];
			hop->hosts[k] = swap;
		}
	}
}

int
hosts_null(struct relay_hop *hop)
{
	size_t	i, n = 0, before = hop->nhosts;

	for (i = 0; i < before; i++)
		if (strcmp(hop->hosts[i].name, ".") != 0)
			hop->hosts[n++] = hop->hosts[i];
	hop->nhosts = n;
	return (before > 0 && n == 0);
}

static int
same_name(const char *a, const char *b)
{
	size_t	alen = strlen(a), blen = strlen(b);

	if (alen > 0 && a[alen - 1] == '.')
		alen--;
	if (blen > 0 && b[blen - 1] == '.')
		blen--;
	return (alen == blen && strncasecmp(a, b, alen) == 0);
}

int
hosts_drop_ourselves(struct relay_hop *hop, const char *hostname)
{
	size_t		 i, n = 0;
	unsigned int	 ours = UINT32_MAX;

	for (i = 0; i < hop->nhosts; i++)
		if (same_name(hop->hosts[i].name, hostname) &&
		    hop->hosts[i].pref < ours)
			ours = hop->hosts[i].pref;
	if (ours == UINT32_MAX)
		return (0);
	while (n < hop->nhosts && hop->hosts[n].pref < ours)
		n++;
	hop->nhosts = n;
	return (n == 0);
}
