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
 * the set of what was seen, and its struct rules_dest.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/command.h"
#include "conf/words.h"
#include "os/compat.h"
#include "rules/command.h"
#include "rules/include.h"
#include "rules/rules.h"
#include "rules/seen.h"
#include "rules/value.h"

struct item {
	unsigned int	from;		/* number of its alias; 0 none */
	unsigned int	depth;
};

struct expansion {
	const struct rules_env	*env;
	const char		*sender;
	struct seen_set		 seen;		/* all, and still to do */
	struct item		*items;		/* of the same index */
	size_t			 cap, next;
	struct seen_set		 accounts;	/* "user@domain's first name" */
	struct seen_set		 commands;	/* "|mark name@domain" */
	struct rules_dests	*dests;
	size_t			 destcap;
	size_t			 included;	/* files */
	char			*reply;
};

/* Whose alias, file or catch-all is being read. */
struct context {
	const struct conf_domain *d;
	const char		*self;		/* local part */
	unsigned int		 number;	/* of the item */
	unsigned int		 depth;
	int			 users;		/* a user wrote it */
	unsigned int		 included;	/* files, one in the other */
	size_t			 words;		/* so far */
};

static enum rules_result
say(struct expansion *x, enum rules_result r, const char *code,
    const char *addr, const char *text)
{
	snprintf(x->reply, C_REPLY, "%s <%.200s>: %s", code, addr, text);
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

static void
trace_address(const struct expansion *x, unsigned int number,
    unsigned int from, const char *addr, const char *how)
{
	const struct rules_trace	*t = x->env->trace;

	if (t != NULL)
		t->address(t->arg, number, from, addr, how);
}

static enum rules_result
push(struct expansion *x, const char *addr, unsigned int from,
    unsigned int depth, const char *how)
{
	struct item	*v;
	size_t		 cap;

	if (x->seen.n == RULES_EXPAND_MAX || depth > RULES_DEPTH_MAX)
		return (say(x, RULES_NO, "550 5.4.6", addr,
		    "aliases expand without end"));
	switch (seen_add(&x->seen, addr)) {
	case -1:
		return (tempfail(x, RULES_TEMPFAIL));
	case 0:
		trace_address(x, 0, from, addr, NULL);
		return (RULES_OK);
	}
	if (x->seen.n > x->cap) {
		cap = x->cap == 0 ? 8 : x->cap * 2;
		if ((v = reallocarray(x->items, cap, sizeof(*v))) == NULL)
			return (tempfail(x, RULES_TEMPFAIL));
		x->items = v;
		x->cap = cap;
	}
	v = &x->items[x->seen.n - 1];
	v->from = from;
	v->depth = depth;
	trace_address(x, (unsigned int)x->seen.n, from, addr, how);
	return (RULES_OK);
}

static struct rules_dest *
add_dest(struct expansion *x, const char *rcpt)
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

/* An address of this user: the name itself, in any domain of the same. */
static int
is_self(const struct context *c, const char *addr)
{
	const char	*at = smtp_address_at(addr);
	size_t		 n = strlen(c->self);

	if (at == NULL || (size_t)(at - addr) != n ||
	    strncasecmp(addr, c->self, n) != 0)
		return (0);
	return (conf_domain_is(c->d, at + 1));
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
static enum rules_result
add_account(struct expansion *x, const struct conf_domain *d,
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
	if ((dest = add_dest(x, rcpt)) == NULL)
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

/* "alice: alice, bob" and "\alice": her own copy, if she has an account. */
static enum rules_result
own_copy(struct expansion *x, const struct context *c, const char *rcpt)
{
	struct rules_account	acc;
	enum rules_result	r;

	r = rules_account(x->env, c->d, c->self, &acc);
	if (r == RULES_OK)
		r = add_account(x, c->d, &acc, rcpt, c->number);
	return (r == RULES_NO ? RULES_OK : tempfail(x, r));
}

/* Bare names are of the alias's own domain. */
static enum rules_result
one_address(struct expansion *x, struct context *c, const char *word,
    enum value_kind kind)
{
	char	addr[SMTP_ADDR_SIZE];

	if (smtp_address(word, addr) != NULL ||
	    (smtp_address_at(addr) == NULL &&
	    (strlcat(addr, "@", sizeof(addr)) >= sizeof(addr) ||
	    strlcat(addr, c->d->names.v[0], sizeof(addr)) >= sizeof(addr))))
		return (say(x, RULES_TEMPFAIL, "451 4.3.5", word,
		    c->users ? "a forward file holds what is no address" :
		    "an alias holds what is no address"));
	if (is_self(c, addr))
		return (own_copy(x, c, addr));
	if (kind == VALUE_OWN && !c->users)
		return (say(x, RULES_TEMPFAIL, "451 4.3.5", word,
		    "an alias can keep mail for its own name only"));
	return (push(x, addr, c->number, c->depth + 1, c->users ? "forward" :
	    "alias"));
}

static enum rules_result	value(struct expansion *, struct context *,
				    const char *);

/* Lookup can see no other directory; mailctl and -n shall not either. */
static int
may_include(const struct conf_domain *d, const char *path)
{
	size_t	n;

	if (d->include == NULL || strstr(path, "/../") != NULL)
		return (0);
	n = strlen(d->include);
	return (strncmp(path, d->include, n) == 0 && path[n] == '/');
}

static enum rules_result
include(struct expansion *x, struct context *c, const char *path)
{
	enum rules_result	 r;
	const char		*why;
	char			*text;

	if (++x->included > RULES_INCLUDE_MAX)
		return (say(x, RULES_NO, "550 5.4.6", path,
		    "files include each other without end"));
	if (!may_include(c->d, path))
		return (say(x, RULES_TEMPFAIL, "451 4.3.5", path,
		    "is not in the directory of included lists"));
	if ((text = include_read(path, (uid_t)-1, INCLUDE_MAX, &why)) == NULL)
		return (say(x, RULES_TEMPFAIL, "451 4.3.5", path, why));
	c->included++;
	r = value(x, c, text);
	c->included--;
	free(text);
	return (r);
}

/* Why one may not be named here, or NULL. */
static const char *
no_command(const struct context *c)
{
	if (c->included > 0)
		return ("an included list starts no commands");
	if (c->users)
		return (c->d->forward_commands ? NULL :
		    "a forward file starts no commands here");
	return (c->d->alias_as != NULL ? NULL :
	    "an alias starts no commands here");
}

static void
trace_command(const struct expansion *x, const struct context *c,
    const char *word, const char *user)
{
	char	shown[VALUE_WORD + 1], how[C_USER + 40];

	if (x->env->trace == NULL)
		return;
	snprintf(shown, sizeof(shown), "|%s", word);
	snprintf(how, sizeof(how), "%s, a command that runs as %s", c->users ?
	    "forward" : "alias", user);
	trace_address(x, 0, c->number, shown, how);
}

/* A reply never shows the command itself: it may hold a password. */
static enum rules_result
command(struct expansion *x, struct context *c, const char *word)
{
	const char		*addr = x->seen.v[c->number - 1], *why;
	struct conf_words	 words;
	struct rules_dest	*dest;
	char			 mark[COMMAND_MARK];
	char			 key[COMMAND_MARK + SMTP_ADDR_SIZE + 2];

	if ((why = no_command(c)) != NULL)
		return (say(x, RULES_TEMPFAIL, "451 4.3.5", addr, why));
	if (command_split(word, &words) == -1)
		return (errno == ENOMEM ? tempfail(x, RULES_TEMPFAIL) :
		    say(x, RULES_TEMPFAIL, "451 4.3.5", addr,
		    "what it should start is no command"));
	words_free(&words);
	command_mark(word, c->users, mark);
	snprintf(key, sizeof(key), "|%s %s@%s", mark, c->self,
	    c->d->names.v[0]);
	switch (seen_add(&x->commands, key)) {
	case -1:
		return (tempfail(x, RULES_TEMPFAIL));
	case 0:
		return (RULES_OK);
	}
	if (x->commands.n > RULES_COMMANDS)
		return (say(x, RULES_NO, "550 5.4.6", addr,
		    "starts too many commands"));
	if ((dest = add_dest(x, addr)) == NULL)
		return (tempfail(x, RULES_TEMPFAIL));
	dest->local = 1;
	strlcpy(dest->user, c->self, sizeof(dest->user));
	strlcpy(dest->host, c->d->names.v[0], sizeof(dest->host));
	strlcpy(dest->label, mark, sizeof(dest->label));
	trace_command(x, c, word, c->users ? c->self : c->d->alias_as);
	return (RULES_OK);
}

/* All words of an alias or a file. */
static enum rules_result
value(struct expansion *x, struct context *c, const char *text)
{
	enum rules_result	r = RULES_OK;
	enum value_kind		kind;
	char			word[VALUE_WORD];

	while (r == RULES_OK &&
	    (kind = value_next(&text, word)) != VALUE_END) {
		c->words++;
		switch (kind) {
		case VALUE_INCLUDE:
			r = c->users ? say(x, RULES_TEMPFAIL, "451 4.3.5",
			    word, "a forward file includes no other") :
			    include(x, c, word);
			break;
		case VALUE_COMMAND:
			r = command(x, c, word);
			break;
		case VALUE_FILE:
			r = say(x, RULES_TEMPFAIL, "451 4.3.5", word,
			    "aliases write no files");
			break;
		default:
			r = one_address(x, c, word, kind);
		}
	}
	return (r);
}

/* Does the alias say no more than its own name? */
static int
only_self(const struct context *c, const char *text)
{
	enum value_kind	kind;
	char		word[VALUE_WORD], addr[SMTP_ADDR_SIZE];

	if ((kind = value_next(&text, word)) != VALUE_ADDRESS &&
	    kind != VALUE_OWN)
		return (0);
	if (smtp_address(word, addr) != NULL)
		return (0);
	if (smtp_address_at(addr) == NULL ? strcasecmp(addr, c->self) != 0 :
	    !is_self(c, addr))
		return (0);
	return (value_next(&text, word) == VALUE_END);
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
		return (tempfail(x, r));
	if (c->d->forward == NULL || x->env->forward == NULL)
		return (tempfail(x, add_account(x, c->d, &acc, rcpt,
		    c->number)));
	r = x->env->forward(x->env, c->d, &acc, &text);
	if (r == RULES_PENDING)
		return (r);
	if (r == RULES_TEMPFAIL) {
		strlcpy(x->reply, "451 4.3.0 a forward file cannot be read "
		    "now, try again later", C_REPLY);
		return (r);
	}
	c->users = 1;
	if (r == RULES_OK) {
		r = value(x, c, text);
		free(text);
	} else
		r = RULES_OK;
	/* An empty file says nothing. */
	if (r == RULES_OK && c->words == 0)
		r = tempfail(x, add_account(x, c->d, &acc, rcpt, c->number));
	return (r);
}

/* Try one spelling of the local part: an alias first, then an account. */
static enum rules_result
try_local(struct expansion *x, struct context *c, const char *rcpt)
{
	enum rules_result	 r;
	char			*text;

	r = rules_alias(x->env, c->d, c->self, &text);
	if (r == RULES_OK && !only_self(c, text)) {
		r = value(x, c, text);
		free(text);
		return (r);
	}
	free(text);
	if (r != RULES_OK && r != RULES_NO)
		return (tempfail(x, r));
	x->reply[0] = '\0';
	return (account(x, c, rcpt));
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

	if (n >= sizeof(local))
		return (say(x, RULES_NO, "550 5.1.1", addr,
		    "no such user here"));
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
		return (value(x, &c, x->env->conf->postmaster));
	if (d->catchall != NULL)
		return (value(x, &c, d->catchall));
	return (say(x, RULES_NO, "550 5.1.1", addr, "no such user here"));
}

/* The first route that is for this recipient and sender; NULL: by MX. */
static enum rules_result
find_route(struct expansion *x, const char *addr,
    const struct conf_route **route)
{
	enum rules_result	r;

	TAILQ_FOREACH(*route, &x->env->conf->routes, entry) {
		if (rules_in_set(x->env, &(*route)->to, addr, &r) &&
		    rules_in_set(x->env, &(*route)->from, x->sender, &r))
			break;
		if (r != RULES_OK)
			return (tempfail(x, r));
	}
	return (RULES_OK);
}

static enum rules_result
outside(struct expansion *x, size_t index)
{
	const char		*addr = x->seen.v[index];
	const char		*at = smtp_address_at(addr);
	const struct conf_route	*route;
	struct rules_dest	*dest;
	enum rules_result	 r;

	if (at == NULL)
		return (say(x, RULES_NO, "550 5.1.2", addr,
		    "the address has no domain"));
	if ((r = find_route(x, addr, &route)) != RULES_OK)
		return (r);
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
		return (say(x, RULES_NO, "550 5.1.1", addr,
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
				    .dests = dests, .reply = reply };
	enum rules_result	r;

	memset(dests, 0, sizeof(*dests));
	reply[0] = '\0';
	seen_init(&x.seen);
	seen_init(&x.accounts);
	seen_init(&x.commands);
	r = push(&x, rcpt, 0, 0, "recipient");
	while (r == RULES_OK && x.next < x.seen.n)
		r = step(&x, expand);
	if (r == RULES_OK && dests->n == 0)
		r = say(&x, RULES_NO, "550 5.1.1", rcpt,
		    "the alias leads nowhere");
	if (r != RULES_OK)
		rules_dests_free(dests);
	seen_free(&x.seen);
	seen_free(&x.accounts);
	seen_free(&x.commands);
	free(x.items);
	return (r);
}
