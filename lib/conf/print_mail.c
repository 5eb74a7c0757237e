/*
 * print_mail: domains, rules, routes, tests and mailboxes back in the
 * language that they were read from.
 */
#include <stdint.h>
#include <stdio.h>

#include "os/compat.h"
#include "conf/conf.h"
#include "conf/print.h"
#include "conf/url.h"

static void
print_ref(FILE *f, const char *before, const struct conf_table *t)
{
	(void)fprintf(f, "%s<", before);
	print_name(f, t->name);
	(void)putc('>', f);
}

static void
print_set(FILE *f, const char *before, const struct conf_set *set)
{
	if (set->table != NULL) {
		print_ref(f, before, set->table);
		return;
	}
	(void)fputs(before, f);
	print_words(f, &set->words);
}

static void
text_line(FILE *f, const char *before, const char *s)
{
	if (s == NULL)
		return;
	(void)fputs(before, f);
	print_quoted(f, s);
	(void)putc('\n', f);
}

static void
print_deliver(FILE *f, const struct conf_domain *d)
{
	static const char *const kinds[] = {
		[DELIVER_NONE] = "", [DELIVER_MAILDIR] = "maildir",
		[DELIVER_MBOX] = "mbox", [DELIVER_LMTP] = "lmtp",
		[DELIVER_PIPE] = "pipe",
	};

	if (d->deliver == DELIVER_NONE)
		return;
	(void)fprintf(f, "\tdeliver %s ", kinds[d->deliver]);
	print_quoted(f, d->target);
	if (d->as != NULL) {
		(void)fputs(" as ", f);
		print_quoted(f, d->as);
	}
	(void)putc('\n', f);
}

static void
print_quota(FILE *f, const char *what, const struct conf_quota *q)
{
	if (q->bytes == 0 && q->messages == 0)
		return;
	(void)fputs(what, f);
	if (q->bytes > 0) {
		(void)putc(' ', f);
		print_size(f, q->bytes);
	}
	if (q->messages > 0)
		(void)fprintf(f, " %llu messages",
		    (unsigned long long)q->messages);
	(void)putc('\n', f);
}

static void
print_domain(FILE *f, const struct conf_domain *d)
{
	(void)fputs("domain ", f);
	print_words(f, &d->names);
	(void)fputs(" {\n", f);
	if (d->aliases.n > 0) {
		(void)fputs("\talias ", f);
		print_words(f, &d->aliases);
		(void)putc('\n', f);
	}
	if (d->has_users && d->users == USERS_SYSTEM)
		(void)fputs("\tusers system\n", f);
	else if (d->has_users) {
		print_ref(f, "\tusers ", d->users_table);
		(void)putc('\n', f);
	}
	if (d->alias_table != NULL) {
		print_ref(f, "\taliases ", d->alias_table);
		if (d->include != NULL) {
			(void)fputs(" include ", f);
			print_quoted(f, d->include);
		}
		if (d->alias_as != NULL) {
			(void)fputs(" commands as ", f);
			print_quoted(f, d->alias_as);
		}
		(void)putc('\n', f);
	}
	text_line(f, "\tcatchall ", d->catchall);
	text_line(f, "\tarchive ", d->archive);
	if (d->forward != NULL) {
		(void)fputs("\tforward ", f);
		print_quoted(f, d->forward);
		(void)fputs(d->forward_commands ? " commands\n" : "\n", f);
	}
	print_deliver(f, d);
	print_quota(f, "\tquota", &d->quota);
	text_line(f, "\tsieve ", d->sieve);
	(void)fputs("}\n", f);
}

static void
print_codes(FILE *f, const struct conf_cond *cond)
{
	char text[ADDR_TEXT];
	size_t i;

	for (i = 0; i < cond->ncodes; i++) {
		addr_net_print(&cond->codes[i], text, sizeof(text));
		(void)fprintf(f, "%s%s", i == 0 ? " = { " : ", ", text);
	}
	if (cond->ncodes > 0)
		(void)fputs(" }", f);
}

void
conf_print_cond(FILE *f, const struct conf_cond *cond)
{
	switch (cond->kind) {
	case COND_TAG:
		(void)fputs("tag ", f);
		print_name(f, cond->word);
		break;
	case COND_SENDER:
		print_set(f, "sender ", &cond->set);
		break;
	case COND_RECIPIENT:
		print_set(f, "recipient ", &cond->set);
		break;
	case COND_HELO:
		print_set(f, "helo ", &cond->set);
		break;
	case COND_HELO_MALFORMED:
		(void)fputs("helo malformed", f);
		break;
	case COND_HELO_OURS:
		(void)fputs("helo ours", f);
		break;
	case COND_HELO_UNKNOWN:
		(void)fputs("helo unknown", f);
		break;
	case COND_DNSBL:
		(void)fputs("dnsbl ", f);
		print_quoted(f, cond->word);
		print_codes(f, cond);
		break;
	case COND_NO_RDNS:
		(void)fputs("no rdns", f);
		break;
	case COND_NO_TLS:
		(void)fputs("no tls", f);
		break;
	}
}

static void
print_source(FILE *f, const struct conf_rule *r)
{
	switch (r->source) {
	case SOURCE_ANY:
		(void)fputs("any", f);
		break;
	case SOURCE_NETWORK:
		print_free_name(f, r->network->name);
		break;
	case SOURCE_AUTHENTICATED:
		(void)fputs("authenticated", f);
		break;
	case SOURCE_LOCAL:
		(void)fputs("local", f);
		break;
	}
}

void
conf_print_rule(FILE *f, const struct conf_rule *r)
{
	const struct conf_cond *cond;

	(void)fprintf(f, "%s ", r->permit ? "permit" : "reject");
	print_source(f, r);
	TAILQ_FOREACH(cond, &r->conds, entry) {
		(void)putc(' ', f);
		conf_print_cond(f, cond);
	}
	if (r->scope == SCOPE_RELAY)
		(void)fputs(" relay", f);
	else if (r->scope == SCOPE_DELIVER)
		(void)fputs(" deliver", f);
	if (r->unsafe)
		(void)fputs(" unsafe", f);
	if (r->reply != NULL) {
		(void)putc(' ', f);
		print_quoted(f, r->reply);
	}
}

static void
print_url(FILE *f, const struct conf_url *u)
{
	(void)fprintf(f, " via \"%s", url_prefix(u->scheme));
	if (u->label != NULL)
		(void)fprintf(f, "%s@", u->label);
	(void)fprintf(f, u->nomx ? "[%s]" : "%s", u->host);
	(void)fprintf(f, ":%u\"", u->port);
}

static int
set_empty(const struct conf_set *set)
{
	return (set->words.n == 0 && set->table == NULL);
}

void
conf_print_route(FILE *f, const struct conf_route *r)
{
	(void)fputs(r->bounce ? "bounce" : "relay", f);
	if (set_empty(&r->to))
		(void)fputs(" any", f);
	else
		print_set(f, " to ", &r->to);
	if (!set_empty(&r->from))
		print_set(f, " from ", &r->from);
	if (r->has_url)
		print_url(f, &r->url);
	if (r->secrets != NULL)
		print_ref(f, " auth ", r->secrets);
	if (r->source != NULL)
		(void)fprintf(f, " source %s", r->source);
	if (r->reply != NULL) {
		(void)putc(' ', f);
		print_quoted(f, r->reply);
	}
}

/* Mail that no route is for goes by MX. */
static void
print_default_route(FILE *f, const struct conf *c)
{
	const struct conf_route *r;

	TAILQ_FOREACH(r, &c->routes, entry)
		if (set_empty(&r->to) && set_empty(&r->from))
			return;
	(void)fputs("# relay any\n", f);
}

static void
print_test(FILE *f, const struct conf_test *t)
{
	(void)fprintf(f, "test from %s", t->from != NULL ? t->from : "local");
	if (t->tls)
		(void)fputs(" tls", f);
	if (t->auth != NULL) {
		(void)fputs(" auth ", f);
		print_quoted(f, t->auth);
	}
	if (t->helo != NULL) {
		(void)fputs(" helo ", f);
		print_quoted(f, t->helo);
	}
	if (t->sender != NULL) {
		(void)fputs(" sender ", f);
		print_quoted(f, t->sender[0] == '\0' ? "<>" : t->sender);
	}
	(void)fputs(" to ", f);
	print_quoted(f, t->to);
	(void)fprintf(f, " expect %s\n", t->expect);
}

static void
print_mailboxes(FILE *f, const struct conf *c)
{
	const struct conf_expire *e;
	size_t i;

	print_quota(f, "mailbox quota", &c->mailbox_quota);
	TAILQ_FOREACH(e, &c->expires, entry) {
		(void)fputs("mailbox expire ", f);
		print_quoted(f, e->mailbox);
		(void)fputs(" after ", f);
		print_time(f, e->after);
		(void)putc('\n', f);
	}
	if (c->special.n > 0) {
		(void)fputs("mailbox special", f);
		for (i = 0; i < c->special.n; i++) {
			(void)putc(' ', f);
			print_quoted(f, c->special.v[i]);
		}
		(void)putc('\n', f);
	}
	if (c->pop3_delay > 0) {
		(void)fputs("pop3 login delay ", f);
		print_time(f, c->pop3_delay);
		(void)putc('\n', f);
	}
	if (c->pop3_uidl != NULL) {
		(void)fputs("pop3 uidl ", f);
		print_quoted(f, c->pop3_uidl);
		(void)putc('\n', f);
	}
	if (c->fetch_table != NULL) {
		(void)fputs("fetch <", f);
		print_name(f, c->fetch_table);
		(void)fputs("> every ", f);
		print_time(f, c->fetch_every);
		(void)putc('\n', f);
	}
}

static void
print_identity(FILE *f, const struct conf *c)
{
	const struct conf_masq *m;
	const struct conf_sign *s;

	TAILQ_FOREACH(s, &c->signs, entry) {
		(void)fputs("sign ", f);
		print_quoted(f, s->domain);
		(void)fputs(" selector ", f);
		print_quoted(f, s->selector);
		(void)fputs(" key ", f);
		print_quoted(f, s->key);
		(void)putc('\n', f);
	}
	if (c->verify_failure != NULL)
		(void)fprintf(f, "verify%s%s%s on failure %s\n",
		    c->verify_spf ? " spf" : "", c->verify_dkim ? " dkim" : "",
		    c->verify_dmarc ? " dmarc" : "", c->verify_failure);
	TAILQ_FOREACH(m, &c->masqs, entry) {
		(void)fputs("masquerade ", f);
		print_words(f, &m->names);
		(void)fputs(" as ", f);
		print_quoted(f, m->as);
		(void)putc('\n', f);
	}
}

void
print_mail(FILE *f, const struct conf *c)
{
	const struct conf_domain *d;
	const struct conf_rule *r;
	const struct conf_route *route;
	const struct conf_test *t;

	TAILQ_FOREACH(d, &c->domains, entry)
		print_domain(f, d);
	/* Those that hold because there is none stand as comments. */
	TAILQ_FOREACH(r, &c->rules, entry) {
		if (r->implied)
			(void)fputs("# ", f);
		conf_print_rule(f, r);
		(void)putc('\n', f);
	}
	TAILQ_FOREACH(route, &c->routes, entry) {
		conf_print_route(f, route);
		(void)putc('\n', f);
	}
	print_default_route(f, c);
	print_mailboxes(f, c);
	print_identity(f, c);
	TAILQ_FOREACH(t, &c->tests, entry)
		print_test(f, t);
}
