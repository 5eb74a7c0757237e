/*
 * lookup_dns: questions to the dns role, and a memory for their answers.
 *
 * Names come from clients and from whoever runs a zone, so all is bounded:
 * ASKED_MAX questions under way, KNOWN_MAX answers, RULES_NAMES records each;
 * the answer that was used longest ago goes first.  An answer holds for its
 * TTL, but at least LIVES_MIN seconds: one connection gets one answer.
 *
 *	state	event			next
 *	-	lookup			ASKED: question sent, waits
 *	ASKED	lookup			ASKED: waits too
 *	ASKED	DNS_DONE, dns gone	KNOWN: all who wait are resumed
 *	KNOWN	lookup, fresh		KNOWN: answered at once
 *	KNOWN	lookup, stale		ASKED
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "log/log.h"
#include "os/compat.h"
#include "privsep/role.h"
#include "smtpd/contract.h"
#include "smtpd/lookup_dns.h"
#include "smtpd/waiters.h"

#define BUCKETS		4096
#define ASKED_MAX	2048
#define KNOWN_MAX	20000
#define LIVES_MIN	60	/* seconds */
#define LIVES_MAX	3600
#define LIVES_FAILED	30

struct question {
	LIST_ENTRY(question)	 bucket;
	TAILQ_ENTRY(question)	 entry;		/* asked, or by last use */
	struct waiters		 waiters;
	uint32_t		 id;		/* while asked; else 0 */
	unsigned int		 type;
	enum rules_result	 result;
	time_t			 until;
	size_t			 n;
	char			*v[RULES_NAMES];
	char			 name[];
};
TAILQ_HEAD(questions, question);

static struct {
	LIST_HEAD(, question)	 buckets[BUCKETS];
	struct questions	 asked, known;
	size_t			 nasked, nknown;
	uint32_t		 id;
	uint32_t		 seed;
} self = {
	.asked = TAILQ_HEAD_INITIALIZER(self.asked),
	.known = TAILQ_HEAD_INITIALIZER(self.known),
};

static time_t
now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec);
}

/* From a start that nobody outside knows. */
static size_t
bucket_of(unsigned int type, const char *name)
{
	uint32_t	h;
	unsigned char	c;

	if (self.seed == 0)
		self.seed = arc4random() | 1;
	for (h = self.seed ^ type; *name != '\0'; name++) {
		c = *name;
		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		h = (h ^ c) * 16777619u;
	}
	return ((h ^ h >> 15) % BUCKETS);
}

static struct question *
find(unsigned int type, const char *name)
{
	struct question	*q;

	LIST_FOREACH(q, &self.buckets[bucket_of(type, name)], bucket)
		if (q->type == type && strcasecmp(q->name, name) == 0)
			return (q);
	return (NULL);
}

static void
forget_names(struct question *q)
{
	while (q->n > 0)
		free(q->v[--q->n]);
}

/* One that is known; nobody waits for it. */
static void
drop(struct question *q)
{
	LIST_REMOVE(q, bucket);
	TAILQ_REMOVE(&self.known, q, entry);
	self.nknown--;
	forget_names(q);
	free(q);
}

static void
settle(struct question *q, enum rules_result result, time_t lives)
{
	q->id = 0;
	q->result = result;
	q->until = now() + lives;
	TAILQ_REMOVE(&self.asked, q, entry);
	self.nasked--;
	if (self.nknown == KNOWN_MAX)
		drop(TAILQ_FIRST(&self.known));
	TAILQ_INSERT_TAIL(&self.known, q, entry);
	self.nknown++;
	/* Who is resumed may ask the next thing, and drop this one. */
	waiters_resume(&q->waiters);
}

static struct question *
question_new(unsigned int type, const char *name)
{
	struct question	*q;
	size_t		 size = strlen(name) + 1;

	if (size > DNS_NAME || (q = calloc(1, sizeof(*q) + size)) == NULL)
		return (NULL);
	q->type = type;
	memcpy(q->name, name, size);
	LIST_INSERT_HEAD(&self.buckets[bucket_of(type, name)], q, bucket);
	return (q);
}

/* Send it; -1 if nobody can be asked. */
static int
send_question(struct question *q)
{
	struct msg_DNS_ASK	 m = { 0 };
	struct peer		*dns = role_peer(ROLE_DNS);

	if (dns == NULL)
		return (-1);
	q->id = m.id = self.id == UINT32_MAX ? (self.id = 1) : ++self.id;
	m.type = q->type == DNS_WIRE_A ? DNS_A : q->type == DNS_WIRE_AAAA ?
	    DNS_AAAA : q->type == DNS_WIRE_MX ? DNS_MX : DNS_PTR;
	strlcpy(m.name, q->name, sizeof(m.name));
	TAILQ_INSERT_TAIL(&self.asked, q, entry);
	self.nasked++;
	peer_send(dns, M_DNS_ASK, &m, -1);
	return (0);
}

enum rules_result
lookup_dns(const struct rules_env *env, unsigned int type, const char *name,
    struct rules_names *names)
{
	struct question	*q = find(type, name);
	size_t		 i;

	names->n = 0;
	if (q != NULL && q->id == 0 && q->until > now()) {
		TAILQ_REMOVE(&self.known, q, entry);
		TAILQ_INSERT_TAIL(&self.known, q, entry);
		for (i = 0; i < q->n; i++)
			strlcpy(names->v[i], q->v[i], sizeof(names->v[i]));
		names->n = q->n;
		return (q->result);
	}
	if (q != NULL && q->id != 0)
		return (waiters_add(&q->waiters, env) == -1 ? RULES_TEMPFAIL :
		    RULES_PENDING);
	if (q != NULL)
		drop(q);
	if (self.nasked == ASKED_MAX || (q = question_new(type, name)) ==
	    NULL)
		return (RULES_TEMPFAIL);
	if (waiters_add(&q->waiters, env) == -1 || send_question(q) == -1) {
		log_warnx("dns: %s cannot be asked for now", name);
		waiters_drop(&q->waiters);
		LIST_REMOVE(q, bucket);
		free(q);
		return (RULES_TEMPFAIL);
	}
	return (RULES_PENDING);
}

/* Mostly the first: they are answered about as they were asked. */
static struct question *
by_id(uint32_t id)
{
	struct question	*q;

	TAILQ_FOREACH(q, &self.asked, entry)
		if (q->id == id)
			return (q);
	return (NULL);
}

void
lookup_dns_record(struct peer *p, struct msg *m)
{
	const struct msg_DNS_RECORD	*rec = m->body;
	struct question			*q = by_id(rec->id);

	if (q == NULL || q->n == RULES_NAMES)
		return;
	if ((q->v[q->n] = strdup(rec->name)) != NULL)
		q->n++;
}

void
lookup_dns_done(struct peer *p, struct msg *m)
{
	static struct log_limit		 limit;
	const struct msg_DNS_DONE	*d = m->body;
	struct question			*q = by_id(d->id);
	time_t				 lives = d->ttl;

	if (q == NULL)
		return;
	if (lives < LIVES_MIN)
		lives = LIVES_MIN;
	if (lives > LIVES_MAX)
		lives = LIVES_MAX;
	switch (d->status) {
	case DNS_OK:
		settle(q, RULES_OK, lives);
		break;
	case DNS_NODATA:
	case DNS_NXDOMAIN:
		settle(q, RULES_NO, LIVES_MIN);
		break;
	default:
		if (log_allowed(&limit))
			log_warnx("dns: no answer for %s: rules that ask for "
			    "it do not match", q->name);
		forget_names(q);
		settle(q, RULES_TEMPFAIL, LIVES_FAILED);
	}
}

void
lookup_dns_gone(void)
{
	struct question	*q;
	size_t		 n = self.nasked;

	/* Who is resumed may ask again: only those of before. */
	while (n-- > 0 && (q = TAILQ_FIRST(&self.asked)) != NULL) {
		forget_names(q);
		settle(q, RULES_TEMPFAIL, 1);
	}
}

size_t
lookup_dns_known(void)
{
	return (self.nknown);
}
