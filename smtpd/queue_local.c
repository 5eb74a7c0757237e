/*
 * queue_local: deliverers, one process a user, kept for the next message.
 *
 *	state	what happens
 *	ASKED	lookup was asked who the account is; it tells parent, which
 *		starts the process and hands over a channel
 *	UP	messages are handed to it, up to FLYING_MAX unanswered
 *
 * A message that was delivered counts as delivered when the deliverer has
 * synced it: SYNC_MAX of them at a time, or whatever there is every SYNC_MS
 * and at the end.  Until then the journal keeps it, and a crash delivers it
 * again under the same name.
 *
 * A mailbox is done in a moment, a command when it likes.  So commands get a
 * part of the processes only, and those of one owner a part of that; which of
 * them come next is told by a list of its own, first come, first served, but
 * for owners who have their part.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/conf.h"
#include "daemon/limit.h"
#include "log/log.h"
#include "rules/command.h"
#include "smtpd/queue.h"
#include "smtpd/queue_quota.h"

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
	char			*owner;		/* of a command, else NULL */
};

/* What a command may start in, and how much of it there is. */
enum room { ROOM, ROOM_OWNER, ROOM_NONE };

static struct {
	TAILQ_HEAD(, deliverer)	 all;
	size_t			 n;
	uint32_t		 ticket;
	uint64_t		 next;		/* tickets of messages, syncs */
	struct event		*timer;
	int			 crowded;	/* somebody waits for room */
	size_t			 ncommands;
	TAILQ_HEAD(, dest)	 waits;		/* commands, for their part */
} self = {
	.all = TAILQ_HEAD_INITIALIZER(self.all),
	.waits = TAILQ_HEAD_INITIALIZER(self.waits),
};

static void	start_commands(void);
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
	limit_use(LIMIT_DELIVERERS, --self.n);
	if (v->owner != NULL)
		limit_use(LIMIT_COMMANDS, --self.ncommands);
	self.crowded = 0;
	v->dest->deliverer = NULL;
	/* It may have written what it did not answer for. */
	give_back(&v->flying, 1);
	give_back(&v->unsynced, 1);
	give_back(&v->syncing, 1);
	peer_free(v->peer);
	free(v->owner);
	free(v);
}

/*
 * As whom a destination's command runs, NULL if it is a mailbox: the commands
 * of all aliases of a domain run as one account.  At most LOGIN_NAME_MAX or a
 * user and a domain.
 */
static const char *
command_owner(const struct place *p)
{
	static char			 owner[C_USER + C_DOMAIN + 2];
	const struct conf_domain	*d;

	d = conf_domain_find(queue_conf(), p->host);
	if (*p->label == '\0' && (d == NULL || d->deliver != DELIVER_PIPE))
		return (NULL);
	if (*p->label != '\0' && !command_of_user(p->label) && d != NULL &&
	    d->alias_as != NULL)
		(void)snprintf(owner, sizeof(owner), "%.*s", C_USER,
		    d->alias_as);
	else
		(void)snprintf(owner, sizeof(owner), "%s@%s", p->user,
		    p->host);
	return (owner);
}

static int
is_at_rest(const struct deliverer *v)
{
	return (v->peer != NULL && v->dest->nflying == 0);
}

/* One that only waits for its next message makes room for another. */
static enum room
command_room(const char *owner)
{
	struct deliverer	*v, *rest = NULL, *own_rest = NULL;
	size_t			 own = 0;

	TAILQ_FOREACH(v, &self.all, entry) {
		if (v->owner == NULL)
			continue;
		if (rest == NULL && is_at_rest(v))
			rest = v;
		if (strcmp(v->owner, owner) != 0)
			continue;
		own++;
		if (own_rest == NULL && is_at_rest(v))
			own_rest = v;
	}
	if (own >= limit_of(queue_conf(), LIMIT_COMMANDS_USER))
		rest = own_rest;
	else if (self.ncommands < limit_of(queue_conf(), LIMIT_COMMANDS))
		return (ROOM);
	if (rest != NULL) {
		deliverer_free(rest);
		return (ROOM);
	}
	return (own >= limit_of(queue_conf(), LIMIT_COMMANDS_USER) ?
	    ROOM_OWNER : ROOM_NONE);
}

/* The one that has had nothing to do for longest goes. */
static int
make_room(void)
{
	struct deliverer	*v, *oldest = NULL;

	if (self.n < limit_of(queue_conf(), LIMIT_DELIVERERS))
		return (0);
	if (self.crowded)
		return (-1);		/* nobody has come to rest since */
	TAILQ_FOREACH(v, &self.all, entry)
		if (is_at_rest(v) && (oldest == NULL ||
		    v->since < oldest->since))
			oldest = v;
	if (oldest == NULL) {
		limit_reached(LIMIT_DELIVERERS);
		self.crowded = 1;
		return (-1);
	}
	deliverer_free(oldest);
	return (0);
}

static void
ask(struct dest *d, const char *owner)
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
	if (owner != NULL && (v->owner = strdup(owner)) == NULL) {
		free(v);
		return;
	}
	TAILQ_INIT(&v->flying);
	TAILQ_INIT(&v->unsynced);
	TAILQ_INIT(&v->syncing);
	v->ticket = ++self.ticket;
	v->dest = d;
	v->since = queue_now();
	d->deliverer = v;
	TAILQ_INSERT_TAIL(&self.all, v, entry);
	limit_use(LIMIT_DELIVERERS, ++self.n);
	if (owner != NULL)
		limit_use(LIMIT_COMMANDS, ++self.ncommands);
	a.ticket = v->ticket;
	strlcpy(a.domain, d->place.host, sizeof(a.domain));
	strlcpy(a.user, d->place.user, sizeof(a.user));
	strlcpy(a.mark, d->place.label, sizeof(a.mark));
	peer_send(lookup, M_DELIVERY_ASK, &a, -1);
}

void
local_forget(struct dest *d)
{
	if (d->waits)
		TAILQ_REMOVE(&self.waits, d, wait);
	d->waits = 0;
}

/* Those that wait, in their order, as far as there is room. */
static void
start_commands(void)
{
	struct dest	*d, *next;
	const char	*owner;
	enum room	 room;

	if (queue_paused(PAUSE_DELIVER))
		return;
	TAILQ_FOREACH_SAFE(d, &self.waits, wait, next) {
		owner = command_owner(&d->place);
		room = owner != NULL && d->nready > 0 ? command_room(owner) :
		    ROOM;
		if (room == ROOM_NONE)
			return;
		if (room == ROOM_OWNER)
			continue;
		local_forget(d);
		if (d->nready > 0 && d->deliverer == NULL)
			ask(d, owner);
	}
}

static void
wait_for_room(struct dest *d)
{
	if (d->waits)
		return;
	d->waits = 1;
	TAILQ_INSERT_TAIL(&self.waits, d, wait);
	start_commands();
	if (d->waits)
		limit_reached(self.ncommands < limit_of(queue_conf(),
		    LIMIT_COMMANDS) ? LIMIT_COMMANDS_USER : LIMIT_COMMANDS);
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
	strlcpy(m.sender, recipient_sender(r), sizeof(m.sender));
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

	if (v == NULL && command_owner(&d->place) != NULL) {
		wait_for_room(d);
		return;
	}
	if (v == NULL) {
		ask(d, NULL);
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
	const struct quota_fill		 fill = { a->used, a->limit,
					    a->messages, a->max_messages };
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
		if (a->limit > 0 || a->max_messages > 0)
			quota_told(&d->place, &fill);
		if (a->reply[0] == '5')
			recipient_failed(r, a->reply, NULL);
		else
			recipient_deferred(r, a->reply, NULL);
	}
	dest_kick(d);
	dest_run();
	queue_rest();
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

int
local_rest(void)
{
	struct deliverer	*v;
	int			 n = 0;

	TAILQ_FOREACH(v, &self.all, entry) {
		sync_one(v);
		n += !TAILQ_EMPTY(&v->flying) || v->nunsynced > 0;
	}
	return (n);
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
	const struct quota_fill		 fill = { a->used, a->limit,
					    a->messages, a->max_messages };
	struct deliverer		*v = peer_arg(p);
	struct recipient		*r;
	struct dest			*d = v->dest;
	char				*text;

	if (a->ticket != v->sync_ticket || v->sync_ticket == 0) {
		role_peer_bad(p, "sync that was not asked for");
		return;
	}
	v->sync_ticket = 0;
	quota_told(&v->dest->place, &fill);
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
	if (v->dest->nflying == 0) {
		self.crowded = 0;
		if (v->dest->nready == 0)
			start_commands();	/* perhaps in its place */
	}
	dest_kick(d);
	dest_run();
	queue_rest();
}

/*
 * A sync with nothing to sync tells how full the mailbox is.  Without memory
 * the next client asks again.
 */
void
local_ask_quota(const struct place *p)
{
	struct dest	*d;

	if (command_owner(p) != NULL || (d = dest_of(p)) == NULL ||
	    d->blocked > queue_now())
		return;
	if (d->deliverer == NULL)
		ask(d, NULL);
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
	start_commands();
	queue_rest();
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
	start_commands();
}
