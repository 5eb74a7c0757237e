/*
 * scram: the messages of RFC 5802 section 7, strictly in the order that it
 * gives.  Both sides read what the other, a stranger, sent; every message has
 * a maximum and is copied only where its length was compared before.
 *
 * Channel binding is not offered: "p=" is refused, and "c=" of the last
 * message must repeat the header of the first byte by byte, so that nobody in
 * between can have changed it.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "os/compat.h"
#include "sasl/base64.h"
#include "sasl/prep.h"
#include "sasl/scram_key.h"

#define AUTH_MESSAGE	(3 * SCRAM_MESSAGE)

/* Copy len bytes and terminate; -1 if they do not fit. */
static int
copy_out(char *dst, size_t size, const char *src, size_t len)
{
	if (len >= size)
		return (-1);
	memcpy(dst, src, len);
	dst[len] = '\0';
	return (0);
}

/*
 * The value of attribute "x=" at *text, up to the next comma or the end.
 * *text moves past the comma; what is left is then another attribute.
 */
static int
attribute(const char **text, char name, const char **value, size_t *len)
{
	const char	*p = *text;

	if (p[0] != name || p[1] != '=')
		return (-1);
	*value = p + 2;
	*len = strcspn(*value, ",");
	*text = *value + *len;
	if (**text == ',')
		(*text)++;
	return (0);
}

/* RFC 5802 5.1: =2C is a comma, =3D an equals sign, no other '=' may be. */
static int
name_decode(const char *in, size_t len, char *out, size_t size)
{
	size_t	i, n = 0;

	for (i = 0; i < len; i++) {
		if (n + 1 >= size)
			return (-1);
		if (in[i] != '=') {
			out[n++] = in[i];
			continue;
		}
		if (len - i < 3)
			return (-1);
		if (memcmp(in + i, "=2C", 3) == 0)
			out[n++] = ',';
		else if (memcmp(in + i, "=3D", 3) == 0)
			out[n++] = '=';
		else
			return (-1);
		i += 2;
	}
	out[n] = '\0';
	return (sasl_prep_user(out, n));
}

static int
name_encode(const char *in, char *out, size_t size)
{
	size_t	n = 0;

	for (; *in != '\0'; in++) {
		if (size - n < 4)
			return (-1);
		if (*in == ',' || *in == '=') {
			memcpy(out + n, *in == ',' ? "=2C" : "=3D", 3);
			n += 3;
		} else
			out[n++] = *in;
	}
	out[n] = '\0';
	return (0);
}

/* RFC 5802 section 7: printable, without a comma. */
static int
nonce_ok(const char *p, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if (p[i] < 0x21 || p[i] > 0x7e || p[i] == ',')
			return (0);
	return (len > 0);
}

/* Up to and with the second comma: "n,," or "y,a=user,". */
static int
hello_header(struct scram *s, const char **text, char *authzid, size_t size)
{
	const char	*p = *text, *value;
	size_t		 len;

	authzid[0] = '\0';
	if ((p[0] != 'n' && p[0] != 'y') || p[1] != ',')
		return (-1);
	p += 2;
	if (*p == 'a') {
		if (attribute(&p, 'a', &value, &len) == -1 ||
		    value[len] != ',' ||
		    name_decode(value, len, authzid, size) == -1)
			return (-1);
	} else if (*p++ != ',')
		return (-1);
	if (copy_out(s->gs2, sizeof(s->gs2), *text, (size_t)(p - *text)) == -1)
		return (-1);
	*text = p;
	return (0);
}

int
scram_server_hello(struct scram *s, const char *message)
{
	char		 authzid[sizeof(s->user)];
	const char	*p = message, *value;
	size_t		 len;

	memset(s, 0, sizeof(*s));
	if (strlen(message) >= SCRAM_MESSAGE ||
	    hello_header(s, &p, authzid, sizeof(authzid)) == -1 ||
	    strlcpy(s->first_bare, p, sizeof(s->first_bare)) >=
	    sizeof(s->first_bare))
		return (-1);
	/* "m=" asks for an extension that must not be ignored: refused. */
	if (attribute(&p, 'n', &value, &len) == -1 ||
	    name_decode(value, len, s->user, sizeof(s->user)) == -1 ||
	    attribute(&p, 'r', &value, &len) == -1 || !nonce_ok(value, len) ||
	    copy_out(s->nonce, SCRAM_NONCE / 2, value, len) == -1)
		return (-1);
	if (authzid[0] != '\0' && strcmp(authzid, s->user) != 0)
		return (-1);
	return (0);
}

int
scram_server_first(struct scram *s, const struct scram_verifier *v,
    const char *nonce, char *out, size_t size)
{
	char	salt[BASE64_ENCODED(SCRAM_SALT_MAX) + 1];
	int	n;

	if (!nonce_ok(nonce, strlen(nonce)) ||
	    strlcat(s->nonce, nonce, sizeof(s->nonce)) >= sizeof(s->nonce) ||
	    base64_encode(v->salt, v->saltlen, salt, sizeof(salt)) == -1)
		return (-1);
	n = snprintf(s->server_first, sizeof(s->server_first),
	    "r=%s,s=%s,i=%u", s->nonce, salt, v->iterations);
	if (n < 0 || (size_t)n >= sizeof(s->server_first))
		return (-1);
	return (strlcpy(out, s->server_first, size) >= size ? -1 : 0);
}

/*
 * AuthMessage, and from it the client's signature and the server's.  bare is
 * the last message without its proof, len bytes long.
 */
static int
signatures(const struct scram *s, const char *bare, size_t len,
    const unsigned char stored[SCRAM_KEY],
    const unsigned char server[SCRAM_KEY], unsigned char client_sig[SCRAM_KEY],
    unsigned char server_sig[SCRAM_KEY])
{
	char	text[AUTH_MESSAGE];
	int	n;

	if (len >= SCRAM_MESSAGE)
		return (-1);
	n = snprintf(text, sizeof(text), "%s,%s,%.*s", s->first_bare,
	    s->server_first, (int)len, bare);
	if (n < 0 || (size_t)n >= sizeof(text) ||
	    scram_hmac(stored, text, client_sig) == -1 ||
	    scram_hmac(server, text, server_sig) == -1)
		return (-1);
	return (0);
}

/* Read "c=...,r=...,p=..."; the proof and how much stands before it. */
static int
final_parse(const struct scram *s, const char *message,
    unsigned char proof[SCRAM_KEY], size_t *barelen)
{
	char		 binding[BASE64_ENCODED(sizeof(s->gs2)) + 1];
	const char	*p = message, *value, *comma;
	size_t		 len;

	if (base64_encode(s->gs2, strlen(s->gs2), binding, sizeof(binding)) ==
	    -1 || attribute(&p, 'c', &value, &len) == -1 ||
	    len != strlen(binding) || memcmp(value, binding, len) != 0 ||
	    attribute(&p, 'r', &value, &len) == -1 ||
	    len != strlen(s->nonce) || memcmp(value, s->nonce, len) != 0)
		return (-1);
	/* extensions may stand between; the proof is the last */
	if ((comma = strrchr(message, ',')) == NULL || comma + 1 < p)
		return (-1);
	p = comma + 1;
	if (attribute(&p, 'p', &value, &len) == -1 || *p != '\0' ||
	    base64_decode(value, len, proof, SCRAM_KEY, &len) == -1 ||
	    len != SCRAM_KEY)
		return (-1);
	*barelen = (size_t)(comma - message);
	return (0);
}

int
scram_server_final(struct scram *s, const struct scram_verifier *v,
    const char *message, char *out, size_t size)
{
	unsigned char	proof[SCRAM_KEY], csig[SCRAM_KEY], key[SCRAM_KEY];
	char		text[BASE64_ENCODED(SCRAM_KEY) + 1];
	size_t		i, barelen;
	int		n, ok;

	if (strlen(message) >= SCRAM_MESSAGE ||
	    final_parse(s, message, proof, &barelen) == -1 ||
	    signatures(s, message, barelen, v->stored, v->server, csig,
	    s->server_sig) == -1)
		return (-1);
	/* ClientKey = ClientProof XOR ClientSignature */
	for (i = 0; i < SCRAM_KEY; i++)
		proof[i] ^= csig[i];
	if (scram_hash(proof, key) == -1)
		return (-1);
	ok = CRYPTO_memcmp(key, v->stored, SCRAM_KEY) == 0;
	explicit_bzero(proof, sizeof(proof));
	if (!ok)
		return (0);
	if (base64_encode(s->server_sig, SCRAM_KEY, text, sizeof(text)) == -1)
		return (-1);
	n = snprintf(out, size, "v=%s", text);
	return (n < 0 || (size_t)n >= size ? -1 : 1);
}

int
scram_client_first(struct scram *s, const char *user, const char *nonce,
    char *out, size_t size)
{
	char	name[3 * SASL_USER_MAX + 4];
	int	n;

	memset(s, 0, sizeof(*s));
	if (sasl_prep_user(user, strlen(user)) == -1 ||
	    name_encode(user, name, sizeof(name)) == -1 ||
	    !nonce_ok(nonce, strlen(nonce)) ||
	    copy_out(s->nonce, SCRAM_NONCE / 2, nonce, strlen(nonce)) == -1 ||
	    copy_out(s->gs2, sizeof(s->gs2), "n,,", 3) == -1)
		return (-1);
	n = snprintf(s->first_bare, sizeof(s->first_bare), "n=%s,r=%s", name,
	    nonce);
	if (n < 0 || (size_t)n >= sizeof(s->first_bare))
		return (-1);
	n = snprintf(out, size, "%s%s", s->gs2, s->first_bare);
	return (n < 0 || (size_t)n >= size ? -1 : 0);
}

/* What the server chose: its part of the nonce, salt and iterations. */
static int
challenge_parse(struct scram *s, const char *message, struct scram_verifier *v)
{
	char		 number[8];
	const char	*p = message, *value, *why = NULL;
	size_t		 len, own = strlen(s->nonce);

	if (attribute(&p, 'r', &value, &len) == -1 || !nonce_ok(value, len) ||
	    len <= own || memcmp(value, s->nonce, own) != 0 ||
	    copy_out(s->nonce, sizeof(s->nonce), value, len) == -1 ||
	    attribute(&p, 's', &value, &len) == -1 ||
	    base64_decode(value, len, v->salt, sizeof(v->salt),
	    &v->saltlen) == -1 || v->saltlen == 0 ||
	    attribute(&p, 'i', &value, &len) == -1 ||
	    copy_out(number, sizeof(number), value, len) == -1)
		return (-1);
	v->iterations = (unsigned int)strtonum(number, SCRAM_ITERATIONS_MIN,
	    SCRAM_ITERATIONS_MAX, &why);
	return (why != NULL ? -1 : 0);
}

/* The proof that goes with the first barelen bytes of out, appended to it. */
static int
append_proof(struct scram *s, const unsigned char salted[SCRAM_KEY], char *out,
    size_t size)
{
	unsigned char	client[SCRAM_KEY], server[SCRAM_KEY], stored[SCRAM_KEY];
	unsigned char	sig[SCRAM_KEY];
	char		text[BASE64_ENCODED(SCRAM_KEY) + 1];
	size_t		i;
	int		rv = -1;

	if (scram_hmac(salted, "Client Key", client) == -1 ||
	    scram_hmac(salted, "Server Key", server) == -1 ||
	    scram_hash(client, stored) == -1 ||
	    signatures(s, out, strlen(out), stored, server, sig,
	    s->server_sig) == -1)
		goto done;
	for (i = 0; i < SCRAM_KEY; i++)
		sig[i] ^= client[i];
	if (base64_encode(sig, sizeof(sig), text, sizeof(text)) == -1 ||
	    strlcat(out, ",p=", size) >= size ||
	    strlcat(out, text, size) >= size)
		goto done;
	rv = 0;
done:
	explicit_bzero(client, sizeof(client));
	explicit_bzero(server, sizeof(server));
	return (rv);
}

int
scram_client_final(struct scram *s, const char *pass, const char *message,
    char *out, size_t size)
{
	struct scram_verifier	 v = { 0 };
	unsigned char		 salted[SCRAM_KEY];
	char			 binding[BASE64_ENCODED(sizeof(s->gs2)) + 1];
	int			 n, rv;

	if (strlcpy(s->server_first, message, sizeof(s->server_first)) >=
	    sizeof(s->server_first) || challenge_parse(s, message, &v) == -1 ||
	    base64_encode(s->gs2, strlen(s->gs2), binding, sizeof(binding)) ==
	    -1)
		return (-1);
	n = snprintf(out, size, "c=%s,r=%s", binding, s->nonce);
	if (n < 0 || (size_t)n >= size ||
	    scram_salted(pass, v.salt, v.saltlen, v.iterations, salted) == -1)
		return (-1);
	rv = append_proof(s, salted, out, size);
	explicit_bzero(salted, sizeof(salted));
	return (rv);
}

int
scram_client_check(const struct scram *s, const char *message)
{
	unsigned char	 sig[SCRAM_KEY];
	const char	*p = message, *value;
	size_t		 len;

	if (attribute(&p, 'v', &value, &len) == -1 ||
	    base64_decode(value, len, sig, sizeof(sig), &len) == -1 ||
	    len != SCRAM_KEY)
		return (-1);
	return (CRYPTO_memcmp(sig, s->server_sig, SCRAM_KEY) == 0);
}

void
scram_wipe(struct scram *s)
{
	explicit_bzero(s, sizeof(*s));
}
