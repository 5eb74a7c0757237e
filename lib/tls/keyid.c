/*
 * keyid: how net and signer name a key to each other, and what a block that
 * may be signed looks like.  Both are pure.
 *
 * With OpenSSL 3 the application data of an RSA object does not survive into
 * the object that signs, so the public key itself is the only sure name.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "tls/signer.h"

#define POINT_MAX	256
#define MODULUS_MAX	2048
#define HASH_MAX	64

static int
hex_digest(const unsigned char *p, size_t len, char id[KEY_ID_SIZE])
{
	unsigned char	md[32];
	unsigned int	n, i;

	if (EVP_Digest(p, len, md, &n, EVP_sha256(), NULL) != 1 ||
	    n != sizeof(md))
		return (-1);
	for (i = 0; i < n; i++)
		snprintf(id + 2 * i, 3, "%02x", md[i]);
	return (0);
}

int
key_id_rsa(const RSA *rsa, char id[KEY_ID_SIZE])
{
	unsigned char	 mod[MODULUS_MAX];
	const BIGNUM	*n;
	int		 len;

	RSA_get0_key(rsa, &n, NULL, NULL);
	if (n == NULL || BN_num_bytes(n) > MODULUS_MAX ||
	    (len = BN_bn2bin(n, mod)) <= 0)
		return (-1);
	return (hex_digest(mod, len, id));
}

int
key_id_ec(const EC_KEY *ec, char id[KEY_ID_SIZE])
{
	unsigned char	 point[POINT_MAX];
	const EC_GROUP	*g = EC_KEY_get0_group(ec);
	const EC_POINT	*q = EC_KEY_get0_public_key(ec);
	size_t		 len;

	if (g == NULL || q == NULL || (len = EC_POINT_point2oct(g, q,
	    POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point), NULL)) == 0)
		return (-1);
	return (hex_digest(point, len, id));
}

int
sign_is_digestinfo(const unsigned char *p, size_t len)
{
	static const struct {
		unsigned char	prefix[19];
		size_t		hash;
	} infos[] = {
		{ { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		    0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 },
		    32 },
		{ { 0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		    0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30 },
		    48 },
		{ { 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		    0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40 },
		    64 },
	};
	size_t	i;

	for (i = 0; i < sizeof(infos) / sizeof(infos[0]); i++)
		if (len == 19 + infos[i].hash &&
		    memcmp(p, infos[i].prefix, 19) == 0)
			return (1);
	return (0);
}

/* MGF1 (RFC 8017 B.2.1): xor the mask made from seed over out. */
static int
mgf1_xor(unsigned char *out, size_t len, const unsigned char *seed, size_t hl,
    const EVP_MD *md)
{
	unsigned char	block[HASH_MAX + 4], mask[HASH_MAX];
	unsigned int	n;
	size_t		i, done;
	uint32_t	count = 0;

	memcpy(block, seed, hl);
	for (done = 0; done < len; done += hl, count++) {
		block[hl] = count >> 24;
		block[hl + 1] = count >> 16;
		block[hl + 2] = count >> 8;
		block[hl + 3] = count;
		if (EVP_Digest(block, hl + 4, mask, &n, md, NULL) != 1)
			return (-1);
		for (i = 0; i < hl && i < len - done; i++)
			out[done + i] ^= mask[i];
	}
	return (0);
}

static int
is_pss_of(const unsigned char *em, size_t len, const EVP_MD *md)
{
	unsigned char	db[MODULUS_MAX];
	size_t		hl = EVP_MD_size(md), dblen, i;

	if (len < 2 * hl + 2 || len > MODULUS_MAX || em[len - 1] != 0xbc ||
	    (em[0] & 0x80) != 0)
		return (0);
	dblen = len - hl - 1;
	memcpy(db, em, dblen);
	if (mgf1_xor(db, dblen, em + dblen, hl, md) == -1)
		return (0);
	db[0] &= 0x7f;			/* the modulus has 8 * len bits */
	for (i = 0; i < dblen - hl - 1; i++)
		if (db[i] != 0)
			return (0);
	return (db[i] == 0x01);		/* TLS: salt as long as the hash */
}

int
sign_is_pss(const unsigned char *em, size_t len)
{
	return (is_pss_of(em, len, EVP_sha256()) ||
	    is_pss_of(em, len, EVP_sha384()) ||
	    is_pss_of(em, len, EVP_sha512()));
}
