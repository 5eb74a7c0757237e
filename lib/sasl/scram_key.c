/*
 * scram_key: verifiers, and the key derivation that they rest on.
 *
 * Checking a password costs PBKDF2 with the verifier's iterations (15000:
 * about 4 ms), which is why their number has a maximum.
 */
#include <ctype.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "os/compat.h"
#include "sasl/base64.h"
#include "sasl/scram_key.h"

int
scram_salted(const char *pass, const void *salt, size_t saltlen,
    unsigned int iterations, unsigned char out[SCRAM_KEY])
{
	size_t	len = strlen(pass);

	if (len > INT_MAX || saltlen > SCRAM_SALT_MAX ||
	    iterations > SCRAM_ITERATIONS_MAX)
		return (-1);
	return (PKCS5_PBKDF2_HMAC(pass, (int)len, salt, (int)saltlen,
	    (int)iterations, EVP_sha256(), SCRAM_KEY, out) == 1 ? 0 : -1);
}

int
scram_hmac(const unsigned char key[SCRAM_KEY], const char *text,
    unsigned char out[SCRAM_KEY])
{
	unsigned int	n = 0;

	if (HMAC(EVP_sha256(), key, SCRAM_KEY, (const unsigned char *)text,
	    strlen(text), out, &n) == NULL || n != SCRAM_KEY)
		return (-1);
	return (0);
}

int
scram_hash(const unsigned char in[SCRAM_KEY], unsigned char out[SCRAM_KEY])
{
	unsigned int	n = 0;

	if (EVP_Digest(in, SCRAM_KEY, out, &n, EVP_sha256(), NULL) != 1 ||
	    n != SCRAM_KEY)
		return (-1);
	return (0);
}

/* StoredKey and ServerKey of a password. */
static int
derive(const struct scram_verifier *v, const char *pass,
    unsigned char stored[SCRAM_KEY], unsigned char server[SCRAM_KEY])
{
	unsigned char	salted[SCRAM_KEY], client[SCRAM_KEY];
	int		rv = -1;

	if (scram_salted(pass, v->salt, v->saltlen, v->iterations, salted) ==
	    0 && scram_hmac(salted, "Client Key", client) == 0 &&
	    scram_hash(client, stored) == 0 &&
	    scram_hmac(salted, "Server Key", server) == 0)
		rv = 0;
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(client, sizeof(client));
	return (rv);
}

int
scram_verifier_make(struct scram_verifier *v, const char *pass,
    const void *salt, size_t saltlen, unsigned int iterations)
{
	if (saltlen == 0 || saltlen > SCRAM_SALT_MAX ||
	    iterations < SCRAM_ITERATIONS_MIN ||
	    iterations > SCRAM_ITERATIONS_MAX)
		return (-1);
	memset(v, 0, sizeof(*v));
	v->iterations = iterations;
	v->saltlen = saltlen;
	memcpy(v->salt, salt, saltlen);
	return (derive(v, pass, v->stored, v->server));
}

int
scram_verifier_check(const struct scram_verifier *v, const char *pass)
{
	unsigned char	stored[SCRAM_KEY], server[SCRAM_KEY];
	int		ok;

	if (derive(v, pass, stored, server) == -1)
		return (-1);
	ok = CRYPTO_memcmp(stored, v->stored, SCRAM_KEY) == 0;
	explicit_bzero(stored, sizeof(stored));
	explicit_bzero(server, sizeof(server));
	return (ok);
}

/* The next field of the text in base64, up to a comma or the end. */
static int
parse_field(const char **text, void *out, size_t max, size_t *len)
{
	size_t	n = strcspn(*text, ",");

	if (n == 0 || base64_decode(*text, n, out, max, len) == -1)
		return (-1);
	*text += n;
	if (**text == ',')
		(*text)++;
	return (0);
}

int
scram_verifier_parse(struct scram_verifier *v, const char *text)
{
	char		 number[8];
	const char	*why = NULL;
	size_t		 n, storedlen, serverlen;

	if (strncmp(text, SCRAM_SCHEME, strlen(SCRAM_SCHEME)) == 0)
		text += strlen(SCRAM_SCHEME);
	memset(v, 0, sizeof(*v));
	n = strcspn(text, ",");
	if (text[n] != ',' || n >= sizeof(number) ||
	    !isdigit((unsigned char)text[0]))
		return (-1);
	memcpy(number, text, n);
	number[n] = '\0';
	v->iterations = (unsigned int)strtonum(number, SCRAM_ITERATIONS_MIN,
	    SCRAM_ITERATIONS_MAX, &why);
	text += n + 1;
	if (why != NULL ||
	    parse_field(&text, v->salt, sizeof(v->salt), &v->saltlen) == -1 ||
	    parse_field(&text, v->stored, SCRAM_KEY, &storedlen) == -1 ||
	    parse_field(&text, v->server, SCRAM_KEY, &serverlen) == -1 ||
	    v->saltlen == 0 || storedlen != SCRAM_KEY ||
	    serverlen != SCRAM_KEY || *text != '\0')
		return (-1);
	return (0);
}

int
scram_verifier_print(const struct scram_verifier *v, char *out, size_t size)
{
	char	salt[BASE64_ENCODED(SCRAM_SALT_MAX) + 1];
	char	stored[BASE64_ENCODED(SCRAM_KEY) + 1];
	char	server[BASE64_ENCODED(SCRAM_KEY) + 1];
	int	n;

	if (base64_encode(v->salt, v->saltlen, salt, sizeof(salt)) == -1 ||
	    base64_encode(v->stored, SCRAM_KEY, stored, sizeof(stored)) ==
	    -1 || base64_encode(v->server, SCRAM_KEY, server,
	    sizeof(server)) == -1)
		return (-1);
	n = snprintf(out, size, "%s%u,%s,%s,%s", SCRAM_SCHEME, v->iterations,
	    salt, stored, server);
	return (n < 0 || (size_t)n >= size ? -1 : 0);
}
