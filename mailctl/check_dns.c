/*
 * check_dns: what the name system says of us.
 *
 * Two rounds of questions, each asked all at once: our own addresses and the
 * MX of our domains; then the names of those addresses, and the addresses of
 * domains without MX.  What is not answered in time is told as such.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "conf/conf.h"
#include "dns/wire.h"
#include "os/compat.h"
#include "check.h"
#include "names.h"

#define DOMAINS_MAX	1000
#define ROUND_MS	1500		/* and there are two */
#define OWN		2		/* first questions: A, AAAA */
#define QUESTIONS_MAX	(OWN + DOMAINS_MAX)

static struct names_question	*first, *second;
static size_t			 nfirst, nsecond;

/* Names of this machine only are nobody's business outside. */
static int
is_public(const char *name)
{
	return (strchr(name, '.') != NULL && name[0] != '[' &&
	    dns_name_ok(name));
}

static void
add(struct names_question *v, size_t *n, unsigned int type, const char *name)
{
	if (*n == QUESTIONS_MAX)
		return;
	v[*n].type = type;
	strlcpy(v[*n].name, name, sizeof(v[*n].name));
	(*n)++;
}

static void
add_words(const struct conf_words *w)
{
	size_t	i;

	for (i = 0; i < w->n; i++)
		if (is_public(w->v[i]))
			add(first, &nfirst, DNS_WIRE_MX, w->v[i]);
}

static int
has(const struct names_question *q, const char *name)
{
	size_t	i;

	for (i = 0; q->result == RULES_OK && i < q->names.n; i++)
		if (strcasecmp(q->names.v[i], name) == 0)
			return (1);
	return (0);
}

static int
is_no(const struct names_question *q)
{
	return (q->result == RULES_NO || (q->result == RULES_OK &&
	    q->names.n == 0));
}

static void
ask_second(const struct conf *conf)
{
	size_t	i, j;

	for (i = 0; i < OWN; i++)
		for (j = 0; j < first[i].names.n; j++)
			add(second, &nsecond, DNS_WIRE_PTR,
			    first[i].names.v[j]);
	for (i = OWN; i < nfirst; i++)
		if (is_no(&first[i]))
			add(second, &nsecond, DNS_WIRE_A, first[i].name);
	names_ask_all(second, nsecond, ROUND_MS);
}

static void
tell_host(struct check *c, const struct conf *conf)
{
	const struct names_question	*q;
	size_t				 i;

	if (is_no(&first[0]) && is_no(&first[1]))
		check_advice(c, "dns: %s: has no address; give it an A record, "
		    "or have hostname say a name that has one",
		    conf->hostname);
	for (i = 0; i < nsecond; i++) {
		q = &second[i];
		if (q->type != DNS_WIRE_PTR || q->result == RULES_PENDING ||
		    q->result == RULES_TEMPFAIL || has(q, conf->hostname))
			continue;
		check_advice(c, "dns: %s: its name is %s and not %s; many "
		    "servers refuse mail from it: change its PTR record",
		    q->name, is_no(q) ? "none" : q->names.v[0],
		    conf->hostname);
	}
}

static void
tell_domain(struct check *c, const struct conf *conf,
    const struct names_question *q)
{
	size_t	i;

	if (q->result == RULES_OK && has(q, ".")) {
		check_advice(c, "dns: %s: its MX says that it takes no mail; "
		    "have it name %s", q->name, conf->hostname);
		return;
	}
	if (q->result == RULES_OK && q->names.n > 0) {
		if (!has(q, conf->hostname))
			check_advice(c, "dns: %s: its mail goes to %s%s and "
			    "not to %s; right if that passes it on",
			    q->name, q->names.v[0], q->names.n > 1 ?
			    " and others" : "", conf->hostname);
		return;
	}
	for (i = 0; is_no(q) && i < nsecond; i++)
		if (second[i].type == DNS_WIRE_A &&
		    strcasecmp(second[i].name, q->name) == 0 &&
		    is_no(&second[i]))
			check_advice(c, "dns: %s: has neither MX nor address, "
			    "so nobody can send to it; give it an MX record "
			    "with %s", q->name, conf->hostname);
}

/* How many were not answered, or by a server that has trouble. */
static size_t
unanswered(const struct names_question *q, size_t n)
{
	size_t	i, open = 0;

	for (i = 0; i < n; i++)
		open += q[i].result == RULES_PENDING ||
		    q[i].result == RULES_TEMPFAIL;
	return (open);
}

static void
tell(struct check *c, const struct conf *conf)
{
	size_t	i, open;

	open = unanswered(first, nfirst) + unanswered(second, nsecond);
	if (unanswered(first, nfirst) == nfirst) {
		check_advice(c, "dns: not checked: %s", names_why());
		return;
	}
	tell_host(c, conf);
	for (i = OWN; i < nfirst; i++)
		tell_domain(c, conf, &first[i]);
	if (open > 0)
		check_advice(c, "dns: %zu of %zu questions were not answered, "
		    "and what they are about not checked", open,
		    nfirst + nsecond);
}

void
check_dns(struct check *c, const struct conf *conf)
{
	const struct conf_domain	*d;

	nfirst = nsecond = 0;
	first = calloc(QUESTIONS_MAX, sizeof(*first));
	second = calloc(QUESTIONS_MAX, sizeof(*second));
	if (first == NULL || second == NULL)
		check_advice(c, "dns: not checked: out of memory");
	else {
		add(first, &nfirst, DNS_WIRE_A, conf->hostname);
		add(first, &nfirst, DNS_WIRE_AAAA, conf->hostname);
		TAILQ_FOREACH(d, &conf->domains, entry) {
			add_words(&d->names);
			add_words(&d->aliases);
		}
		names_ask_all(first, nfirst, ROUND_MS);
		ask_second(conf);
		tell(c, conf);
	}
	free(first);
	free(second);
	names_close();
}
