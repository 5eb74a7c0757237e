/*
 * addr: literal addresses, networks and ports.
 *
 * Trusts nothing it is given and touches nothing: no resolver, no file.  The
 * one system call is if_nametoindex(3), for the scope of a link-local address
 * in addr_parse().  addr_nets_have() runs once a connection and costs one
 * comparison a network.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <net/if.h>

#include <stdio.h>
#include <string.h>

#include "os/compat.h"
#include "net/addr.h"

static const unsigned char mapped[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

/* RFC 4291 2.5.5.2: ::ffff:a.b.c.d is a.b.c.d; leave no two spellings. */
static void
unmap(struct addr_net *n)
{
	if (n->family != AF_INET6 || n->bits < 96 ||
	    memcmp(n->bytes, mapped, sizeof(mapped)) != 0)
		return;
	memmove(n->bytes, n->bytes + 12, 4);
	memset(n->bytes + 4, 0, sizeof(n->bytes) - 4);
	n->bits -= 96;
	n->family = AF_INET;
}

static int
host_bits_clear(const struct addr_net *n)
{
	unsigned int i, size = n->family == AF_INET ? 4 : 16;
	unsigned int whole = n->bits / 8;

	if (n->bits % 8 != 0) {
		if ((n->bytes[whole] & (0xff >> (n->bits % 8))) != 0)
			return (0);
		whole++;
	}
	for (i = whole; i < size; i++)
		if (n->bytes[i] != 0)
			return (0);
	return (1);
}

/* "0" to "128" without sign, blank or leading zero. */
static int
prefix_parse(const char *s, unsigned int max, unsigned int *bits)
{
	unsigned int n = 0;
	int i;

	if (s[0] == '\0' || (s[0] == '0' && s[1] != '\0'))
		return (-1);
	for (i = 0; s[i] != '\0'; i++) {
		if (i == 3 || s[i] < '0' || s[i] > '9')
			return (-1);
		n = n * 10 + (unsigned int)(s[i] - '0');
	}
	if (n > max)
		return (-1);
	*bits = n;
	return (0);
}

/* The address part: text up to a '/' or a scope, with all bits significant. */
static int
host_parse(struct addr_net *n, const char *text, size_t len)
{
	char host[INET6_ADDRSTRLEN];

	if (len == 0 || len >= sizeof(host))
		return (-1);
	memcpy(host, text, len);
	host[len] = '\0';
	memset(n, 0, sizeof(*n));
	if (inet_pton(AF_INET, host, n->bytes) == 1) {
		n->family = AF_INET;
		n->bits = 32;
		return (0);
	}
	if (inet_pton(AF_INET6, host, n->bytes) == 1) {
		n->family = AF_INET6;
		n->bits = 128;
		return (0);
	}
	return (-1);
}

int
addr_net_parse(struct addr_net *n, const char *text)
{
	const char *slash;
	int negated = 0;

	if (*text == '!') {
		negated = 1;
		text++;
	}
	slash = strchr(text, '/');
	if (host_parse(n, text, slash != NULL ? (size_t)(slash - text) :
	    strlen(text)) == -1)
		return (-1);
	if (slash != NULL && prefix_parse(slash + 1, n->bits, &n->bits) == -1)
		return (-1);
	n->negated = negated;
	unmap(n);
	return (host_bits_clear(n) ? 0 : -1);
}

void
addr_net_print(const struct addr_net *n, char *out, size_t size)
{
	char host[INET6_ADDRSTRLEN];
	unsigned int all = n->family == AF_INET ? 32 : 128;
	int len;

	if (size == 0)
		return;
	out[0] = '\0';
	if (inet_ntop(n->family, n->bytes, host, sizeof(host)) == NULL)
		return;
	if (n->bits == all)
		len = snprintf(out, size, "%s%s", n->negated ? "!" : "", host);
	else
		len = snprintf(out, size, "%s%s/%u", n->negated ? "!" : "",
		    host, n->bits);
	if (len < 0 || (size_t)len >= size)
		out[0] = '\0';
}

static int
net_has(const struct addr_net *n, const struct addr_net *a)
{
	unsigned int whole = n->bits / 8, rest = n->bits % 8;
	unsigned char mask;

	if (n->family != a->family)
		return (0);
	if (memcmp(n->bytes, a->bytes, whole) != 0)
		return (0);
	if (rest == 0)
		return (1);
	mask = (unsigned char)(0xff << (8 - rest));
	return ((n->bytes[whole] & mask) == (a->bytes[whole] & mask));
}

static int
literal(struct addr_net *a, const char *addr)
{
	if (host_parse(a, addr, strcspn(addr, "%")) == -1)
		return (-1);
	unmap(a);
	return (0);
}

int
addr_net_has(const struct addr_net *n, const char *addr)
{
	struct addr_net a;

	if (literal(&a, addr) == -1)
		return (0);
	return (net_has(n, &a));
}

int
addr_nets_have(const struct addr_net *nets, size_t count, const char *addr)
{
	struct addr_net a;
	size_t i;
	int found = 0;

	if (literal(&a, addr) == -1)
		return (0);
	for (i = 0; i < count; i++) {
		if (!net_has(&nets[i], &a))
			continue;
		if (nets[i].negated)
			return (0);
		found = 1;
	}
	return (found);
}

void
addr_text(const struct sockaddr *sa, socklen_t len, char *out, size_t size)
{
	struct addr_net a = { 0 };
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	if (size == 0)
		return;
	out[0] = '\0';
	if (len >= sizeof(sin) && sa->sa_family == AF_INET) {
		memcpy(&sin, sa, sizeof(sin));
		memcpy(a.bytes, &sin.sin_addr, 4);
		a.bits = 32;
	} else if (len >= sizeof(sin6) && sa->sa_family == AF_INET6) {
		memcpy(&sin6, sa, sizeof(sin6));
		memcpy(a.bytes, &sin6.sin6_addr, 16);
		a.bits = 128;
	} else
		return;
	a.family = sa->sa_family;
	unmap(&a);
	addr_net_print(&a, out, size);
}

unsigned int
addr_port(const struct sockaddr *sa)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&sin, sa, sizeof(sin));
		return (ntohs(sin.sin_port));
	case AF_INET6:
		memcpy(&sin6, sa, sizeof(sin6));
		return (ntohs(sin6.sin6_port));
	default:
		return (0);
	}
}

static int
scope_parse(const char *name, uint32_t *id)
{
	if (*name == '\0')
		return (0);
	*id = if_nametoindex(name + 1);
	return (*id == 0 ? -1 : 0);
}

int
addr_parse(const char *text, unsigned int port, struct sockaddr_storage *ss,
    socklen_t *len)
{
	struct sockaddr_in sin = { 0 };
	struct sockaddr_in6 sin6 = { 0 };
	struct addr_net a;
	size_t host = strcspn(text, "%");

	if (port > UINT16_MAX || host_parse(&a, text, host) == -1)
		return (-1);
	memset(ss, 0, sizeof(*ss));
	if (a.family == AF_INET) {
		if (text[host] != '\0')
			return (-1);
		sin.sin_family = AF_INET;
		sin.sin_port = htons((uint16_t)port);
		memcpy(&sin.sin_addr, a.bytes, 4);
#ifdef SIN6_LEN
		sin.sin_len = sizeof(sin);
#endif
		memcpy(ss, &sin, sizeof(sin));
		*len = sizeof(sin);
		return (0);
	}
	if (scope_parse(text + host, &sin6.sin6_scope_id) == -1)
		return (-1);
	sin6.sin6_family = AF_INET6;
	sin6.sin6_port = htons((uint16_t)port);
	memcpy(&sin6.sin6_addr, a.bytes, 16);
#ifdef SIN6_LEN
	sin6.sin6_len = sizeof(sin6);
#endif
	memcpy(ss, &sin6, sizeof(sin6));
	*len = sizeof(sin6);
	return (0);
}

int
addr_is_loopback(const char *text)
{
	static const unsigned char one[16] = { [15] = 1 };
	struct addr_net a;

	if (literal(&a, text) == -1)
		return (0);
	if (a.family == AF_INET)
		return (a.bytes[0] == 127);
	return (memcmp(a.bytes, one, sizeof(one)) == 0);
}
