/*
 * keyid: names of keys, and what a block that may be signed looks like.  The
 * true blocks are made with libcrypto.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "tls/signer.h"
#include "../test.h"

#define PIECE		144	/* of a block; SHA-512 needs 130 */
#define BLOCK	256		/* of an RSA key of 2048 bits */

static const struct {
	const char	*name;
	const EVP_MD	*(*md)(void);
	size_t		 size;
	int		 good;
} hashes[] = {
	{ "SHA-256", EVP_sha256, 32, 1 },
	{ "SHA-384", EVP_sha384, 48, 1 },
	{ "SHA-512", EVP_sha512, 64, 1 },
	{ "SHA-1", EVP_sha1, 20, 0 },
	{ "SHA-224", EVP_sha224, 28, 0 },
};
#define HASHES	(sizeof(hashes) / sizeof(hashes[0]))

static RSA *
rsa_new(int bits)
{
	BIGNUM	*e = BN_new();
	RSA	*rsa = RSA_new();

	if (e == NULL || rsa == NULL || BN_set_word(e, RSA_F4) != 1 ||
	    RSA_generate_key_ex(rsa, bits, e, NULL) != 1)
		exit(2);
	BN_free(e);
	return (rsa);
}

/* The DigestInfo as an RSA signature holds it. */
static size_t
digestinfo(RSA *rsa, const EVP_MD *md, unsigned char out[BLOCK])
{
	unsigned char	hash[64], sig[BLOCK];
	unsigned int	len = 0;
	int		n;

	memset(hash, 0x5a, sizeof(hash));
	if (RSA_sign(EVP_MD_type(md), hash, (unsigned int)EVP_MD_size(md),
	    sig, &len, rsa) != 1 || (n = RSA_public_decrypt((int)len, sig,
	    out, rsa, RSA_PKCS1_PADDING)) <= 0)
		exit(2);
	return ((size_t)n);
}

static void
test_digestinfo(RSA *rsa)
{
	unsigned char	block[BLOCK];
	char		name[64];
	size_t		len, i, h;
	int		flip, want, good;

	for (h = 0; h < HASHES; h++) {
		len = digestinfo(rsa, hashes[h].md(), block);
		snprintf(name, sizeof(name), "DigestInfo of %s",
		    hashes[h].name);
		TEST(name, sign_is_digestinfo(block, len) == hashes[h].good);
		good = 1;
		for (i = 0; i < len && hashes[h].good; i++)
			for (flip = 1; flip < 256; flip <<= 1) {
				block[i] ^= (unsigned char)flip;
				want = i >= len - hashes[h].size;
				good &= sign_is_digestinfo(block, len) ==
				    want;
				block[i] ^= (unsigned char)flip;
			}
		for (i = 0; i < len; i++)
			good &= !sign_is_digestinfo(block, i);
		memset(block + len, 0, sizeof(block) - len);
		good &= !sign_is_digestinfo(block, len + 1);
		snprintf(name, sizeof(name), "every bit of %s",
		    hashes[h].name);
		TEST(name, good);
	}
}

static void
pss_new(RSA *rsa, const EVP_MD *md, int salt, unsigned char em[BLOCK])
{
	unsigned char	hash[64];

	memset(hash, 0x5a, sizeof(hash));
	if (RSA_padding_add_PKCS1_PSS_mgf1(rsa, em, hash, md, md, salt) != 1)
		exit(2);
}

/*
 * RFC 8017 9.1: maskedDB, H, 0xbc.  The salt is any bytes, so a change there
 * makes another true block; every other one breaks it.
 */
static void
test_pss_bits(RSA *rsa, size_t h)
{
	unsigned char	em[BLOCK];
	char		name[64];
	size_t		i, salt;
	int		flip, good = 1, tries, hits = 0;

	for (tries = 0; tries < 20; tries++) {
		pss_new(rsa, hashes[h].md(), -1, em);
		hits += sign_is_pss(em, BLOCK);
	}
	snprintf(name, sizeof(name), "PSS of %s", hashes[h].name);
	TEST(name, hits == (hashes[h].good ? 20 : 0));
	salt = BLOCK - 2 * hashes[h].size - 1;
	for (i = 0; i < BLOCK && hashes[h].good; i++)
		for (flip = 1; flip < 256; flip <<= 1) {
			em[i] ^= (unsigned char)flip;
			good &= sign_is_pss(em, BLOCK) ==
			    (i >= salt && i < salt + hashes[h].size);
			em[i] ^= (unsigned char)flip;
		}
	/* Shorter pieces have too few fixed bits for chance to be ruled out. */
	for (i = PIECE; i < BLOCK; i++)
		good &= !sign_is_pss(em, i) &&
		    !sign_is_pss(em + BLOCK - i, i);
	snprintf(name, sizeof(name), "every bit of PSS of %s",
	    hashes[h].name);
	TEST(name, good);
	pss_new(rsa, hashes[h].md(), 0, em);
	snprintf(name, sizeof(name), "no salt, %s", hashes[h].name);
	TEST(name, !sign_is_pss(em, BLOCK));
	pss_new(rsa, hashes[h].md(), -2, em);
	snprintf(name, sizeof(name), "long salt, %s", hashes[h].name);
	TEST(name, !sign_is_pss(em, BLOCK));
}

static void
test_other_blocks(void)
{
	static unsigned char	big[4096];
	unsigned char		em[BLOCK];
	int			i, bad = 0;

	for (i = 0; i < 2000; i++) {
		arc4random_buf(em, sizeof(em));
		em[0] &= 0x7f;
		em[BLOCK - 1] = 0xbc;
		bad += sign_is_pss(em, BLOCK);
	}
	TEST("random blocks", bad == 0);
	memset(em, 0, sizeof(em));
	TEST("zeroes", !sign_is_pss(em, BLOCK));
	big[sizeof(big) - 1] = 0xbc;
	TEST("too big", !sign_is_pss(big, sizeof(big)));
	TEST("nothing", !sign_is_pss(em, 0) && !sign_is_digestinfo(em, 0));
}

static void
test_names(RSA *rsa)
{
	EC_KEY		*a = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	EC_KEY		*b = EC_KEY_new_by_curve_name(NID_secp521r1);
	EC_KEY		*none = EC_KEY_new();
	RSA		*other = rsa_new(1024), *empty = RSA_new();
	char		 id[KEY_ID_SIZE], again[KEY_ID_SIZE];

	if (EC_KEY_generate_key(a) != 1 || EC_KEY_generate_key(b) != 1)
		exit(2);
	TEST("RSA", key_id_rsa(rsa, id) == 0 && strlen(id) == 64 &&
	    strspn(id, "0123456789abcdef") == 64);
	TEST("same again", key_id_rsa(rsa, again) == 0 &&
	    strcmp(id, again) == 0);
	TEST("another", key_id_rsa(other, again) == 0 &&
	    strcmp(id, again) != 0);
	TEST("without a key", key_id_rsa(empty, id) == -1);
	TEST("EC", key_id_ec(a, id) == 0 && strlen(id) == 64);
	TEST("another EC", key_id_ec(b, again) == 0 &&
	    strcmp(id, again) != 0);
	TEST("EC without a key", key_id_ec(none, id) == -1);
	RSA_free(other);
	RSA_free(empty);
	EC_KEY_free(a);
	EC_KEY_free(b);
	EC_KEY_free(none);
}

int
main(void)
{
	RSA	*rsa = rsa_new(2048);
	size_t	 h;

	test_digestinfo(rsa);
	for (h = 0; h < HASHES; h++)
		test_pss_bits(rsa, h);
	test_other_blocks();
	test_names(rsa);
	RSA_free(rsa);
	TEST_DONE();
}
