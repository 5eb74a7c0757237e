/*
 * prove_net: the address space in cells, of which every network of the rules
 * has all or nothing.  Exact: a cell ends only where a prefix does.
 *
 * Cost: a sort of all prefixes, then a search each.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "rules/prove.h"

static const char *const strangers[] = { "203.0.113.9", "2001:db8:ffff::9" };

static struct prove_key
key_of(int family, const unsigned char *bytes)
{
	struct prove_key	k = { { 0 } };

	k.b[0] = family == AF_INET ? 4 : 6;
	memcpy(k.b + 1, bytes, family == AF_INET ? 4 : 16);
	return (k);
}

static size_t
key_bytes(const struct prove_key *k)
{
	return (k->b[0] == 4 ? 4 : 16);
}

/* The address behind the last one of a prefix; -1 if there is none. */
static int
key_behind(const struct addr_net *n, struct prove_key *k)
{
	unsigned int	i = n->bits;

	*k = key_of(n->family, n->bytes);
	while (i-- > 0) {
		k->b[1 + i / 8] ^= 0x80 >> i % 8;
		if (k->b[1 + i / 8] & 0x80 >> i % 8)
			return (0);	/* no carry any more */
	}
	return (-1);
}

static int
by_key(const void *va, const void *vb)
{
	const struct prove_key	*a = va, *b = vb;

	return (memcmp(a->b, b->b, sizeof(a->b)));
}

/*
 * A part of the world that no one organisation has; private networks are
 * narrower, and so are those of RFC 4291 that are not in 2000::/3.
 */
static int
is_wide(const struct addr_net *n)
{
	if (n->family == AF_INET)
		return (n->bits < 8);
	return (n->bits < 3 || (n->bits < 16 && (n->bytes[0] & 0xe0) == 0x20));
}

static size_t
count_nets(const struct conf *conf)
{
	const struct conf_rule	*r;
	size_t			 n = 0;

	TAILQ_FOREACH(r, &conf->rules, entry)
		if (r->source == SOURCE_NETWORK)
			n += r->network->nnets;
	return (n);
}

static size_t
add_net(struct prove_key *v, size_t n, const struct addr_net *net)
{
	v[n++] = key_of(net->family, net->bytes);
	if (key_behind(net, &v[n]) == 0)
		n++;
	return (n);
}

/* The index of the cell that begins at or contains k. */
static size_t
cell_of(const struct prove_cells *c, const struct prove_key *k)
{
	size_t	lo = 0, hi = c->n, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (by_key(&c->low[mid], k) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	return (lo);
}

/* Mark the cells of a prefix. */
static void
mark(const struct prove_cells *c, const struct addr_net *net,
    unsigned char *v, unsigned char value)
{
	struct prove_key	k = key_of(net->family, net->bytes);
	size_t			i, end;

	i = cell_of(c, &k);
	if (key_behind(net, &k) == 0)
		end = cell_of(c, &k);
	else
		for (end = i; end < c->n && c->low[end].b[0] ==
		    c->low[i].b[0]; end++)
			continue;
	for (; i < end; i++)
		v[i] = value;
}

int
prove_cells_have(const struct prove_cells *c, const struct conf_network *net,
    unsigned char *have)
{
	size_t	i;

	memset(have, 0, c->n);
	for (i = 0; i < net->nnets; i++)
		if (!net->nets[i].negated)
			mark(c, &net->nets[i], have, 1);
	for (i = 0; i < net->nnets; i++)
		if (net->nets[i].negated)
			mark(c, &net->nets[i], have, 0);
	return (0);
}

static void
mark_text(const struct prove_cells *c, const char *text, unsigned char *v)
{
	struct addr_net	net;

	if (addr_net_parse(&net, text) == 0)
		mark(c, &net, v, 0);
}

/* Who is named by a rule, and so no stranger. */
static void
find_strangers(struct prove_cells *c, const struct conf *conf)
{
	const struct conf_rule	*r;
	const struct addr_net	*net;
	size_t			 i;

	memset(c->stranger, 1, c->n);
	mark_text(c, "127.0.0.0/8", c->stranger);
	mark_text(c, "::1", c->stranger);
	TAILQ_FOREACH(r, &conf->rules, entry) {
		if (r->source != SOURCE_NETWORK || r->scope == SCOPE_DELIVER)
			continue;
		for (i = 0; i < r->network->nnets; i++) {
			net = &r->network->nets[i];
			if (net->negated != r->permit && !is_wide(net))
				mark(c, net, c->stranger, 0);
		}
	}
}

/* Something that looks like an address of somebody, from each cell. */
static void
name_cell(struct prove_cells *c, size_t i)
{
	struct prove_key	k = c->low[i];
	struct addr_net		net;
	size_t			j, n = key_bytes(&k);

	for (j = 0; j < sizeof(strangers) / sizeof(strangers[0]); j++) {
		if (addr_net_parse(&net, strangers[j]) == -1)
			continue;
		k = key_of(net.family, net.bytes);
		if (cell_of(c, &k) == i) {
			strlcpy(c->text[i], strangers[j], ADDR_TEXT);
			return;
		}
	}
	k = c->low[i];
	if (k.b[n] == 0) {
		k.b[n] = 1;
		if (cell_of(c, &k) != i)
			k.b[n] = 0;
	}
	if (inet_ntop(k.b[0] == 4 ? AF_INET : AF_INET6, k.b + 1, c->text[i],
	    ADDR_TEXT) == NULL)
		c->text[i][0] = '\0';
}

static size_t
unique(struct prove_key *v, size_t n)
{
	size_t	i, out = 0;

	qsort(v, n, sizeof(*v), by_key);
	for (i = 0; i < n; i++)
		if (out == 0 || by_key(&v[out - 1], &v[i]) != 0)
			v[out++] = v[i];
	return (out);
}

int
prove_cells_new(struct prove_cells *c, const struct conf *conf)
{
	static const char	*const always[] = { "0.0.0.0/0", "::/0",
				    "127.0.0.0/8", "::1" };
	const struct conf_rule	*r;
	struct addr_net		 net;
	size_t			 i, max;

	memset(c, 0, sizeof(*c));
	max = 2 * (count_nets(conf) + sizeof(always) / sizeof(always[0]));
	if ((c->low = reallocarray(NULL, max, sizeof(*c->low))) == NULL)
		return (-1);
	for (i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (addr_net_parse(&net, always[i]) == 0)
			c->n = add_net(c->low, c->n, &net);
	TAILQ_FOREACH(r, &conf->rules, entry)
		for (i = 0; r->source == SOURCE_NETWORK &&
		    i < r->network->nnets; i++)
			c->n = add_net(c->low, c->n, &r->network->nets[i]);
	c->n = unique(c->low, c->n);
	if ((c->text = calloc(c->n, sizeof(*c->text))) == NULL ||
	    (c->stranger = malloc(c->n)) == NULL) {
		prove_cells_free(c);
		return (-1);
	}
	for (i = 0; i < c->n; i++)
		name_cell(c, i);
	find_strangers(c, conf);
	return (0);
}

void
prove_cells_free(struct prove_cells *c)
{
	free(c->low);
	free(c->text);
	free(c->stranger);
	memset(c, 0, sizeof(*c));
}
