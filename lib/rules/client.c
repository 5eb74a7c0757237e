/*
 * client: what the name system knows of a client, and what its HELO is worth.
 *
 * The client chooses its HELO name, and whoever runs its reverse zone chooses
 * what that answers; both only ever lead to questions of bounded number:
 * RDNS_NAMES names, each asked for once.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dns/wire.h"
#include "os/compat.h"
#include "rules/client.h"

#define RDNS_NAMES	5	/* of an address, looked at */

static enum rules_result
ask(const struct rules_env *env, unsigned int type, const char *name,
    struct rules_names *names)
{
	names->n = 0;
	if (env->dns == NULL)
		return (RULES_TEMPFAIL);
	return (env->dns(env, type, name, names));
}

/* RFC 5782 2.1: an answer counts if it lies in 127/8. */
static int
counts(const struct conf_cond *c, const char *answer)
{
	static const struct addr_net	all = { .family = AF_INET,
					    .bytes = { 127 }, .bits = 8 };

	if (c->ncodes > 0)
		return (addr_nets_have(c->codes, c->ncodes, answer));
	return (addr_net_has(&all, answer));
}

int
client_listed(const struct rules_env *env, const struct conf_cond *c,
    const char *addr, enum rules_result *r)
{
	struct rules_names	names;
	char			name[DNS_NAME];
	size_t			i;

	*r = RULES_OK;
	if (addr == NULL || dns_reverse_under(addr, c->word, name,
	    sizeof(name)) == -1)
		return (0);
	switch (ask(env, DNS_WIRE_A, name, &names)) {
	case RULES_PENDING:
		*r = RULES_PENDING;
		break;
	case RULES_OK:
		for (i = 0; i < names.n; i++)
			if (counts(c, names.v[i]))
				return (1);
		break;
	default:
		break;
	}
	return (0);
}

/* Does name have this address?  RULES_NO: no. */
static enum rules_result
leads_back(const struct rules_env *env, const char *name, const char *addr)
{
	struct rules_names	names;
	struct addr_net		net;
	enum rules_result	r;
	size_t			i;

	if (addr_net_parse(&net, addr) == -1)
		return (RULES_NO);
	r = ask(env, net.family == AF_INET ? DNS_WIRE_A : DNS_WIRE_AAAA,
	    name, &names);
	if (r != RULES_OK)
		return (r);
	for (i = 0; i < names.n; i++)
		if (addr_net_has(&net, names.v[i]))
			return (RULES_OK);
	return (RULES_NO);
}

int
client_no_rdns(const struct rules_env *env, const char *addr,
    enum rules_result *r)
{
	struct rules_names	names;
	struct addr_net		net;
	enum rules_result	got;
	size_t			i;
	int			unsure = 0;

	*r = RULES_OK;
	/* Whoever comes by a local socket has none that could have a name. */
	if (addr == NULL || addr_net_parse(&net, addr) == -1)
		return (0);
	got = ask(env, DNS_WIRE_PTR, addr, &names);
	for (i = 0; got == RULES_OK && i < names.n && i < RDNS_NAMES; i++)
		switch (leads_back(env, names.v[i], addr)) {
		case RULES_OK:
			return (0);
		case RULES_PENDING:
			got = RULES_PENDING;
			break;
		case RULES_TEMPFAIL:
		case RULES_FAULTY:
			unsure = 1;
			break;
		case RULES_NO:
			break;
		}
	if (got == RULES_PENDING)
		*r = RULES_PENDING;
	return (*r == RULES_OK && got != RULES_TEMPFAIL && !unsure);
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 4.1.3) */
static int
is_literal(const char *helo)
{
	struct addr_net	net;
	char		text[ADDR_TEXT];
	size_t		len = strlen(helo);

	if (len < 3 || len > sizeof(text) || helo[0] != '[' ||
	    helo[len - 1] != ']')
		return (0);
	memcpy(text, helo + 1, len - 2);
	text[len - 2] = '\0';
	if (strchr(text, '/') != NULL || text[0] == '!')
		return (0);
	if (strncasecmp(text, "IPv6:", 5) == 0)
		return (addr_net_parse(&net, text + 5) == 0 &&
		    strchr(text + 5, ':') != NULL);
	return (addr_net_parse(&net, text) == 0 && net.family == AF_INET);
}

int
client_helo_malformed(const char *helo)
{
	size_t		 len = strlen(helo);
	const char	*last = strrchr(helo, '.');

	if (is_literal(helo))
		return (0);
	/* One label is no name of a host on the Internet, nor is 192.0.2.1. */
	return (last == NULL || helo[0] == '[' || !smtp_is_domain(helo, len) ||
	    last[1 + strspn(last + 1, "0123456789")] == '\0');
}

int
client_helo_ours(const struct conf *conf, const char *helo)
{
	return (strcasecmp(helo, conf->hostname) == 0 ||
	    conf_domain_find(conf, helo) != NULL);
}

int
client_helo_unknown(const struct rules_env *env, const char *helo,
    enum rules_result *r)
{
	static const unsigned int	types[] = { DNS_WIRE_A, DNS_WIRE_AAAA,
					    DNS_WIRE_MX };
	struct rules_names		names;
	size_t				i;
	int				unknown = !is_literal(helo);

	*r = RULES_OK;
	for (i = 0; unknown && i < sizeof(types) / sizeof(types[0]); i++)
		switch (ask(env, types[i], helo, &names)) {
		case RULES_NO:
			break;
		case RULES_PENDING:
			*r = RULES_PENDING;
			unknown = 0;
			break;
		case RULES_OK:
		case RULES_TEMPFAIL:
		case RULES_FAULTY:
			unknown = 0;
			break;
		}
	return (unknown);
}
