/*
 * expand: from the address of a recipient to all the places it ends at:
 * aliases, groups, included lists, forward files, the catch-all, accounts of
 * ours, commands, routes to the outside.
 *
 * Bounded: RULES_EXPAND_MAX addresses, RULES_DEPTH_MAX aliases one after the
 * other; an address that was seen is not looked at again, so a loop of aliases
 * ends where it began.
 *
 * Cost of a member of a group: a lookup in each table of its domain, one in
 * the set of what was seen, and its struct rules_dest.  Forward files are asked
 * for RULES_AHEAD at a time, and then all of it is gone through again; so a
 * list of n users who have one costs n * n / RULES_AHEAD members.
 *
 * What one user writes, or that his file cannot be read, is his own affair:
 * mail for him alone waits; mail for a list that he is on goes to his mailbox.
 * A member that does not exist, or that a route refuses, is refused only if all
 * of them are such; else it becomes a destination that fails when it is tried,
 * and the sender is told of it alone.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "rules/expand.h"

enum rules_result
expand_say(struct expansion *x, enum rules_result r, const char *code,
    const char *addr, const char *text)
{
	snprintf(x->reply, C_REPLY, "%s <%.200s>: %s", code, addr, text);
	return (r);
}

enum rules_result
expand_tempfail(struct expansion *x, enum rules_result r)
{
	if (r == RULES_TEMPFAIL)
		strlcpy(x->reply, "451 4.3.0 a table cannot be read now, try "
		    "again later", C_REPLY);
	return (r);
}

void
expand_trace(const struct expansion *x, unsigned int number,
    unsigned int from, const char *addr, const char *how)
{
	const struct rules_trace	*t = x->env->trace;

	if (t != NULL)
		t->address(t->arg, number, from, addr, how);
}

enum rules_result
expand_push(struct expansion *x, const char *addr, unsigned int from,
    unsigned int depth, const char *how)
{
	struct item	*v;
	size_t		 cap;

	if (x->seen.n == RULES_EXPAND_MAX || depth > RULES_DEPTH_MAX)
		return (expand_say(x, RULES_NO, "550 5.4.6", addr,
		    "aliases expand without end"));
	switch (seen_add(&x->seen, addr)) {
	case -1:
		return (expand_tempfail(x, RULES_TEMPFAIL));
	case 0:
		expand_trace(x, 0, from, addr, NULL);
		return (RULES_OK);
	}
	if (x->seen.n > x->cap) {
		cap = x->cap == 0 ? 8 : x->cap * 2;
		if ((v = reallocarray(x->items, cap, sizeof(*v))) == NULL)
			return (expand_tempfail(x, RULES_TEMPFAIL));
		x->items = v;
		x->cap = cap;
	}
	v = &x->items[x->seen.n - 1];
	v->from = from;
	v->depth = depth;
	v->owner = from == 0 ? 0 : x->items[from - 1].owner;
	expand_trace(x, (unsigned int)x->seen.n, from, addr, how);
	return (RULES_OK);
}

/* "" if what comes back goes to the sender of the message. */
static const char *
item_owner(const struct expansion *x, size_t index)
{
	unsigned int	owner = x->items[index].owner;

	return (owner == 0 ? "" : x->owners.v[owner - 1]);
}

struct rules_dest *
expand_dest(struct expansion *x, const char *rcpt)
{
	struct rules_dest	*v;
	size_t			 cap;

	if (x->dests->n == x->destcap) {
		cap = x->destcap == 0 ? 1 : x->destcap * 2;
		if ((v = reallocarray(x->dests->v, cap, sizeof(*v))) == NULL)
			return (NULL);
		x->dests->v = v;
		x->destcap = cap;
	}
	v = &x->dests->v[x->dests->n++];
	memset(v, 0, sizeof(*v));
	strlcpy(v->rcpt, rcpt, sizeof(v->rcpt));
	strlcpy(v->owner, item_owner(x, x->next - 1), sizeof(v->owner));
	return (v);
}

static void
trace_dest(const struct expansion *x, unsigned int number,
    const struct rules_dest *d, const struct conf_route *route)
{
	const struct rules_trace	*t = x->env->trace;

	if (t != NULL)
		t->dest(t->arg, number, d, route);
}

/*
 * An account whose mail an LMTP server takes: its address has the domain's own
 * name, whichever was used.  A host that is a path is the server of the domain
 * that route names; relay has the parent connect to it.
 */
static void
lmtp_dest(const struct conf_domain *d, struct rules_dest *dest)
{
	char	*at = strrchr(dest->rcpt, '@');

	if (at != NULL) {
		*at = '\0';
		strlcat(dest->rcpt, "@", sizeof(dest->rcpt));
		strlcat(dest->rcpt, d->names.v[0], sizeof(dest->rcpt));
	}
	dest->scheme = SCHEME_LMTP;
	dest->nomx = 1;
	dest->port = d->lmtp.port;
	dest->route = d->lmtp.host == NULL ? d->index + 1 : 0;
	strlcpy(dest->host, d->lmtp.host != NULL ? d->lmtp.host : d->target,
	    sizeof(dest->host));
}

/* One copy an account, by whatever names it is reached. */
enum rules_result
expand_account(struct expansion *x, const struct conf_domain *d,
    const struct rules_account *acc, const char *rcpt, unsigned int number)
{
	struct rules_dest	*dest;
	char			 key[C_USER + SMTP_DOMAIN_MAX + 2];

	snprintf(key, sizeof(key), "%s@%s", acc->user, d->names.v[0]);
	switch (seen_add(&x->accounts, key)) {
	case -1:
		return (RULES_TEMPFAIL);
	case 0:
		return (RULES_OK);
	}
	if ((dest = expand_dest(x, rcpt)) == NULL)
		return (RULES_TEMPFAIL);
	if (d->deliver == DELIVER_LMTP)
		lmtp_dest(d, dest);
	else {
		dest->local = 1;
		strlcpy(dest->user, acc->user, sizeof(dest->user));
		strlcpy(dest->host, d->names.v[0], sizeof(dest->host));
	}
	trace_dest(x, number, dest, NULL);
	return (RULES_OK);
}

/* Ahead: what else is needed can be asked for in the meantime. */
static enum rules_result
forward_file(struct expansion *x, const struct context *c,
    const struct rules_account *acc, char **text)
{
	enum rules_result	r;

	*text = NULL;
	if (c->d->forward == NULL || x->env->forward == NULL)
		return (RULES_NO);
	r = x->env->forward(&x->ahead, c->d, acc, text);
	if (r == RULES_PENDING) {
		x->pending++;
		x->last_domain = c->d;
		x->last = *acc;
	}
	return (r);
}

/* The files were asked for in this order, and most have come with the last. */
static enum rules_result
wait_for_files(struct expansion *x)
{
	enum rules_result	 r;
	char			*text;

	r = x->env->forward(x->env, x->last_domain, &x->last, &text);
	if (r == RULES_PENDING)
		return (r);
	free(text);			/* it has come in between */
	return (expand_tempfail(x, RULES_TEMPFAIL));
}

/* An account: its own mailbox, or where its forward file leads. */
static enum rules_result
account(struct expansion *x, struct context *c, const char *rcpt)
{
	struct rules_account	 acc;
	enum rules_result	 r;
	char			*text;

	r = rules_account(x->env, c->d, c->self, &acc);
	if (r != RULES_OK)
		return (expand_tempfail(x, r));
	r = forward_file(x, c, &acc, &text);
	if (r == RULES_PENDING)
		return (RULES_OK);
	if (r == RULES_TEMPFAIL || r == RULES_FAULTY)
		strlcpy(x->reply, "451 4.3.0 a forward file cannot be read "
		    "now, try again later", C_REPLY);
	if (r == RULES_OK) {
		c->users = 1;
		r = expand_value(x, c, text);
		free(text);
		if (r == RULES_TEMPFAIL && c->faulty)
			r = RULES_FAULTY;
	}
	if (r == RULES_FAULTY && c->depth == 0)
		r = RULES_TEMPFAIL;
	/* An empty file says nothing. */
	x->reply[0] = r == RULES_FAULTY ? '\0' : x->reply[0];
	if (r == RULES_NO || r == RULES_FAULTY ||
	    (r == RULES_OK && c->words == 0))
		r = expand_tempfail(x, expand_account(x, c->d, &acc, rcpt,
		    c->number));
	return (r);
}

/* An alias or an account. */
static enum rules_result
exists(const struct rules_env *env, const struct conf_domain *d,
    const char *local)
{
	struct rules_account	 acc;
	enum rules_result	 r;
	char			*text;

	r = rules_alias(env, d, local, &text);
	free(text);
	return (r == RULES_NO ? rules_account(env, d, local, &acc) : r);
}

static int
ends_with(const char *s, const char *end)
{
	size_t	n = strlen(s), m = strlen(end);

	return (n > m && strcmp(s + n - m, end) == 0);
}

/*
 * RFC 5321 3.9.2: what cannot be delivered to a member of a list is told to
 * whoever keeps the list.  That is who owner-NAME leads to, as everywhere; the
 * names that are for people who keep lists are no lists themselves.  The null
 * path stays what it is (4.5.5).
 */
static enum rules_result
find_owner(struct expansion *x, const struct context *c)
{
	char			 local[SMTP_LOCAL_MAX + 1];
	char			 addr[SMTP_ADDR_SIZE];
	enum rules_result	 r;
	unsigned int		 i;

	if (x->sender[0] == '\0' || strncmp(c->self, "owner-", 6) == 0 ||
	    ends_with(c->self, "-request") ||
	    (size_t)snprintf(local, sizeof(local), "owner-%s", c->self) >=
	    sizeof(local) || (size_t)snprintf(addr, sizeof(addr), "%s@%s",
	    local, c->d->names.v[0]) >= sizeof(addr))
		return (RULES_OK);
	if ((r = exists(x->env, c->d, local)) != RULES_OK)
		return (r == RULES_NO ? RULES_OK : r);
	if (seen_add(&x->owners, addr) == -1)
		return (RULES_TEMPFAIL);
	for (i = 0; strcasecmp(x->owners.v[i], addr) != 0; i++)
		;
	x->items[c->number - 1].owner = i + 1;
	return (RULES_OK);
}

/* Try one spelling of the local part: an alias first, then an account. */
static enum rules_result
try_local(struct expansion *x, struct context *c, const char *rcpt)
{
	enum rules_result	 r;
	char			*text;

	r = rules_alias(x->env, c->d, c->self, &text);
	if (r == RULES_OK && !expand_only_self(c, text)) {
		r = expand_tempfail(x, find_owner(x, c));
		if (r == RULES_OK)
			r = expand_value(x, c, text);
		free(text);
		return (r);
	}
	free(text);
	if (r != RULES_OK && r != RULES_NO)
		return (expand_tempfail(x, r));
	x->reply[0] = '\0';
	return (account(x, c, rcpt));
}

/* One that fails, and why: x->reply. */
static struct rules_dest *
dead_dest(struct expansion *x, const char *addr)
{
	struct rules_dest	*dest;

	if ((dest = expand_dest(x, addr)) == NULL)
		return (NULL);
	if (x->dead++ == 0)
		strlcpy(x->first_dead, x->reply, sizeof(x->first_dead));
	x->reply[0] = '\0';
	dest->dead = 1;
	return (dest);
}

/*
 * x->reply says why.  A member has no host then: queue asks about it alone when
 * it is tried, and hears the same.
 */
static enum rules_result
refused(struct expansion *x, size_t index)
{
	struct rules_dest	*dest;

	if (x->items[index].depth == 0)
		return (RULES_NO);
	if ((dest = dead_dest(x, x->seen.v[index])) == NULL)
		return (expand_tempfail(x, RULES_TEMPFAIL));
	trace_dest(x, (unsigned int)index + 1, dest, NULL);
	return (RULES_OK);
}

/*
 * What was asked for is refused; a member is queue's to try, as an account,
 * which lookup then does not find.
 */
static enum rules_result
nobody(struct expansion *x, const struct context *c)
{
	const char		*addr = x->seen.v[c->number - 1];
	struct rules_dest	*dest;

	(void)expand_say(x, RULES_NO, "550 5.1.1", addr, "no such user here");
	if (c->depth == 0)
		return (RULES_NO);
	if ((dest = dead_dest(x, addr)) == NULL)
		return (expand_tempfail(x, RULES_TEMPFAIL));
	dest->local = 1;
	strlcpy(dest->user, c->self, sizeof(dest->user));
	strlcpy(dest->host, c->d->names.v[0], sizeof(dest->host));
	trace_dest(x, c->number, dest, NULL);
	return (RULES_OK);
}

static enum rules_result
local_item(struct expansion *x, const struct conf_domain *d, size_t index)
{
	char			 local[SMTP_LOCAL_MAX + 1], *p;
	const char		*addr = x->seen.v[index];
	size_t			 n = smtp_address_at(addr) - addr;
	struct context		 c = { .d = d, .self = local,
				    .number = (unsigned int)index + 1,
				    .depth = x->items[index].depth };
	enum rules_result	 r;

	if (n >= sizeof(local)) {
		(void)expand_say(x, RULES_NO, "550 5.1.1", addr,
		    "no such user here");
		return (refused(x, index));
	}
	memcpy(local, addr, n);
	local[n] = '\0';
	for (p = local; *p != '\0'; p++)
		*p = tolower((unsigned char)*p);
	r = try_local(x, &c, addr);
	/* RFC 5233: user+detail reaches user */
	if (r == RULES_NO && x->reply[0] == '\0' &&
	    (p = strchr(local, '+')) != NULL && p > local) {
		*p = '\0';
		r = try_local(x, &c, addr);
	}
	if (r != RULES_NO || x->reply[0] != '\0')
		return (r);
	if (strcmp(local, "postmaster") == 0)
		return (expand_value(x, &c, x->env->conf->postmaster));
	if (d->catchall != NULL)
		return (expand_value(x, &c, d->catchall));
	return (nobody(x, &c));
}

/* The first route that is for this recipient and sender; NULL: by MX. */
static enum rules_result
find_route(struct expansion *x, const char *addr, const char *sender,
    const struct conf_route **route)
{
	enum rules_result	r;

	TAILQ_FOREACH(*route, &x->env->conf->routes, entry) {
		if (rules_in_set(x->env, &(*route)->to, addr, &r) &&
		    rules_in_set(x->env, &(*route)->from, sender, &r))
			break;
		if (r != RULES_OK)
			return (expand_tempfail(x, r));
	}
	return (RULES_OK);
}

static enum rules_result
outside(struct expansion *x, size_t index)
{
	const char		*addr = x->seen.v[index];
	const char		*at = smtp_address_at(addr);
	const char		*owner = item_owner(x, index);
	const struct conf_route	*route;
	struct rules_dest	*dest;
	enum rules_result	 r;

	if (at == NULL) {
		(void)expand_say(x, RULES_NO, "550 5.1.2", addr,
		    "the address has no domain");
		return (refused(x, index));
	}
	if ((r = find_route(x, addr, *owner != '\0' ? owner : x->sender,
	    &route)) != RULES_OK)
		return (r);
	if (route != NULL && route->bounce) {
		rules_reply(route->reply != NULL ? route->reply :
		    "550 no mail goes there", "1.1", x->reply);
		return (refused(x, index));
	}
	if ((dest = expand_dest(x, addr)) == NULL)
		return (expand_tempfail(x, RULES_TEMPFAIL));
	dest->scheme = SCHEME_SMTP;
	dest->port = 25;
	strlcpy(dest->host, at + 1, sizeof(dest->host));
	dest->nomx = *dest->host == '[';
	if (route != NULL) {
		dest->route = route->index + 1;
		if (route->source != NULL)
			strlcpy(dest->source, route->source,
			    sizeof(dest->source));
	}
	if (route != NULL && route->has_url) {
		dest->scheme = route->url.scheme;
		dest->port = route->url.port;
		dest->nomx = route->url.nomx;
		strlcpy(dest->host, route->url.host, sizeof(dest->host));
		if (route->url.label != NULL)
			strlcpy(dest->label, route->url.label,
			    sizeof(dest->label));
	}
	trace_dest(x, (unsigned int)index + 1, dest, route);
	return (RULES_OK);
}

static enum rules_result
step(struct expansion *x, int expand)
{
	size_t			 index = x->next++;
	const char		*addr = x->seen.v[index];
	struct conf_domain	*d = rules_domain(x->env->conf, addr);

	if (d != NULL && expand)
		return (local_item(x, d, index));
	if (d != NULL)
		return (expand_say(x, RULES_NO, "550 5.1.1", addr,
		    "no such user here"));
	return (outside(x, index));
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
				    .dests = dests, .reply = reply,
				    .ahead = *env };
	enum rules_result	r;

	memset(dests, 0, sizeof(*dests));
	reply[0] = '\0';
	seen_init(&x.seen);
	seen_init(&x.owners);
	seen_init(&x.accounts);
	seen_init(&x.commands);
	x.ahead.resume = NULL;
	r = expand_push(&x, rcpt, 0, 0, "recipient");
	while (r == RULES_OK && x.next < x.seen.n && x.pending < RULES_AHEAD)
		r = step(&x, expand);
	if (r == RULES_OK && x.pending > 0)
		r = wait_for_files(&x);
	if (r == RULES_OK && dests->n == 0)
		r = expand_say(&x, RULES_NO, "550 5.1.1", rcpt,
		    "the alias leads nowhere");
	else if (r == RULES_OK && dests->n == x.dead) {
		strlcpy(reply, x.first_dead, C_REPLY);
		r = RULES_NO;
	}
	if (r != RULES_OK)
		rules_dests_free(dests);
	seen_free(&x.seen);
	seen_free(&x.owners);
	seen_free(&x.accounts);
	seen_free(&x.commands);
	free(x.items);
	return (r);
}
