/*
 * signer: driven over its channels as the parent and net drive it: its keys,
 * true signatures, and all that it refuses.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "os/compat.h"
#include <sys/socket.h>
#include <sys/wait.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "tls/signer.h"
#include "../test.h"

#define BLOCK	256

extern const struct contract	smtpd_contract;

static struct event_base *base;
static struct peer	*net, *parent;	/* their ends */
static unsigned char	 sig[1024];
static size_t		 siglen;
static int		 answers, ok;
static RSA		*rsa;
static EC_KEY		*ec;
static char		 rsa_id[KEY_ID_SIZE], ec_id[KEY_ID_SIZE];

static void
on_signed(struct peer *p, struct msg *m)
{
	const struct msg_SIGNED	*done = m->body;

	answers++;
	ok = done->ok == 1;
	siglen = m->taillen;
	memcpy(sig, m->tail, m->taillen);
}

static const struct handler net_handlers[] = {
	{ M_SIGNED,	on_signed },
	{ 0,		NULL }
};
static const struct handler no_handlers[] = {
	{ 0,		NULL }
};
static struct peer_ops	net_ops, parent_ops, signer_ops;

static struct peer *
channel(struct peer_ops *other_ops, enum role other, unsigned int phase)
{
	struct peer	*ours, *theirs;
	int		 sv[2];

	other_ops->contract = signer_ops.contract = &smtpd_contract;
	other_ops->self = other;
	signer_ops.self = ROLE_SIGNER;
	signer_ops.handlers = signer_code.handlers;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1 ||
	    (theirs = peer_new(base, other_ops, ROLE_SIGNER, sv[0])) == NULL
	    || (ours = peer_new(base, &signer_ops, other, sv[1])) == NULL)
		exit(2);
	peer_phase(ours, phase);
	return (theirs);
}

static void
run(void)
{
	int	i;

	for (i = 0; i < 6; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static int
file_of(const char *text, size_t len)
{
	int	fd;

	if ((fd = os_anonfile("key")) == -1 ||
	    write(fd, text, len) != (ssize_t)len)
		exit(2);
	return (fd);
}

static void
give_key(const char *pem, size_t len)
{
	struct msg_KEY	k = { .name = "test" };

	peer_send(parent, M_KEY, &k, file_of(pem, len));
	run();
}

static char *
pem_of(EVP_PKEY *pkey, size_t *len)
{
	BIO	*b = BIO_new(BIO_s_mem());
	char	*p, *out;
	long	 n;

	PEM_write_bio_PrivateKey(b, pkey, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(b, &p);
	if ((out = malloc((size_t)n)) == NULL)
		exit(2);
	memcpy(out, p, (size_t)n);
	BIO_free(b);
	*len = (size_t)n;
	return (out);
}

static void
make_keys(void)
{
	EVP_PKEY	*pkey;
	BIGNUM		*e = BN_new();
	char		*pem;
	size_t		 len;

	rsa = RSA_new();
	ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	if (BN_set_word(e, RSA_F4) != 1 ||
	    RSA_generate_key_ex(rsa, 2048, e, NULL) != 1 ||
	    EC_KEY_generate_key(ec) != 1)
		exit(2);
	BN_free(e);
	pkey = EVP_PKEY_new();
	EVP_PKEY_set1_RSA(pkey, rsa);
	pem = pem_of(pkey, &len);
	give_key(pem, len);
	free(pem);
	EVP_PKEY_free(pkey);
	pkey = EVP_PKEY_new();
	EVP_PKEY_set1_EC_KEY(pkey, ec);
	pem = pem_of(pkey, &len);
	give_key(pem, len);
	free(pem);
	EVP_PKEY_free(pkey);
	if (key_id_rsa(rsa, rsa_id) == -1 || key_id_ec(ec, ec_id) == -1)
		exit(2);
}

/* 1 signed, 0 refused, -1 no answer. */
static int
sign(int is_rsa, unsigned int padding, const char *id, const void *block,
    size_t len)
{
	struct msg_SIGN	ask = { .rsa = is_rsa != 0, .padding = padding };

	strlcpy(ask.key, id, sizeof(ask.key));
	answers = 0;
	siglen = 0;
	peer_send_tail(net, M_SIGN, &ask, block, len, -1);
	run();
	if (answers != 1)
		return (-1);
	return (ok && siglen > 0 ? 1 : ok || siglen > 0 ? -1 : 0);
}

static size_t
digestinfo(unsigned char out[BLOCK])
{
	unsigned char	hash[32] = "hash", s[BLOCK];
	unsigned int	len = 0;
	int		n;

	if (RSA_sign(NID_sha256, hash, sizeof(hash), s, &len, rsa) != 1 ||
	    (n = RSA_public_decrypt((int)len, s, out, rsa,
	    RSA_PKCS1_PADDING)) <= 0)
		exit(2);
	return ((size_t)n);
}

static void
test_good(void)
{
	unsigned char	block[BLOCK], out[BLOCK], hash[64] = "hash";
	size_t		len = digestinfo(block), n;

	TEST("PKCS#1", sign(1, RSA_PKCS1_PADDING, rsa_id, block, len) == 1 &&
	    RSA_public_decrypt((int)siglen, sig, out, rsa,
	    RSA_PKCS1_PADDING) == (int)len && memcmp(out, block, len) == 0);
	if (RSA_padding_add_PKCS1_PSS_mgf1(rsa, block, hash, EVP_sha256(),
	    EVP_sha256(), -1) != 1)
		exit(2);
	TEST("PSS", sign(1, RSA_NO_PADDING, rsa_id, block, BLOCK) == 1 &&
	    siglen == BLOCK && RSA_public_decrypt(BLOCK, sig, out, rsa,
	    RSA_NO_PADDING) == BLOCK && memcmp(out, block, BLOCK) == 0);
	for (n = 32; n <= 64; n += 16)
		TEST("ECDSA", sign(0, 0, ec_id, hash, n) == 1 &&
		    ECDSA_verify(0, hash, (int)n, sig, (int)siglen, ec) == 1);
}

static void
test_refused(void)
{
	unsigned char	block[BLOCK], raw[BLOCK], hash[64] = "hash";
	char		none[KEY_ID_SIZE];
	size_t		len = digestinfo(block), n;
	int		bad = 0;

	memset(none, '0', 64);
	none[64] = '\0';
	TEST("no such key", sign(1, RSA_PKCS1_PADDING, none, block, len) ==
	    0);
	TEST("no name", sign(1, RSA_PKCS1_PADDING, "", block, len) == 0);
	TEST("EC key as RSA", sign(1, RSA_PKCS1_PADDING, ec_id, block, len) ==
	    0);
	TEST("RSA key as EC", sign(0, 0, rsa_id, hash, 32) == 0);
	TEST("nothing", sign(1, RSA_PKCS1_PADDING, rsa_id, NULL, 0) == 0 &&
	    sign(0, 0, ec_id, NULL, 0) == 0);
	for (n = 0; n <= 16; n++)
		if (n != RSA_PKCS1_PADDING)
			bad += sign(1, (unsigned int)n, rsa_id, block, len) !=
			    0;
	TEST("every other padding", bad == 0);
	memset(raw, 1, sizeof(raw));
	TEST("a whole block as PKCS#1", sign(1, RSA_PKCS1_PADDING, rsa_id,
	    raw, sizeof(raw)) == 0);
	for (n = 0, bad = 0; n < len - 32; n++) {
		block[n] ^= 1;
		bad += sign(1, RSA_PKCS1_PADDING, rsa_id, block, len) != 0;
		block[n] ^= 1;
	}
	TEST("every byte of the prefix", bad == 0);
	/* What a decryption looks like: a ciphertext, no padding. */
	if (RSA_public_encrypt(5, (const unsigned char *)"hello", raw, rsa,
	    RSA_PKCS1_PADDING) != BLOCK)
		exit(2);
	TEST("a ciphertext", sign(1, RSA_NO_PADDING, rsa_id, raw, BLOCK) ==
	    0);
	for (n = 0, bad = 0; n <= 65; n++)
		if (n != 32 && n != 48 && n != 64)
			bad += sign(0, 0, ec_id, raw, n) != 0;
	TEST("lengths that are no digest", bad == 0);
	TEST("a whole tail", sign(1, RSA_NO_PADDING, rsa_id, sig, 1024) == 0);
	TEST("still signs", sign(0, 0, ec_id, hash, 32) == 1);
}

/* A key that cannot be used ends the start, with a reason. */
static void
test_bad_keys(void)
{
	static const struct {
		const char	*name;
		const char	*pem;
	} cases[] = {
		{ "empty file", "" },
		{ "no PEM", "hello" },
		{ "cut PEM", "-----BEGIN PRIVATE KEY-----\nMIIE\n" },
		{ "Ed25519", "-----BEGIN PRIVATE KEY-----\n"
		    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7"
		    "rAMcrn9g\n-----END PRIVATE KEY-----\n" },
	};
	size_t	i;
	int	status;
	pid_t	pid;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fflush(stdout);
		if ((pid = fork()) == 0) {
			close(2);
			event_reinit(base);
			give_key(cases[i].pem, strlen(cases[i].pem));
			_exit(0);
		}
		TEST(cases[i].name, waitpid(pid, &status, 0) == pid &&
		    WIFEXITED(status) && WEXITSTATUS(status) == 1);
	}
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if ((base = event_base_new()) == NULL)
		return (2);
	net_ops.handlers = net_handlers;
	parent_ops.handlers = no_handlers;
	parent = channel(&parent_ops, ROLE_PARENT, WHEN_START);
	net = channel(&net_ops, ROLE_NET, WHEN_RUN);
	signer_code.warm();
	make_keys();
	test_good();
	test_refused();
	test_bad_keys();
	TEST_DONE();
}
