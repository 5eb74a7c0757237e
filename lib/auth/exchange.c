/*
 * exchange: see exchange.h.  Reads what strangers wrote, carried here by net;
 * lib/sasl/scram.c does all of the reading.
 *
 * An exchange holds no password, only keys that were stored, for a minute at
 * most.  It costs three digests and no key derivation but for {PLAIN}, which
 * is for tests: that derives here, some 4 ms, and only for a proof.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/attempt.h"
#include "auth/exchange.h"
#include "auth/hold.h"
#include "auth/lru.h"
#include "auth/verify.h"
#include "log/log.h"
#include "os/compat.h"
#include "sasl/base64.h"
#include "sasl/scram.h"

#define BUCKETS		1024
#define NONCE_BYTES	18

struct exchange {
	LIST_ENTRY(exchange)	 chain;
	TAILQ_ENTRY(exchange)	 entry;		/* oldest first */
	struct peer		*net;
	struct msg_AUTH_TRY	 ask;		/* pass: see conclude() */
	int64_t			 since;		/* monotonic seconds */
	struct account		*account;	/* NULL: nobody with keys */
	int			 failed;	/* a source could not answer */
	int			 proved;
	struct scram_verifier	 keys;
	struct scram		 scram;
};

static struct {
	struct sources		*sources;
	unsigned char		 key[MAC_SIZE];
	TAILQ_HEAD(, exchange)	 list;
	LIST_HEAD(, exchange)	 buckets[BUCKETS];
	size_t			 n;
} self = { .list = TAILQ_HEAD_INITIALIZER(self.list) };

static void	begin(struct attempt *);

void
exchange_init(struct sources *sources)
{
	self.sources = sources;
}

int
exchange_key(const char *hex)
{
	static const char	 digits[] = "0123456789abcdef";
	const char		*high, *low;
	size_t			 i;

	if (strlen(hex) != 2 * sizeof(self.key))
		return (-1);
	for (i = 0; i < sizeof(self.key); i++) {
		if ((high = strchr(digits, hex[2 * i])) == NULL ||
		    (low = strchr(digits, hex[2 * i + 1])) == NULL)
			return (-1);
		self.key[i] = (unsigned char)((high - digits) << 4 |
		    (low - digits));
	}
	return (0);
}

static int64_t
now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec);
}

static void
forget(struct exchange *x)
{
	TAILQ_REMOVE(&self.list, x, entry);
	LIST_REMOVE(x, chain);
	self.n--;
	freezero(x->account, sizeof(*x->account));
	freezero(x, sizeof(*x));
}

/* Those whose time is over, and the oldest if there is no room. */
static void
make_room(void)
{
	struct exchange	*x;

	while ((x = TAILQ_FIRST(&self.list)) != NULL &&
	    (self.n >= EXCHANGES_MAX || now() - x->since > EXCHANGE_TTL))
		forget(x);
}

static struct exchange *
find(const struct peer *net, uint64_t conn)
{
	struct exchange	*x;

	LIST_FOREACH(x, &self.buckets[conn % BUCKETS], chain)
		if (x->net == net && x->ask.conn == conn)
			return (x);
	return (NULL);
}

static void
refuse(struct peer *net, uint64_t conn)
{
	struct msg_AUTH_DONE	later = { .conn = conn,
				    .result = AUTH_TEMPFAIL };

	hold_answer(net, &later, 0);
}

void
exchange_start(struct peer *net, const struct msg_AUTH_START *start)
{
	struct msg_AUTH_TRY	 ask = { .conn = start->conn,
				    .tls = start->tls };
	struct scram		 hello;
	struct attempt		*at;
	int			 ok;

	/* the same sizes on both sides, terminated by their checks */
	memcpy(ask.proto, start->proto, sizeof(ask.proto));
	memcpy(ask.addr, start->addr, sizeof(ask.addr));
	exchange_cancel(net, start->conn);
	ok = scram_server_hello(&hello, start->text) == 0;
	if (ok)
		memcpy(ask.user, hello.user, sizeof(ask.user));
	if ((at = attempt_new(net, &ask, begin)) == NULL)
		goto done;
	if (!ok) {
		attempt_deny(at);
		goto done;
	}
	if (attempt_slowed(at))
		goto done;
	if ((at->scram = malloc(sizeof(hello))) == NULL) {
		attempt_tempfail(at);
		goto done;
	}
	*at->scram = hello;
	attempt_find(at);
done:
	scram_wipe(&hello);
	explicit_bzero(&ask, sizeof(ask));
}

/* Salt and keys of somebody who has none. */
static int
decoy(const char *user, struct scram_verifier *v)
{
	const char	*strings[2];
	unsigned char	 mac[MAC_SIZE];
	char		 name[C_USER];

	strings[1] = sources_name(self.sources, user, name, sizeof(name));
	strings[0] = "salt";
	if (mac_strings(self.key, strings, 2, mac) == -1)
		return (-1);
	v->iterations = SCRAM_ITERATIONS_NEW;
	v->saltlen = SCRAM_SALT_NEW;
	memcpy(v->salt, mac, SCRAM_SALT_NEW);
	strings[0] = "key";
	return (mac_strings(self.key, strings, 2, v->stored));
}

/* The first account that SCRAM can be done for, or the decoy. */
static int
choose(struct attempt *at, struct exchange *x)
{
	struct account	*a;
	size_t		 i;
	int		 ok;

	for (i = 0; i < at->nfound; i++) {
		a = at->found[i];
		ok = verify_plain(a->hash) != NULL;
		if (!ok && strncmp(a->hash, SCRAM_SCHEME,
		    strlen(SCRAM_SCHEME)) == 0)
			ok = scram_verifier_parse(&x->keys, a->hash) == 0;
		if (ok) {
			x->account = a;
			at->found[i] = at->found[--at->nfound];
			break;
		}
	}
	if (x->account != NULL && verify_plain(x->account->hash) == NULL)
		return (0);
	return (decoy(at->ask.user, &x->keys));
}

static int
make_nonce(char *out, size_t size)
{
	unsigned char	bytes[NONCE_BYTES];

	arc4random_buf(bytes, sizeof(bytes));
	return (base64_encode(bytes, sizeof(bytes), out, size));
}

/* The sources have answered: say salt and iterations. */
static void
begin(struct attempt *at)
{
	struct msg_AUTH_CHALLENGE	 ch = { .conn = at->ask.conn };
	struct exchange			*x;
	char				 nonce[BASE64_ENCODED(NONCE_BYTES) + 1];

	if (at->net == NULL) {
		attempt_free(at);
		return;
	}
	make_room();
	if ((x = calloc(1, sizeof(*x))) == NULL) {
		attempt_tempfail(at);
		return;
	}
	TAILQ_INSERT_TAIL(&self.list, x, entry);
	LIST_INSERT_HEAD(&self.buckets[at->ask.conn % BUCKETS], x, chain);
	self.n++;
	x->net = at->net;
	x->ask = at->ask;
	x->since = now();
	x->failed = at->failed;
	x->scram = *at->scram;
	if (choose(at, x) == -1 || make_nonce(nonce, sizeof(nonce)) == -1 ||
	    scram_server_first(&x->scram, &x->keys, nonce, ch.text,
	    sizeof(ch.text)) == -1) {
		forget(x);
		attempt_tempfail(at);
		return;
	}
	peer_send(at->net, M_AUTH_CHALLENGE, &ch, -1);
	attempt_free(at);
}

/* {PLAIN} has its keys made now, with the salt that was sent. */
static int
complete_keys(struct exchange *x)
{
	const char		*pass;
	struct scram_verifier	 v;

	if (x->account == NULL ||
	    (pass = verify_plain(x->account->hash)) == NULL)
		return (0);
	if (scram_verifier_make(&v, pass, x->keys.salt, x->keys.saltlen,
	    x->keys.iterations) == -1)
		return (-1);
	x->keys = v;
	explicit_bzero(&v, sizeof(v));
	return (0);
}

/* Its end: the account, or none. */
static void
conclude(struct exchange *x, int right)
{
	struct attempt	*at;

	/*
	 * A proof does not tell which password it was made from, so that each
	 * one counts as another.
	 */
	memcpy(x->ask.pass, x->scram.nonce, sizeof(x->scram.nonce));
	if ((at = attempt_new(x->net, &x->ask, NULL)) != NULL) {
		at->failed = x->failed;
		/*
		 * Of proofs that came all at once, those beyond the limit
		 * tell nothing.
		 */
		if (attempt_slowed(at))
			;
		else if (right)
			attempt_grant(at, x->account);
		else
			attempt_deny(at);
	}
	forget(x);
}

void
exchange_step(struct peer *net, const struct msg_AUTH_STEP *step)
{
	struct msg_AUTH_CHALLENGE	 ch = { .conn = step->conn };
	struct exchange			*x;
	int				 ok;

	make_room();
	if ((x = find(net, step->conn)) == NULL) {
		/* too slow, or begun with an auth that has gone */
		refuse(net, step->conn);
		return;
	}
	if (x->proved) {
		conclude(x, *step->text == '\0');
		return;
	}
	if (complete_keys(x) == -1) {
		refuse(net, step->conn);
		forget(x);
		return;
	}
	ok = scram_server_final(&x->scram, &x->keys, step->text, ch.text,
	    sizeof(ch.text));
	/* the decoy's keys are nobody's: no proof fits, and no account */
	if (ok != 1 || x->account == NULL) {
		conclude(x, 0);
		return;
	}
	x->proved = 1;
	peer_send(net, M_AUTH_CHALLENGE, &ch, -1);
}

void
exchange_cancel(struct peer *net, uint64_t conn)
{
	struct exchange	*x = find(net, conn);

	if (x != NULL)
		forget(x);
}

void
exchange_gone(const struct peer *net)
{
	struct exchange	*x, *next;

	for (x = TAILQ_FIRST(&self.list); x != NULL; x = next) {
		next = TAILQ_NEXT(x, entry);
		if (x->net == net)
			forget(x);
	}
}

size_t
exchange_count(void)
{
	return (self.n);
}
