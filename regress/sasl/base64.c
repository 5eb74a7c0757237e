/*
 * base64: the vectors of RFC 4648, and everything that is not base64.
 */
#include "sasl/base64.h"
#include "../test.h"

static const struct {
	const char	*plain;
	const char	*text;
} vectors[] = {
	{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" }
};

static const char *const bad[] = {
	"Z", "Zg", "Zg=", "=", "==", "===", "====", "Z===", "Zg==Zg==",
	"Zm8=Zm8=", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "Zm9v====", "Zm9\x80",
	"Zm9-", "Zm9_", "=g==", "Z=g=", "Zg=g", " Zm9", "Zm9vZ", "Zm9vZm",
	"Zm9vZm9"
};

static void
test_vectors(void)
{
	char	out[16], name[32];
	size_t	i, len;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		snprintf(name, sizeof(name), "encode-%zu", i);
		TEST(name, base64_encode(vectors[i].plain,
		    strlen(vectors[i].plain), out, sizeof(out)) == 0 &&
		    strcmp(out, vectors[i].text) == 0);
		snprintf(name, sizeof(name), "decode-%zu", i);
		TEST(name, base64_decode(vectors[i].text,
		    strlen(vectors[i].text), out, sizeof(out), &len) == 0 &&
		    len == strlen(vectors[i].plain) &&
		    memcmp(out, vectors[i].plain, len) == 0);
	}
}

static void
test_bad(void)
{
	char	out[32], name[32];
	size_t	i, len;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(name, sizeof(name), "bad-%zu", i);
		TEST(name, base64_decode(bad[i], strlen(bad[i]), out,
		    sizeof(out), &len) == -1);
	}
	TEST("bad-nul", base64_decode("Zm9\0", 4, out, sizeof(out), &len) ==
	    -1);
}

/* Every length up to 64 at every size of the output. */
static void
test_bounds(void)
{
	char	text[100], plain[64], out[64];
	size_t	n, max, len;
	int	ok = 1, enc = 1;

	memset(plain, 0xa5, sizeof(plain));
	for (n = 0; n < sizeof(plain); n++) {
		if (base64_encode(plain, n, text, sizeof(text)) == -1 ||
		    strlen(text) != BASE64_ENCODED(n))
			enc = 0;
		if (base64_encode(plain, n, text, BASE64_ENCODED(n)) != -1)
			enc = 0;
		if (base64_encode(plain, n, text, BASE64_ENCODED(n) + 1) == -1)
			enc = 0;
		for (max = 0; max <= n; max++) {
			memset(out, 'x', sizeof(out));
			if ((base64_decode(text, strlen(text), out, max,
			    &len) == 0) != (max == n))
				ok = 0;
			if (max < sizeof(out) && out[max] != 'x')
				ok = 0;
		}
	}
	TEST("encode-bounds", enc);
	TEST("decode-bounds", ok);
	TEST("encode-none", base64_encode("", 0, text, 0) == -1);
}

int
main(void)
{
	test_vectors();
	test_bad();
	test_bounds();
	TEST_DONE();
}
