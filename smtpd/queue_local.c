/*
 * queue_local: deliverers, one process a user, kept for the next message.
 *
 *	state	what happens
 *	ASKED	lookup was asked who the account is; it tells parent, which
 *		starts the process and hands over a channel
 *	UP	messages are handed to it, up to FLYING_MAX unanswered
 *
 * A message that was delivered counts as delivered when the deliverer has
 * synced it: SYNC_MAX of them at a time, or whatever there is every SYNC_MS.
 * Until then the journal keeps it, and a crash delivers it again under the
 * same name.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log/log.h"
#include "smtpd/queue.h"
#include "smtpd/queue_quota.h"

#define DELIVERERS_MAX	200
#define FLYING_MAX	32		/* messages a deliverer may hold */
#define SYNC_MAX	64		/* delivered and not synced */
#define SYNC_MS		500
#define IDLE_SECONDS	15
#define ASK_SECONDS	30

struct deliverer {
	TAILQ_ENTRY(deliverer)	 entry;
	uint32_t		 ticket;
	struct dest		*dest;
	struct peer		*peer;		/* NULL: ASKED */
	time_t			 since;		/* asked, or last used */
	struct recipients	 flying;
	struct recipients	 unsynced;	/* delivered, in order */
	size_t			 nunsynced;
	struct recipients	 syncing;	/* SYNC was sent for these */
	uint64_t		 sync_ticket;	/* 0: none under way */
	int			 asked;		/* how full it is */
};

static struct {
	TAILQ_HEAD(, deliverer)	 all;
	size_t			 n;
	uint32_t		 ticket;
	uint64_t		 next;		/* tickets of messages, syncs */
	struct event		*timer;
	int			 crowded;	/* somebody waits for room */
} self = { .all = TAILQ_HEAD_INITIALIZER(self.all) };

static void	sync_one(struct deliverer *);
static void	sync_all(evutil_socket_t, short, void *);

static struct deliverer *
by_ticket(uint32_t ticket)
{
	struct deliverer	*v;

	TAILQ_FOREACH(v, &self.all, entry)
		if (v->ticket == ticket)
			return (v);
	return (NULL);
}

static void
give_back(struct recipients *list, int again)
{
	struct recipient	*r;

	/* Last first: they are put at the head of the destination's list. */
	while ((r = TAILQ_LAST(list, recipients)) != NULL) {
		TAILQ_REMOVE(list, r, entry);
		if (again)
			r->m->again = 1;
		dest_put_back(r);
	}
}

static void
deliverer_free(struct deliverer *v)
{
	TAILQ_REMOVE(&self.all, v, entry);
	self.n--;
	self.crowded = 0;
	v->dest->deliverer = NULL;
	/* It may have written what it did not answer for. */
	give_back(&v->flying, 1);
	give_back(&v->unsynced, 1);
	give_back(&v->syncing, 1);
	peer_free(v->peer);
	free(v);
}

/* The one that has had nothing to do for longest goes. */
static int
make_room(void)
{
	struct deliverer	*v, *oldest = NULL;

	if (self.n < DELIVERERS_MAX)
		return (0);
	if (self.crowded)
		return (-1);		/* nobody has come to rest since */
	TAILQ_FOREACH(v, &self.all, entry)
		if (v->peer != NULL && v->dest->nflying == 0 &&
		    (oldest == NULL || v->since < oldest->since))
			oldest = v;
	if (oldest == NULL) {
		self.crowded = 1;
		return (-1);
	}
	deliverer_free(oldest);
	return (0);
}

static void
ask(struct dest *d)
{
	struct msg_DELIVERY_ASK	 a = { 0 };
	struct peer		*lookup = queue_role(ROLE_LOOKUP);
	struct deliverer	*v;

	if (make_room() == -1) {
		dest_kick(d);		/* its turn comes again */
		return;
	}
	if (lookup == NULL || (v = calloc(1, sizeof(*v))) == NULL)
		return;			/* the next tick asks again */
	TAILQ_INIT(&v->flying);
	TAILQ_INIT(&v->unsynced);
	TAILQ_INIT(&v->syncing);
	v->ticket = ++self.ticket;
	v->dest = d;
	v->since = queue_now();
	d->deliverer = v;
	TAILQ_INSERT_TAIL(&self.all, v, entry);
	self.n++;
	a.ticket = v->ticket;
	strlcpy(a.domain, d->place.host, sizeof(a.domain));
	strlcpy(a.user, d->place.user, sizeof(a.user));
	strlcpy(a.mark, d->place.label, sizeof(a.mark));
	peer_send(lookup, M_DELIVERY_ASK, &a, -1);
}

static void
need_timer(void)
{
	static const struct timeval	tv = { 0, SYNC_MS * 1000 };

	if (self.timer == NULL && (self.timer = evtimer_new(role_base(),
	    sync_all, NULL)) == NULL)
		return;
	if (!event_pending(self.timer, EV_TIMEOUT, NULL))
		evtimer_add(self.timer, &tv);
}

static int
hand_over(struct deliverer *v, struct recipient *r)
{
	const struct erecipient	*e = recipient_env(r);
	struct msg_DELIVER_MSG	 m = { 0 };
	char			 id[QUEUEID_SIZE];
	int			 fd;

	if ((fd = message_text_fd(r->m)) == -1)
		return (-1);
	queueid_text(r->m->id, id);
	r->ticket = ++self.next;
	m.ticket = r->ticket;
	m.again = r->m->again;
	m.arrived = r->m->env.arrived;
	m.size = r->m->env.size;
	snprintf(m.id, sizeof(m.id), "%s.%u", id, r->index);
	strlcpy(m.sender, r->m->env.sender, sizeof(m.sender));
	strlcpy(m.rcpt, e->rcpt, sizeof(m.rcpt));
	strlcpy(m.orig, e->orig, sizeof(m.orig));
	peer_send(v->peer, M_DELIVER_MSG, &m, fd);
	return (0);
}

void
local_run(struct dest *d)
{
	struct deliverer	*v = d->deliverer;
	struct recipient	*r;

	if (v == NULL) {
		ask(d);
		return;
	}
	if (v->peer == NULL)
		return;
	while (d->nflying - v->nunsynced < FLYING_MAX &&
	    (r = dest_take(d)) != NULL) {
		v->since = queue_now();
		if (hand_over(v, r) == -1) {
			d->nflying--;
			recipient_unreadable(r);
			continue;
		}
		TAILQ_INSERT_TAIL(&v->flying, r, entry);
	}
}

void
queue_deliverer(struct peer *p, struct msg *m)
{
	const struct msg_DELIVERER	*a = m->body;
	struct deliverer		*v = by_ticket(a->ticket);

	if (v == NULL || v->peer != NULL)
		return;			/* asked too long ago */
	v->peer = role_peer_new(a->pipe ? ROLE_PIPE : ROLE_DELIVER, m->fd,
	    a->pid);
	m->fd = -1;
	if (v->peer == NULL) {
		log_warn("channel to a deliverer");
		deliverer_free(v);
		return;
	}
	peer_set_arg(v->peer, v);
	v->since = queue_now();
	dest_alive(v->dest);
	sync_one(v);			/* if that is what it is here for */
	dest_kick(v->dest);
	dest_run();			/* unless delivery was paused since */
}

void
queue_no_deliverer(struct peer *p, struct msg *m)
{
	const struct msg_NO_DELIVERER	*a = m->body;
	struct deliverer		*v = by_ticket(a->ticket);
	struct recipient		*r;
	struct dest			*d;

	if (v == NULL || v->peer != NULL)
		return;
	d = v->dest;
	deliverer_free(v);
	if (!a->permanent) {
		dest_block(d, a->why);
		return;
	}
	while ((r = dest_take(d)) != NULL) {
		d->nflying--;
		recipient_failed(r, a->why, NULL);
	}
}

void
queue_delivered(struct peer *p, struct msg *m)
{
	const struct msg_DELIVERED	*a = m->body;
	struct deliverer		*v = peer_arg(p);
	struct recipient		*r;
	struct dest			*d = v->dest;

	TAILQ_FOREACH(r, &v->flying, entry)
		if (r->ticket == a->ticket)
			break;
	if (r == NULL) {
		role_peer_bad(p, "report of a message it does not have");
		return;
	}
	TAILQ_REMOVE(&v->flying, r, entry);
	v->since = queue_now();
	if (a->reply[0] == '2') {
		TAILQ_INSERT_TAIL(&v->unsynced, r, entry);
		free(recipient_env(r)->reply);
		recipient_env(r)->reply = strdup(a->reply);
		if (++v->nunsynced >= SYNC_MAX || (self.crowded &&
		    TAILQ_EMPTY(&v->flying) && d->nready == 0))
			sync_one(v);
		else
			need_timer();
	} else {
		d->nflying--;
		if (a->limit > 0)
			quota_told(&d->place, a->used, a->limit);
		if (a->reply[0] == '5')
			recipient_failed(r, a->reply, NULL);
		else
			recipient_deferred(r, a->reply, NULL);
	}
	dest_kick(d);
	dest_run();
}

static void
sync_one(struct deliverer *v)
{
	struct msg_DELIVER_SYNC	 s = { 0 };

	if (v->peer == NULL || v->sync_ticket != 0 ||
	    (TAILQ_EMPTY(&v->unsynced) && !v->asked))
		return;
	v->asked = 0;
	TAILQ_CONCAT(&v->syncing, &v->unsynced, entry);
	s.ticket = v->sync_ticket = ++self.next;
	peer_send(v->peer, M_DELIVER_SYNC, &s, -1);
}

static void
sync_all(evutil_socket_t fd, short ev, void *arg)
{
	struct deliverer	*v;

	TAILQ_FOREACH(v, &self.all, entry)
		sync_one(v);
}

void
queue_deliver_synced(struct peer *p, struct msg *m)
{
	const struct msg_DELIVER_SYNCED	*a = m->body;
	struct deliverer		*v = peer_arg(p);
	struct recipient		*r;
	char				*text;

	if (a->ticket != v->sync_ticket || v->sync_ticket == 0) {
		role_peer_bad(p, "sync that was not asked for");
		return;
	}
	v->sync_ticket = 0;
	quota_told(&v->dest->place, a->used, a->limit);
	while ((r = TAILQ_FIRST(&v->syncing)) != NULL) {
		TAILQ_REMOVE(&v->syncing, r, entry);
		v->dest->nflying--;
		v->nunsynced--;
		if (a->failed) {
			r->m->again = 1;
			recipient_deferred(r, "451 4.3.0 the mailbox's disk "
			    "does not take it", NULL);
			continue;
		}
		text = recipient_env(r)->reply;
		recipient_env(r)->reply = NULL;
		recipient_done(r, text != NULL ? text : "250 2.0.0 delivered");
		free(text);
	}
	if (!TAILQ_EMPTY(&v->unsynced))
		need_timer();
	if (v->dest->nflying == 0)
		self.crowded = 0;
	dest_kick(v->dest);
	dest_run();
}

/*
 * A sync with nothing to sync tells how full the mailbox is.  Without memory
 * the next client asks again.
 */
void
local_ask_quota(const struct place *p)
{
	struct dest	*d;

	if ((d = dest_of(p)) == NULL || d->blocked > queue_now())
		return;
	if (d->deliverer == NULL)
		ask(d);
	if (d->deliverer == NULL)
		return;
	d->deliverer->asked = 1;
	sync_one(d->deliverer);
}

/* A deliverer's channel has gone. */
void
local_gone(struct peer *p)
{
	struct deliverer	*v = peer_arg(p);
	struct dest		*d;
	int			 busy;

	if (v == NULL)
		return;
	d = v->dest;
	busy = d->nflying > 0;
	v->peer = NULL;			/* freed by our caller */
	deliverer_free(v);
	if (busy)
		dest_block(d, "451 4.3.0 the delivery process has died");
}

void
local_lookup_gone(void)
{
	struct deliverer	*v, *next;

	TAILQ_FOREACH_SAFE(v, &self.all, entry, next)
		if (v->peer == NULL)
			deliverer_free(v);
}

void
local_tick(void)
{
	struct deliverer	*v, *next;
	time_t			 now = queue_now();

	TAILQ_FOREACH_SAFE(v, &self.all, entry, next) {
		if (v->peer == NULL && now - v->since > ASK_SECONDS)
			deliverer_free(v);
		else if (v->peer != NULL && v->dest->nflying == 0 &&
		    now - v->since > IDLE_SECONDS)
			deliverer_free(v);
	}
}
