/*
 * verify: a known hash of each scheme, and what must never open an account.
 */
#include "auth/verify.h"
#include "os/compat.h"
#include "sasl/scram.h"
#include "../test.h"

static const struct {
	const char	*name, *hash, *pass;
} known[] = {
	{ "des", "arlEKn0OzVJn.", "foob" },
	{ "bsdi", "_J9..abcdQ3b4oq3tGVk", "pass" },
	{ "md5", "$1$abcdefgh$1s0bv7.OjNizlrMAOIQD7.", "pass" },
	{ "bcrypt-2a", "$2a$05$CCCCCCCCCCCCCCCCCCCCC."
	    "E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U" },
	{ "bcrypt-2b", "$2b$04$abcdefghijklmnopqrstuu"
	    "fznL8bkzdtHwLhca4To/v9Lo9bA7fR6", "pass" },
	{ "sha256", "$5$saltstring$"
	    "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!" },
	{ "sha512", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3u"
	    "BnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!" },
	{ "yescrypt", "$y$j75$abcdefgh$"
	    "X8GMXMDcy1Gm4ECi62YN3gYJL4qXnVr50W/4aFlg214", "pass" },
	{ "prefix-crypt", "{CRYPT}$2b$04$abcdefghijklmnopqrstuu"
	    "fznL8bkzdtHwLhca4To/v9Lo9bA7fR6", "pass" },
	{ "prefix-blf", "{BLF-CRYPT}$2b$04$abcdefghijklmnopqrstuu"
	    "fznL8bkzdtHwLhca4To/v9Lo9bA7fR6", "pass" },
	{ "prefix-sha256", "{SHA256-CRYPT}$5$saltstring$"
	    "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!" },
	{ "prefix-lower", "{md5-crypt}$1$abcdefgh$1s0bv7.OjNizlrMAOIQD7.",
	    "pass" },
	{ "prefix-md5", "{MD5}$1$abcdefgh$1s0bv7.OjNizlrMAOIQD7.", "pass" },
	{ "prefix-des", "{CRYPT}arlEKn0OzVJn.", "foob" },
	{ "scram", "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
	    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
	    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", "pencil" },
	{ "ssha", "{SSHA}jbrxJUKgbQVzrMkezlbBGzEdDM1RYTXw", "pencil" },
	{ "ssha256", "{SSHA256}v24W+KrmU1oyF5a7tFyfjHs8mYdcMWtABsh0YOfJM2co"
	    "Tfh+", "pencil" },
	{ "ssha512", "{ssha512}NvN0kliwC8I2qkoZvRF+IbdkAmCISz7kdwCfulnRys/N"
	    "USlKWxNBku4AwMDvBB9sRLdHZZseVtKDTENzDMTen+vmO+Q=", "pencil" },
	{ "plain", "{PLAIN}secret", "secret" }
};

static void
test_known(void)
{
	char			 name[64], dummy[VERIFY_HASH_MAX];
	enum verify_result	 r;
	size_t			 i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		TEST(known[i].name, verify_password(known[i].hash,
		    known[i].pass) == VERIFY_RIGHT);
		snprintf(name, sizeof(name), "%s-wrong", known[i].name);
		TEST(name, verify_password(known[i].hash, "wrong") ==
		    VERIFY_WRONG);
		snprintf(name, sizeof(name), "%s-empty", known[i].name);
		TEST(name, verify_password(known[i].hash, "") ==
		    VERIFY_WRONG);
		snprintf(name, sizeof(name), "%s-dummy", known[i].name);
		TEST(name, verify_dummy(known[i].hash, dummy,
		    sizeof(dummy)) == 0);
		snprintf(name, sizeof(name), "%s-dummy-never", known[i].name);
		r = verify_password(dummy, known[i].pass);
		TEST(name, r == VERIFY_WRONG);
	}
}

static const struct {
	const char		*name, *hash, *pass;
	enum verify_result	 want;
} odd[] = {
	{ "empty", "", "", VERIFY_UNUSABLE },
	{ "empty-prefix", "{CRYPT}", "", VERIFY_UNUSABLE },
	{ "empty-plain", "{PLAIN}", "", VERIFY_UNUSABLE },
	{ "star", "*", "*", VERIFY_UNUSABLE },
	{ "star-zero", "*0", "*0", VERIFY_UNUSABLE },
	{ "bang", "!", "!", VERIFY_UNUSABLE },
	{ "bang-hash", "!$1$abcdefgh$1s0bv7.OjNizlrMAOIQD7.", "pass",
	    VERIFY_UNUSABLE },
	{ "x", "x", "x", VERIFY_UNUSABLE },
	{ "bare-plain", "secret", "secret", VERIFY_UNUSABLE },
	{ "bare-plain-13", "secret secret", "secret secret",
	    VERIFY_UNUSABLE },
	{ "crypt-plain", "{CRYPT}secret", "secret", VERIFY_UNUSABLE },
	{ "unknown-scheme", "{SMD5}secret", "secret", VERIFY_UNUSABLE },
	{ "salted-short", "{SSHA}c2VjcmV0", "secret", VERIFY_UNUSABLE },
	{ "salted-no-salt", "{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "secret",
	    VERIFY_UNUSABLE },
	{ "salted-no-base64", "{SSHA}jbrxJUKgbQVzrMkezlbBGzEdDM1RYTX!",
	    "pencil", VERIFY_UNUSABLE },
	{ "salted-other", "{SSHA256}jbrxJUKgbQVzrMkezlbBGzEdDM1RYTXw",
	    "pencil", VERIFY_UNUSABLE },
	{ "salted-empty", "{SSHA}", "", VERIFY_UNUSABLE },
	{ "unknown-crypt", "{XCRYPT}$1$abcdefgh$1s0bv7.OjNizlrMAOIQD7.",
	    "pass", VERIFY_UNUSABLE },
	{ "open-brace", "{PLAINsecret", "secret", VERIFY_UNUSABLE },
	{ "plain-b64", "{PLAIN.B64}c2VjcmV0", "secret", VERIFY_UNUSABLE },
	{ "unknown-method", "$99$abc$def", "pass", VERIFY_UNUSABLE },
	{ "no-method", "$", "$", VERIFY_UNUSABLE },
	{ "setting-only", "$6$saltstring", "Hello world!", VERIFY_WRONG },
	{ "cut-hash", "$1$abcdefgh$1s0bv7.OjNizlrMAOIQD7", "pass",
	    VERIFY_WRONG },
	{ "scram-bad", "{SCRAM-SHA-256}4096,AAAA", "pencil",
	    VERIFY_UNUSABLE },
	{ "bsdauth", "{BSDAUTH}root", "root", VERIFY_UNUSABLE },
	{ "plain-longer", "{PLAIN}secret", "secret ", VERIFY_WRONG },
	{ "plain-shorter", "{PLAIN}secret", "secre", VERIFY_WRONG },
	{ "plain-case", "{PLAIN}secret", "Secret", VERIFY_WRONG }
};

static void
test_odd(void)
{
	size_t	i;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		TEST(odd[i].name, verify_password(odd[i].hash, odd[i].pass) ==
		    odd[i].want);
}

static void
test_bounds(void)
{
	char	hash[2 * VERIFY_HASH_MAX], pass[400], dummy[VERIFY_HASH_MAX];

	memset(hash, 'a', sizeof(hash));
	memcpy(hash, "{PLAIN}", 7);
	memset(pass, 'a', sizeof(pass));
	hash[sizeof(hash) - 1] = pass[sizeof(pass) - 1] = '\0';
	TEST("hash-too-long", verify_password(hash, pass) ==
	    VERIFY_UNUSABLE);
	hash[7 + 255] = '\0';
	pass[255] = '\0';
	TEST("pass-255", verify_password(hash, pass) == VERIFY_RIGHT);
	hash[7 + 255] = pass[255] = 'a';
	hash[7 + 256] = pass[256] = '\0';
	TEST("pass-256", verify_password(hash, pass) == VERIFY_WRONG);
	TEST("dummy-default", verify_dummy(NULL, dummy, sizeof(dummy)) == 0 &&
	    verify_password(dummy, "x") == VERIFY_WRONG);
	TEST("dummy-locked", verify_dummy("!", dummy, sizeof(dummy)) == 0 &&
	    verify_password(dummy, "x") == VERIFY_WRONG);
	TEST("dummy-small", verify_dummy(known[5].hash, dummy, 8) == -1);
}

static void
test_usable(void)
{
	TEST("yescrypt", verify_usable("{CRYPT}$y$j9T$abc$def"));
	TEST("bare", verify_usable("$2b$10$abcdefghijklmnopqrstuv"));
	TEST("plain", verify_usable("{PLAIN}x"));
	TEST("a password itself", !verify_usable("secret"));
	TEST("unknown scheme", !verify_usable("{MD5}abc"));
	TEST("salted", verify_usable("{SSHA}jbrxJUKgbQVzrMkezlbBGzEdDM1RYTXw"));
	TEST("bad salted", !verify_usable("{SSHA}jbrxJUKgbQVzrMkezlbBGw=="));
	TEST("salted is fast", verify_fast("{SSHA}x") &&
	    !verify_fast("$2b$10$abc") && !verify_fast("{PLAIN}x"));
	TEST("no end", !verify_usable("{CRYPT"));
	TEST("bad scram", !verify_usable("{SCRAM-SHA-256}1,2"));
}

int
main(void)
{
	test_usable();
	test_known();
	test_odd();
	test_bounds();
	TEST_DONE();
}
