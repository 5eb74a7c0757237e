/*
 * queue_relay: sessions of the relay role, which queue opens, numbers and
 * feeds, one message at a time each.
 *
 * How many sessions a host gets grows with success and falls with failure
 * (slow start); a session stays open for the next message to the same host for
 * IDLE_SECONDS.  Hosts that have not answered yet, and more so those that did
 * not answer last time, may take part of the sessions only: what is dead does
 * not hold up what is alive.
 *
 * A destination is a domain and the way to it.  That several of them lead to
 * one host only relay knows: it shares connections among their sessions, so one
 * that is idle may be gone at any time, and it may say that a host is to be
 * left alone for a while.
 *
 * Messages to one host take turns, up to RCPTS_MAX recipients a turn, so that
 * one with ten thousand does not hold up one with a single recipient.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log/log.h"
#include "smtp/dsn_field.h"
#include "smtpd/queue.h"

#define SESSIONS_MAX	500
#define SESSIONS_NEW	350		/* of them to hosts not yet reached */
#define SESSIONS_DEAD	100		/* counted in, to hosts that failed */
#define WINDOW_MAX	20		/* sessions to one host */
#define BREAKS_MAX	3		/* broken off in a row: it is down */
#define RCPTS_MAX	100		/* of one transaction */
#define IDLE_SECONDS	5
#define OPEN_SECONDS	600		/* all addresses together */
#define BUSY_SECONDS	3600
#define BELIEVE_MAX	600
#define BUCKETS		512

enum rstate { R_OPENING, R_IDLE, R_BUSY };

struct rsession {
	LIST_ENTRY(rsession)	 entry;		/* all */
	LIST_ENTRY(rsession)	 bucket;	/* by id */
	LIST_ENTRY(rsession)	 same;		/* of the destination */
	uint32_t		 id;
	struct dest		*dest;
	struct peer		*relay;		/* that has it */
	enum rstate		 state;
	int			 unproven;	/* counted in nunproven */
	int			 dsn;		/* the server knows DSN */
	int			 spare;		/* relay was told */
	char			*host;		/* that was reached */
	time_t			 since;
	struct recipient	*rcpts[RCPTS_MAX];	/* NULL: answered */
	size_t			 n;
	size_t			 left;
};

static struct {
	LIST_HEAD(, rsession)	 all;
	LIST_HEAD(, rsession)	 ids[BUCKETS];
	size_t			 n;
	size_t			 nunproven;
	uint32_t		 id;
} self = { .all = LIST_HEAD_INITIALIZER(self.all) };

/* Nothing is believed about what another relay has. */
static struct rsession *
find(const struct peer *relay, uint64_t id)
{
	struct rsession	*s;

	LIST_FOREACH(s, &self.ids[id % BUCKETS], bucket)
		if (s->id == id && s->relay == relay)
			return (s);
	return (NULL);
}

static void
proven(struct rsession *s)
{
	if (s->unproven)
		self.nunproven--;
	s->unproven = 0;
}

static void
session_free(struct rsession *s)
{
	size_t	i;

	/* What has no answer is sent again: perhaps twice, never lost. */
	for (i = s->n; i > 0; i--)
		if (s->rcpts[i - 1] != NULL)
			dest_put_back(s->rcpts[i - 1]);
	proven(s);
	LIST_REMOVE(s, entry);
	LIST_REMOVE(s, bucket);
	LIST_REMOVE(s, same);
	s->dest->sessions--;
	self.n--;
	free(s->host);
	free(s);
}

static void
close_session(struct rsession *s)
{
	struct msg_RELAY_CLOSE	 c = { .session = s->id };

	peer_send(s->relay, M_RELAY_CLOSE, &c, -1);
	session_free(s);
}

/* May another session to this destination be opened? */
static int
may_open(const struct dest *d)
{
	if (d->sessions >= d->window || self.n >= SESSIONS_MAX)
		return (0);
	return (d->proven || self.nunproven <
	    (d->fails > 0 ? SESSIONS_DEAD : SESSIONS_NEW));
}

/*
 * News of a host that another destination has found dead is as good as a try
 * of our own while it is not older than the time between two of those.
 */
static uint64_t
believe(struct dest *d)
{
	uint64_t	t = queue_conf()->retry_min;

	if (d->urgent)
		t = 0;
	d->urgent = 0;
	return (t < BELIEVE_MAX ? t : BELIEVE_MAX);
}

static int
open_session(struct dest *d, struct peer *relay)
{
	struct msg_RELAY_OPEN	 o = { 0 };
	const struct place	*p = &d->place;
	struct rsession		*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (-1);
	s->id = ++self.id;
	line_leave(d);
	s->dest = d;
	s->relay = relay;
	s->state = R_OPENING;
	s->since = queue_now();
	s->unproven = !d->proven;
	self.nunproven += (size_t)s->unproven;
	LIST_INSERT_HEAD(&self.all, s, entry);
	LIST_INSERT_HEAD(&self.ids[s->id % BUCKETS], s, bucket);
	LIST_INSERT_HEAD(&d->open, s, same);
	self.n++;
	d->sessions++;
	o.session = s->id;
	o.believe = believe(d);
	o.scheme = p->scheme;
	o.port = p->port;
	o.nomx = p->nomx;
	o.route = p->route;
	strlcpy(o.host, p->host, sizeof(o.host));
	strlcpy(o.label, p->label, sizeof(o.label));
	strlcpy(o.source, p->source, sizeof(o.source));
	peer_send(relay, M_RELAY_OPEN, &o, -1);
	return (0);
}

/*
 * The first that waits, and others of its message to the same place with the
 * same return path; what is left of them goes behind the other messages.
 */
static size_t
collect(struct dest *d, struct recipient **to)
{
	struct recipient	*r, *o;
	const char		*sender;
	size_t			 i, n = 0;

	if ((r = dest_take(d)) == NULL)
		return (0);
	to[n++] = r;
	sender = recipient_sender(r);
	for (i = 0; i < r->m->env.nrcpts; i++) {
		o = &r->m->recips[i];
		if (o->dest != d || o->state != RECIP_READY ||
		    strcmp(recipient_sender(o), sender) != 0)
			continue;
		TAILQ_REMOVE(&d->ready, o, entry);
		if (n == RCPTS_MAX) {
			TAILQ_INSERT_TAIL(&d->ready, o, entry);
			continue;
		}
		d->nready--;
		d->nflying++;
		o->state = RECIP_FLYING;
		to[n++] = o;
	}
	return (n);
}

static void
defer_all(struct rsession *s, const char *reply, const char *remote)
{
	struct recipient	*r;
	size_t			 i;

	for (i = 0; i < s->n; i++) {
		if ((r = s->rcpts[i]) == NULL)
			continue;
		s->rcpts[i] = NULL;
		s->dest->nflying--;
		recipient_deferred(r, reply, remote);
	}
	s->n = s->left = 0;
}

static void
unreadable(struct rsession *s)
{
	size_t	i, n = s->n;
	int	error = errno;

	s->n = s->left = 0;
	for (i = 0; i < n; i++) {
		s->dest->nflying--;
		errno = error;
		recipient_unreadable(s->rcpts[i]);
	}
}

static int
send_message(struct rsession *s)
{
	struct msg_RELAY_MAIL	 m = { .session = s->id };
	struct msg_RELAY_RCPT	 r;
	const struct envelope	*env;
	const char		*sender;
	size_t			 i;
	int			 fd;

	if ((s->n = s->left = collect(s->dest, s->rcpts)) == 0)
		return (-1);
	env = &s->rcpts[0]->m->env;
	if ((fd = message_text_fd(s->rcpts[0]->m)) == -1) {
		unreadable(s);
		return (0);
	}
	s->state = R_BUSY;
	s->spare = 0;
	s->since = queue_now();
	m.size = env->size;
	m.body = env->body;
	sender = recipient_sender(s->rcpts[0]);
	m.utf8 = env->utf8 || dsn_is_eightbit(sender, strlen(sender));
	/* RFC 3461 5.2.7.1 (b): not of what a list sends on. */
	if (!recipient_has_owner(s->rcpts[0])) {
		m.ret = env->ret;
		strlcpy(m.envid, env->envid != NULL ? env->envid : "",
		    sizeof(m.envid));
	}
	m.nrcpts = s->n;
	queueid_text(s->rcpts[0]->m->id, m.id);
	strlcpy(m.sender, sender, sizeof(m.sender));
	peer_send(s->relay, M_RELAY_MAIL, &m, fd);
	for (i = 0; i < s->n; i++) {
		memset(&r, 0, sizeof(r));
		r.session = s->id;
		r.index = i;
		r.notify = recipient_env(s->rcpts[i])->notify;
		strlcpy(r.orcpt, recipient_env(s->rcpts[i])->orcpt,
		    sizeof(r.orcpt));
		strlcpy(r.rcpt, recipient_env(s->rcpts[i])->rcpt,
		    sizeof(r.rcpt));
		peer_send(s->relay, M_RELAY_RCPT, &r, -1);
	}
	return (0);
}

/* Another destination of the host may have its connection, if it wants it. */
static void
spare(struct rsession *s)
{
	struct msg_RELAY_SPARE	m = { .session = s->id };

	if (s->spare)
		return;
	s->spare = 1;
	peer_send(s->relay, M_RELAY_SPARE, &m, -1);
}

void
relay_run(struct dest *d)
{
	struct peer	*relay = queue_role(ROLE_RELAY);
	struct rsession	*s;
	size_t		 opening = 0;

	if (relay == NULL)
		return;			/* the next tick tries again */
	LIST_FOREACH(s, &d->open, same) {
		while (s->state == R_IDLE && d->nready > 0)
			if (send_message(s) == -1)
				break;
		if (s->state == R_IDLE)
			spare(s);
		opening += s->state == R_OPENING;
	}
	while (d->nready > opening && may_open(d) &&
	    open_session(d, relay) == 0)
		opening++;
}

void
relay_spare(struct dest *d)
{
	struct rsession	*s;

	LIST_FOREACH(s, &d->open, same)
		if (s->state == R_IDLE)
			spare(s);
}

void
queue_relay_ready(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_READY	*a = m->body;
	struct rsession			*s = find(p, a->session);

	if (s == NULL || s->state != R_OPENING)
		return;
	s->state = R_IDLE;
	s->since = queue_now();
	s->dsn = a->dsn != 0;
	s->host = strdup(a->host);
	proven(s);
	dest_alive(s->dest);
	dest_kick(s->dest);
	dest_run();
}

static void
one_result(struct rsession *s, struct recipient *r, const char *reply)
{
	s->dest->nflying--;
	switch (reply[0]) {
	case '2':
		recipient_relayed(r, reply, s->host, s->dsn);
		break;
	case '5':
		recipient_failed(r, reply, s->host);
		break;
	default:
		recipient_deferred(r, reply, s->host);
	}
}

/* One more after a success, half as many when the server has had enough. */
static void
adjust_window(struct dest *d, const char *reply)
{
	if (reply[0] == '2' && d->window < WINDOW_MAX)
		d->window++;
	else if (strncmp(reply, "421", 3) == 0 && d->window > 1)
		d->window /= 2;
}

void
queue_relay_result(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_RESULT	*a = m->body;
	struct rsession			*s = find(p, a->session);
	struct recipient		*r;

	if (s == NULL)
		return;
	if (s->state != R_BUSY || a->index >= s->n ||
	    (r = s->rcpts[a->index]) == NULL) {
		role_peer_bad(p, "result for no recipient");
		return;
	}
	s->rcpts[a->index] = NULL;
	s->left--;
	s->dest->breaks = 0;
	one_result(s, r, a->reply);
	if (s->left > 0)
		return;
	s->n = 0;
	s->state = R_IDLE;
	s->since = queue_now();
	adjust_window(s->dest, a->reply);
	dest_kick(s->dest);
	if (a->closing)
		session_free(s);	/* it takes no further message */
	dest_run();
}

/*
 * Broken off within a message.  It may be this message that ends sessions: it
 * waits for itself, and the next one is tried; if they all end so, the host
 * is down.
 */
static void
broken(struct dest *d, const char *reply)
{
	d->window = 1;
	if (++d->breaks >= BREAKS_MAX)
		dest_block(d, reply);
	else
		dest_kick(d);
}

static void
refused_for_good(struct dest *d, const char *reply)
{
	struct recipient	*r;

	while ((r = dest_take(d)) != NULL) {
		d->nflying--;
		recipient_failed(r, reply, NULL);
	}
}

/* Its host is down or busy, as relay knows from others: no more than it has. */
static void
rest(struct dest *d, const struct msg_RELAY_CLOSED *a)
{
	if (d->sessions > 0) {
		d->window = d->sessions;
		return;
	}
	dest_rest(d, (unsigned int)a->rest, a->reply);
	line_join(d, (uint32_t)a->line);
}

void
queue_relay_closed(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_CLOSED	*a = m->body;
	struct rsession			*s = find(p, a->session);
	struct dest			*d;
	enum rstate			 was;

	if (s == NULL)
		return;
	d = s->dest;
	/*
	 * Stopped by ourselves (the new one, or the next start, takes over),
	 * or by the server while it had nothing of ours.
	 */
	was = p != queue_role(ROLE_RELAY) ? R_IDLE : s->state;
	if (was != R_IDLE && !a->stopped)
		defer_all(s, a->reply, s->host);
	session_free(s);
	if (was == R_OPENING && a->rest > 0)
		rest(d, a);
	else if (was == R_IDLE || a->stopped)
		dest_kick(d);		/* it only got tired of waiting */
	else if (a->permanent && was == R_OPENING)
		refused_for_good(d, a->reply);
	else if (was == R_BUSY)
		broken(d, a->reply);
	else if (d->sessions == 0)
		dest_block(d, a->reply);
	else
		d->window = d->sessions;
	dest_run();
}

void
queue_relay_room(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_ROOM	*a = m->body;

	if (p != queue_role(ROLE_RELAY))
		return;			/* its lines are not of those here */
	line_call((uint32_t)a->line, (size_t)a->n);
	dest_run();
}

/* relay has died, or a new one takes over. */
void
relay_gone(struct peer *p)
{
	struct rsession	*s, *next;

	LIST_FOREACH_SAFE(s, &self.all, entry, next)
		if (s->relay == p)
			session_free(s);
	line_call_all();
}

void
relay_tick(void)
{
	struct rsession	*s, *next;
	time_t		 age;

	LIST_FOREACH_SAFE(s, &self.all, entry, next) {
		age = queue_now() - s->since;
		if ((s->state == R_IDLE && age > IDLE_SECONDS) ||
		    (s->state == R_OPENING && age > OPEN_SECONDS) ||
		    (s->state == R_BUSY && age > BUSY_SECONDS))
			close_session(s);
	}
}
