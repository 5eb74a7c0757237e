/*
 * build_name: networks, tables, certificates and password sources.
 *
 * Names are few (NAMES_MAX of a kind), so they are found by walking; a list
 * may be long and is sorted to find what is in it twice.
 */
#include <stdint.h>
#include <strings.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/build_name.h"
#include "conf/value.h"

#define NAMES_MAX	1000		/* tables, networks or certificates */
#define NETS_MAX	100000		/* in one network */

/* A name that is fit and new, else it is reported. */
static int
check_name(struct build *b, const struct word *name, const char *kind,
    const struct conf_pos *before)
{
	if (!value_is_name(name->s))
		build_error(b, name, "no name; use up to 63 letters, digits, "
		    "_, . and -");
	if (before != NULL)
		report_error(b->report, &name->pos, "%s \"%s\" is defined "
		    "already on line %u of %s; rename one of them", kind,
		    name->s, before->line, before->file);
	return (before == NULL && value_is_name(name->s));
}

static struct conf_network *
new_network(struct build *b, const struct word *name)
{
	struct conf_network *n, *old;
	int ok;

	old = conf_network_find(b->conf, name->s);
	ok = check_name(b, name, "network", old != NULL ? &old->pos : NULL);
	if (strcmp(name->s, "localhost") == 0) {
		build_error(b, name, "defined already, as 127.0.0.0/8 and "
		    "::1; choose another name");
		ok = 0;
	}
	if (b->nnetworks >= NAMES_MAX) {
		build_error(b, name, "one network too many; use a file");
		return (NULL);
	}
	if ((n = build_alloc(b, sizeof(*n))) == NULL)
		return (NULL);
	n->pos = name->pos;
	n->used = !ok;		/* one mistake is enough */
	n->name = build_keep(b, name->s);
	b->nnetworks++;
	TAILQ_INSERT_TAIL(&b->conf->networks, n, entry);
	return (n);
}

int
build_network_add(struct build *b, struct conf_network *n, const char *text)
{
	struct addr_net net, *nets;

	if (n->nnets >= NETS_MAX || addr_net_parse(&net, text) == -1)
		return (-1);
	if ((n->nnets & (n->nnets - 1)) == 0) {
		nets = reallocarray(n->nets, n->nnets == 0 ? 1 : n->nnets * 2,
		    sizeof(*nets));
		if (nets == NULL) {
			b->nomem = 1;
			return (0);
		}
		n->nets = nets;
	}
	n->nets[n->nnets++] = net;
	return (0);
}

void
build_network(struct build *b, const struct word *name,
    const struct list *list)
{
	struct conf_network *n;
	const struct item *item;

	if (list == NULL || (n = new_network(b, name)) == NULL)
		return;
	for (item = list->first; item != NULL; item = item->next)
		if (item->value != NULL ||
		    build_network_add(b, n, item->key->s) == -1)
			build_error(b, item->key, "no network; write an "
			    "address or a prefix without bits set behind its "
			    "length, as in 10.0.0.0/8");
}

void
build_network_file(struct build *b, const struct word *name,
    const struct word *path)
{
	struct conf_network *n;

	if ((n = new_network(b, name)) != NULL)
		n->file = build_path(b, path);
}

static void
predefine(struct build *b, const char *name)
{
	struct conf_network *n;

	if (conf_network_find(b->conf, name) != NULL)
		return;
	if ((n = build_alloc(b, sizeof(*n))) == NULL)
		return;
	n->name = build_keep(b, name);
	n->used = 1;
	(void)build_network_add(b, n, "127.0.0.0/8");
	(void)build_network_add(b, n, "::1");
	TAILQ_INSERT_TAIL(&b->conf->networks, n, entry);
}

void
build_network_predefined(struct build *b)
{
	predefine(b, "localhost");
	predefine(b, "mynetworks");
}

static struct conf_table *
new_table(struct build *b, const struct word *name, enum conf_table_kind kind)
{
	struct conf_table *t;
	int ok;

	t = conf_table_find(b->conf, name->s);
	ok = check_name(b, name, "table", t != NULL ? &t->pos : NULL);
	if (b->ntables >= NAMES_MAX) {
		build_error(b, name, "one table too many; remove it");
		return (NULL);
	}
	if ((t = build_alloc(b, sizeof(*t))) == NULL)
		return (NULL);
	t->pos = name->pos;
	t->kind = kind;
	t->used = !ok;		/* one mistake is enough */
	t->index = b->ntables++;
	t->name = build_keep(b, name->s);
	TAILQ_INSERT_TAIL(&b->conf->tables, t, entry);
	return (t);
}

static int
by_key(const void *va, const void *vb)
{
	const struct item *const *a = va, *const *b = vb;
	int order = strcasecmp((*a)->key->s, (*b)->key->s);

	if (order != 0)
		return (order);
	return ((*a)->key->pos.line != (*b)->key->pos.line ?
	    ((*a)->key->pos.line < (*b)->key->pos.line ? -1 : 1) :
	    ((*a)->key->pos.col < (*b)->key->pos.col ? -1 : 1));
}

static void
check_keys(struct build *b, const struct list *list)
{
	const struct item **v, *item;
	size_t i = 0;

	if (list->n < 2)
		return;
	if ((v = reallocarray(NULL, list->n, sizeof(*v))) == NULL) {
		b->nomem = 1;
		return;
	}
	for (item = list->first; item != NULL; item = item->next)
		v[i++] = item;
	qsort(v, list->n, sizeof(*v), by_key);
	for (i = 1; i < list->n; i++)
		if (strcasecmp(v[i - 1]->key->s, v[i]->key->s) == 0)
			build_error(b, v[i]->key, "in this table already; "
			    "remove one of them");
	free(v);
}

void
build_table_inline(struct build *b, const struct word *name,
    const struct list *list)
{
	struct conf_table *t;
	const struct item *item;

	if (list == NULL || (t = new_table(b, name, TABLE_INLINE)) == NULL)
		return;
	check_keys(b, list);
	for (item = list->first; item != NULL; item = item->next) {
		build_word(b, &t->keys, item->key->s);
		build_word(b, &t->values,
		    item->value != NULL ? item->value->s : "");
	}
}

void
build_table_file(struct build *b, const struct word *name,
    const struct word *path)
{
	struct conf_table *t;

	if ((t = new_table(b, name, TABLE_FILE)) != NULL)
		t->source = build_path(b, path);
}

/* The key is bound to the one '?': it never becomes part of the statement. */
void
build_table_sqlite(struct build *b, const struct word *name,
    const struct word *path, const struct word *query)
{
	struct conf_table *t;
	const char *mark = strchr(query->s, '?');

	if ((t = new_table(b, name, TABLE_SQLITE)) == NULL)
		return;
	t->source = build_path(b, path);
	t->query = build_keep(b, query->s);
	if (mark == NULL || strchr(mark + 1, '?') != NULL)
		build_error(b, query, "no query of one key; write exactly one "
		    "? where the key belongs");
}

void
build_table_pgsql(struct build *b, const struct word *name,
    const struct word *source, const struct word *query)
{
	struct conf_table *t;
	struct conf_pos pos = lex_pos(b->lex);

	(void)build_lacks(b, "table pgsql", &pos);
	if ((t = new_table(b, name, TABLE_PGSQL)) == NULL)
		return;
	t->source = build_keep(b, source->s);
	t->query = build_keep(b, query->s);
}

void
build_table_ldap(struct build *b, const struct word *name,
    const struct word *url)
{
	struct conf_table *t;
	struct conf_pos pos = lex_pos(b->lex);

	(void)build_lacks(b, "table ldap", &pos);
	if ((t = new_table(b, name, TABLE_LDAP)) != NULL)
		t->source = build_keep(b, url->s);
}

void
build_tls(struct build *b, const struct word *name, const struct word *cert,
    const struct word *key)
{
	struct conf_tls *t;

	TAILQ_FOREACH(t, &b->conf->tlses, entry)
		if (strcasecmp(t->name, name->s) == 0)
			report_error(b->report, &name->pos, "tls \"%s\" is "
			    "defined already on line %u of %s; remove one of "
			    "them", name->s, t->pos.line, t->pos.file);
	if (b->ntlses >= NAMES_MAX) {
		build_error(b, name, "one certificate too many; remove it");
		return;
	}
	if ((t = build_alloc(b, sizeof(*t))) == NULL)
		return;
	t->pos = name->pos;
	t->index = b->ntlses++;
	if ((t->name = build_domain_name(b, name)) == NULL)
		t->name = build_keep(b, name->s);
	t->cert = build_path(b, cert);
	t->key = build_path(b, key);
	TAILQ_INSERT_TAIL(&b->conf->tlses, t, entry);
}

void
build_auth(struct build *b, const struct word *table)
{
	struct conf_auth *a;
	struct conf_pos pos = lex_pos(b->lex);

	if (b->nauths >= NAMES_MAX) {
		report_error(b->report, &pos, "one auth too many; remove it");
		return;
	}
	if ((a = build_alloc(b, sizeof(*a))) == NULL)
		return;
	b->nauths++;
	a->pos = pos;
	a->kind = table == NULL ? USERS_SYSTEM : USERS_TABLE;
	if (table != NULL)
		build_ref_table(b, table, &a->table, 1);
	TAILQ_INSERT_TAIL(&b->conf->auths, a, entry);
}

void
build_auth_scram(struct build *b)
{
	struct conf_auth	*a = TAILQ_LAST(&b->conf->auths, conf_auths);

	if (a != NULL)
		a->scram = 1;
}
