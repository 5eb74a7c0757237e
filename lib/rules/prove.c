/*
 * prove: see prove.h.
 *
 * Whatever a rule asks of a client is a choice between finitely many classes:
 * which cell of the address space it comes from, which of the patterns its
 * HELO, sender and recipient match, what a block list answers, whether a
 * table has an address.  Each of these is a dimension; classes are stood for
 * by a word that the live code's own functions judge.  A rule is then a
 * conjunction of conditions on dimensions, and "the first match wins" means:
 * the rule's conditions hold, and of each rule above at least one does not.
 *
 * For each rule that relays, the search takes what it allows and goes down the
 * rules above it; each must fail, so one of its conditions is made false, in
 * every way that there is.  It finds a combination if there is one.
 *
 * Not known to it: what a table holds (anything may be in it or not), and
 * what a name server answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "rules/client.h"
#include "rules/prove.h"
#include "rules/prove_dim.h"

#define STEPS_MAX	2000000		/* combinations that are tried */

/* What a rule asks of a dimension: have[i], if class i has it. */
struct literal {
	size_t		 dim;
	unsigned char	*have;
};

struct clause {
	const struct conf_rule	*rule;
	struct literal		*v;
	size_t			 n;
	const char		*tag;		/* of the listener */
	int			 dead;		/* never matches a stranger */
	int			 twice;		/* asks one list two things */
};

struct proof {
	const struct conf	*conf;
	struct dims		 dims;
	struct clause		*clauses;
	size_t			 nclauses;
	const char		*tag;		/* of the listener at hand */
	unsigned int		 steps;
};

static int
add_literal(struct clause *c, size_t dim, size_t n, unsigned char **have)
{
	struct literal	*v;

	if ((v = reallocarray(c->v, c->n + 1, sizeof(*v))) == NULL)
		return (-1);
	c->v = v;
	v[c->n].dim = dim;
	if ((v[c->n].have = calloc(n, 1)) == NULL)
		return (-1);
	*have = v[c->n++].have;
	return (0);
}

static int
source_literal(struct proof *p, struct clause *c)
{
	const struct dim	*d = &p->dims.v[DIM_ADDR];
	unsigned char		*have;

	if (c->rule->source == SOURCE_ANY)
		return (0);
	if (c->rule->source != SOURCE_NETWORK || c->rule->network == NULL) {
		c->dead = 1;
		return (0);
	}
	if (add_literal(c, DIM_ADDR, d->n, &have) == -1)
		return (-1);
	return (prove_cells_have(&p->dims.cells, c->rule->network, have));
}

static int
cond_literal(struct proof *p, struct clause *c, const struct conf_cond *cond)
{
	const struct dim	*d;
	unsigned char		*have;
	size_t			 i, dim;

	if (cond->kind == COND_TAG) {
		if (c->tag != NULL && strcmp(c->tag, cond->word) != 0)
			c->dead = 1;
		c->tag = cond->word;
		return (0);
	}
	dim = dims_of(&p->dims, cond);
	d = &p->dims.v[dim];
	for (i = 0; d->zone != NULL && i < c->n; i++)
		c->twice |= c->v[i].dim == dim;
	if (add_literal(c, dim, d->n, &have) == -1)
		return (-1);
	for (i = 0; i < d->n; i++)
		have[i] = dim_has(p->conf, d, i, cond);
	return (0);
}

static int
make_clauses(struct proof *p)
{
	const struct conf_rule	*r;
	const struct conf_cond	*cond;
	struct clause		*c;
	size_t			 n = 0;

	TAILQ_FOREACH(r, &p->conf->rules, entry)
		n++;
	if ((p->clauses = calloc(n + 1, sizeof(*p->clauses))) == NULL)
		return (-1);
	TAILQ_FOREACH(r, &p->conf->rules, entry) {
		c = &p->clauses[p->nclauses++];
		c->rule = r;
		/* The recipient is of no domain of ours. */
		c->dead = r->scope == SCOPE_DELIVER;
		if (source_literal(p, c) == -1)
			return (-1);
		TAILQ_FOREACH(cond, &r->conds, entry)
			if (cond_literal(p, c, cond) == -1)
				return (-1);
	}
	return (0);
}

/* Leave only the classes for which have[] is value.  How many are left. */
static size_t
narrow(struct dim *d, const unsigned char *have, int value)
{
	size_t	i, left = 0;

	for (i = 0; i < d->n; i++) {
		if (!!have[i] != value)
			d->allowed[i] = 0;
		left += d->allowed[i];
	}
	return (left);
}

static size_t
count(const struct dim *d, const unsigned char *have, int value)
{
	size_t	i, n = 0;

	for (i = 0; i < d->n; i++)
		n += d->allowed[i] && !!have[i] == value;
	return (n);
}

static enum rules_proof	search(struct proof *, size_t, size_t);

/* Make one condition of a rule false and go on; then it is as it was. */
static enum rules_proof
try_without(struct proof *p, size_t i, size_t target, const struct literal *l)
{
	struct dim		*d = &p->dims.v[l->dim];
	unsigned char		*was;
	enum rules_proof	 r;

	if ((was = malloc(d->n)) == NULL)
		return (PROOF_UNKNOWN);
	memcpy(was, d->allowed, d->n);
	(void)narrow(d, l->have, 0);
	r = search(p, i + 1, target);
	if (r != PROOF_RELAYS)
		memcpy(d->allowed, was, d->n);
	free(was);
	return (r);
}

/*
 * Can the rules from i up to the target all be passed?  PROOF_RELAYS: yes, and
 * what is allowed is how.
 */
static enum rules_proof
search(struct proof *p, size_t i, size_t target)
{
	const struct clause	*c;
	const struct dim	*d;
	enum rules_proof	 r;
	size_t			 j;

	for (;; i++) {
		if (i == target)
			return (PROOF_RELAYS);
		if (++p->steps > STEPS_MAX)
			return (PROOF_UNKNOWN);
		c = &p->clauses[i];
		if (c->dead || (c->tag != NULL && (p->tag == NULL ||
		    strcmp(c->tag, p->tag) != 0)))
			continue;
		for (j = 0; j < c->n; j++) {
			d = &p->dims.v[c->v[j].dim];
			if (count(d, c->v[j].have, 1) == 0)
				break;	/* it fails as it is */
		}
		if (j == c->n)
			break;
	}
	for (j = 0; j < c->n; j++) {
		d = &p->dims.v[c->v[j].dim];
		if (count(d, c->v[j].have, 0) == 0)
			continue;
		if ((r = try_without(p, i, target, &c->v[j])) != PROOF_SAFE)
			return (r);
	}
	return (PROOF_SAFE);
}

/* Only recipients that the rule does not list are somebody's. */
static int
unlisted(struct proof *p, const struct conf_rule *r)
{
	struct dim		*d = &p->dims.v[DIM_RCPT];
	const struct conf_cond	*cond;
	size_t			 i, left = 0;

	TAILQ_FOREACH(cond, &r->conds, entry) {
		if (cond->kind != COND_RECIPIENT)
			continue;
		if (cond->set.table != NULL)
			return (0);
		for (i = 0; i < d->n; i++)
			if (dim_listed(d, i, &cond->set.words))
				d->allowed[i] = 0;
	}
	for (i = 0; i < d->n; i++)
		left += d->allowed[i];
	return (left > 0);
}

static enum rules_proof
prove_rule(struct proof *p, size_t target, const struct prove_door *door)
{
	const struct clause	*c = &p->clauses[target];
	size_t			 i;

	if (c->dead || !c->rule->permit || c->rule->unsafe ||
	    (c->tag != NULL && (door->tag == NULL ||
	    strcmp(c->tag, door->tag) != 0)))
		return (PROOF_SAFE);
	dims_allow_all(&p->dims, door);
	for (i = 0; i < c->n; i++)
		if (narrow(&p->dims.v[c->v[i].dim], c->v[i].have, 1) == 0 &&
		    !c->twice)
			return (PROOF_SAFE);
	if (!unlisted(p, c->rule))
		return (PROOF_SAFE);
	if (count(&p->dims.v[DIM_ADDR], p->dims.cells.stranger, 1) == 0)
		return (PROOF_SAFE);
	(void)narrow(&p->dims.v[DIM_ADDR], p->dims.cells.stranger, 1);
	/* A class has one answer of a list; it may give several at once. */
	if (c->twice)
		return (PROOF_UNKNOWN);
	p->tag = door->tag;
	return (search(p, 0, target));
}

static void
proof_free(struct proof *p)
{
	size_t	i, j;

	for (i = 0; i < p->nclauses; i++) {
		for (j = 0; j < p->clauses[i].n; j++)
			free(p->clauses[i].v[j].have);
		free(p->clauses[i].v);
	}
	free(p->clauses);
	dims_free(&p->dims);
}

enum rules_proof
rules_prove(const struct conf *conf, struct rules_witness *w)
{
	struct proof		 p = { .conf = conf };
	struct prove_door	 door;
	enum rules_proof	 r = PROOF_UNKNOWN;
	size_t			 i, n;

	memset(w, 0, sizeof(*w));
	if (dims_new(&p.dims, conf) == -1 || make_clauses(&p) == -1)
		goto done;
	r = PROOF_SAFE;
	for (n = 0; r == PROOF_SAFE && prove_door(conf, n, &door); n++)
		for (i = 0; r == PROOF_SAFE && i < p.nclauses; i++) {
			p.steps = 0;
			if (door.stranger)
				r = prove_rule(&p, i, &door);
			if (r == PROOF_SAFE)
				continue;
			w->rule = p.clauses[i].rule;
			if (r == PROOF_RELAYS)
				dims_witness(&p.dims, &door, w);
		}
done:
	proof_free(&p);
	return (r);
}
