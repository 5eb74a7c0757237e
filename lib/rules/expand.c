/*
 * expand: from the address of a recipient to all the places it ends at:
 * aliases, groups, the catch-all, accounts of ours, routes to the outside.
 *
 * Bounded: RULES_EXPAND_MAX places, RULES_DEPTH_MAX aliases one after the
 * other; an address that was seen is not looked at again, so a loop of aliases
 * ends where it began.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "rules/rules.h"

#define VALUE_MAX	65536		/* of one alias */

struct item {
	char		addr[SMTP_ADDR_SIZE];
	unsigned int	depth;
};

struct expansion {
	const struct rules_env	*env;
	const char		*sender;
	struct item		*items;		/* seen, and still to do */
	size_t			 nitems, cap, next;
	struct rules_dests	*dests;
	char			*reply;
	char			*value;
};

static enum rules_result
say(struct expansion *x, enum rules_result r, const char *code,
    const char *addr, const char *text)
{
	snprintf(x->reply, C_REPLY, "%s <%s>: %s", code, addr, text);
	return (r);
}

static enum rules_result
tempfail(struct expansion *x, enum rules_result r)
{
	if (r == RULES_TEMPFAIL)
		strlcpy(x->reply, "451 4.3.0 a table cannot be read now, try "
		    "again later", C_REPLY);
	return (r);
}

static enum rules_result
push(struct expansion *x, const char *addr, unsigned int depth)
{
	struct item	*v;
	size_t		 i;

	for (i = 0; i < x->nitems; i++)
		if (strcasecmp(x->items[i].addr, addr) == 0)
			return (RULES_OK);
	if (x->nitems == RULES_EXPAND_MAX || depth > RULES_DEPTH_MAX)
		return (say(x, RULES_NO, "550 5.4.6", addr,
		    "aliases expand without end"));
	if (x->nitems == x->cap) {
		x->cap = x->cap == 0 ? 8 : x->cap * 2;
		if ((v = reallocarray(x->items, x->cap, sizeof(*v))) == NULL)
			return (tempfail(x, RULES_TEMPFAIL));
		x->items = v;
	}
	v = &x->items[x->nitems++];
	strlcpy(v->addr, addr, sizeof(v->addr));
	v->depth = depth;
	return (RULES_OK);
}

static struct rules_dest *
add_dest(struct expansion *x, const char *rcpt)
{
	struct rules_dest	*v;

	if ((v = reallocarray(x->dests->v, x->dests->n + 1,
	    sizeof(*v))) == NULL)
		return (NULL);
	x->dests->v = v;
	v += x->dests->n++;
	memset(v, 0, sizeof(*v));
	strlcpy(v->rcpt, rcpt, sizeof(v->rcpt));
	return (v);
}

/* An alias that leads to itself means the account of that name. */
static int
is_self(const char *value, const char *local, const char *domain)
{
	size_t	n = strlen(local);

	while (isspace((unsigned char)*value))
		value++;
	if (strncasecmp(value, local, n) != 0)
		return (0);
	value += n;
	if (*value == '@' && strncasecmp(value + 1, domain,
	    strlen(domain)) == 0)
		value += 1 + strlen(domain);
	while (isspace((unsigned char)*value))
		value++;
	return (*value == '\0');
}

/*
 * One that an LMTP server delivers to: the address with the domain's own name,
 * whichever of its names was used.
 */
static enum rules_result
lmtp_account(struct expansion *x, const struct conf_domain *d,
    const char *rcpt)
{
	struct rules_dest	*dest;
	char			 addr[SMTP_ADDR_SIZE];
	const char		*at = smtp_address_at(rcpt);
	size_t			 i;

	if (at == NULL || (size_t)snprintf(addr, sizeof(addr), "%.*s@%s",
	    (int)(at - rcpt), rcpt, d->names.v[0]) >= sizeof(addr))
		return (RULES_NO);
	for (i = 0; i < x->dests->n; i++)
		if (strcasecmp(x->dests->v[i].rcpt, addr) == 0)
			return (RULES_OK);
	if ((dest = add_dest(x, addr)) == NULL)
		return (RULES_TEMPFAIL);
	dest->scheme = SCHEME_LMTP;
	dest->nomx = 1;
	dest->port = d->lmtp.port;
	/* The host is a path: relay asks the parent for the domain's. */
	if (d->lmtp.host == NULL)
		dest->route = d->index + 1;
	strlcpy(dest->host, d->lmtp.host != NULL ? d->lmtp.host : d->target,
	    sizeof(dest->host));
	return (RULES_OK);
}

static enum rules_result
local_account(struct expansion *x, const struct conf_domain *d,
    const char *local, const char *rcpt)
{
	struct rules_account	 acc;
	struct rules_dest	*dest;
	enum rules_result	 r;
	size_t			 i;

	if ((r = rules_account(x->env, d, local, &acc)) != RULES_OK)
		return (r);
	if (d->deliver == DELIVER_LMTP)
		return (lmtp_account(x, d, rcpt));
	for (i = 0; i < x->dests->n; i++)
		if (x->dests->v[i].local &&
		    strcmp(x->dests->v[i].user, acc.user) == 0 &&
		    strcmp(x->dests->v[i].host, d->names.v[0]) == 0)
			return (RULES_OK);	/* two names, one account */
	if ((dest = add_dest(x, rcpt)) == NULL)
		return (RULES_TEMPFAIL);
	dest->local = 1;
	strlcpy(dest->user, acc.user, sizeof(dest->user));
	strlcpy(dest->host, d->names.v[0], sizeof(dest->host));
	return (RULES_OK);
}

/* "root: alice, bob@else.org": bare names are of the alias's own domain. */
static enum rules_result
push_value(struct expansion *x, const struct conf_domain *d, char *value,
    const char *self, unsigned int depth)
{
	char			*word, addr[SMTP_ADDR_SIZE], *end;
	enum rules_result	 r;

	while ((word = strsep(&value, ",")) != NULL) {
		while (isspace((unsigned char)*word))
			word++;
		for (end = word + strlen(word); end > word &&
		    isspace((unsigned char)end[-1]); end--)
			end[-1] = '\0';
		if (*word == '\0')
			continue;
		if (smtp_address(word, addr) != NULL)
			return (say(x, RULES_TEMPFAIL, "451 4.3.5", word,
			    "an alias holds what is no address"));
		if (smtp_address_at(addr) == NULL &&
		    (strlcat(addr, "@", sizeof(addr)) >= sizeof(addr) ||
		    strlcat(addr, d->names.v[0], sizeof(addr)) >=
		    sizeof(addr)))
			continue;
		if (is_self(addr, self, d->names.v[0])) {
			/* "alice: alice, bob" keeps her own copy */
			r = local_account(x, d, self, addr);
			if (r != RULES_OK && r != RULES_NO)
				return (tempfail(x, r));
		} else if ((r = push(x, addr, depth + 1)) != RULES_OK)
			return (r);
	}
	return (RULES_OK);
}

static enum rules_result
alias_lookup(struct expansion *x, const struct conf_domain *d,
    const char *local)
{
	enum rules_result	r;
	char			key[SMTP_ADDR_SIZE];

	if (d->alias_table == NULL)
		return (RULES_NO);
	if ((size_t)snprintf(key, sizeof(key), "%s@%s", local,
	    d->names.v[0]) >= sizeof(key))
		return (RULES_NO);
	r = rules_table(x->env, d->alias_table, key, x->value, VALUE_MAX);
	if (r == RULES_NO)
		r = rules_table(x->env, d->alias_table, local, x->value,
		    VALUE_MAX);
	return (r);
}

/* Try one spelling of the local part: an alias first, then an account. */
static enum rules_result
try_local(struct expansion *x, const struct conf_domain *d,
    const char *local, const char *rcpt, unsigned int depth)
{
	enum rules_result	r;

	r = alias_lookup(x, d, local);
	if (r == RULES_OK && !is_self(x->value, local, d->names.v[0]))
		return (push_value(x, d, x->value, local, depth));
	if (r != RULES_OK && r != RULES_NO)
		return (tempfail(x, r));
	x->reply[0] = '\0';
	return (tempfail(x, local_account(x, d, local, rcpt)));
}

static enum rules_result
local_item(struct expansion *x, const struct conf_domain *d,
    const struct item *it)
{
	char			 local[SMTP_LOCAL_MAX + 1], *p;
	const char		*at = smtp_address_at(it->addr);
	struct item		 item = *it;	/* items may move */
	enum rules_result	 r;

	strlcpy(local, it->addr, at - it->addr + 1 < (ptrdiff_t)sizeof(local) ?
	    (size_t)(at - it->addr + 1) : sizeof(local));
	for (p = local; *p != '\0'; p++)
		*p = tolower((unsigned char)*p);
	r = try_local(x, d, local, item.addr, item.depth);
	/* RFC 5233: user+detail reaches user */
	if (r == RULES_NO && x->reply[0] == '\0' &&
	    (p = strchr(local, '+')) != NULL && p > local) {
		*p = '\0';
		r = try_local(x, d, local, item.addr, item.depth);
	}
	if (r != RULES_NO || x->reply[0] != '\0')
		return (r);
	if (strcmp(local, "postmaster") == 0) {
		strlcpy(x->value, x->env->conf->postmaster, VALUE_MAX);
		return (push_value(x, d, x->value, local, item.depth));
	}
	if (d->catchall != NULL) {
		strlcpy(x->value, d->catchall, VALUE_MAX);
		return (push_value(x, d, x->value, local, item.depth));
	}
	return (say(x, RULES_NO, "550 5.1.1", item.addr, "no such user here"));
}

static enum rules_result
outside(struct expansion *x, const char *addr)
{
	const struct conf_route	*route;
	struct rules_dest	*dest;
	enum rules_result	 r;
	const char		*at = smtp_address_at(addr);

	if (at == NULL)
		return (say(x, RULES_NO, "550 5.1.2", addr,
		    "the address has no domain"));
	TAILQ_FOREACH(route, &x->env->conf->routes, entry) {
		if (!rules_in_set(x->env, &route->to, addr, &r) ||
		    !rules_in_set(x->env, &route->from, x->sender, &r)) {
			if (r == RULES_OK)
				continue;
			return (tempfail(x, r));
		}
		break;
	}
	if (route != NULL && route->bounce) {
		strlcpy(x->reply, route->reply != NULL ? route->reply :
		    "550 5.1.1 no mail goes there", C_REPLY);
		return (RULES_NO);
	}
	if ((dest = add_dest(x, addr)) == NULL)
		return (tempfail(x, RULES_TEMPFAIL));
	dest->scheme = SCHEME_SMTP;
	dest->port = 25;
	strlcpy(dest->host, at + 1, sizeof(dest->host));
	dest->nomx = *dest->host == '[';
	if (route == NULL)
		return (RULES_OK);
	dest->route = route->index + 1;
	if (route->source != NULL)
		strlcpy(dest->source, route->source, sizeof(dest->source));
	if (!route->has_url)
		return (RULES_OK);
	dest->scheme = route->url.scheme;
	dest->port = route->url.port;
	dest->nomx = route->url.nomx;
	strlcpy(dest->host, route->url.host, sizeof(dest->host));
	if (route->url.label != NULL)
		strlcpy(dest->label, route->url.label, sizeof(dest->label));
	return (RULES_OK);
}

static enum rules_result
step(struct expansion *x, int expand)
{
	const struct item	*it = &x->items[x->next++];
	struct conf_domain	*d = rules_domain(x->env->conf, it->addr);
	char			 addr[SMTP_ADDR_SIZE];

	if (d != NULL && expand)
		return (local_item(x, d, it));
	if (d != NULL)
		return (say(x, RULES_NO, "550 5.1.1", it->addr,
		    "no such user here"));
	strlcpy(addr, it->addr, sizeof(addr));
	return (outside(x, addr));
}

void
rules_dests_free(struct rules_dests *d)
{
	free(d->v);
	d->v = NULL;
	d->n = 0;
}

enum rules_result
rules_resolve(const struct rules_env *env, const char *sender,
    const char *rcpt, int expand, struct rules_dests *dests,
    char reply[C_REPLY])
{
	struct expansion	x = { .env = env, .sender = sender,
				    .dests = dests, .reply = reply };
	enum rules_result	r;

	memset(dests, 0, sizeof(*dests));
	reply[0] = '\0';
	if ((x.value = malloc(VALUE_MAX)) == NULL)
		return (tempfail(&x, RULES_TEMPFAIL));
	r = push(&x, rcpt, 0);
	while (r == RULES_OK && x.next < x.nitems)
		r = step(&x, expand);
	if (r == RULES_OK && dests->n == 0)
		r = say(&x, RULES_NO, "550 5.1.1", rcpt,
		    "the alias leads nowhere");
	if (r != RULES_OK)
		rules_dests_free(dests);
	free(x.items);
	free(x.value);
	return (r);
}
