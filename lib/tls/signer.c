/*
 * signer: holds the private keys and signs with them.
 *
 * Believes nothing of net, which asks: it signs only for its own keys, only
 * blocks that have the structure of a TLS signature, and never decrypts.  It
 * reads no network and opens no file; keys come as descriptors from the
 * parent before anything else.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "os/compat.h"
#include "tls/signer.h"

#define KEYS_MAX	256
#define KEY_FILE_MAX	65536
#define SIGNATURE_MAX	1024

static struct {
	struct {
		char	 id[KEY_ID_SIZE];
		EVP_PKEY *pkey;
		int	 rsa;
	} keys[KEYS_MAX];
	size_t		nkeys;
	uint64_t	signatures;
	uint64_t	refused;
} self;

static void
signer_warm(void)
{
	/* Loads the provider and its configuration while there are files. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_ADD_ALL_DIGESTS |
	    OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
		fatalx("libcrypto");
}

static EVP_PKEY *
read_key(int fd)
{
	EVP_PKEY	*pkey = NULL;
	BIO		*bio;
	char		*pem;
	size_t		 len;

	if ((pem = role_slurp(fd, KEY_FILE_MAX, &len)) == NULL)
		return (NULL);
	if ((bio = BIO_new_mem_buf(pem, len)) != NULL) {
		pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		BIO_free(bio);
	}
	freezero(pem, len);
	return (pkey);
}

static int
name_key(EVP_PKEY *pkey, char id[KEY_ID_SIZE], int *rsa)
{
	switch (EVP_PKEY_base_id(pkey)) {
	case EVP_PKEY_RSA:
		*rsa = 1;
		return (key_id_rsa(EVP_PKEY_get0_RSA(pkey), id));
	case EVP_PKEY_EC:
		*rsa = 0;
		return (key_id_ec(EVP_PKEY_get0_EC_KEY(pkey), id));
	default:
		return (-1);
	}
}

static void
signer_key(struct peer *p, struct msg *m)
{
	const struct msg_KEY	*k = m->body;
	EVP_PKEY		*pkey;
	size_t			 n = self.nkeys;

	if (n == KEYS_MAX)
		fatalx("more than %d keys", KEYS_MAX);
	if ((pkey = read_key(m->fd)) == NULL)
		fatalx("the key of \"%s\" cannot be read: it must be PEM "
		    "without a passphrase", k->name);
	if (name_key(pkey, self.keys[n].id, &self.keys[n].rsa) == -1)
		fatalx("the key of \"%s\" is neither RSA nor ECDSA", k->name);
	if (self.keys[n].rsa && EVP_PKEY_bits(pkey) > 2048)
		log_warnx("the key of \"%s\" has %d bits: each login costs "
		    "milliseconds; ECDSA P-256 is cheaper and as strong",
		    k->name, EVP_PKEY_bits(pkey));
	self.keys[n].pkey = pkey;
	self.nkeys++;
}

static EVP_PKEY *
find_key(const char *id, int rsa)
{
	size_t	i;

	for (i = 0; i < self.nkeys; i++)
		if (strcmp(self.keys[i].id, id) == 0 &&
		    self.keys[i].rsa == rsa)
			return (self.keys[i].pkey);
	return (NULL);
}

/* The length of the signature, or 0. */
static size_t
sign_rsa(EVP_PKEY *pkey, unsigned int padding, const unsigned char *block,
    size_t len, unsigned char *sig)
{
	RSA	*rsa = (RSA *)(uintptr_t)EVP_PKEY_get0_RSA(pkey);
	size_t	 modlen = EVP_PKEY_size(pkey);
	int	 n;

	if (modlen > SIGNATURE_MAX)
		return (0);
	if (padding == RSA_NO_PADDING) {
		if (len != modlen || !sign_is_pss(block, len))
			return (0);
	} else if (padding != RSA_PKCS1_PADDING ||
	    !sign_is_digestinfo(block, len))
		return (0);
	n = RSA_private_encrypt(len, block, sig, rsa, padding);
	return (n > 0 ? n : 0);
}

static size_t
sign_ec(EVP_PKEY *pkey, const unsigned char *digest, size_t len,
    unsigned char *sig)
{
	EC_KEY		*ec;
	unsigned int	 n = 0;

	ec = (EC_KEY *)(uintptr_t)EVP_PKEY_get0_EC_KEY(pkey);
	if ((len != 32 && len != 48 && len != 64) ||
	    ECDSA_size(ec) > SIGNATURE_MAX ||
	    ECDSA_sign(0, digest, len, sig, &n, ec) != 1)
		return (0);
	return (n);
}

static void
signer_sign(struct peer *p, struct msg *m)
{
	const struct msg_SIGN	*ask = m->body;
	struct msg_SIGNED	 done = { 0 };
	unsigned char		 sig[SIGNATURE_MAX];
	EVP_PKEY		*pkey;
	size_t			 n = 0;

	if ((pkey = find_key(ask->key, ask->rsa)) != NULL)
		n = ask->rsa ? sign_rsa(pkey, ask->padding, m->tail,
		    m->taillen, sig) : sign_ec(pkey, m->tail, m->taillen, sig);
	ERR_clear_error();
	if (n == 0) {
		self.refused++;
		log_warnx("refused to sign %zu bytes with %s", m->taillen,
		    pkey == NULL ? "a key that is not ours" : ask->key);
	} else
		self.signatures++;
	done.ok = n > 0;
	peer_send_tail(p, M_SIGNED, &done, sig, n, -1);
	explicit_bzero(sig, sizeof(sig));
}

static void
signer_stats(void)
{
	log_info("keys=%zu signatures=%llu refused=%llu", self.nkeys,
	    (unsigned long long)self.signatures,
	    (unsigned long long)self.refused);
}

static const struct handler handlers[] = {
	{ M_KEY,	signer_key },
	{ M_SIGN,	signer_sign },
	{ 0,		NULL }
};

const struct role_code signer_code = {
	.handlers = handlers,
	.warm = signer_warm,
	.stats = signer_stats,
};
