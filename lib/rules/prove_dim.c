/*
 * prove_dim: classes of whatever a rule asks of a client, a word for each.
 *
 * For addresses (senders, recipients) and HELO names: each word that a rule
 * has; somebody else of each domain that a word names; somebody of a domain
 * below each "*.domain"; somebody of a domain that no rule knows.  That is
 * all that conf_words_match() can tell apart, if the names made up here are
 * no part of any word.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "rules/client.h"
#include "rules/prove_dim.h"

#define WORD_MAX	600

static int
add_word(struct dim *d, const char *word)
{
	char	**v;
	size_t	  cap;

	if (d->n == d->cap) {
		cap = d->cap == 0 ? 8 : d->cap * 2;
		if ((v = reallocarray(d->v, cap, sizeof(*v))) == NULL)
			return (-1);
		d->v = v;
		d->cap = cap;
	}
	if ((d->v[d->n] = strdup(word)) == NULL)
		return (-1);
	d->n++;
	return (0);
}

static int
add_words(struct dim *d, const char *a, const char *b)
{
	return (add_word(d, a) == -1 || add_word(d, b) == -1 ? -1 : 0);
}

/* Is text a part of a word, or of a domain of ours? */
static int
occurs(const struct conf *conf, const struct conf_words *words,
    const char *text)
{
	const struct conf_domain	*d;
	size_t				 i;

	if (strcasestr(conf->hostname, text) != NULL)
		return (1);
	for (i = 0; i < words->n; i++)
		if (strcasestr(words->v[i], text) != NULL)
			return (1);
	TAILQ_FOREACH(d, &conf->domains, entry) {
		for (i = 0; i < d->names.n; i++)
			if (strcasestr(d->names.v[i], text) != NULL)
				return (1);
		for (i = 0; i < d->aliases.n; i++)
			if (strcasestr(d->aliases.v[i], text) != NULL)
				return (1);
	}
	return (0);
}

/* -1: all that begin like this and have room occur. */
static int
fresh(const struct conf *conf, const struct conf_words *words,
    const char *like, char to[80])
{
	strlcpy(to, like, 80);
	while (occurs(conf, words, to))
		if (strlcat(to, "x", 80) >= 80)
			return (-1);
	return (0);
}

static int
make_fresh(struct dim_fresh *f, const struct conf *conf,
    const struct conf_words *words)
{
	char	top[80];

	if (fresh(conf, words, "sender", f->sender) == -1 ||
	    fresh(conf, words, "somebody", f->local) == -1 ||
	    fresh(conf, words, "malformed", f->malformed) == -1 ||
	    fresh(conf, words, "invalid", top) == -1)
		return (-1);
	snprintf(f->domain, sizeof(f->domain), "stranger.%s", top);
	return (0);
}

static int
domain_classes(const struct dims *ds, struct dim *d, const char *local,
    const char *dom)
{
	char	word[WORD_MAX];

	if (*dom == '*')
		snprintf(word, sizeof(word), "%s@%s.%s", local,
		    ds->fresh.domain, dom + 2);
	else
		snprintf(word, sizeof(word), "%s@%s", local, dom);
	return (add_word(d, word));
}

static int
pattern_classes(const struct dims *ds, struct dim *d, const char *local,
    const char *word)
{
	const char	*at = strrchr(word, '@');

	if (strcmp(word, "<>") == 0)
		return (add_word(d, ""));
	if (at == NULL)
		return (domain_classes(ds, d, local, word));
	if (at != word && add_word(d, word) == -1)
		return (-1);
	return (domain_classes(ds, d, local, at + 1));
}

static int
helo_classes(const struct dims *ds, struct dim *d, const char *word)
{
	char	name[WORD_MAX], bad[WORD_MAX];

	if (*word != '*')
		return (add_word(d, word));
	snprintf(name, sizeof(name), "%s%s", ds->fresh.domain, word + 1);
	snprintf(bad, sizeof(bad), "-%s", word + 1);
	return (add_words(d, name, bad));
}

/* The classes of all words that conditions of a kind have. */
static int
gather(const struct dims *ds, struct dim *d, const struct conf *conf,
    enum conf_cond_kind kind, const char *local)
{
	const struct conf_rule	*r;
	const struct conf_cond	*c;
	size_t			 i;

	TAILQ_FOREACH(r, &conf->rules, entry)
		TAILQ_FOREACH(c, &r->conds, entry)
			for (i = 0; c->kind == kind && i < c->set.words.n; i++)
				if (kind == COND_HELO ? helo_classes(ds, d,
				    c->set.words.v[i]) == -1 :
				    pattern_classes(ds, d, local,
				    c->set.words.v[i]) == -1)
					return (-1);
	return (0);
}

static int
all_words(const struct conf *conf, struct conf_words *all)
{
	const struct conf_rule	*r;
	const struct conf_cond	*c;
	char			**v;

	TAILQ_FOREACH(r, &conf->rules, entry)
		TAILQ_FOREACH(c, &r->conds, entry) {
			if (c->set.words.n == 0)
				continue;
			if ((v = reallocarray(all->v, all->n +
			    c->set.words.n, sizeof(*v))) == NULL)
				return (-1);
			all->v = v;
			memcpy(v + all->n, c->set.words.v,
			    c->set.words.n * sizeof(*v));
			all->n += c->set.words.n;
		}
	return (0);
}

static int
asks_for(const struct conf *conf, enum conf_cond_kind kind)
{
	const struct conf_rule	*r;
	const struct conf_cond	*c;

	TAILQ_FOREACH(r, &conf->rules, entry)
		TAILQ_FOREACH(c, &r->conds, entry)
			if (c->kind == kind)
				return (1);
	return (0);
}

/* Names of ours: each that a word speaks of, and one of the others. */
static int
add_ours(struct dim *d, const struct conf_words *names,
    const struct conf_words *all, int *other)
{
	size_t	i;

	for (i = 0; i < names->n; i++) {
		if (!conf_words_match(all, names->v[i]) && (*other)++ > 0)
			continue;
		if (add_word(d, names->v[i]) == -1)
			return (-1);
	}
	return (0);
}

/* Only where a rule tells ours from others: there may be many. */
static int
ours_classes(struct dim *d, const struct conf *conf,
    const struct conf_words *all)
{
	const struct conf_domain	*dom;
	int				 other = 0;

	if (!asks_for(conf, COND_HELO_OURS))
		return (0);
	if (add_word(d, conf->hostname) == -1)
		return (-1);
	TAILQ_FOREACH(dom, &conf->domains, entry)
		if (add_ours(d, &dom->names, all, &other) == -1 ||
		    add_ours(d, &dom->aliases, all, &other) == -1)
			return (-1);
	return (0);
}

/* Recipients of our own domains are not relayed to; <> is no recipient. */
static void
drop_ours(struct dim *d, const struct conf *conf)
{
	size_t	i, out = 0;

	for (i = 0; i < d->n; i++) {
		if (*d->v[i] == '\0' || rules_domain(conf, d->v[i]) != NULL)
			free(d->v[i]);
		else
			d->v[out++] = d->v[i];
	}
	d->n = out;
}

static int
make_yes_no(struct dims *ds)
{
	size_t	i;

	for (i = 0; i < ds->cells.n; i++)
		if (add_word(&ds->v[DIM_ADDR], ds->cells.text[i]) == -1)
			return (-1);
	return (add_words(&ds->v[DIM_TLS], "", "tls") == -1 ||
	    add_words(&ds->v[DIM_RDNS], "its address has a name that leads "
	    "back to it", "its address has no name that leads back to it") ==
	    -1 ||
	    add_words(&ds->v[DIM_HELO_DNS], "its HELO name is known to the "
	    "name system", "its HELO name is not known to the name system") ==
	    -1 ? -1 : 0);
}

static int
make_words(struct dims *ds, const struct conf *conf,
    const struct conf_words *all)
{
	const struct dim_fresh	*f = &ds->fresh;
	struct dim		*helo = &ds->v[DIM_HELO];
	struct dim		*sender = &ds->v[DIM_SENDER];
	struct dim		*rcpt = &ds->v[DIM_RCPT];
	char			 name[WORD_MAX];

	snprintf(name, sizeof(name), "client.%s", f->domain);
	if (add_words(helo, name, f->malformed) == -1 ||
	    ours_classes(helo, conf, all) == -1 ||
	    gather(ds, helo, conf, COND_HELO, NULL) == -1 ||
	    domain_classes(ds, sender, f->sender, f->domain) == -1 ||
	    gather(ds, sender, conf, COND_SENDER, f->sender) == -1 ||
	    domain_classes(ds, rcpt, f->local, f->domain) == -1 ||
	    gather(ds, rcpt, conf, COND_RECIPIENT, f->local) == -1)
		return (-1);
	drop_ours(rcpt, conf);
	return (0);
}

static struct dim *
add_dim(struct dims *ds)
{
	struct dim	*v;

	if ((v = reallocarray(ds->v, ds->n + 1, sizeof(*v))) == NULL)
		return (NULL);
	ds->v = v;
	memset(&v[ds->n], 0, sizeof(*v));
	return (&v[ds->n++]);
}

size_t
dims_of(const struct dims *ds, const struct conf_cond *c)
{
	size_t	i;

	switch (c->kind) {
	case COND_NO_TLS:
		return (DIM_TLS);
	case COND_NO_RDNS:
		return (DIM_RDNS);
	case COND_HELO_UNKNOWN:
		return (DIM_HELO_DNS);
	case COND_HELO_MALFORMED:
	case COND_HELO_OURS:
		return (DIM_HELO);
	case COND_DNSBL:
		for (i = DIMS_FIXED; i < ds->n; i++)
			if (ds->v[i].zone != NULL &&
			    strcmp(ds->v[i].zone, c->word) == 0)
				return (i);
		return (ds->n);
	default:
		break;
	}
	if (c->set.table == NULL)
		return (c->kind == COND_HELO ? DIM_HELO :
		    c->kind == COND_SENDER ? DIM_SENDER : DIM_RCPT);
	for (i = DIMS_FIXED; i < ds->n; i++)
		if (ds->v[i].table == c->set.table && ds->v[i].of == c->kind)
			return (i);
	return (ds->n);
}

/* The first answer behind a range, if it is still one of a list. */
static int
add_behind(struct dim *d, const struct addr_net *net)
{
	char		text[ADDR_TEXT];
	uint32_t	a;

	memcpy(&a, net->bytes, sizeof(a));
	a = ntohl(a);
	if (net->bits < 32)
		a += (uint32_t)1 << (32 - net->bits);
	else
		a++;
	if (a >> 24 != 127)
		return (0);
	a = htonl(a);
	if (inet_ntop(AF_INET, &a, text, sizeof(text)) == NULL)
		return (-1);
	return (add_word(d, text));
}

/* "" not listed; an answer on each side of where a range begins or ends. */
static int
zone_classes(struct dim *d, const struct conf *conf, const char *zone)
{
	const struct conf_rule	*r;
	const struct conf_cond	*c;
	char			 text[ADDR_TEXT];
	size_t			 i;

	d->zone = zone;
	if (add_words(d, "", "127.0.0.2") == -1 ||
	    add_word(d, "127.0.0.0") == -1)
		return (-1);
	TAILQ_FOREACH(r, &conf->rules, entry)
		TAILQ_FOREACH(c, &r->conds, entry) {
			if (c->kind != COND_DNSBL ||
			    strcmp(c->word, zone) != 0)
				continue;
			for (i = 0; i < c->ncodes; i++)
				if (inet_ntop(AF_INET, c->codes[i].bytes,
				    text, sizeof(text)) == NULL ||
				    add_word(d, text) == -1 ||
				    add_behind(d, &c->codes[i]) == -1)
					return (-1);
		}
	return (0);
}

static int
make_named(struct dims *ds, const struct conf *conf)
{
	const struct conf_rule	*r;
	const struct conf_cond	*c;
	struct dim		*d;

	TAILQ_FOREACH(r, &conf->rules, entry)
		TAILQ_FOREACH(c, &r->conds, entry) {
			if (c->kind == COND_TAG || dims_of(ds, c) != ds->n)
				continue;
			if ((d = add_dim(ds)) == NULL)
				return (-1);
			if (c->kind == COND_DNSBL) {
				if (zone_classes(d, conf, c->word) == -1)
					return (-1);
				continue;
			}
			d->table = c->set.table;
			d->of = c->kind;
			if (add_words(d, "", "in") == -1)
				return (-1);
		}
	return (0);
}

int
dims_new(struct dims *ds, const struct conf *conf)
{
	struct conf_words	all = { NULL, 0 };
	size_t			i;
	int			ret;

	while (ds->n < DIMS_FIXED)
		if (add_dim(ds) == NULL)
			return (-1);
	ret = all_words(conf, &all) == -1 ||
	    make_fresh(&ds->fresh, conf, &all) == -1 ||
	    prove_cells_new(&ds->cells, conf) == -1 ||
	    make_yes_no(ds) == -1 || make_words(ds, conf, &all) == -1 ||
	    make_named(ds, conf) == -1 ? -1 : 0;
	free(all.v);
	for (i = 0; ret == 0 && i < ds->n; i++)
		if ((ds->v[i].allowed = malloc(ds->v[i].n + 1)) == NULL)
			ret = -1;
	return (ret);
}

void
dims_free(struct dims *ds)
{
	struct dim	*d;
	size_t		 i;

	for (i = 0; i < ds->n; i++) {
		d = &ds->v[i];
		while (d->n > 0)
			free(d->v[--d->n]);
		free(d->v);
		free(d->allowed);
	}
	free(ds->v);
	prove_cells_free(&ds->cells);
}

void
dims_allow_all(struct dims *ds, const struct prove_door *door)
{
	size_t	i;

	for (i = 0; i < ds->n; i++)
		memset(ds->v[i].allowed, 1, ds->v[i].n);
	ds->v[DIM_TLS].allowed[0] = door->plain;
	ds->v[DIM_TLS].allowed[1] = door->tls;
}

int
dim_has(const struct conf *conf, const struct dim *d, size_t i,
    const struct conf_cond *c)
{
	const char	*word = d->v[i];

	if (d->table != NULL)
		return (i == 1);
	switch (c->kind) {
	case COND_NO_TLS:
		return (i == 0);
	case COND_NO_RDNS:
	case COND_HELO_UNKNOWN:
		return (i == 1);
	case COND_HELO_MALFORMED:
		return (client_helo_malformed(word));
	case COND_HELO_OURS:
		return (client_helo_ours(conf, word));
	case COND_DNSBL:
		return (*word != '\0' && (c->ncodes == 0 ||
		    addr_nets_have(c->codes, c->ncodes, word)));
	default:
		return (conf_words_match(&c->set.words, word));
	}
}

/* "*.org" is no list of recipients, "*.example.org" is. */
static int
is_narrow(const char *word)
{
	return (*word != '*' || strchr(word + 2, '.') != NULL);
}

int
dim_listed(const struct dim *d, size_t i, const struct conf_words *words)
{
	struct conf_words	one = { NULL, 1 };
	size_t			j;

	for (j = 0; j < words->n; j++) {
		one.v = &words->v[j];
		if (is_narrow(words->v[j]) && conf_words_match(&one, d->v[i]))
			return (1);
	}
	return (0);
}

/* The first class that is left; they begin with the likely ones. */
static size_t
left(const struct dim *d)
{
	size_t	i;

	for (i = 0; i + 1 < d->n && !d->allowed[i]; i++)
		continue;
	return (i);
}

/* A stranger of IPv4 rather than whoever is first. */
static const char *
left_addr(const struct dim *d)
{
	size_t	i;

	for (i = 0; i < d->n; i++)
		if (d->allowed[i] && (strcmp(d->v[i], "203.0.113.9") == 0 ||
		    strcmp(d->v[i], "2001:db8:ffff::9") == 0))
			return (d->v[i]);
	return (d->v[left(d)]);
}

static void
given(struct rules_witness *w, const char *what, const char *more,
    const char *end)
{
	size_t	n = strlen(w->given);

	snprintf(w->given + n, sizeof(w->given) - n, "%s%s%s%s",
	    n > 0 ? " and " : "", what, more, end);
}

void
dims_witness(const struct dims *ds, const struct prove_door *door,
    struct rules_witness *w)
{
	const struct dim	*d;
	size_t			 i, at;

	strlcpy(w->addr, left_addr(&ds->v[DIM_ADDR]), sizeof(w->addr));
	strlcpy(w->tag, door->tag != NULL ? door->tag : "", sizeof(w->tag));
	w->tls = left(&ds->v[DIM_TLS]) == 1;
	strlcpy(w->helo, ds->v[DIM_HELO].v[left(&ds->v[DIM_HELO])],
	    sizeof(w->helo));
	strlcpy(w->sender, ds->v[DIM_SENDER].v[left(&ds->v[DIM_SENDER])],
	    sizeof(w->sender));
	strlcpy(w->rcpt, ds->v[DIM_RCPT].v[left(&ds->v[DIM_RCPT])],
	    sizeof(w->rcpt));
	for (i = DIM_RDNS; i < ds->n; i++) {
		d = &ds->v[i];
		at = left(d);
		/* of these two both sides are worth saying, if it matters */
		if (d->allowed[0] && (i >= DIMS_FIXED || d->allowed[1]))
			continue;
		if (d->zone != NULL) {
			given(w, "its address is listed in ", d->zone, "");
			given(w, "", d->v[at], " is the answer");
		} else if (d->table != NULL)
			given(w, d->of == COND_HELO ? "its HELO name is in <" :
			    d->of == COND_SENDER ? "the sender is in <" :
			    "the recipient is in <", d->table->name, ">");
		else
			given(w, d->v[at], "", "");
	}
}

static int
serves(const struct conf_listen *l)
{
	return (l->proto == PROTO_SMTP || l->proto == PROTO_SMTPS ||
	    l->proto == PROTO_SUBMISSION || l->proto == PROTO_LMTP);
}

/* Without any listener somebody may still come: it is to be added yet. */
int
prove_door(const struct conf *conf, size_t number, struct prove_door *door)
{
	const struct conf_listen	*l;
	size_t				 n = 0;

	TAILQ_FOREACH(l, &conf->listens, entry) {
		if (!serves(l) || n++ != number)
			continue;
		door->tag = l->tag;
		door->tls = l->tls != NULL;
		door->plain = !conf_proto_is_tls(l->proto) && !l->require_tls;
		door->stranger = strcmp(l->where, "loopback") != 0 &&
		    !addr_is_loopback(l->where) && l->where[0] != '/';
		return (1);
	}
	if (n > 0 || number > 0)
		return (0);
	*door = (struct prove_door){ .plain = 1, .tls = 1, .stranger = 1 };
	return (1);
}
