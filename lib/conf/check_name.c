/*
 * check_name: every name that is used is defined, and the reverse.
 */
#include <stdint.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/check.h"

static void
resolve_table(struct build *b, const struct ref *ref)
{
	struct conf_table *t;

	if ((t = conf_table_find(b->conf, ref->name)) == NULL) {
		if (!lex_is_broken(b->lex, ref->name))
			report_error(b->report, &ref->pos, "table \"%s\" is "
			    "not defined; define it, as in: table %s file "
			    "\"/etc/mail/%s\"", ref->name, ref->name,
			    ref->name);
		return;
	}
	t->used = 1;
	if (ref->secret)
		t->secret = 1;
	if (ref->table != NULL)
		*ref->table = t;
}

/* "a, b, c", cut where it gets long. */
static void
network_names(const struct conf *c, char *out, size_t size)
{
	const struct conf_network *n;
	size_t len = 0, more;

	out[0] = '\0';
	TAILQ_FOREACH(n, &c->networks, entry) {
		more = strlen(n->name) + 2;
		if (more >= size - len)
			return;
		if (len > 0)
			(void)strlcat(out, ", ", size);
		len = strlcat(out, n->name, size);
	}
}

static void
resolve_network(struct build *b, const struct ref *ref)
{
	struct conf_network *n;
	struct addr_net net;
	char names[256];

	if ((n = conf_network_find(b->conf, ref->name)) != NULL) {
		n->used = 1;
		*ref->network = n;
		return;
	}
	if (lex_is_broken(b->lex, ref->name))
		return;
	if (addr_net_parse(&net, ref->name) == 0) {
		report_error(b->report, &ref->pos, "\"%s\" has no name; "
		    "define one, as in: network office { %s }", ref->name,
		    ref->name);
		return;
	}
	network_names(b->conf, names, sizeof(names));
	report_error(b->report, &ref->pos, "network \"%s\" is not defined; "
	    "define it or write any, authenticated, local or one of: %s",
	    ref->name, names);
}

/* Names that listeners use: networks of the PROXY protocol, filters. */
static void
resolve_listen(struct build *b, const struct conf_listen *l)
{
	struct conf_network *n;
	struct conf_filter *f;

	if (l->proxy != NULL) {
		if ((n = conf_network_find(b->conf, l->proxy)) != NULL)
			n->used = 1;
		else
			report_error(b->report, &l->pos, "network \"%s\" is "
			    "not defined; define it", l->proxy);
	}
	if (l->filter == NULL)
		return;
	TAILQ_FOREACH(f, &b->conf->filters, entry)
		if (strcmp(f->name, l->filter) == 0)
			return;
	report_error(b->report, &l->pos, "filter \"%s\" is not defined; "
	    "define it", l->filter);
}

static int
has_tag(const struct conf *c, const char *tag)
{
	const struct conf_listen *l;

	TAILQ_FOREACH(l, &c->listens, entry)
		if (l->tag != NULL && strcmp(l->tag, tag) == 0)
			return (1);
	return (0);
}

static void
resolve_tags(struct build *b, const struct conf_rule *r)
{
	const struct conf_cond *cond;

	TAILQ_FOREACH(cond, &r->conds, entry)
		if (cond->kind == COND_TAG && !has_tag(b->conf, cond->word))
			report_error(b->report, &r->pos, "no socket has the "
			    "tag \"%s\"; add it to a listen line", cond->word);
}

void
check_names(struct build *b)
{
	struct conf_listen *l;
	struct conf_rule *r;
	size_t i;

	for (i = 0; i < b->nrefs; i++) {
		if (b->refs[i].network != NULL)
			resolve_network(b, &b->refs[i]);
		else
			resolve_table(b, &b->refs[i]);
	}
	TAILQ_FOREACH(l, &b->conf->listens, entry)
		resolve_listen(b, l);
	TAILQ_FOREACH(r, &b->conf->rules, entry)
		resolve_tags(b, r);
}

/* One pass over the rules for each socket: sockets are few. */
static int
tag_is_used(const struct conf *c, const char *tag)
{
	const struct conf_rule *r;
	const struct conf_cond *cond;

	TAILQ_FOREACH(r, &c->rules, entry)
		TAILQ_FOREACH(cond, &r->conds, entry)
			if (cond->kind == COND_TAG &&
			    strcmp(cond->word, tag) == 0)
				return (1);
	return (0);
}

void
check_unused(struct build *b)
{
	const struct conf *c = b->conf;
	const struct conf_network *n;
	const struct conf_table *t;
	const struct conf_tls *s;
	const struct conf_listen *l;

	TAILQ_FOREACH(n, &c->networks, entry)
		if (!n->used)
			report_warning(b->report, &n->pos, "network \"%s\" is "
			    "never used; remove it", n->name);
	TAILQ_FOREACH(t, &c->tables, entry)
		if (!t->used)
			report_warning(b->report, &t->pos, "table \"%s\" is "
			    "never used; remove it", t->name);
	TAILQ_FOREACH(s, &c->tlses, entry)
		if (!s->used)
			report_warning(b->report, &s->pos, "tls \"%s\" is "
			    "never used; no socket speaks TLS", s->name);
	TAILQ_FOREACH(l, &c->listens, entry)
		if (l->tag != NULL && !tag_is_used(c, l->tag))
			report_warning(b->report, &l->pos, "tag \"%s\" is "
			    "never used; remove it", l->tag);
	lex_check_unused(b->lex);
}
