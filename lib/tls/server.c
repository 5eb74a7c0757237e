/*
 * server: TLS contexts without private keys.
 *
 * libtls is told that the key is somewhere else; libcrypto's default RSA and
 * ECDSA methods are replaced by ones that ask the signer and wait for its
 * answer.  Waiting is right here: signing in this process would block it just
 * as long, and the question itself costs some 10 microseconds.
 *
 * Cost of a full handshake: 0.2 to 0.3 ms here and one question.  With session
 * tickets a client that comes back costs neither.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <tls.h>

#include "log/log.h"
#include "os/compat.h"
#include "privsep/role.h"
#include "tls/context.h"
#include "tls/server.h"
#include "tls/signer.h"

#define CERTS_MAX	256
#define CONTEXTS_MAX	512
#define CERT_FILE_MAX	(1 << 20)
#define SIGNER_TIMEOUT	10		/* seconds; then this process ends */
#define SIGNATURE_MAX	1024

/* Exported by both LibreSSL's libtls and libretls, in no header. */
void	tls_config_use_fake_private_key(struct tls_config *);

static struct {
	struct {
		unsigned int	 index;
		uint8_t		*pem;
		size_t		 len;
	} certs[CERTS_MAX];
	size_t		 ncerts;
	struct {
		unsigned int	 index;
		const char	*alpn;
		struct tls	*ctx;
	} contexts[CONTEXTS_MAX];
	size_t		 ncontexts;
	unsigned char	 session_id[TLS_MAX_SESSION_ID_LENGTH];
	unsigned char	 sig[SIGNATURE_MAX];
	size_t		 siglen;
} self;

static int
ask_signer(int rsa, unsigned int padding, const char *id,
    const unsigned char *block, size_t len)
{
	struct msg_SIGN	 ask = { .rsa = rsa, .padding = padding };
	struct peer	*signer = role_peer(ROLE_SIGNER);

	if (signer == NULL || len > SIGNATURE_MAX)
		return (-1);
	strlcpy(ask.key, id, sizeof(ask.key));
	self.siglen = 0;
	if (peer_call(signer, M_SIGN, &ask, block, len, M_SIGNED,
	    SIGNER_TIMEOUT) == -1) {
		log_warnx("no answer from the signer");
		/* A late one would be taken for that of the next question. */
		if (role_peer(ROLE_SIGNER) == signer)
			role_exit(1);
		return (-1);
	}
	return (self.siglen > 0 ? 0 : -1);
}

/* net's handler of SIGNED; the list of handlers is the daemon's. */
void
tls_serve_signed(struct peer *p, struct msg *m)
{
	const struct msg_SIGNED	*done = m->body;

	if (!done->ok || m->taillen > sizeof(self.sig))
		return;
	memcpy(self.sig, m->tail, m->taillen);
	self.siglen = m->taillen;
}

static int
rsa_private(int len, const unsigned char *from, unsigned char *to, RSA *rsa,
    int padding)
{
	char	id[KEY_ID_SIZE];

	if (len < 0 || key_id_rsa(rsa, id) == -1 ||
	    ask_signer(1, padding, id, from, len) == -1 ||
	    self.siglen > (size_t)RSA_size(rsa))
		return (-1);
	memcpy(to, self.sig, self.siglen);
	return ((int)self.siglen);
}

static ECDSA_SIG *
ec_private(const unsigned char *digest, int len, const BIGNUM *inv,
    const BIGNUM *rp, EC_KEY *ec)
{
	const unsigned char	*p = self.sig;
	char			 id[KEY_ID_SIZE];

	if (len < 0 || key_id_ec(ec, id) == -1 ||
	    ask_signer(0, 0, id, digest, len) == -1)
		return (NULL);
	return (d2i_ECDSA_SIG(NULL, &p, self.siglen));
}

int
tls_serve_init(void)
{
	RSA_METHOD	*rsa;
	EC_KEY_METHOD	*ec;
	int		(*sign)(int, const unsigned char *, int,
			    unsigned char *, unsigned int *, const BIGNUM *,
			    const BIGNUM *, EC_KEY *);
	int		(*setup)(EC_KEY *, BN_CTX *, BIGNUM **, BIGNUM **);

	if (tls_init() == -1 || context_init() == -1)
		return (-1);
	arc4random_buf(self.session_id, sizeof(self.session_id));
	if ((rsa = RSA_meth_dup(RSA_get_default_method())) == NULL ||
	    RSA_meth_set_priv_enc(rsa, rsa_private) != 1 ||
	    (ec = EC_KEY_METHOD_new(EC_KEY_get_default_method())) == NULL) {
		log_warnx("libcrypto methods");
		return (-1);
	}
	EC_KEY_METHOD_get_sign(ec, &sign, &setup, NULL);
	EC_KEY_METHOD_set_sign(ec, sign, setup, ec_private);
	RSA_set_default_method(rsa);
	EC_KEY_set_default_method(ec);
	return (0);
}

int
tls_serve_cert(unsigned int index, const char *name, int fd)
{
	size_t	n = self.ncerts;
	char	*pem;

	if (n == CERTS_MAX ||
	    (pem = role_slurp(fd, CERT_FILE_MAX, &self.certs[n].len)) ==
	    NULL) {
		log_warn("certificate \"%s\"", name);
		return (-1);
	}
	self.certs[n].index = index;
	self.certs[n].pem = (uint8_t *)pem;
	self.ncerts++;
	return (0);
}

static int
add_certs(struct tls_config *cfg, unsigned int index)
{
	size_t	i;
	int	found = 0;

	for (i = 0; i < self.ncerts; i++)
		if (self.certs[i].index == index) {
			if (tls_config_set_cert_mem(cfg, self.certs[i].pem,
			    self.certs[i].len) == -1)
				return (-1);
			found = 1;
		}
	for (i = 0; i < self.ncerts; i++)
		if (self.certs[i].index != index &&
		    tls_config_add_keypair_mem(cfg, self.certs[i].pem,
		    self.certs[i].len, NULL, 0) == -1)
			return (-1);
	return (found ? 0 : -1);
}

static struct tls *
make_context(unsigned int index, const char *alpn)
{
	struct tls_config	*cfg;
	struct tls		*ctx = NULL;

	if ((cfg = tls_config_new()) == NULL)
		return (NULL);
	tls_config_use_fake_private_key(cfg);
	if (add_certs(cfg, index) == -1 ||
	    tls_config_set_protocols(cfg, TLS_PROTOCOL_TLSv1_2 |
	    TLS_PROTOCOL_TLSv1_3) == -1 ||
	    (alpn != NULL && tls_config_set_alpn(cfg, alpn) == -1) ||
	    tls_config_set_session_id(cfg, self.session_id,
	    sizeof(self.session_id)) == -1 ||
	    tls_config_set_session_lifetime(cfg, TICKET_LIFETIME) == -1)
		log_warnx("TLS: %s", tls_config_error(cfg));
	else if ((ctx = tls_server()) != NULL &&
	    (tls_configure(ctx, cfg) == -1 || context_apply(alpn) == -1)) {
		log_warnx("TLS: %s", tls_error(ctx));
		tls_free(ctx);
		ctx = NULL;
	}
	tls_config_free(cfg);
	return (ctx);
}

static int
same_alpn(const char *a, const char *b)
{
	return (a == b || (a != NULL && b != NULL && strcmp(a, b) == 0));
}

struct tls *
tls_serve_context(unsigned int index, const char *alpn)
{
	size_t	i;

	for (i = 0; i < self.ncontexts; i++)
		if (self.contexts[i].index == index &&
		    same_alpn(self.contexts[i].alpn, alpn))
			return (self.contexts[i].ctx);
	if (i == CONTEXTS_MAX)
		return (NULL);
	self.contexts[i].index = index;
	self.contexts[i].alpn = alpn;
	if ((self.contexts[i].ctx = make_context(index, alpn)) == NULL)
		return (NULL);
	self.ncontexts++;
	return (self.contexts[i].ctx);
}
