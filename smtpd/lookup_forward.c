/*
 * lookup_forward: forward files, each read by a process of its owner that the
 * parent starts for it and that sends the text and ends.
 *
 * The text is the user's own word about his own mail; rules/expand.c believes
 * it no more than that.  It is good for KEPT_SECONDS, and for whoever asked
 * before it was read; FORGET_SECONDS later it goes.  WAITS_MAX wait for a
 * process, KNOWN_MAX texts are kept, so that all those of the longest list
 * (RULES_EXPAND_MAX) are known at once.
 *
 * A user can stop his process.  So one has its place among READERS_MAX for
 * PROMPT_SECONDS only; then it is one of SLOW_MAX, whose oldest is given up
 * when there are more, and nobody else waits for it.  Of one that was given up
 * the parent ends the process, and until then he gets no other.
 *
 *	state	event			next
 *	-	lookup			WAITS, or ASKED if there is room
 *	WAITS	another is KNOWN	ASKED: parent was asked
 *	WAITS	another is SLOW		likewise
 *	ASKED	PROMPT_SECONDS		SLOW
 *	ASKED, SLOW	FORWARD_READER	the same: the channel is there
 *	ASKED, SLOW	FORWARD_TEXT, NO_FORWARD, channel gone
 *					KNOWN: all who wait are resumed, and
 *					the channel is closed, whatever its
 *					process does
 *	SLOW	READ_SECONDS, or the oldest of too many
 *					KNOWN, for STUCK_SECONDS
 *	KNOWN	lookup after its time	WAITS or ASKED
 *	KNOWN	FORGET_SECONDS		-
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/limit.h"
#include "log/log.h"
#include "os/compat.h"
#include "privsep/role.h"
#include "rules/include.h"
#include "smtpd/contract.h"
#include "smtpd/lookup_forward.h"
#include "smtpd/waiters.h"

#define BUCKETS		4096
#define KNOWN_MAX	(RULES_EXPAND_MAX + 2000)
#define WAITS_MAX	8192
#define READERS_MAX	32
#define SLOW_MAX	(limit_of(NULL, LIMIT_READERS) - READERS_MAX)
#define KEPT_SECONDS	10
#define STUCK_SECONDS	60		/* as long as parent lets one live */
#define FORGET_SECONDS	300
#define PROMPT_SECONDS	1
#define READ_SECONDS	30		/* after that */

enum state { WAITS, ASKED, SLOW, KNOWN };

struct file {
	LIST_ENTRY(file)	 bucket;
	TAILQ_ENTRY(file)	 entry;		/* of its state */
	enum state		 state;
	uint32_t		 ticket;	/* ASKED, SLOW */
	struct peer		*reader;	/* of these; NULL not yet */
	struct event		*timer;
	struct waiters		 waiters;
	enum rules_result	 result;	/* KNOWN */
	char			*text;
	time_t			 read;
	time_t			 kept;		/* seconds */
	struct msg_FORWARD_OPEN	 open;
};
TAILQ_HEAD(files, file);

static struct {
	LIST_HEAD(, file)	 buckets[BUCKETS];
	struct files		 files[KNOWN + 1];
	size_t			 n[KNOWN + 1];
	uint32_t		 ticket;
	int			 ready;
} self;

static void	ask_more(void);
static void	known(struct file *, enum rules_result);

time_t
lookup_forward_now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec);
}

static void
enter(struct file *f, enum state s)
{
	f->state = s;
	TAILQ_INSERT_TAIL(&self.files[s], f, entry);
	self.n[s]++;
	limit_use(LIMIT_READERS, self.n[ASKED] + self.n[SLOW]);
}

static void
leave(struct file *f)
{
	TAILQ_REMOVE(&self.files[f->state], f, entry);
	self.n[f->state]--;
}

static void
drop(struct file *f)
{
	leave(f);
	LIST_REMOVE(f, bucket);
	if (f->timer != NULL)
		event_free(f->timer);
	free(f->text);
	free(f);
}

/* Accounts are the administrator's: nobody chooses where they collide. */
static size_t
bucket_of(uint64_t domain, const char *user)
{
	uint32_t	h = (uint32_t)domain;

	for (; *user != '\0'; user++)
		h = (h ^ (unsigned char)*user) * 16777619u;
	return ((h ^ h >> 15) % BUCKETS);
}

static struct file *
find(uint64_t domain, const char *user)
{
	struct file	*f;

	LIST_FOREACH(f, &self.buckets[bucket_of(domain, user)], bucket)
		if (f->open.domain == domain &&
		    strcmp(f->open.user, user) == 0)
			return (f);
	return (NULL);
}

static struct file *
by_ticket(uint32_t ticket)
{
	struct file	*f;
	int		 s;

	for (s = ASKED; s <= SLOW; s++)
		TAILQ_FOREACH(f, &self.files[s], entry)
			if (f->ticket == ticket)
				return (f);
	return (NULL);
}

static void
give_up(struct file *f)
{
	log_warnx("user=%s: the forward file was not read in time",
	    f->open.user);
	f->kept = STUCK_SECONDS;
	known(f, RULES_FAULTY);
}

static void
timed_out(evutil_socket_t fd, short ev, void *arg)
{
	static const struct timeval	tv = { .tv_sec = READ_SECONDS };
	struct file			*f = arg;

	if (f->state == SLOW) {
		give_up(f);
		return;
	}
	leave(f);
	enter(f, SLOW);
	if (evtimer_add(f->timer, &tv) == -1)
		log_warnx("no timer for a forward file"); /* parent has one */
	if (self.n[SLOW] > SLOW_MAX) {
		limit_reached(LIMIT_READERS);
		give_up(TAILQ_FIRST(&self.files[SLOW]));
	}
	ask_more();
}

static void
ask(struct file *f)
{
	static const struct timeval	tv = { .tv_sec = PROMPT_SECONDS };

	leave(f);
	enter(f, ASKED);
	f->ticket = f->open.ticket = self.ticket == UINT32_MAX ?
	    (self.ticket = 1) : ++self.ticket;
	f->timer = evtimer_new(role_base(), timed_out, f);
	if (f->timer == NULL || evtimer_add(f->timer, &tv) == -1)
		log_warnx("no timer for a forward file"); /* parent has one */
	peer_send(role_parent(), M_FORWARD_OPEN, &f->open, -1);
}

/* As many as there is room for, the oldest first. */
static void
ask_more(void)
{
	while (self.n[ASKED] < READERS_MAX && self.n[WAITS] > 0)
		ask(TAILQ_FIRST(&self.files[WAITS]));
}

static void
forget(time_t now)
{
	struct file	*f;

	while ((f = TAILQ_FIRST(&self.files[KNOWN])) != NULL &&
	    (self.n[KNOWN] == KNOWN_MAX || f->read + FORGET_SECONDS < now))
		drop(f);
}

static void
known(struct file *f, enum rules_result result)
{
	struct peer	*reader = f->reader;

	f->reader = NULL;
	if (reader != NULL)
		peer_free(reader);	/* it ends with its channel */
	if (f->timer != NULL)
		event_free(f->timer);
	f->timer = NULL;
	f->result = result;
	f->read = lookup_forward_now();
	leave(f);
	forget(f->read);
	enter(f, KNOWN);
	ask_more();
	/* Who is resumed may make room for another one. */
	waiters_resume(&f->waiters);
}

static struct file *
file_new(const struct conf_domain *d, const struct rules_account *acc)
{
	struct file	*f;

	if (self.n[WAITS] == WAITS_MAX ||
	    (f = calloc(1, sizeof(*f))) == NULL)
		return (NULL);
	f->kept = KEPT_SECONDS;
	f->open.domain = d->index;
	f->open.uid = acc->uid;
	f->open.gid = acc->gid;
	strlcpy(f->open.user, acc->user, sizeof(f->open.user));
	strlcpy(f->open.home, acc->home, sizeof(f->open.home));
	LIST_INSERT_HEAD(&self.buckets[bucket_of(d->index, acc->user)], f,
	    bucket);
	enter(f, WAITS);
	return (f);
}

static int
is_good(const struct file *f, const struct rules_env *env,
    const struct rules_account *acc)
{
	if (f->open.uid != acc->uid || strcmp(f->open.home, acc->home) != 0)
		return (0);
	return (f->read + f->kept > lookup_forward_now() ||
	    (env->since != 0 && f->read >= env->since));
}

/* Without a resume() nobody minds if there is no room to ask now. */
static enum rules_result
wait_for(struct file *f, const struct rules_env *env)
{
	if (f == NULL)
		return (env->resume == NULL ? RULES_PENDING : RULES_TEMPFAIL);
	if (waiters_add(&f->waiters, env) == -1)
		return (RULES_TEMPFAIL);
	ask_more();
	return (RULES_PENDING);
}

enum rules_result
lookup_forward(const struct rules_env *env, const struct conf_domain *d,
    const struct rules_account *acc, char **text)
{
	struct file	*f;
	int		 s;

	if (!self.ready)
		for (s = WAITS; s <= KNOWN; s++)
			TAILQ_INIT(&self.files[s]);
	self.ready = 1;
	*text = NULL;
	f = find(d->index, acc->user);
	if (f != NULL && f->state == KNOWN && is_good(f, env, acc)) {
		if (f->result == RULES_OK &&
		    (*text = strdup(f->text)) == NULL)
			return (RULES_TEMPFAIL);
		return (f->result);
	}
	if (f != NULL && f->state == KNOWN) {
		drop(f);
		f = NULL;
	}
	if (f == NULL)
		f = file_new(d, acc);
	return (wait_for(f, env));
}

void
lookup_forward_reader(struct peer *p, struct msg *m)
{
	const struct msg_FORWARD_READER	*a = m->body;
	struct file			*f = by_ticket(a->ticket);

	if (f == NULL || f->reader != NULL)
		return;			/* asked too long ago */
	f->reader = role_peer_new(ROLE_DELIVER, m->fd, a->pid);
	m->fd = -1;
	if (f->reader == NULL) {
		log_warn("channel to the reader of a forward file");
		known(f, RULES_TEMPFAIL);
		return;
	}
	peer_set_arg(f->reader, f);
}

void
lookup_no_forward(struct peer *p, struct msg *m)
{
	const struct msg_NO_FORWARD	*a = m->body;
	struct file			*f = by_ticket(a->ticket);

	if (f != NULL && f->reader == NULL)
		known(f, a->tempfail ? RULES_TEMPFAIL : RULES_NO);
}

/* A NUL ends it: nothing may hide behind one. */
void
lookup_forward_text(struct peer *p, struct msg *m)
{
	const struct msg_FORWARD_TEXT	*a = m->body;
	struct file			*f = peer_arg(p);
	enum rules_result		 r = RULES_NO;

	if (f == NULL)
		return;
	free(f->text);
	f->text = NULL;
	if (a->tempfail)
		r = RULES_FAULTY;
	else if (a->found)
		r = (f->text = strndup(m->tail, m->taillen)) != NULL ?
		    RULES_OK : RULES_TEMPFAIL;
	if (*a->why != '\0')
		log_warnx("user=%s: forward file %s", f->open.user, a->why);
	known(f, r);
}

void
lookup_forward_gone(struct peer *p)
{
	struct file	*f = peer_arg(p);

	if (f == NULL)
		return;
	f->reader = NULL;		/* freed by our caller */
	known(f, RULES_FAULTY);
}
