/*
 * context: what a server context needs beyond libtls over OpenSSL.
 *
 * Session tickets: libretls answers OpenSSL's question for a ticket key with
 * LibreSSL's return values, which OpenSSL takes for "no ticket".  ALPN: libtls
 * goes on without one when a client offers only other protocols; a client that
 * was led to us in the belief that it talks HTTP must be refused (ALPACA).  So
 * the contexts that libtls makes get callbacks of ours.  libtls hides its
 * SSL_CTX; a new-object function of its ex_data class is told of each one.
 *
 * Ticket keys live in this process only, are made anew every
 * TICKET_LIFETIME / 2 and kept for one more such time: who takes the process
 * over can read what was resumed in that time, and nothing older.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "os/compat.h"
#include "tls/context.h"

#include <openssl/ssl.h>

#ifdef LIBRESSL_VERSION_NUMBER

int
context_init(void)
{
	return (0);		/* its libtls does it all */
}

int
context_apply(const char *alpn)
{
	return (0);
}

#else

#include <openssl/core_names.h>
#include <openssl/evp.h>

#define CONTEXTS_MAX	512
#define NAME_SIZE	16

struct ticket_key {
	unsigned char	name[NAME_SIZE];
	unsigned char	aes[32];
	unsigned char	mac[32];
	time_t		made;		/* 0: none */
};

static struct {
	struct ticket_key	 keys[2];	/* newest first */
	SSL_CTX			*fresh[CONTEXTS_MAX];	/* without callback */
	size_t			 nfresh;
} self;

static time_t
now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec + 1);
}

static void
rotate(void)
{
	struct ticket_key	*k = &self.keys[0];

	if (k->made != 0 && now() - k->made < TICKET_LIFETIME / 2)
		return;
	self.keys[1] = *k;
	arc4random_buf(k->name, sizeof(k->name));
	arc4random_buf(k->aes, sizeof(k->aes));
	arc4random_buf(k->mac, sizeof(k->mac));
	k->made = now();
	if (self.keys[1].made != 0 &&
	    now() - self.keys[1].made > TICKET_LIFETIME)
		explicit_bzero(&self.keys[1], sizeof(self.keys[1]));
}

static int
set_mac(EVP_MAC_CTX *mac, struct ticket_key *k)
{
	static char	digest[] = "SHA256";
	OSSL_PARAM	p[3];

	p[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac,
	    sizeof(k->mac));
	p[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	    digest, 0);
	p[2] = OSSL_PARAM_construct_end();
	return (EVP_MAC_CTX_set_params(mac, p));
}

/* OpenSSL's contract: 1 go on, 2 go on and give a new one, 0 none, -1 error. */
static int
ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	struct ticket_key	*k;
	size_t			 i;

	rotate();
	if (encrypt) {
		k = &self.keys[0];
		memcpy(name, k->name, NAME_SIZE);
		arc4random_buf(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()));
		return (EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL,
		    k->aes, iv) == 1 && set_mac(mac, k) == 1 ? 1 : -1);
	}
	for (i = 0; i < 2; i++) {
		k = &self.keys[i];
		if (k->made == 0 || memcmp(name, k->name, NAME_SIZE) != 0)
			continue;
		if (set_mac(mac, k) != 1 || EVP_DecryptInit_ex(cipher,
		    EVP_aes_256_cbc(), NULL, k->aes, iv) != 1)
			return (-1);
		return (i == 0 ? 1 : 2);
	}
	return (0);
}

/* arg is "imap" or the like: what must be among the client's offers. */
static int
select_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int inlen, void *arg)
{
	const char	*want = arg;
	size_t		 len = strlen(want), i;

	for (i = 0; i < inlen && in[i] <= inlen - i - 1; i += 1u + in[i])
		if (in[i] == len && memcmp(in + i + 1, want, len) == 0) {
			*out = in + i + 1;
			*outlen = in[i];
			return (SSL_TLSEXT_ERR_OK);
		}
	return (SSL_TLSEXT_ERR_ALERT_FATAL);
}

static void
new_context(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl,
    void *argp)
{
	if (self.nfresh < CONTEXTS_MAX)
		self.fresh[self.nfresh++] = parent;
}

static void
free_context(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl,
    void *argp)
{
	size_t	i;

	for (i = 0; i < self.nfresh; i++)
		if (self.fresh[i] == parent) {
			self.fresh[i] = self.fresh[--self.nfresh];
			return;
		}
}

int
context_init(void)
{
	return (CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL,
	    new_context, NULL, free_context) == -1 ? -1 : 0);
}

int
context_apply(const char *alpn)
{
	SSL_CTX	*ctx;
	int	 ret = 0;

	while (self.nfresh > 0) {
		ctx = self.fresh[--self.nfresh];
#ifdef SSL_OP_CLEANSE_PLAINTEXT
		/* A password must not stay in the buffer of its record. */
		SSL_CTX_set_options(ctx, SSL_OP_CLEANSE_PLAINTEXT);
#endif
		/* An idle connection needs no room for records: 34 KB. */
		(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
		/* A record's head and body in one read(). */
		SSL_CTX_set_read_ahead(ctx, 1);
		/* One ticket, not two: each is a record of its own. */
		if (SSL_CTX_set_num_tickets(ctx, 1) != 1)
			ret = -1;
		if (alpn != NULL)
			SSL_CTX_set_alpn_select_cb(ctx, select_alpn,
			    (void *)(uintptr_t)alpn);
		if (SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key) !=
		    1)
			ret = -1;
	}
	return (ret);
}

#endif
