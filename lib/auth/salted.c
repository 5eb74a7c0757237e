/*
 * salted: LDAP's salted digests.  Pure.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/salted.h"
#include "os/compat.h"
#include "sasl/base64.h"

static const struct salted_kind {
	const char	*name;
	const EVP_MD	*(*md)(void);
	size_t		 len;		/* bytes of its digest */
} kinds[] = {
	{ "SSHA", EVP_sha1, 20 },
	{ "SSHA256", EVP_sha256, 32 },
	{ "SSHA512", EVP_sha512, 64 },
};
#define NKINDS	(sizeof(kinds) / sizeof(kinds[0]))

static const struct salted_kind *
kind_of(const char *name, size_t n)
{
	size_t	i;

	for (i = 0; i < NKINDS; i++)
		if (strlen(kinds[i].name) == n &&
		    strncasecmp(kinds[i].name, name, n) == 0)
			return (&kinds[i]);
	return (NULL);
}

int
salted_scheme(const char *name, size_t n)
{
	return (kind_of(name, n) != NULL);
}

int
salted_parse(struct salted *s, const char *hash)
{
	unsigned char	 bytes[SALTED_DIGEST + SALTED_SALT];
	const char	*text;
	size_t		 n, len;

	if (hash[0] != '{' || hash[n = strcspn(hash, "}")] == '\0')
		return (-1);
	text = hash + n + 1;
	memset(s, 0, sizeof(*s));
	if ((s->kind = kind_of(hash + 1, n - 1)) == NULL ||
	    base64_decode(text, strlen(text), bytes, sizeof(bytes),
	    &len) == -1 || len <= s->kind->len ||
	    len - s->kind->len > SALTED_SALT)
		return (-1);
	memcpy(s->digest, bytes, s->kind->len);
	s->saltlen = len - s->kind->len;
	memcpy(s->salt, bytes + s->kind->len, s->saltlen);
	return (0);
}

int
salted_check(const struct salted *s, const char *pass)
{
	unsigned char	 got[EVP_MAX_MD_SIZE];
	EVP_MD_CTX	*ctx;
	int		 ret = -1;

	if ((ctx = EVP_MD_CTX_new()) == NULL)
		return (-1);
	if (EVP_DigestInit_ex(ctx, s->kind->md(), NULL) == 1 &&
	    EVP_DigestUpdate(ctx, pass, strlen(pass)) == 1 &&
	    EVP_DigestUpdate(ctx, s->salt, s->saltlen) == 1 &&
	    EVP_DigestFinal_ex(ctx, got, NULL) == 1)
		ret = CRYPTO_memcmp(got, s->digest, s->kind->len) == 0;
	EVP_MD_CTX_free(ctx);
	explicit_bzero(got, sizeof(got));
	return (ret);
}

int
salted_print(const struct salted *s, char *out, size_t size)
{
	unsigned char	bytes[SALTED_DIGEST + SALTED_SALT];
	int		n;

	memcpy(bytes, s->digest, s->kind->len);
	memcpy(bytes + s->kind->len, s->salt, s->saltlen);
	n = snprintf(out, size, "{%s}", s->kind->name);
	if (n < 0 || (size_t)n >= size)
		return (-1);
	return (base64_encode(bytes, s->kind->len + s->saltlen, out + n,
	    size - (size_t)n));
}
