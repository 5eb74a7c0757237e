/*
 * judge: see judge.h.  Holds a password from the question until the hash was
 * compared, at most JUDGE_MAX at a time, and wipes it then.
 *
 * A source that does not answer makes a failure temporary: "wrong password" is
 * said only when every source could be asked.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/attempt.h"
#include "auth/auth.h"
#include "auth/cache.h"
#include "auth/hold.h"
#include "auth/judge.h"
#include "auth/throttle.h"
#include "auth/worker.h"
#include "log/log.h"
#include "os/compat.h"
#include "sasl/prep.h"

static struct {
	struct sources		*sources;
	struct workers		*workers;
	struct cache		*cache;
	struct throttle		*throttle;
	TAILQ_HEAD(, attempt)	 attempts;
	size_t			 n;
	uint64_t		 granted, cached, denied, slowed, tempfailed;
} self = { .attempts = TAILQ_HEAD_INITIALIZER(self.attempts) };

static void	decide(struct attempt *);
static void	judged(void *, const struct worker_result *);

int
judge_init(struct sources *sources, unsigned int threads)
{
	self.sources = sources;
	if ((self.cache = cache_new()) == NULL ||
	    (self.throttle = throttle_new()) == NULL)
		return (-1);
	self.workers = workers_new(role_base(), threads, judged);
	return (self.workers == NULL ? -1 : 0);
}

static int64_t
now_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/*
 * What a stranger typed, fit for "key=value" in the log: others read these
 * lines to block addresses.
 */
static const char *
log_name(const char *user)
{
	static char	name[C_USER];
	size_t		i;

	for (i = 0; user[i] != '\0' && i + 1 < sizeof(name); i++)
		name[i] = strchr(" =\"'", user[i]) != NULL ? '?' : user[i];
	name[i] = '\0';
	return (name);
}

void
attempt_free(struct attempt *at)
{
	size_t	i;

	TAILQ_REMOVE(&self.attempts, at, entry);
	self.n--;
	for (i = 0; i < at->nfound; i++)
		freezero(at->found[i], sizeof(*at->found[i]));
	freezero(at->scram, sizeof(*at->scram));
	freezero(at, sizeof(*at));
	if (self.n == 0 && role_draining()) {
		hold_flush();
		role_exit(0);
	}
}

/* Tell net, after_ms from when it asked. */
static void
answer(const struct attempt *at, unsigned int result, int64_t after_ms)
{
	struct msg_AUTH_DONE	done = { 0 };

	if (at->net == NULL)
		return;
	done.conn = at->ask.conn;
	done.result = result;
	memcpy(done.user, at->ask.user, sizeof(done.user));
	hold_answer(at->net, &done, after_ms == 0 ? 0 :
	    at->arrived + after_ms - now_ms());
}

/* Too many failures: refuse, and say later so. */
int
attempt_slowed(struct attempt *at)
{
	int64_t		now = now_ms() / 1000;
	unsigned int	delay;

	if (!throttle_refuses(self.throttle, at->ask.addr, at->name, now))
		return (0);
	self.slowed++;
	log_info("authentication refused: user=%s addr=%s proto=%s conn=%u: "
	    "too many failures", log_name(at->ask.user), at->ask.addr,
	    at->ask.proto, (unsigned int)at->ask.conn);
	delay = throttle_delay(self.throttle, at->ask.addr, now);
	answer(at, AUTH_SLOWDOWN, delay * 1000);
	attempt_free(at);
	return (1);
}

struct attempt *
attempt_new(struct peer *net, const struct msg_AUTH_TRY *ask,
    void (*done)(struct attempt *))
{
	struct msg_AUTH_DONE	 busy = { .conn = ask->conn,
				    .result = AUTH_TEMPFAIL };
	struct attempt		*at;

	if (self.n >= JUDGE_MAX || (at = calloc(1, sizeof(*at))) == NULL) {
		self.tempfailed++;
		hold_answer(net, &busy, 0);
		return (NULL);
	}
	at->net = net;
	at->ask = *ask;
	(void)sources_name(self.sources, ask->user, at->name,
	    sizeof(at->name));
	at->arrived = now_ms();
	at->decide = done;
	TAILQ_INSERT_TAIL(&self.attempts, at, entry);
	self.n++;
	return (at);
}

void
judge_login(struct peer *net, const struct msg_AUTH_TRY *ask)
{
	struct attempt	*at;

	if ((at = attempt_new(net, ask, decide)) == NULL)
		return;
	if (sasl_prep_user(ask->user, strlen(ask->user)) == -1 ||
	    sasl_prep_pass(ask->pass, strlen(ask->pass)) == -1)
		attempt_deny(at);
	else if (!attempt_slowed(at))
		attempt_find(at);
}

void
judge_gone(const struct peer *net)
{
	struct attempt	*at;

	TAILQ_FOREACH(at, &self.attempts, entry)
		if (at->net == net)
			at->net = NULL;
}

size_t
judge_count(void)
{
	return (self.n);
}

void
judge_stats(char *out, size_t size)
{
	(void)snprintf(out, size, "granted=%llu cached=%llu denied=%llu "
	    "slowed=%llu tempfailed=%llu pending=%zu held=%zu queued=%zu",
	    (unsigned long long)self.granted, (unsigned long long)self.cached,
	    (unsigned long long)self.denied, (unsigned long long)self.slowed,
	    (unsigned long long)self.tempfailed, self.n, hold_count(),
	    workers_queued(self.workers));
}

static void
source_answer(enum source_result result, const struct account *a,
    const char *why, void *arg)
{
	struct attempt	*at = arg;
	struct account	*copy;

	switch (result) {
	case SOURCE_FOUND:
		if ((copy = malloc(sizeof(*copy))) == NULL) {
			at->failed = 1;
			break;
		}
		*copy = *a;
		at->found[at->nfound++] = copy;
		sources_seen(self.sources, a->hash);
		break;
	case SOURCE_REFUSED:
		log_info("user=%s: %s", log_name(at->ask.user), why);
		break;
	case SOURCE_FAILED:
		at->failed = 1;
		log_warnx("user=%s: %s", log_name(at->ask.user), why);
		break;
	case SOURCE_UNKNOWN:
		break;
	}
	attempt_find(at);
}

void
attempt_find(struct attempt *at)
{
	if (at->source < sources_count(self.sources))
		sources_find(self.sources, at->source++, at->ask.user,
		    source_answer, at);
	else
		at->decide(at);
}

static void
cache_key(const struct attempt *at, const struct account *a,
    struct cache_login *key)
{
	key->user = a->user;
	key->pass = at->ask.pass;
	key->proto = at->ask.proto;
	key->addr = at->ask.addr;
	key->hash = a->hash;
}

/* bsd_auth has no hash that would change with the password. */
static int
cacheable(const struct account *a)
{
	return (strncmp(a->hash, VERIFY_BSDAUTH, strlen(VERIFY_BSDAUTH)) != 0);
}

static void
decide(struct attempt *at)
{
	struct cache_login	 key;
	enum cache_verdict	 verdict;
	const char		*hashes[SOURCES_MAX];
	char			 line[THROTTLE_ADDR];
	size_t			 i;

	for (i = 0; i < at->nfound; i++) {
		cache_key(at, at->found[i], &key);
		verdict = cache_get(self.cache, &key, at->arrived / 1000);
		if (verdict == CACHE_RIGHT && cacheable(at->found[i])) {
			self.cached++;
			attempt_grant(at, at->found[i]);
			return;
		}
		if (verdict == CACHE_WRONG && cacheable(at->found[i]))
			continue;
		at->hashed[at->nhashed] = i;
		hashes[at->nhashed++] = at->found[i]->hash;
	}
	if (at->nhashed == 0 && at->nfound > 0) {
		attempt_deny(at);
		return;
	}
	if (at->nhashed == 0)
		hashes[0] = sources_dummy(self.sources);
	throttle_addr(at->ask.addr, line);
	if (workers_submit(self.workers, line, at->ask.pass, hashes,
	    at->nhashed == 0 ? 1 : at->nhashed, at) == -1) {
		log_warnx("user=%s addr=%s: password not checked: %s",
		    log_name(at->ask.user), at->ask.addr,
		    errno == EAGAIN ? "too many wait" : strerror(errno));
		attempt_tempfail(at);
	}
}

/*
 * A worker has tried the hashes, or the dummy.  What it found is used only if
 * the failures until now still allow it: of guesses that were all sent at
 * once, those beyond the limit tell nothing.
 */
static void
judged(void *arg, const struct worker_result *r)
{
	struct attempt		*at = arg;
	struct cache_login	 key;
	size_t			 i;

	if (attempt_slowed(at))
		return;
	if (at->nhashed == 0) {
		attempt_deny(at);
		return;
	}
	if (r->unusable > 0)
		log_warnx("user=%s: a hash of no scheme that this system has",
		    log_name(at->ask.user));
	for (i = 0; i < at->nhashed && r->failed == 0 && r->unusable == 0;
	    i++) {
		if (r->match != -1 && i > (size_t)r->match)
			break;
		cache_key(at, at->found[at->hashed[i]], &key);
		cache_put(self.cache, &key, (int)i == r->match ? CACHE_RIGHT :
		    CACHE_WRONG, now_ms() / 1000);
	}
	if (r->match != -1)
		attempt_grant(at, at->found[at->hashed[r->match]]);
	else if (r->failed > 0)
		attempt_tempfail(at);
	else
		attempt_deny(at);
}

void
attempt_grant(struct attempt *at, const struct account *a)
{
	struct auth_grant	g = { 0 };

	self.granted++;
	throttle_succeeded(self.throttle, at->ask.addr, at->name,
	    at->arrived / 1000);
	g.net = at->net;
	g.conn = (unsigned int)at->ask.conn;
	g.tls = (int)at->ask.tls;
	g.system = a->system;
	g.uid = a->uid;
	g.gid = a->gid;
	g.quota = a->quota;
	/* the same sizes on both sides, terminated by their checks */
	memcpy(g.proto, at->ask.proto, sizeof(g.proto));
	memcpy(g.addr, at->ask.addr, sizeof(g.addr));
	memcpy(g.user, a->user, sizeof(g.user));
	memcpy(g.home, a->home, sizeof(g.home));
	if (at->net != NULL)
		auth_granted(&g);
	/* The user waits for the line above, not for this one. */
	log_info("authenticated: user=%s addr=%s proto=%s conn=%u",
	    log_name(a->user), at->ask.addr, at->ask.proto,
	    (unsigned int)at->ask.conn);
	attempt_free(at);
}

void
attempt_deny(struct attempt *at)
{
	unsigned int	delay;

	if (at->failed) {
		attempt_tempfail(at);
		return;
	}
	self.denied++;
	log_info("authentication failed: user=%s addr=%s proto=%s conn=%u",
	    log_name(at->ask.user), at->ask.addr, at->ask.proto,
	    (unsigned int)at->ask.conn);
	delay = throttle_failed(self.throttle, at->ask.addr, at->name,
	    at->ask.pass, at->arrived / 1000);
	answer(at, AUTH_DENIED, delay * 1000);
	attempt_free(at);
}

void
attempt_tempfail(struct attempt *at)
{
	self.tempfailed++;
	answer(at, AUTH_TEMPFAIL, 0);
	attempt_free(at);
}
