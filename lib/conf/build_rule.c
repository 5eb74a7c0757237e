/*
 * build_rule: who may hand us mail, and where the rest goes.
 *
 * A rule that would relay for strangers is refused in check_rule.c, when its
 * network is known.
 */
#include <stdint.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/build_rule.h"
#include "conf/url.h"
#include "conf/value.h"

#define REPLY_HINT	"no reply; write a code from 400 to 599 and a text, " \
			"as in 550 5.7.1 not wanted here"
#define PATTERN_HINT	"no pattern; write user@domain, @domain, domain, " \
			"*.domain or <>"

static struct conf_rule *
add_rule(struct build *b, int permit)
{
	struct conf_rule *r;

	if ((r = build_alloc(b, sizeof(*r))) == NULL)
		return (NULL);
	TAILQ_INIT(&r->conds);
	r->permit = permit;
	r->index = b->nrules++;
	TAILQ_INSERT_TAIL(&b->conf->rules, r, entry);
	return (r);
}

void
build_rule(struct build *b, int permit)
{
	build_line(b);
	if ((b->rule = add_rule(b, permit)) != NULL)
		b->rule->pos = lex_pos(b->lex);
}

void
build_rule_source(struct build *b, enum conf_source source)
{
	if (b->rule != NULL)
		b->rule->source = source;
}

void
build_rule_network(struct build *b, const struct word *name)
{
	if (b->rule == NULL)
		return;
	b->rule->source = SOURCE_NETWORK;
	build_ref_network(b, name, &b->rule->network);
}

void
build_rule_scope(struct build *b, enum conf_scope scope)
{
	if (b->rule != NULL)
		b->rule->scope = scope;
}

void
build_rule_unsafe(struct build *b)
{
	build_rule_scope(b, SCOPE_RELAY);
	if (b->rule != NULL)
		b->rule->unsafe = 1;
}

void
build_rule_reply(struct build *b, const struct word *w)
{
	if (b->rule == NULL)
		return;
	if (b->rule->permit)
		build_error(b, w, "a reply, which only reject sends; remove "
		    "it");
	else if (!value_is_reply(w->s))
		build_error(b, w, REPLY_HINT);
	else
		b->rule->reply = build_keep(b, w->s);
}

static void
imply(struct build *b, enum conf_source source, enum conf_scope scope)
{
	struct conf_rule *r;

	if ((r = add_rule(b, 1)) == NULL)
		return;
	r->implied = 1;
	r->source = source;
	r->scope = scope;
	if (source == SOURCE_NETWORK)
		r->network = conf_network_find(b->conf, "mynetworks");
}

void
build_rule_implied(struct build *b)
{
	struct conf_network *n;

	if (!TAILQ_EMPTY(&b->conf->rules))
		return;
	imply(b, SOURCE_NETWORK, SCOPE_RELAY);
	imply(b, SOURCE_AUTHENTICATED, SCOPE_RELAY);
	imply(b, SOURCE_ANY, SCOPE_DELIVER);
	if ((n = conf_network_find(b->conf, "mynetworks")) != NULL)
		n->used = 1;
}

static struct conf_cond *
add_cond(struct build *b, enum conf_cond_kind kind)
{
	struct conf_cond *cond;

	if (b->rule == NULL || (cond = build_alloc(b, sizeof(*cond))) == NULL)
		return (NULL);
	cond->kind = kind;
	TAILQ_INSERT_TAIL(&b->rule->conds, cond, entry);
	return (cond);
}

void
build_cond(struct build *b, enum conf_cond_kind kind)
{
	(void)add_cond(b, kind);
}

void
build_cond_word(struct build *b, enum conf_cond_kind kind,
    const struct word *w)
{
	struct conf_cond *cond;

	if ((cond = add_cond(b, kind)) != NULL)
		cond->word = build_keep(b, w->s);
}

/* What a list answers lies in 127/8 (RFC 5782 2.1). */
static void
add_code(struct build *b, struct conf_cond *cond, const struct item *item)
{
	struct addr_net net, *codes;

	if (item->value != NULL || addr_net_parse(&net, item->key->s) == -1 ||
	    net.negated || net.family != AF_INET || net.bits < 8 ||
	    net.bytes[0] != 127) {
		build_error(b, item->key, "no answer of a list; write an "
		    "address or a prefix of 127.0.0.0/8");
		return;
	}
	if ((codes = reallocarray(cond->codes, cond->ncodes + 1,
	    sizeof(*codes))) == NULL) {
		b->nomem = 1;
		return;
	}
	cond->codes = codes;
	codes[cond->ncodes++] = net;
}

void
build_cond_dnsbl(struct build *b, const struct word *zone,
    const struct list *codes)
{
	const struct item *item;
	struct conf_cond *cond;

	if (!value_is_domain(zone->s))
		build_error(b, zone, "no zone; write a domain name");
	if ((cond = add_cond(b, COND_DNSBL)) == NULL)
		return;
	cond->word = build_lower(b, zone->s);
	if (codes == NULL)
		return;
	for (item = codes->first; item != NULL; item = item->next)
		add_code(b, cond, item);
	if (codes->n == 0)
		build_error(b, zone, "followed by an empty list, which "
		    "matches nothing; write the answers that count");
}

static void
add_set(struct build *b, struct conf_set *out, const struct set *set,
    int (*valid)(const char *), const char *hint)
{
	struct conf_pos pos = lex_pos(b->lex);

	if (set == NULL)
		return;
	if (set->table != NULL) {
		build_ref_table(b, set->table, &out->table, 0);
		return;
	}
	build_words(b, &out->words, set->list, valid, hint);
	if (set->list != NULL && set->list->n == 0)
		report_error(b->report, &pos, "an empty list matches nothing; "
		    "remove the line");
}

void
build_cond_set(struct build *b, enum conf_cond_kind kind,
    const struct set *set)
{
	struct conf_cond *cond;

	if ((cond = add_cond(b, kind)) == NULL)
		return;
	if (kind == COND_HELO)
		add_set(b, &cond->set, set, value_is_helo, "no name that a "
		    "client gives; write host.domain, *.domain or [address]");
	else
		add_set(b, &cond->set, set, value_is_pattern, PATTERN_HINT);
}

void
build_route(struct build *b, int bounce)
{
	struct conf_route *r;

	build_line(b);
	b->route = NULL;
	b->route_any = 0;
	if ((r = build_alloc(b, sizeof(*r))) == NULL)
		return;
	r->pos = lex_pos(b->lex);
	r->bounce = bounce;
	r->index = b->nroutes++;
	TAILQ_INSERT_TAIL(&b->conf->routes, r, entry);
	b->route = r;
}

/* Is there a route to say this of, for the first time? */
static int
route_says(struct build *b, const char *what, int relay_only)
{
	struct conf_pos pos = lex_pos(b->lex);

	if (b->route == NULL || !build_once(b, &b->line_seen, what, &pos))
		return (0);
	if (!relay_only || !b->route->bounce)
		return (1);
	report_error(b->report, &pos, "a bounce goes nowhere and has no "
	    "\"%s\"; remove it", what);
	return (0);
}

void
build_route_any(struct build *b)
{
	if (route_says(b, "any", 0))
		b->route_any = 1;
}

void
build_route_to(struct build *b, const struct set *set)
{
	if (route_says(b, "to", 0))
		add_set(b, &b->route->to, set, value_is_pattern,
		    PATTERN_HINT);
}

void
build_route_from(struct build *b, const struct set *set)
{
	if (route_says(b, "from", 0))
		add_set(b, &b->route->from, set, value_is_pattern,
		    PATTERN_HINT);
}

void
build_route_via(struct build *b, const struct word *w)
{
	if (!route_says(b, "via", 1))
		return;
	if (url_parse(w->s, &b->route->url) == -1) {
		build_error(b, w, "no URL of a mail server; write smtp://, "
		    "smtp+tls://, smtps://, smtp+notls:// or lmtp://, then "
		    "[label@]host[:port]");
		return;
	}
	b->route->has_url = 1;
	if (b->route->url.scheme == SCHEME_LMTP)
		b->route->url.nomx = 1;		/* a server, not a domain */
}

void
build_route_auth(struct build *b, const struct word *table)
{
	if (route_says(b, "auth", 1))
		build_ref_table(b, table, &b->route->secrets, 1);
}

void
build_route_source(struct build *b, const struct word *w)
{
	struct addr_net net;

	if (!route_says(b, "source", 1))
		return;
	if (addr_net_parse(&net, w->s) == -1 || strchr(w->s, '/') != NULL ||
	    net.negated)
		build_error(b, w, "no address; write one of this machine");
	else
		b->route->source = build_keep(b, w->s);
}

void
build_route_reply(struct build *b, const struct word *w)
{
	if (b->route == NULL)
		return;
	if (!value_is_reply(w->s))
		build_error(b, w, REPLY_HINT);
	else
		b->route->reply = build_keep(b, w->s);
}

static int
says(const struct build *b, const char *what)
{
	return (build_says(&b->line_seen, what));
}

void
build_route_end(struct build *b)
{
	const struct conf_route *r = b->route;
	int narrow = says(b, "to") || says(b, "from");

	if (r == NULL)
		return;
	if (!b->route_any && !narrow)
		report_error(b->report, &r->pos, "this route is for nobody; "
		    "write any, to or from");
	if (b->route_any && says(b, "to"))
		report_error(b->report, &r->pos, "both \"any\" and \"to\"; "
		    "remove one of them");
	if (says(b, "auth") && r->has_url && r->url.label == NULL)
		report_error(b->report, &r->pos, "auth without a label in the "
		    "URL; write label@ before its host");
	if (says(b, "auth") && !says(b, "via"))
		report_error(b->report, &r->pos, "auth without via; write "
		    "which server the password is for");
	if (r->has_url && r->url.label != NULL && !says(b, "auth"))
		report_error(b->report, &r->pos, "the URL has the label "
		    "\"%s\" and no secrets; write auth <table>", r->url.label);
}
