/*
 * free: give back a configuration.
 *
 * Values of tables may be passwords, so tables are wiped.
 */
#include <stdint.h>

#include "os/compat.h"
#include "conf/conf.h"
#include "conf/words.h"

static void
wipe(struct conf_words *words)
{
	size_t i;

	for (i = 0; i < words->n; i++)
		explicit_bzero(words->v[i], strlen(words->v[i]));
	words_free(words);
}

static void
free_names(struct conf *c)
{
	struct conf_network *n;
	struct conf_table *t;
	struct conf_tls *s;
	struct conf_auth *a;

	while ((n = TAILQ_FIRST(&c->networks)) != NULL) {
		TAILQ_REMOVE(&c->networks, n, entry);
		free(n->name);
		free(n->file);
		free(n->nets);
		free(n);
	}
	while ((t = TAILQ_FIRST(&c->tables)) != NULL) {
		TAILQ_REMOVE(&c->tables, t, entry);
		free(t->name);
		free(t->source);
		free(t->query);
		wipe(&t->keys);
		wipe(&t->values);
		free(t);
	}
	while ((s = TAILQ_FIRST(&c->tlses)) != NULL) {
		TAILQ_REMOVE(&c->tlses, s, entry);
		free(s->name);
		free(s->cert);
		free(s->key);
		free(s);
	}
	while ((a = TAILQ_FIRST(&c->auths)) != NULL) {
		TAILQ_REMOVE(&c->auths, a, entry);
		free(a);
	}
}

static void
free_sockets(struct conf *c)
{
	struct conf_listen *l;
	struct conf_filter *f;

	while ((l = TAILQ_FIRST(&c->listens)) != NULL) {
		TAILQ_REMOVE(&c->listens, l, entry);
		free(l->where);
		free(l->tlsname);
		free(l->tag);
		free(l->proxy);
		free(l->filter);
		free(l);
	}
	while ((f = TAILQ_FIRST(&c->filters)) != NULL) {
		TAILQ_REMOVE(&c->filters, f, entry);
		free(f->name);
		free(f->target);
		free(f->on_failure);
		free(f);
	}
}

static void
free_domains(struct conf *c)
{
	struct conf_domain *d;

	while ((d = TAILQ_FIRST(&c->domains)) != NULL) {
		TAILQ_REMOVE(&c->domains, d, entry);
		words_free(&d->names);
		words_free(&d->aliases);
		free(d->catchall);
		free(d->archive);
		free(d->forward);
		free(d->alias_as);
		free(d->include);
		free(d->target);
		free(d->lmtp.host);
		words_free(&d->argv);
		free(d->as);
		free(d->sieve);
		free(d);
	}
}

static void
free_rules(struct conf *c)
{
	struct conf_rule *r;
	struct conf_cond *cond;
	struct conf_route *t;

	while ((r = TAILQ_FIRST(&c->rules)) != NULL) {
		TAILQ_REMOVE(&c->rules, r, entry);
		while ((cond = TAILQ_FIRST(&r->conds)) != NULL) {
			TAILQ_REMOVE(&r->conds, cond, entry);
			free(cond->word);
			words_free(&cond->set.words);
			free(cond->codes);
			free(cond);
		}
		free(r->reply);
		free(r);
	}
	while ((t = TAILQ_FIRST(&c->routes)) != NULL) {
		TAILQ_REMOVE(&c->routes, t, entry);
		words_free(&t->to.words);
		words_free(&t->from.words);
		free(t->url.label);
		free(t->url.host);
		free(t->source);
		free(t->reply);
		free(t);
	}
}

static void
free_mailboxes(struct conf *c)
{
	struct conf_masq *m;
	struct conf_expire *e;
	struct conf_sign *s;

	while ((m = TAILQ_FIRST(&c->masqs)) != NULL) {
		TAILQ_REMOVE(&c->masqs, m, entry);
		words_free(&m->names);
		free(m->as);
		free(m);
	}
	while ((e = TAILQ_FIRST(&c->expires)) != NULL) {
		TAILQ_REMOVE(&c->expires, e, entry);
		free(e->mailbox);
		free(e);
	}
	while ((s = TAILQ_FIRST(&c->signs)) != NULL) {
		TAILQ_REMOVE(&c->signs, s, entry);
		free(s->domain);
		free(s->selector);
		free(s->key);
		free(s);
	}
	words_free(&c->special);
}

static void
free_tests(struct conf *c)
{
	struct conf_test *t;

	while ((t = TAILQ_FIRST(&c->tests)) != NULL) {
		TAILQ_REMOVE(&c->tests, t, entry);
		free(t->from);
		free(t->auth);
		free(t->helo);
		free(t->sender);
		free(t->to);
		free(t->expect);
		free(t);
	}
}

void
conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	free_names(c);
	free_sockets(c);
	free_domains(c);
	free_rules(c);
	free_mailboxes(c);
	free_tests(c);
	words_free(&c->files);
	free(c->hostname);
	free(c->origin);
	free(c->postmaster);
	free(c->banner);
	free(c->spool);
	free(c->state);
	free(c->verify_failure);
	free(c->pop3_uidl);
	free(c->fetch_table);
	free(c->log_facility);
	free(c->log_path);
	free(c);
}
