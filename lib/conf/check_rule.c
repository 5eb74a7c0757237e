/*
 * check_rule: no rule relays for strangers by accident, no password goes to a
 * server that did not prove its name.
 */
#include <stdint.h>
#include <strings.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/check.h"
#include "conf/url.h"

/* A network without a limit is another word for any. */
static int
is_everybody(const struct conf_network *n)
{
	size_t i;

	if (n == NULL)
		return (0);
	for (i = 0; i < n->nnets; i++)
		if (n->nets[i].bits == 0 && !n->nets[i].negated)
			return (1);
	return (0);
}

/* A backup MX names what it is for; the proof of lib/rules looks closer. */
static int
names_recipients(const struct conf_rule *r)
{
	const struct conf_cond *c;

	TAILQ_FOREACH(c, &r->conds, entry)
		if (c->kind == COND_RECIPIENT)
			return (1);
	return (0);
}

static void
check_relay(struct build *b, const struct conf_rule *r)
{
	int any = r->source == SOURCE_ANY;

	if (r->source == SOURCE_NETWORK)
		any = is_everybody(r->network);
	if (!r->permit) {
		if (r->unsafe)
			report_error(b->report, &r->pos, "\"unsafe\" is for "
			    "permit; remove it");
		return;
	}
	if (r->scope == SCOPE_NONE)
		report_error(b->report, &r->pos, "this permit does not say "
		    "where to; write relay or deliver");
	if (any && r->scope == SCOPE_RELAY && !r->unsafe &&
	    !names_recipients(r))
		report_error(b->report, &r->pos, "this relays for strangers; "
		    "write deliver, another source, or relay unsafe if that "
		    "is meant");
	if (!any && r->unsafe)
		report_warning(b->report, &r->pos, "\"unsafe\" has no meaning "
		    "for this source; remove it");
}

static int
ends_list(const struct conf_rule *r)
{
	return (r->source == SOURCE_ANY && TAILQ_EMPTY(&r->conds) &&
	    r->scope != SCOPE_DELIVER);
}

void
check_rules(struct build *b)
{
	const struct conf_rule *r, *end = NULL;

	TAILQ_FOREACH(r, &b->conf->rules, entry) {
		if (r->implied)
			continue;
		check_relay(b, r);
		if (end != NULL && TAILQ_NEXT(end, entry) == r)
			report_warning(b->report, &r->pos, "this rule is "
			    "never reached; move it above line %u",
			    end->pos.line);
		if (end == NULL && ends_list(r))
			end = r;
	}
}

static int
has_key(const struct conf_table *t, const char *key)
{
	size_t i;

	for (i = 0; i < t->keys.n; i++)
		if (strcmp(t->keys.v[i], key) == 0)
			return (1);
	return (0);
}

static void
check_secrets(struct build *b, const struct conf_route *r)
{
	const struct conf_url *u = &r->url;

	if (u->scheme != SCHEME_SMTP_TLS && u->scheme != SCHEME_SMTPS &&
	    strcasecmp(u->host, "localhost") != 0 &&
	    !addr_is_loopback(u->host))
		report_error(b->report, &r->pos, "a password would go over "
		    "%s without a verified certificate; write smtp+tls:// or "
		    "smtps://", url_prefix(u->scheme));
	if (r->secrets != NULL && r->secrets->kind == TABLE_INLINE &&
	    u->label != NULL && !has_key(r->secrets, u->label))
		report_error(b->report, &r->pos, "table \"%s\" has no label "
		    "\"%s\"; add it or correct the URL", r->secrets->name,
		    u->label);
}

static int
is_last(const struct conf_route *r)
{
	return (r->to.words.n == 0 && r->to.table == NULL &&
	    r->from.words.n == 0 && r->from.table == NULL);
}

void
check_routes(struct build *b)
{
	const struct conf_route *r, *end = NULL;

	TAILQ_FOREACH(r, &b->conf->routes, entry) {
		if (r->has_url && (r->secrets != NULL || r->url.label != NULL))
			check_secrets(b, r);
		if (end != NULL && TAILQ_NEXT(end, entry) == r)
			report_warning(b->report, &r->pos, "this route is "
			    "never reached; move it above line %u",
			    end->pos.line);
		if (end == NULL && is_last(r))
			end = r;
	}
}
