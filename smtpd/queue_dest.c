/*
 * queue_dest: destinations, and whose turn it is.
 *
 * Every recipient waits in the list of its destination.  Destinations with
 * something to do take turns in the run list, so that one with ten thousand
 * recipients does not hold up one with a single recipient.  A destination
 * that cannot be reached is blocked as a whole: what waits for it costs
 * nothing until it is tried again.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log/log.h"
#include "smtpd/queue.h"
#include "smtpd/queue_add.h"

#define RUN_TURN	64		/* destinations served in one go */
#define ASKED_MAX	100		/* routes that lookup is asked for */
#define WINDOW_FIRST	2		/* sessions to a host at the start */
#define MEMORY_SECONDS	10		/* until there may be some again */

RB_HEAD(dests, dest);
RB_HEAD(waits, recipient);

static int	by_key(struct dest *, struct dest *);
static int	by_next(struct recipient *, struct recipient *);

static void	wake_waiting(void);
static void	run_more(evutil_socket_t, short, void *);

RB_PROTOTYPE(dests, dest, bykey, by_key)
RB_GENERATE(dests, dest, bykey, by_key)
RB_PROTOTYPE(waits, recipient, wait, by_next)
RB_GENERATE(waits, recipient, wait, by_next)

static struct {
	struct dests		 all;
	struct waits		 waits;
	TAILQ_HEAD(, dest)	 run;
	size_t			 nrun;		/* in it */
	size_t			 lap;		/* of them before this second */
	struct event		*more;
	size_t			 asked;		/* and not answered */
	int			 waking;
	int64_t			 clock;		/* time(), less monotonic */
} self = {
	.all = RB_INITIALIZER(&self.all),
	.waits = RB_INITIALIZER(&self.waits),
	.run = TAILQ_HEAD_INITIALIZER(self.run),
};

static int
by_key(struct dest *a, struct dest *b)
{
	return (strcmp(a->key, b->key));
}

static int
by_next(struct recipient *a, struct recipient *b)
{
	int64_t	x = recipient_env(a)->next, y = recipient_env(b)->next;

	if (x != y)
		return (x < y ? -1 : 1);
	return (a < b ? -1 : a > b);
}

static char *
place_key(const struct place *p)
{
	char	*key;

	if (asprintf(&key, "%d|%s|%s|%u|%u|%u|%u|%s|%s", p->local,
	    p->user != NULL ? p->user : "", p->host != NULL ? p->host : "",
	    p->scheme, p->port, p->nomx, p->route,
	    p->label != NULL ? p->label : "",
	    p->source != NULL ? p->source : "") == -1)
		return (NULL);
	return (key);
}

static char *
copy(const char *s)
{
	return (strdup(s != NULL ? s : ""));
}

static void
dest_free(struct dest *d)
{
	line_leave(d);
	free(d->place.user);
	free(d->place.host);
	free(d->place.label);
	free(d->place.source);
	free(d->why);
	free(d->key);
	free(d);
}

static struct dest *
dest_new(char *key, const struct place *p)
{
	struct dest	*d;

	if ((d = calloc(1, sizeof(*d))) == NULL) {
		free(key);
		return (NULL);
	}
	d->key = key;
	d->place = *p;
	d->place.user = copy(p->user);
	d->place.host = copy(p->host);
	d->place.label = copy(p->label);
	d->place.source = copy(p->source);
	TAILQ_INIT(&d->ready);
	LIST_INIT(&d->open);
	if (d->place.user == NULL || d->place.host == NULL ||
	    d->place.label == NULL || d->place.source == NULL) {
		dest_free(d);
		return (NULL);
	}
	/* A login that fails may count for the lock of an account. */
	d->window = *d->place.label != '\0' ? 1 : WINDOW_FIRST;
	RB_INSERT(dests, &self.all, d);
	return (d);
}

struct dest *
dest_of(const struct place *p)
{
	struct dest	*d, find;
	char		*key;

	if ((key = place_key(p)) == NULL)
		return (NULL);
	find.key = key;
	if ((d = RB_FIND(dests, &self.all, &find)) != NULL) {
		free(key);
		return (d);
	}
	return (dest_new(key, p));
}

void
dest_kick(struct dest *d)
{
	if (d->running)
		return;
	d->running = 1;
	self.nrun++;
	TAILQ_INSERT_TAIL(&self.run, d, run);
}

int
dest_add(struct recipient *r)
{
	struct dest	*d;

	if ((d = dest_of(&recipient_env(r)->place)) == NULL)
		return (-1);
	r->dest = d;
	r->state = RECIP_READY;
	TAILQ_INSERT_TAIL(&d->ready, r, entry);
	d->nready++;
	if (d->blocked > queue_now())
		message_close_text(r->m);
	dest_kick(d);
	return (0);
}

void
dest_remove(struct recipient *r)
{
	if (r->state == RECIP_READY) {
		TAILQ_REMOVE(&r->dest->ready, r, entry);
		r->dest->nready--;
	} else if (r->state == RECIP_WAITING)
		RB_REMOVE(waits, &self.waits, r);
	r->state = RECIP_OVER;
}

struct recipient *
dest_take(struct dest *d)
{
	struct recipient	*r;

	if ((r = TAILQ_FIRST(&d->ready)) == NULL)
		return (NULL);
	TAILQ_REMOVE(&d->ready, r, entry);
	d->nready--;
	d->nflying++;
	r->state = RECIP_FLYING;
	return (r);
}

void
dest_put_back(struct recipient *r)
{
	struct dest	*d = r->dest;

	d->nflying--;
	if (r->m->env.held) {
		wait_add(r, recipient_env(r)->next);
		return;
	}
	TAILQ_INSERT_HEAD(&d->ready, r, entry);
	r->state = RECIP_READY;
	d->nready++;
	dest_kick(d);
}

void
wait_add(struct recipient *r, int64_t next)
{
	recipient_env(r)->next = next;
	r->dest = NULL;			/* may go meanwhile */
	message_close_text(r->m);
	if (r->m->env.held) {
		r->state = RECIP_HELD;
		return;
	}
	r->state = RECIP_WAITING;
	RB_INSERT(waits, &self.waits, r);
}

/* Exponential, with a third of jitter, so that a crowd does not come back. */
int64_t
retry_delay(unsigned int tries)
{
	const struct conf	*c = queue_conf();
	uint64_t		 t = c->retry_min;

	while (tries-- > 0 && t < c->retry_max)
		t *= 2;
	if (t > c->retry_max)
		t = c->retry_max;
	if (t < 1)
		t = 1;
	return ((int64_t)(t - t / 6 + arc4random_uniform(t / 3 + 1)));
}

static void
block(struct dest *d, int64_t delay, const char *why)
{
	struct recipient	*r;

	d->window = 1;
	d->breaks = 0;
	d->proven = 0;
	d->blocked = queue_now() + delay;
	/* Texts that are kept open are for who is about to go. */
	TAILQ_FOREACH(r, &d->ready, entry)
		message_close_text(r->m);
	free(d->why);
	d->why = strdup(why);
}

void
dest_block(struct dest *d, const char *why)
{
	int64_t	delay = retry_delay(d->fails);

	d->fails++;
	block(d, delay, why);
	log_info("%s%s: put off, %zu recipients wait, next try in %llds: %s",
	    d->place.local ? "local:" : "", d->place.local ? d->place.user :
	    d->place.host, d->nready, (long long)delay, why);
}

/* Others that rest for the same host do not all come back at once. */
void
dest_rest(struct dest *d, unsigned int seconds, const char *why)
{
	block(d, (int64_t)seconds + arc4random_uniform(seconds / 4 + 2), why);
	log_debug("%s: rests for %us: %s", d->place.host, seconds, why);
}

void
dest_alive(struct dest *d)
{
	d->fails = 0;
	d->blocked = 0;
	d->proven = 1;
	free(d->why);
	d->why = NULL;
}

/*
 * The route of an address of the outside is that of the lookup which told it.
 * When another one may know better (reload, restart) it is asked before the
 * next try.  One without a host was refused, as a member of a list: what lookup
 * says of it alone is told to the sender.
 */
int
dest_is_stale(const struct recipient *r)
{
	const struct place	*p = &recipient_env(r)->place;

	return (!p->local && (r->routes != queue_routes() ||
	    *p->host == '\0'));
}

struct asked {
	uint64_t	 id;
	uint32_t	 index;
	uint32_t	 routes;
};

/* All but the address as it was given and the history. */
static int
new_place(struct erecipient *e, const struct msg_TX_ADD *a)
{
	struct erecipient	new;

	if (place_from_add(&new, a) == -1) {
		erecipient_free(&new);
		return (-1);
	}
	new.status = e->status;
	new.tries = e->tries;
	new.next = e->next;
	new.last = e->last;
	new.notify = e->notify;
	free(new.orig);
	free(new.orcpt);
	free(new.owner);
	new.orig = e->orig;
	new.orcpt = e->orcpt;
	new.owner = e->owner;
	new.reply = e->reply;
	new.remote = e->remote;
	e->orig = e->orcpt = e->owner = e->reply = e->remote = NULL;
	erecipient_free(e);
	*e = new;
	return (0);
}

/*
 * A lookup that went says nothing about the address: the next one is asked as
 * soon as it is there.  One that has no answer now (a table cannot be read) has
 * failed for this time, and the time until the next try is as for any failure.
 */
static void
take_route(struct recipient *r, uint32_t routes, struct msg_TX_ADD *adds,
    size_t n, const char *reply)
{
	if (n == 0 && reply == NULL)
		wait_add(r, recipient_env(r)->next);
	else if (n == 0 && reply[0] == '5')
		recipient_failed(r, reply, NULL);
	else if (n == 0)
		recipient_deferred(r, reply, NULL);
	/* It may have been held while lookup was asked. */
	else if (r->m->env.held)
		wait_add(r, recipient_env(r)->next);
	else if (n > 1 || *adds[0].owner != '\0') {
		if (routes == queue_routes())
			recipient_expand(r, adds, n);
		else
			wait_add(r, recipient_env(r)->next);
	} else if (new_place(recipient_env(r), &adds[0]) == -1)
		wait_add(r, time(NULL) + MEMORY_SECONDS);
	else {
		r->routes = routes;
		if (dest_add(r) == -1)
			wait_add(r, time(NULL) + MEMORY_SECONDS);
	}
}

static void
route_told(void *arg, struct msg_TX_ADD *adds, size_t n, const char *reply)
{
	struct asked	*a = arg;
	struct message	*m = message_find(a->id);

	self.asked--;
	if (m != NULL)
		take_route(&m->recips[a->index], a->routes, adds, n, reply);
	free(a);
	wake_waiting();
	dest_run();
}

static int
ask_route(struct recipient *r)
{
	struct asked	*a;

	if (self.asked >= ASKED_MAX || queue_role(ROLE_LOOKUP) == NULL ||
	    (a = malloc(sizeof(*a))) == NULL)
		return (-1);
	a->id = r->m->id;
	a->index = r->index;
	a->routes = queue_routes();
	r->state = RECIP_FLYING;
	self.asked++;
	tx_resolve(recipient_sender(r), recipient_env(r)->rcpt, 1, route_told,
	    a);
	return (0);
}

/* Whoever has something to do takes his turn. */
void
dest_kick_all(void)
{
	struct dest	*d;

	RB_FOREACH(d, dests, &self.all)
		if (d->nready > 0)
			dest_kick(d);
}

void
dest_retry_all(void)
{
	struct recipients	 all;
	struct dest		*d;
	struct recipient	*r, *next;

	TAILQ_INIT(&all);
	RB_FOREACH(d, dests, &self.all) {
		d->blocked = 0;
		d->urgent = 1;
		TAILQ_FOREACH_SAFE(r, &d->ready, entry, next)
			if (dest_is_stale(r)) {
				TAILQ_REMOVE(&d->ready, r, entry);
				d->nready--;
				wait_add(r, 0);
			}
		if (d->nready > 0)
			dest_kick(d);
	}
	RB_FOREACH_SAFE(r, waits, &self.waits, next) {
		RB_REMOVE(waits, &self.waits, r);
		TAILQ_INSERT_TAIL(&all, r, entry);
	}
	while ((r = TAILQ_FIRST(&all)) != NULL) {
		TAILQ_REMOVE(&all, r, entry);
		wait_add(r, 0);
	}
	wake_waiting();
}

void
dest_due(struct recipient *r)
{
	RB_REMOVE(waits, &self.waits, r);
	wait_add(r, 0);
}

void
dest_retry(struct recipient *r)
{
	if (r->state == RECIP_WAITING) {
		dest_due(r);
		wake_waiting();
	}
	if (r->state == RECIP_READY) {
		r->dest->blocked = 0;
		r->dest->urgent = 1;
		dest_kick(r->dest);
	}
}

/*
 * Whoever the tick gave something to do has his turn in that second, however
 * many they are; who could not use it waits for the next event or tick.
 */
static void
run_later(void)
{
	struct timeval	tv = { 0 };

	if (self.more == NULL)
		self.more = evtimer_new(role_base(), run_more, NULL);
	/* If that fails the next event goes on with it. */
	if (self.more != NULL && event_add(self.more, &tv) == -1)
		log_warnx("no timer");
}

void
dest_run(void)
{
	struct dest	*d;
	int		 n;

	if (role_draining())
		return;			/* the next start takes over */
	for (n = 0; n < RUN_TURN &&
	    (d = TAILQ_FIRST(&self.run)) != NULL; n++) {
		TAILQ_REMOVE(&self.run, d, run);
		self.nrun--;
		self.lap -= self.lap > 0;
		d->running = 0;
		if (d->nready == 0 || d->blocked > queue_now() ||
		    queue_paused(d->place.local ? PAUSE_DELIVER :
		    PAUSE_RELAY)) {
			if (!d->place.local)
				relay_spare(d);
			continue;
		}
		if (d->place.local)
			local_run(d);
		else
			relay_run(d);
	}
	if (self.lap > 0 && self.nrun > 0)
		run_later();
}

static void
run_more(evutil_socket_t fd, short ev, void *arg)
{
	dest_run();
}

static void
wake_waiting(void)
{
	struct recipient	*r;
	int64_t			 now = time(NULL);

	if (self.waking)
		return;			/* an answer came at once */
	self.waking = 1;
	while ((r = RB_MIN(waits, &self.waits)) != NULL &&
	    recipient_env(r)->next <= now) {
		RB_REMOVE(waits, &self.waits, r);
		if (dest_is_stale(r)) {
			if (ask_route(r) == 0)
				continue;
			wait_add(r, recipient_env(r)->next);
			break;		/* the next answer, or tick */
		}
		if (dest_add(r) == -1) {
			wait_add(r, now + MEMORY_SECONDS);
			break;
		}
	}
	self.waking = 0;
}

/*
 * Times of next tries are of the clock, as they are to hold over a restart.
 * When it was set back, whoever waits does so for no longer than he was to.
 */
static void
clock_step(int64_t wall, int64_t mono)
{
	struct recipient	*r;
	int64_t			 back = self.clock - (wall - mono);

	if (self.clock != 0 && back > 1) {
		log_info("the clock was set back by %llds", (long long)back);
		/* By as much for all: their order stays. */
		RB_FOREACH(r, waits, &self.waits)
			recipient_env(r)->next -= back;
	}
	if (self.clock == 0 || back > 1 || back < -1)
		self.clock = wall - mono;
}

void
dest_tick(void)
{
	struct dest	*d, *next;
	time_t		 now = queue_now();

	clock_step(time(NULL), now);
	wake_waiting();
	RB_FOREACH_SAFE(d, dests, &self.all, next) {
		if (d->nready > 0 && d->blocked <= now && !d->waits)
			dest_kick(d);
		else if (d->nready == 0 && d->nflying == 0 && !d->running &&
		    d->deliverer == NULL && d->sessions == 0 &&
		    d->blocked <= now) {
			RB_REMOVE(dests, &self.all, d);
			local_forget(d);
			dest_free(d);
		}
	}
	self.lap = self.nrun;
}
