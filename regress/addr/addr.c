/*
 * addr: addresses, networks and ports.
 */
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#include "os/compat.h"
#include "net/addr.h"
#include "test.h"

static const struct {
	const char	*text;
	const char	*want;		/* NULL: refused */
} parses[] = {
	{ "127.0.0.1", "127.0.0.1" },
	{ "10.0.0.0/8", "10.0.0.0/8" },
	{ "!10.9.0.0/16", "!10.9.0.0/16" },
	{ "192.0.2.7/32", "192.0.2.7" },
	{ "0.0.0.0/0", "0.0.0.0/0" },
	{ "::1", "::1" },
	{ "::/0", "::/0" },
	{ "2001:DB8:0:0::/32", "2001:db8::/32" },
	{ "2001:db8::1/128", "2001:db8::1" },
	{ "::ffff:10.0.0.1", "10.0.0.1" },
	{ "::ffff:10.0.0.0/104", "10.0.0.0/8" },
	{ "::ffff:0:0/96", "0.0.0.0/0" },
	{ "10.1.0.0/8", NULL },
	{ "10.0.0.1/31", NULL },
	{ "2001:db8::1/64", NULL },
	{ "10.0.0.0/33", NULL },
	{ "::/129", NULL },
	{ "10.0.0.0/", NULL },
	{ "10.0.0.0/08", NULL },
	{ "10.0.0.0/-1", NULL },
	{ "10.0.0.0/ 8", NULL },
	{ "10.0.0.0/8/8", NULL },
	{ "10.0.0/8", NULL },
	{ "10.0.0.256", NULL },
	{ "!!10.0.0.0/8", NULL },
	{ "[::1]", NULL },
	{ "fe80::1%lo", NULL },
	{ "localhost", NULL },
	{ "", NULL },
	{ "!", NULL },
	{ "/8", NULL },
	{ "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111", NULL },
};

static const struct {
	const char	*net;
	const char	*addr;
	int		 want;
} members[] = {
	{ "10.0.0.0/8", "10.255.255.255", 1 },
	{ "10.0.0.0/8", "11.0.0.0", 0 },
	{ "10.0.0.0/8", "::ffff:10.1.2.3", 1 },
	{ "192.0.2.128/25", "192.0.2.128", 1 },
	{ "192.0.2.128/25", "192.0.2.127", 0 },
	{ "0.0.0.0/0", "203.0.113.9", 1 },
	{ "0.0.0.0/0", "2001:db8::1", 0 },
	{ "::/0", "203.0.113.9", 0 },
	{ "2001:db8::/33", "2001:db8:7fff::1", 1 },
	{ "2001:db8::/33", "2001:db8:8000::1", 0 },
	{ "::1", "::1", 1 },
	{ "fe80::/10", "fe80::1%lo", 1 },
	{ "10.0.0.0/8", "10.0.0.1 ", 0 },
	{ "10.0.0.0/8", "unknown", 0 },
	{ "10.0.0.0/8", "", 0 },
};

static const struct {
	const char	*addr;
	int		 want;
} loopbacks[] = {
	{ "127.0.0.1", 1 },
	{ "127.255.0.9", 1 },
	{ "::1", 1 },
	{ "::ffff:127.0.0.1", 1 },
	{ "128.0.0.1", 0 },
	{ "::2", 0 },
	{ "0.0.0.0", 0 },
	{ "::", 0 },
	{ "localhost", 0 },
	{ "", 0 },
};

#define N(table)	(sizeof(table) / sizeof((table)[0]))

static void
test_parse(void)
{
	struct addr_net net;
	char name[128], out[ADDR_TEXT];
	size_t i;

	for (i = 0; i < N(parses); i++) {
		snprintf(name, sizeof(name), "parse \"%s\"", parses[i].text);
		if (parses[i].want == NULL) {
			TEST(name, addr_net_parse(&net, parses[i].text) == -1);
			continue;
		}
		if (addr_net_parse(&net, parses[i].text) == -1)
			out[0] = '\0';
		else
			addr_net_print(&net, out, sizeof(out));
		TEST_STR(name, out, parses[i].want);
	}
	addr_net_print(&net, out, 0);
	(void)addr_net_parse(&net, "203.0.113.0/24");
	addr_net_print(&net, out, 14);
	TEST_STR("print into too little is empty", out, "");
}

static void
test_member(void)
{
	struct addr_net net;
	char name[160];
	size_t i;

	for (i = 0; i < N(members); i++) {
		snprintf(name, sizeof(name), "%s has \"%s\": %d",
		    members[i].net, members[i].addr, members[i].want);
		TEST(name, addr_net_parse(&net, members[i].net) == 0 &&
		    addr_net_has(&net, members[i].addr) == members[i].want);
	}
	for (i = 0; i < N(loopbacks); i++) {
		snprintf(name, sizeof(name), "loopback \"%s\": %d",
		    loopbacks[i].addr, loopbacks[i].want);
		TEST(name, addr_is_loopback(loopbacks[i].addr) ==
		    loopbacks[i].want);
	}
}

static void
test_negated(void)
{
	struct addr_net nets[3];

	(void)addr_net_parse(&nets[0], "10.0.0.0/8");
	(void)addr_net_parse(&nets[1], "!10.9.0.0/16");
	(void)addr_net_parse(&nets[2], "10.9.9.0/24");
	TEST("in the list", addr_nets_have(nets, 3, "10.1.1.1") == 1);
	TEST("taken out of it", addr_nets_have(nets, 3, "10.9.1.1") == 0);
	TEST("taken out wins over any order",
	    addr_nets_have(nets, 3, "10.9.9.1") == 0);
	TEST("not in the list", addr_nets_have(nets, 3, "11.0.0.1") == 0);
	TEST("an empty list has nobody",
	    addr_nets_have(nets, 0, "10.1.1.1") == 0);
}

static void
test_sockaddr(void)
{
	struct sockaddr_storage ss;
	struct sockaddr *sa = (struct sockaddr *)&ss;
	socklen_t len = 0;
	char out[ADDR_TEXT];

	TEST("IPv4", addr_parse("192.0.2.1", 25, &ss, &len) == 0 &&
	    sa->sa_family == AF_INET && len == sizeof(struct sockaddr_in) &&
	    addr_port(sa) == 25);
	addr_text(sa, len, out, sizeof(out));
	TEST_STR("IPv4 back", out, "192.0.2.1");
	TEST("IPv6", addr_parse("2001:db8::1", 65535, &ss, &len) == 0 &&
	    sa->sa_family == AF_INET6 && addr_port(sa) == 65535);
	addr_text(sa, len, out, sizeof(out));
	TEST_STR("IPv6 back", out, "2001:db8::1");
	TEST("mapped", addr_parse("::ffff:192.0.2.1", 25, &ss, &len) == 0);
	addr_text(sa, len, out, sizeof(out));
	TEST_STR("mapped is IPv4", out, "192.0.2.1");
	addr_text(sa, 2, out, sizeof(out));
	TEST_STR("a short sockaddr is nothing", out, "");
	TEST("port too large", addr_parse("::1", 65536, &ss, &len) == -1);
	TEST("a name", addr_parse("localhost", 25, &ss, &len) == -1);
	TEST("a network", addr_parse("10.0.0.0/8", 25, &ss, &len) == -1);
	TEST("a scope of IPv4", addr_parse("10.0.0.1%lo", 25, &ss, &len) ==
	    -1);
	TEST("an unknown scope", addr_parse("fe80::1%nosuch0", 25, &ss,
	    &len) == -1);
	memset(&ss, 0, sizeof(ss));
	sa->sa_family = AF_UNIX;
	TEST("a local socket has no port", addr_port(sa) == 0);
}

int
main(void)
{
	test_parse();
	test_member();
	test_negated();
	test_sockaddr();
	TEST_DONE();
}
