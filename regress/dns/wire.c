/*
 * The parser of DNS answers: good ones, and the bytes of a malicious server.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "regress/test.h"

#define HDR	"\x12\x34\x81\x80\x00\x01\x00"	/* and the count of answers */
#define TAIL	"\x00\x00\x00\x00"
#define QNAME	"\x07" "example\x03" "lab\x00"	/* at 12 */
#define Q(t)	QNAME "\x00" t "\x00\x01"
#define PTR	"\xc0\x0c"
#define RR(t)	"\x00" t "\x00\x01\x00\x00\x0e\x10"	/* TTL 3600 */

struct test {
	const char	*name;
	unsigned int	 type;
	const char	*data;
	size_t		 len;
	const char	*want;	/* "rcode found: pref name ..." or "bad" */
};

#define P(s)	s, sizeof(s) - 1

static const struct test tests[] = {
	{ "a", DNS_WIRE_A, P(HDR "\x01" TAIL Q("\x01")
	    PTR RR("\x01") "\x00\x04\xc0\x00\x02\x01"),
	    "0 1: 0 192.0.2.1" },
	{ "aaaa", DNS_WIRE_AAAA, P(HDR "\x01" TAIL Q("\x1c")
	    PTR RR("\x1c") "\x00\x10\x20\x01\x0d\xb8\0\0\0\0\0\0"
	    "\0\0\0\0\0\x01"),
	    "0 1: 0 2001:db8::1" },
	{ "mx", DNS_WIRE_MX, P(HDR "\x02" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x06\x00\x0a\x01" "a\xc0\x0c"
	    PTR RR("\x0f") "\x00\x08\x00\x14\x03" "b_1\xc0\x0c"),
	    "0 2: 10 a.example.lab 20 b_1.example.lab" },
	{ "null mx", DNS_WIRE_MX, P(HDR "\x01" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x03\x00\x00\x00"), "0 1: 0 ." },
	{ "ptr", DNS_WIRE_PTR, P(HDR "\x01" TAIL Q("\x0c")
	    PTR RR("\x0c") "\x00\x02\xc0\x0c"), "0 1: 0 example.lab" },
	{ "cname", DNS_WIRE_A, P(HDR "\x02" TAIL Q("\x01")
	    PTR RR("\x05") "\x00\x04\x01" "x\xc0\x0c"
	    "\x01" "X\xc0\x0c" RR("\x01") "\x00\x04\xc0\x00\x02\x02"),
	    "0 1: 0 192.0.2.2" },
	{ "cname behind", DNS_WIRE_A, P(HDR "\x02" TAIL Q("\x01")
	    "\x01" "x\xc0\x0c" RR("\x01") "\x00\x04\xc0\x00\x02\x02"
	    PTR RR("\x05") "\x00\x04\x01" "x\xc0\x0c"),
	    "0 1: 0 192.0.2.2" },
	{ "cname to itself", DNS_WIRE_A, P(HDR "\x01" TAIL Q("\x01")
	    PTR RR("\x05") "\x00\x02\xc0\x0c"), "bad" },
	{ "nxdomain", DNS_WIRE_A, P("\x12\x34\x81\x83\x00\x01\x00\x00" TAIL
	    Q("\x01")), "3 0:" },
	{ "no data", DNS_WIRE_A, P(HDR "\x00" TAIL Q("\x01")), "0 0:" },
	{ "no question", DNS_WIRE_A, P("\x12\x34\x81\x80\x00\x00\x00\x00"
	    TAIL), "bad" },
	{ "other owner", DNS_WIRE_A, P(HDR "\x01" TAIL Q("\x01")
	    "\x01" "x\xc0\x0c" RR("\x01") "\x00\x04\xc0\x00\x02\x02"),
	    "0 0:" },
	{ "other class", DNS_WIRE_A, P(HDR "\x01" TAIL Q("\x01")
	    PTR "\x00\x01\x00\x03\x00\x00\x0e\x10\x00\x04\xc0\x00\x02\x01"),
	    "0 0:" },
	{ "short address", DNS_WIRE_A, P(HDR "\x01" TAIL Q("\x01")
	    PTR RR("\x01") "\x00\x03\xc0\x00\x02"), "bad" },
	{ "mx without a name", DNS_WIRE_MX, P(HDR "\x01" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x02\x00\x0a"), "bad" },
	{ "mx of one byte", DNS_WIRE_MX, P(HDR "\x01" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x01\x00"), "bad" },
	{ "mx with a tail", DNS_WIRE_MX, P(HDR "\x01" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x05\x00\x0a\xc0\x0c\x00"), "bad" },
	{ "name beyond its record", DNS_WIRE_MX, P(HDR "\x01" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x04\x00\x0a\x05" "abcde\x00"), "bad" },
	{ "pointer to itself", DNS_WIRE_MX, P(HDR "\x01" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x04\x00\x0a\xc0\x2b"), "bad" },
	{ "pointer forward", DNS_WIRE_MX, P(HDR "\x01" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x05\x00\x0a\xc0\x2d\x00"), "bad" },
	{ "label and back", DNS_WIRE_MX, P(HDR "\x01" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x06\x00\x0a\x01" "a\xc0\x2b"), "bad" },
	{ "reserved label", DNS_WIRE_MX, P(HDR "\x01" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x05\x00\x0a\x41" "a\x00"), "bad" },
	{ "newline in a name", DNS_WIRE_MX, P(HDR "\x02" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x08\x00\x0a\x03" "a\nb\xc0\x0c"
	    PTR RR("\x0f") "\x00\x06\x00\x0b\x01" "c\xc0\x0c"),
	    "0 2: 11 c.example.lab" },
	{ "dot in a label", DNS_WIRE_MX, P(HDR "\x01" TAIL Q("\x0f")
	    PTR RR("\x0f") "\x00\x08\x00\x0a\x03" "a.b\xc0\x0c"), "0 1:" },
	{ "NUL in a label", DNS_WIRE_PTR, P(HDR "\x01" TAIL Q("\x0c")
	    PTR RR("\x0c") "\x00\x06\x03" "a\x00" "b\xc0\x0c"), "0 1:" },
	{ "hyphen first", DNS_WIRE_PTR, P(HDR "\x01" TAIL Q("\x0c")
	    PTR RR("\x0c") "\x00\x05\x02" "-b\xc0\x0c"), "0 1:" },
	{ "space in a name", DNS_WIRE_PTR, P(HDR "\x01" TAIL Q("\x0c")
	    PTR RR("\x0c") "\x00\x06\x03" "a b\xc0\x0c"), "0 1:" },
};

static void
show(const struct dns_answer *a, char *out, size_t size)
{
	char	one[DNS_NAME + 16];
	size_t	i;

	snprintf(out, size, "%u %u:", a->rcode, a->found);
	for (i = 0; i < a->n; i++) {
		snprintf(one, sizeof(one), " %u %s", a->rec[i].pref,
		    a->rec[i].name);
		strncat(out, one, size - strlen(out) - 1);
	}
}

/* Parse an exact copy, so that a sanitizer sees every byte too far. */
static int
parse(const void *data, size_t len, unsigned int type, struct dns_answer *a)
{
	void	*copy = malloc(len > 0 ? len : 1);
	int	 r;

	memcpy(copy, data, len);
	r = dns_wire_parse(copy, len, type, a);
	free(copy);
	return (r);
}

static void
test_table(void)
{
	static struct dns_answer a;
	char			 got[1024];
	size_t			 i, cut;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		strcpy(got, "bad");
		if (parse(tests[i].data, tests[i].len, tests[i].type, &a) == 0)
			show(&a, got, sizeof(got));
		TEST_STR(tests[i].name, got, tests[i].want);
	}
	/* Cut off at every byte: never good while an answer is announced. */
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		int	good = 0;

		if (tests[i].data[7] == 0)
			continue;
		for (cut = 0; cut < tests[i].len; cut++)
			if (parse(tests[i].data, cut, tests[i].type, &a) == 0)
				good++;
		snprintf(got, sizeof(got), "%s, cut off", tests[i].name);
		TEST(got, good == 0);
	}
}

static unsigned char	big[65535];

/* Every byte pair is a pointer two bytes back. */
static void
test_pointers(void)
{
	static struct dns_answer a;
	size_t			 i, off;

	memcpy(big, HDR "\xff" TAIL Q("\x01"), 29);
	big[6] = 0xff;
	for (i = 30; i + 1 < 16000; i += 2) {
		big[i] = 0xc0 | (unsigned char)((i - 2) >> 8);
		big[i + 1] = (unsigned char)(i - 2);
	}
	off = 15000;
	TEST("64 KB of pointers", parse(big, sizeof(big), 1, &a) == -1 ||
	    a.n == 0);
	TEST("a chain of pointers",
	    dns_wire_name(big, sizeof(big), &off, a.rec[0].name) == -1);
}

static void
test_many(void)
{
	static struct dns_answer a;
	size_t			 n, i;
	const size_t		 rr = 16;

	n = 29;
	memcpy(big, HDR "\x00" TAIL Q("\x01"), n);
	big[6] = 0x0f;
	big[7] = 0xa0;			/* 4000 */
	for (i = 0; i < 4000; i++) {
		memcpy(big + n, PTR RR("\x01") "\x00\x04\x0a\x00\x00\x00", rr);
		big[n + 14] = (unsigned char)(i >> 8);
		big[n + 15] = (unsigned char)i;
		n += rr;
	}
	TEST("4000 addresses", parse(big, n, 1, &a) == 0 &&
	    a.n == DNS_RECORDS && strcmp(a.rec[63].name, "10.0.0.63") == 0);
}

/* A chain of n aliases, "b." to "c." and so on, then an address. */
static int
chain(unsigned int n)
{
	static struct dns_answer a;
	size_t			 len = 29;
	unsigned int		 i;

	memcpy(big, HDR "\x00" TAIL "\x07" "example\x03" "lab\x00"
	    "\x00\x01\x00\x01", len);
	big[7] = (unsigned char)(n + 1);
	for (i = 0; i <= n; i++) {
		if (i == 0) {
			memcpy(big + len, PTR, 2);
			len += 2;
		} else {
			big[len++] = 1;
			big[len++] = (unsigned char)('a' + i);
			big[len++] = 0;
		}
		if (i < n) {
			memcpy(big + len, RR("\x05") "\x00\x03\x01z\x00", 13);
			big[len + 11] = (unsigned char)('a' + i + 1);
			len += 13;
		} else {
			memcpy(big + len, RR("\x01") "\x00\x04\x0a\x00\x00\x01",
			    14);
			len += 14;
		}
	}
	if (parse(big, len, 1, &a) == -1)
		return (-1);
	return ((int)a.n);
}

/* 255 bytes on the wire are the longest name; its text has 253. */
static void
test_longest(void)
{
	unsigned char	name[300];
	char		text[DNS_NAME];
	size_t		n = 0, off = 0, i;

	for (i = 0; i < 3; i++) {
		name[n++] = 63;
		memset(name + n, 'a', 63);
		n += 63;
	}
	name[n++] = 61;
	memset(name + n, 'b', 62);
	name[n + 61] = 0;
	TEST("longest name", dns_wire_name(name, n + 62, &off, text) == 0 &&
	    strlen(text) == 253 && off == 255);
	name[n - 1] = 62;
	name[n + 62] = 0;
	off = 0;
	TEST("one byte too long",
	    dns_wire_name(name, n + 63, &off, text) == -1);
}

int
main(void)
{
	char	out[80];

	test_table();
	test_pointers();
	test_many();
	TEST("five aliases", chain(5) == 1);
	TEST("twenty aliases", chain(20) == -1);
	test_longest();
	TEST("reverse IPv4", dns_reverse_name("192.0.2.1", out,
	    sizeof(out)) == 0 && strcmp(out, "1.2.0.192.in-addr.arpa") == 0);
	TEST("reverse IPv6", dns_reverse_name("2001:db8::1", out,
	    sizeof(out)) == 0 && strcmp(out, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
	    ".0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa") == 0);
	TEST("reverse nothing", dns_reverse_name("x", out, sizeof(out)) == -1);
	TEST("reverse, no room", dns_reverse_name("::1", out, 40) == -1);
	TEST("names", dns_name_ok("a.b") && dns_name_ok("_x.b.") &&
	    dns_name_ok("localhost") && !dns_name_ok("") &&
	    !dns_name_ok(".") && !dns_name_ok("a..b") &&
	    !dns_name_ok("a b") && !dns_name_ok(".a") && !dns_name_ok("a-"));
	TEST_DONE();
}
