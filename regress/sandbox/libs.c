/*
 * libs: the libraries that the roles use, under the roles' own promises.
 *
 * With -DSANDBOX_KILL this finds the system call that a new version of a
 * library has come to need: run with VERBOSE=1 to see its number.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <crypt.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <shadow.h>
#include <sqlite3.h>
#include <time.h>
#include <tls.h>
#include <unbound-event.h>
#include <unbound.h>

#include "child.h"

#define THREADS		4
#define ROUNDS		200	/* of a handshake's back and forth */
#define SETTING		"$y$j9T$MJ3cNGQxb.PNd0fBnjkO6/"

static struct {
	char			*cert, *key;	/* PEM */
	size_t			 certlen, keylen;
	EVP_PKEY		*pkey;
	struct event_base	*base;
	struct ub_ctx		*ub;
	int			 rcode;
} st;

/* An ECDSA key and a certificate for it, in memory. */

static int
pem(BIO *b, char **text, size_t *len)
{
	char *data;
	long n;

	if ((n = BIO_get_mem_data(b, &data)) <= 0 ||
	    (*text = malloc((size_t)n)) == NULL)
		return (-1);
	memcpy(*text, data, (size_t)n);
	*len = (size_t)n;
	BIO_free(b);
	return (0);
}

static int
warm_key(void)
{
	X509 *x;
	BIO *b;

	if (tls_init() == -1 || (st.pkey = EVP_EC_gen("P-256")) == NULL ||
	    (x = X509_new()) == NULL ||
	    ASN1_INTEGER_set(X509_get_serialNumber(x), 1) != 1 ||
	    X509_gmtime_adj(X509_getm_notBefore(x), -60) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(x), 3600) == NULL ||
	    X509_set_pubkey(x, st.pkey) != 1 ||
	    X509_sign(x, st.pkey, EVP_sha256()) == 0)
		return (EINVAL);
	if ((b = BIO_new(BIO_s_mem())) == NULL ||
	    PEM_write_bio_X509(b, x) != 1 ||
	    pem(b, &st.cert, &st.certlen) == -1)
		return (EINVAL);
	if ((b = BIO_new(BIO_s_mem())) == NULL ||
	    PEM_write_bio_PrivateKey(b, st.pkey, NULL, NULL, 0, NULL,
	    NULL) != 1 || pem(b, &st.key, &st.keylen) == -1)
		return (EINVAL);
	X509_free(x);
	return (0);
}

static int
handshake(struct tls *a, struct tls *b)
{
	int done = 0, i, r, s;
	char text[5];

	for (i = 0; i < ROUNDS && done != 3; i++) {
		if ((done & 1) == 0 && (r = tls_handshake(a)) == 0)
			done |= 1;
		else if ((done & 1) == 0 && r == -1)
			return (EPROTO);
		if ((done & 2) == 0 && (s = tls_handshake(b)) == 0)
			done |= 2;
		else if ((done & 2) == 0 && s == -1)
			return (EPROTO);
	}
	if (done != 3 || tls_write(a, "hello", 5) != 5)
		return (ETIMEDOUT);
	for (i = 0; i < ROUNDS; i++)
		if (tls_read(b, text, sizeof(text)) == 5)
			return (memcmp(text, "hello", 5) == 0 ? 0 : EINVAL);
	return (ETIMEDOUT);
}

static int
op_tls(void)
{
	struct tls *client, *conn, *server;
	struct tls_config *cc, *sc;
	int fds[2], rv;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == -1)
		return (errno);
	if ((cc = tls_config_new()) == NULL ||
	    (sc = tls_config_new()) == NULL ||
	    tls_config_set_keypair_mem(sc, (uint8_t *)st.cert, st.certlen,
	    (uint8_t *)st.key, st.keylen) == -1)
		return (EINVAL);
	tls_config_insecure_noverifycert(cc);
	tls_config_insecure_noverifyname(cc);
	if ((client = tls_client()) == NULL ||
	    (server = tls_server()) == NULL ||
	    tls_configure(client, cc) == -1 ||
	    tls_configure(server, sc) == -1 ||
	    tls_accept_socket(server, &conn, fds[0]) == -1 ||
	    tls_connect_socket(client, fds[1], "localhost") == -1)
		return (EINVAL);
	rv = handshake(client, conn);
	tls_free(client);
	tls_free(conn);
	tls_free(server);
	tls_config_free(cc);
	tls_config_free(sc);
	return (rv);
}

static int
op_sign(void)
{
	unsigned char sig[256], digest[32] = "digest";
	size_t len = sizeof(sig);
	EVP_PKEY_CTX *ctx;

	if ((ctx = EVP_PKEY_CTX_new(st.pkey, NULL)) == NULL ||
	    EVP_PKEY_sign_init(ctx) != 1 ||
	    EVP_PKEY_sign(ctx, sig, &len, digest, sizeof(digest)) != 1)
		return (EINVAL);
	EVP_PKEY_CTX_free(ctx);
	return (0);
}

/* Passwords. */

static void *
hash(void *arg)
{
	struct crypt_data *data;
	const char *h;
	int ok;

	(void)arg;
	if ((data = calloc(1, sizeof(*data))) == NULL)
		return (NULL);
	h = crypt_r("secret", SETTING, data);
	ok = h != NULL && strncmp(h, SETTING, strlen(SETTING)) == 0;
	free(data);
	return (ok ? &st : NULL);
}

static int
op_crypt(void)
{
	return (hash(NULL) != NULL ? 0 : EINVAL);
}

static int
op_crypt_threads(void)
{
	pthread_t t[THREADS];
	void *rv;
	int bad = 0, e, i;

	for (i = 0; i < THREADS; i++)
		if ((e = pthread_create(&t[i], NULL, hash, NULL)) != 0)
			return (e);
	for (i = 0; i < THREADS; i++) {
		if ((e = pthread_join(t[i], &rv)) != 0)
			return (e);
		bad |= rv == NULL;
	}
	return (bad ? EINVAL : 0);
}

static int
warm_pw(void)
{
	return (getpwnam("root") != NULL ? 0 : ENOENT);
}

static int
op_getpw(void)
{
	struct passwd *pw;

	if ((pw = getpwnam("nobody")) == NULL || getpwuid(0) == NULL ||
	    getpwnam("no-such-user") != NULL)
		return (ENOENT);
	/* Refused by the file's mode here, and answered in auth. */
	errno = 0;
	if (getspnam("root") == NULL && errno == EPERM)
		return (EPERM);
	return (0);
}

static int
op_localtime(void)
{
	time_t now = time(NULL);

	return (localtime(&now) != NULL ? 0 : errno);
}

/* SQLite. */

static int
sql_make(const char *mode)
{
	sqlite3 *db;
	int ok;

	if (sqlite3_open_v2(below(child_dir, "db"), &db, SQLITE_OPEN_READWRITE
	    | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		return (EIO);
	ok = sqlite3_exec(db, mode, NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(db, "create table if not exists u (n text);"
	    "begin; delete from u; insert into u values ('eve'); commit",
	    NULL, NULL, NULL) == SQLITE_OK;
	return (sqlite3_close(db) == SQLITE_OK && ok ? 0 : EIO);
}

static int
op_sql_write(void)
{
	return (sql_make("pragma journal_mode=delete"));
}

static int
op_sql_wal(void)
{
	return (sql_make("pragma journal_mode=wal"));
}

static int
op_sql_read(void)
{
	sqlite3_stmt *s;
	sqlite3 *db;
	int ok;

	if (sqlite3_open_v2(below(child_dir, "db"), &db, SQLITE_OPEN_READONLY,
	    NULL) != SQLITE_OK || sqlite3_prepare_v2(db,
	    "select n from u where n = 'eve'", -1, &s, NULL) != SQLITE_OK)
		return (EIO);
	ok = sqlite3_step(s) == SQLITE_ROW;
	if (sqlite3_finalize(s) != SQLITE_OK ||
	    sqlite3_close(db) != SQLITE_OK || !ok)
		return (EIO);
	return (0);
}

/* libunbound asks a server that answers NXDOMAIN to everything. */

static int
nxdomain_server(struct sockaddr_in *sin)
{
	unsigned char q[512];
	struct sockaddr_in from;
	socklen_t len = sizeof(*sin);
	ssize_t n;
	int fd;

	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_DGRAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)sin, sizeof(*sin)) == -1 ||
	    getsockname(fd, (struct sockaddr *)sin, &len) == -1)
		return (-1);
	switch (fork()) {
	case -1:
		return (-1);
	case 0:
		break;
	default:
		return (close(fd));
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)alarm(SECONDS);
	for (;;) {
		len = sizeof(from);
		if ((n = recvfrom(fd, q, sizeof(q), 0,
		    (struct sockaddr *)&from, &len)) < 12)
			_exit(0);
		q[2] |= 0x80;
		q[3] = 0x83;
		(void)sendto(fd, q, (size_t)n, 0, (struct sockaddr *)&from,
		    len);
	}
}

static void
answered(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int ratelimited)
{
	(void)arg;
	(void)sec;
	(void)why;
	(void)ratelimited;
	/* A packet brings its own code. */
	if (rcode == 0 && len >= 12)
		rcode = ((const unsigned char *)packet)[3] & 0x0f;
	st.rcode = rcode;
	(void)event_base_loopbreak(st.base);
}

static int
query(const char *name)
{
	int id;

	st.rcode = -1;
	if (ub_resolve_event(st.ub, name, 15, 1, NULL, answered, &id) != 0)
		return (EIO);
	if (st.rcode == -1 && event_base_dispatch(st.base) == -1)
		return (EIO);
	return (st.rcode == 3 ? 0 : EPROTO);
}

static int
warm_dns(void)
{
	struct sockaddr_in sin;
	char fwd[32];

	if (nxdomain_server(&sin) == -1)
		return (errno);
	(void)snprintf(fwd, sizeof(fwd), "127.0.0.1@%u",
	    ntohs(sin.sin_port));
	if ((st.base = event_base_new()) == NULL ||
	    (st.ub = ub_ctx_create_event(st.base)) == NULL ||
	    ub_ctx_set_option(st.ub, "do-not-query-localhost:", "no") != 0 ||
	    ub_ctx_set_fwd(st.ub, fwd) != 0)
		return (EINVAL);
	return (query("warm.example.lab"));
}

static int
op_dns(void)
{
	int rv;

	if ((rv = query("one.example.lab")) != 0)
		return (rv);
	return (query("two.example.org"));
}

/* An event loop of one's own, made inside. */

static void
ticked(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(*(int *)arg)++;
}

static int
op_event(void)
{
	struct timeval tv = { 0, 1000 };
	struct event_base *base;
	struct event *sig;
	int n = 0;

	if ((base = event_base_new()) == NULL || (sig = evsignal_new(base,
	    SIGTERM, ticked, &n)) == NULL || event_add(sig, NULL) == -1 ||
	    raise(SIGTERM) != 0 || event_base_once(base, -1, EV_TIMEOUT,
	    ticked, &n, &tv) == -1)
		return (errno);
	if (event_base_loop(base, EVLOOP_ONCE) == -1 ||
	    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK) == -1)
		return (errno);
	event_free(sig);
	event_base_free(base);
	return (n > 0 ? 0 : EINVAL);
}

#define AUTH	"stdio rpath getpw thread recvfd"
#define LOOKUP	"stdio rpath getpw recvfd sqlite"

/* clang-format off */
static const struct op ops[] = {
	{ "net: TLS handshake",	"stdio accept recvfd sendfd", warm_key,
	    op_tls, 0 },
	{ "relay: TLS handshake", "stdio inet recvfd", warm_key, op_tls, 0 },
	{ "signer: sign",	"stdio recvfd", warm_key, op_sign, 0 },
	{ "net: event loop",	"stdio accept recvfd sendfd", NULL,
	    op_event, 0 },
	{ "net: localtime",	"stdio accept recvfd sendfd", NULL,
	    op_localtime, 0 },
	{ "auth: crypt",	AUTH,	NULL,	op_crypt,	0 },
	{ "auth: crypt in threads", AUTH, NULL,	op_crypt_threads, 0 },
	{ "auth: password database", AUTH, warm_pw, op_getpw,	0 },
	{ "queue: threads",
	    "stdio rpath wpath cpath fattr flock thread sendfd recvfd",
	    NULL, op_crypt_threads, 0 },
	{ "sqlite: write",	"stdio rpath wpath cpath flock sqlite", NULL,
	    op_sql_write, 0 },
	{ "lookup: password database", LOOKUP, warm_pw, op_getpw, 0 },
	{ "lookup: SQLite",	LOOKUP,	NULL,	op_sql_read,	0 },
	{ "sqlite: write-ahead log", "stdio rpath wpath cpath flock sqlite",
	    NULL, op_sql_wal, 0 },
	{ "dns: libunbound",	"stdio dns recvfd", warm_dns, op_dns, 0 },
};
/* clang-format on */

int
main(void)
{
	size_t i;

	if (child_setup("sandboxlibs") == -1) {
		perror("libs");
		return (1);
	}
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		child_case(&ops[i]);
	child_cleanup();
	TEST_DONE();
}
