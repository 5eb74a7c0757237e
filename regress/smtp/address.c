/*
 * address: what is an address, and its one spelling; what is none.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "smtp/address.h"
#include "../test.h"

#define L63	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"	\
		"abcdefghijk"
#define L64	L63 "l"

/* want NULL: refused. */
static const struct {
	const char	*in;
	const char	*want;
} addresses[] = {
	{ "a@b", "a@b" },
	{ "alice@example.org", "alice@example.org" },
	{ "Alice@EXAMPLE.Org", "Alice@example.org" },
	{ "alice", "alice" },
	{ "a.b.c@example.org", "a.b.c@example.org" },
	{ "user+detail@example.org", "user+detail@example.org" },
	{ "!#$%&'*+-/=?^_`{|}~@example.org",
	    "!#$%&'*+-/=?^_`{|}~@example.org" },
	{ "user%remote.example@ours.example",
	    "user%remote.example@ours.example" },
	{ "remote!user@ours.example", "remote!user@ours.example" },
	{ "a@xn--bcher-kva.example", "a@xn--bcher-kva.example" },
	{ "a@1.example", "a@1.example" },
	{ "a@a_b.example", "a@a_b.example" },
	{ "a@[192.0.2.1]", "a@[192.0.2.1]" },
	{ "a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]" },
	{ L64 "@b", L64 "@b" },
	{ "a@" L63 ".example", "a@" L63 ".example" },
	{ "\"a b\"@c", "\"a b\"@c" },
	{ "\"ab\"@c", "ab@c" },
	{ "\"a.b\"@c", "a.b@c" },
	{ "\"a\\b\"@c", "ab@c" },
	{ "\".a\"@c", "\".a\"@c" },
	{ "\"a.\"@c", "\"a.\"@c" },
	{ "\"a..b\"@c", "\"a..b\"@c" },
	{ "\"\"@c", "\"\"@c" },
	{ "\"a@b\"@c", "\"a@b\"@c" },
	{ "\"a\\@b\"@c", "\"a@b\"@c" },
	{ "\"a\\ b\"@c", "\"a b\"@c" },
	{ "\"a\\\"b\"@c", "\"a\\\"b\"@c" },
	{ "\"a\\\\\"@c", "\"a\\\\\"@c" },
	{ "\"a>b\"@c", "\"a>b\"@c" },
	{ "\"@x:a\"@c", "\"@x:a\"@c" },
	{ "", NULL },
	{ "@", NULL },
	{ "@b", NULL },
	{ "a@", NULL },
	{ "a@b@c", NULL },
	{ "a@@b", NULL },
	{ "a@b@", NULL },
	{ ".a@b", NULL },
	{ "a.@b", NULL },
	{ "a..b@c", NULL },
	{ ".", NULL },
	{ "a@b.", NULL },
	{ "a@.b", NULL },
	{ "a@b..c", NULL },
	{ "a@-b", NULL },
	{ "a@b-", NULL },
	{ "a@b-.c", NULL },
	{ "a@b.-c", NULL },
	{ "a@b c", NULL },
	{ "a b@c", NULL },
	{ "a@b>", NULL },
	{ "<a@b>", NULL },
	{ "a@b,c@d", NULL },
	{ "a@b;", NULL },
	{ "a@b/c", NULL },
	{ "a@b\\c", NULL },
	{ "a@b:25", NULL },
	{ "a(c)@b", NULL },
	{ "a@\"b\"", NULL },
	{ "a\"b\"@c", NULL },
	{ "\"a\"b@c", NULL },
	{ "\"a\".b@c", NULL },
	{ "\"a", NULL },
	{ "\"a\\", NULL },
	{ "\"a\\\"", NULL },
	{ "\"", NULL },
	{ "\"a\tb\"@c", NULL },
	{ "\"a\\\tb\"@c", NULL },
	{ "\"a\x80\"@c", NULL },
	{ "\xc3\xa4@b", "\xc3\xa4@b" },
	{ "\"\xc3\xa4\"@b", "\xc3\xa4@b" },
	{ "\"\xc3\xa4 b\"@b", "\"\xc3\xa4 b\"@b" },
	{ "\xc3@b", NULL },
	{ "\xa4@b", NULL },
	{ "\xc0\xaf@b", NULL },
	{ "\xed\xa0\x80@b", NULL },
	{ "\xc2\x85@b", NULL },
	{ "a@\xd1\x8fpple.example", "a@xn--pple-k8d.example" },
	{ "a@b\xc3\xbc" "cher.EXAMPLE", "a@xn--bcher-kva.example" },
	{ "a@\xe4\xbe\x8b\xe3\x81\x88", "a@xn--r8jz45g" },
	{ "a@b\xc3" "cher.example", NULL },
	{ "a@b\xc2\x85" "cher.example", NULL },
	{ "a@\xc3\xbc..example", NULL },
	{ "a@" L63 "\xc3\xbc.example", NULL },
	{ "a@[]", NULL },
	{ "a@[", NULL },
	{ "a@[1.2.3.4", NULL },
	{ "a@[1.2.3.4]x", NULL },
	{ "a@[x]", NULL },
	{ "a@[1.2.3.4 ]", NULL },
	{ L64 "m@b", NULL },
	{ "a@" L64 ".example", NULL },
};

/* Paths, with what has to be left behind them. */
static const struct {
	const char	*in;
	const char	*want;
	const char	*rest;
} paths[] = {
	{ "<a@b>", "a@b", "" },
	{ " <a@b>", "a@b", "" },
	{ "\t<a@b> SIZE=1", "a@b", " SIZE=1" },
	{ "<>", "", "" },
	{ "<> BODY=8BITMIME", "", " BODY=8BITMIME" },
	{ "a@b", "a@b", "" },
	{ "user@yahoo.com", "user@yahoo.com", "" },
	{ "a@b SIZE=1", "a@b", " SIZE=1" },
	{ "<postmaster>", "postmaster", "" },
	{ "<@one.example:a@b>", "a@b", "" },
	{ "<@one.example,@two.example:a@b>", "a@b", "" },
	{ "<\"a b\"@c>", "\"a b\"@c", "" },
	{ "<\"a>b\"@c> X", "\"a>b\"@c", " X" },
	{ "<a@b", NULL, NULL },
	{ "a@b>", NULL, NULL },
	{ "<a@b>x", NULL, NULL },
	{ "<>x", NULL, NULL },
	{ "<>SIZE=1", NULL, NULL },
	{ "<a@b>SIZE=1", NULL, NULL },
	{ "<a@b>>", NULL, NULL },
	{ "<<a@b>>", NULL, NULL },
	{ "<a@b><c@d>", NULL, NULL },
	{ "< >", NULL, NULL },
	{ "<a@b >", NULL, NULL },
	{ "< a@b>", NULL, NULL },
	{ "<", NULL, NULL },
	{ "", NULL, NULL },
	{ ">", NULL, NULL },
	{ "<@one.example>", NULL, NULL },
	{ "<@one.example:>", NULL, NULL },
	{ "<@one.example:@two.example:a@b>", NULL, NULL },
	{ "<@:a@b@c>", NULL, NULL },
	{ "<a@b.>", NULL, NULL },
	{ "<x@y@>", NULL, NULL },
};

static void
test_tables(void)
{
	char		 to[SMTP_ADDR_SIZE], name[600];
	const char	*wrong, *p;
	size_t		 i;

	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		snprintf(name, sizeof(name), "address %zu", i);
		wrong = smtp_address(addresses[i].in, to);
		if (addresses[i].want == NULL)
			TEST_STR(name, wrong != NULL ? "refused" : to,
			    "refused");
		else
			TEST_STR(name, wrong != NULL ? wrong : to,
			    addresses[i].want);
		if (wrong != NULL || smtp_address(to, name) != NULL)
			continue;
		TEST_STR("reads back as itself", name, to);
	}
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		snprintf(name, sizeof(name), "path %zu", i);
		p = paths[i].in;
		wrong = smtp_path(&p, to);
		if (paths[i].want == NULL) {
			TEST_STR(name, wrong != NULL ? "refused" : to,
			    "refused");
			continue;
		}
		TEST_STR(name, wrong != NULL ? wrong : to, paths[i].want);
		TEST_STR("what is left", p, paths[i].rest);
	}
}

/* Each byte in the middle, at the start and at the end of a local part. */
static void
test_bytes(void)
{
	static const char	atext[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "!#$%&'*+-/=?^_`{|}~";
	char			in[16], to[SMTP_ADDR_SIZE];
	unsigned int		c;
	int			at, good = 1, quoted = 1, domain = 1, want;
	size_t			f;

	for (c = 1; c < 256; c++) {
		at = strchr(atext, (int)c) != NULL;
		for (f = 0; f < 3; f++) {
			snprintf(in, sizeof(in), f == 0 ? "x%cy@b" : f == 1 ?
			    "%cy@b" : "x%c@b", c);
			want = at || (c == '.' && f == 0);
			good &= (smtp_address(in, to) == NULL) == want &&
			    (!want || strcmp(to, in) == 0);
		}
		snprintf(in, sizeof(in), "\"x%cy\"@b", c);
		quoted &= (smtp_address(in, to) == NULL) ==
		    (c >= 0x20 && c < 0x7f && c != '"');
		snprintf(in, sizeof(in), "\"x\\%cy\"@b", c);
		quoted &= (smtp_address(in, to) == NULL) ==
		    (c >= 0x20 && c < 0x7f);
		snprintf(in, sizeof(in), "a@x%cy", c);
		domain &= (smtp_address(in, to) == NULL) ==
		    (c == '.' || c == '-' || c == '_' ||
		    (c < 0x80 && isalnum((int)c)));
	}
	TEST("every byte in a local part", good);
	TEST("every byte in quotes", quoted);
	TEST("every byte in a domain", domain);
}

static void
test_lengths(void)
{
	char	in[700], to[SMTP_ADDR_SIZE], name[64];
	size_t	n, i;

	for (n = 61; n <= 66; n++) {
		memset(in, 'x', n);
		memcpy(in + n, "@b", 3);
		snprintf(name, sizeof(name), "local part of %zu", n);
		TEST(name, (smtp_address(in, to) == NULL) == (n <= 64));
		in[0] = in[n - 1] = '"';
		in[1] = ' ';
		snprintf(name, sizeof(name), "quoted one of %zu", n);
		TEST(name, (smtp_address(in, to) == NULL) == (n <= 64) &&
		    (n > 64 || strcmp(in, to) == 0));
		in[n - 3] = '\\';
		in[n - 2] = '"';
		snprintf(name, sizeof(name), "escape at the end of %zu", n);
		TEST(name, (smtp_address(in, to) == NULL) == (n <= 64) &&
		    (n > 64 || strcmp(in, to) == 0));
	}
	for (n = 250; n <= 260; n++) {
		memset(in, 'x', 64);
		in[64] = '@';
		for (i = 0; i < n; i++)
			in[65 + i] = i % 10 == 9 && i < n - 1 ? '.' : 'd';
		in[65 + n] = '\0';
		snprintf(name, sizeof(name), "domain of %zu", n);
		TEST(name, (smtp_address(in, to) == NULL) == (n <= 255) &&
		    (n > 255 || strcmp(in, to) == 0));
	}
}

/* Each good one, cut at every byte: no over-read, and no other meaning. */
static void
test_cuts(void)
{
	char		*copy, to[SMTP_ADDR_SIZE];
	const char	*s;
	size_t		 i, n, len;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		len = strlen(paths[i].in);
		for (n = 0; n <= len; n++) {
			if ((copy = malloc(n + 1)) == NULL)
				exit(2);
			memcpy(copy, paths[i].in, n);
			copy[n] = '\0';
			s = copy;
			if (smtp_path(&s, to) == NULL &&
			    (s < copy || s > copy + n))
				TEST("stays inside", 0);
			(void)smtp_address(copy, to);
			free(copy);
		}
	}
	TEST("cut at every byte", 1);
	TEST_STR("at", smtp_address_at("\"a@b\"@c"), "@c");
	TEST("no at", smtp_address_at("a") == NULL);
	TEST("no at behind quotes", smtp_address_at("\"a@b\"") == NULL);
	TEST_STR("at behind escapes", smtp_address_at("\"a\\\"@\"@c"),
	    "@c");
}

int
main(void)
{
	test_tables();
	test_bytes();
	test_lengths();
	test_cuts();
	TEST_DONE();
}
