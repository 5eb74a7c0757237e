/*
 * archive: who wants a copy of all mail of a domain: those of the domain that
 * a recipient is of, of the accounts that it ends at, and of the sender.
 *
 * An archive gets one copy of a message, and the copy itself is not archived
 * again, so archives that lie in each other's domains make no loop.
 */
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "rules/rules.h"

static size_t
want(const struct conf_domain *d, const char *v[RULES_ARCHIVES], size_t n)
{
	size_t	i;

	if (d == NULL || d->archive == NULL || n == RULES_ARCHIVES)
		return (n);
	for (i = 0; i < n; i++)
		if (strcasecmp(v[i], d->archive) == 0)
			return (n);
	v[n] = d->archive;
	return (n + 1);
}

size_t
rules_archives(const struct conf *conf, const char *sender, const char *rcpt,
    const struct rules_dests *dests, const char *v[RULES_ARCHIVES])
{
	size_t	i, n;

	n = want(rules_domain(conf, rcpt), v, 0);
	n = want(rules_domain(conf, sender), v, n);
	for (i = 0; i < dests->n; i++)
		if (dests->v[i].local && !dests->v[i].dead && (i == 0 ||
		    dests->v[i - 1].dead || strcmp(dests->v[i].host,
		    dests->v[i - 1].host) != 0))
			n = want(conf_domain_find(conf, dests->v[i].host), v,
			    n);
	return (n);
}
