/*
 * relay_share: one connection for all domains that have the same host.
 *
 * Queue keeps a session for each destination; which of them lead to the same
 * address is known here only, when names have become addresses.  A session that
 * is about to connect takes over the connection of one that is idle, or waits
 * for its turn at an address that has enough of them.  Either is no more than
 * saving a connection: a session gets only what it would have made itself, and
 * what it demands was proven when that one was made.
 *
 * Nobody waits for long, and few at a time: others are turned away and, when
 * the line gets short, called by its number (RELAY_ROOM), so that the host has
 * always somebody to serve, and nobody asks in vain.
 */
#include <sys/types.h>

#include <event2/event.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "log/log.h"
#include "net/conn.h"
#include "privsep/role.h"
#include "smtpd/relay_known.h"
#include "smtpd/relay_session.h"
#include "smtpd/relay_share.h"
#include "smtpd/relay_state.h"

#define WAITING_MAX	50		/* for one address */
#define WAIT_SECONDS	30
#define CALL_MS		1000		/* that one who is called may take */

static void	move(struct session *, struct session *);
static void	wake(struct session *);
static void	wake_first(struct known *);
static void	waited(struct session *);

/* Monotonic milliseconds. */
static int64_t
now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* Mail from outside is looked at for loops when its connection is made. */
static int
is_by_mx(const struct session *s)
{
	return (!s->dest.nomx);
}

int
share_same(const struct session *idle, const struct session *s)
{
	const struct msg_RELAY_OPEN	*a = &idle->dest, *b = &s->dest;

	if (a->scheme != b->scheme || a->port != b->port ||
	    strcmp(a->source, b->source) != 0 ||
	    strcmp(session_addr(idle), session_addr(s)) != 0 ||
	    is_by_mx(idle) != is_by_mx(s))
		return (0);
	/* A label is of one route: another's may mean another user. */
	if (strcmp(a->label, b->label) != 0 ||
	    (a->label[0] != '\0' && (a->route != b->route ||
	    !idle->loggedin)))
		return (0);
	/* TLS failed there, which may not last. */
	if (idle->clear)
		return (0);
	return (!session_must_verify(s) || (idle->verified &&
	    strcasecmp(idle->proven, session_certificate_name(s)) == 0));
}

/* Nor has the server said anything since that nobody asked for. */
static int
is_free(const struct session *s)
{
	size_t	len = 0;

	if (s->phase != PHASE_IDLE || !s->spare || s->queue == NULL ||
	    s->conn == NULL || s->reply.lines > 0)
		return (0);
	(void)conn_pending(s->conn, &len);
	return (len == 0);
}

static int
of_another(const struct session *a, const struct session *b)
{
	return (a->queue == b->queue &&
	    strcasecmp(a->dest.host, b->dest.host) != 0);
}

/*
 * Not of the same destination: queue would not open a session beside one that
 * it knows to be idle, so the next message is on its way to that.
 */
static struct session *
idle_one(const struct known *k, const struct session *s)
{
	struct session	*i;

	LIST_FOREACH(i, &k->sessions, beside)
		if (is_free(i) && of_another(i, s) && share_same(i, s))
			return (i);
	return (NULL);
}

/* Somebody else's that is idle makes room. */
static void
close_idle(struct known *k)
{
	struct session	*i;

	LIST_FOREACH(i, &k->sessions, beside)
		if (is_free(i)) {
			session_forget(i, END_STOPPED,
			    "421 4.3.2 others wait for the connection");
			session_quit(i);
			return;
		}
}

static void
wait_for(struct known *k, struct session *s, void (*fn)(struct session *))
{
	s->waits = k;
	s->turn = fn;
	/* One that was woken for nothing keeps its place. */
	if (s->woken)
		TAILQ_INSERT_HEAD(&k->waiting, s, line);
	else
		TAILQ_INSERT_TAIL(&k->waiting, s, line);
	s->woken = 0;
	k->nwaiting++;
	session_timer(s, WAIT_SECONDS, waited);
}

/* Queue opens a session for it when it is called. */
static void
turn_away(struct known *k, struct session *s)
{
	s->turned = k->line;
	k->nturned++;
}

/* So many as there is room for in the line. */
static void
call(struct known *k)
{
	struct msg_RELAY_ROOM	 m = { .line = k->line };
	struct peer		*queue = role_peer(ROLE_QUEUE);

	/* Who has nothing to send any more does not come. */
	if (now() - k->called > CALL_MS)
		k->ncalled = 0;
	if (k->nturned == 0 || k->nwaiting + k->ncalled > WAITING_MAX / 2 ||
	    queue == NULL)
		return;
	m.n = WAITING_MAX - k->nwaiting - k->ncalled;
	if (m.n > k->nturned)
		m.n = k->nturned;
	k->nturned -= (unsigned int)m.n;
	k->ncalled += (unsigned int)m.n;
	k->called = now();
	peer_send(queue, M_RELAY_ROOM, &m, -1);
}

enum share
share_begin(struct session *s, size_t addr, struct known **kp,
    void (*fn)(struct session *))
{
	struct session	*idle;
	struct known	*k;
	enum known_may	 may;

	if ((k = *kp = known_get(s->hop.addrs[addr].text,
	    (unsigned int)s->dest.port, s->dest.source)) == NULL)
		return (SHARE_CONNECT);
	s->hop.addr = addr + 1;
	if (k->ncalled > 0 && !s->woken) {
		k->ncalled--;
		call(k);	/* perhaps nobody has to wait any more */
	}
	if (s->since == 0)
		s->since = now();
	if ((may = known_may(k, s->dest.believe, s->since, now())) ==
	    KNOWN_DOWN)
		return (SHARE_DOWN);
	if ((idle = idle_one(k, s)) != NULL) {
		log_debug("session=%llu takes over that of session=%llu",
		    (unsigned long long)s->dest.session,
		    (unsigned long long)idle->dest.session);
		session_forget(idle, END_STOPPED,
		    "421 4.3.2 another destination has the connection now");
		move(idle, s);
		if (may == KNOWN_GO)
			wake_first(k);	/* it did not need that */
		return (SHARE_TAKEN);
	}
	if (may == KNOWN_GO)
		return (SHARE_CONNECT);
	/* Beside a connection that is being made to another address. */
	if (s->hop.nattempts > 0)
		return (SHARE_BUSY);
	if (k->nwaiting >= WAITING_MAX) {
		turn_away(k, s);
		return (SHARE_BUSY);
	}
	close_idle(k);
	wait_for(k, s, fn);
	return (SHARE_WAIT);
}

unsigned int
share_rest(const struct session *s, const struct known *k)
{
	return (known_rest(k, s->dest.believe, now()));
}

/* The connection, and what was agreed on it. */
static void
move(struct session *from, struct session *to)
{
	struct known	*k = from->at;
	int		 reached = from->reached;

	to->conn = from->conn;
	conn_give(to->conn, to);
	from->conn = NULL;
	from->reached = 0;
	LIST_REMOVE(from, beside);
	from->at = NULL;
	share_leave(to);
	attempts_drop(&to->hop);
	LIST_INSERT_HEAD(&k->sessions, to, beside);
	to->at = k;
	to->reached = reached;
	reply_init(&to->reply);
	to->ehlo = from->ehlo;
	to->clear = from->clear;
	to->verified = from->verified;
	to->loggedin = from->loggedin;
	(void)strlcpy(to->proven, from->proven, sizeof(to->proven));
	to->nmails = from->nmails;
	to->ntransactions = from->ntransactions;
	session_free(from);
	session_ready(to);
}

void
share_open(struct known *k)
{
	if (k != NULL)
		k->nopen++;
}

/* Those that wait try again in a turn of their own. */
static void
wake_first(struct known *k)
{
	struct session	*s;

	if ((s = TAILQ_FIRST(&k->waiting)) != NULL)
		wake(s);
}

static void
leave_line(struct session *s)
{
	struct known	*k = s->waits;

	if (k == NULL)
		return;
	TAILQ_REMOVE(&k->waiting, s, line);
	k->nwaiting--;
	s->waits = NULL;
	call(k);
}

static void
wake(struct session *s)
{
	leave_line(s);
	s->woken = 1;
	session_timer_ms(s, 0, s->turn);
}

static void
waited(struct session *s)
{
	/* He leaves the line when queue has him in its own. */
	turn_away(s->waits, s);
	session_busy(s);
}

void
share_close(struct known *k)
{
	if (k == NULL)
		return;
	k->nopen--;
	wake_first(k);
}

void
share_connected(struct session *s, struct known *k)
{
	if ((s->at = k) != NULL)
		LIST_INSERT_HEAD(&k->sessions, s, beside);
}

void
share_leave(struct session *s)
{
	struct known	*k = s->at;

	leave_line(s);
	if (k == NULL)
		return;
	LIST_REMOVE(s, beside);
	s->at = NULL;
	if (s->reached)
		k->nready--;
	s->reached = 0;
	share_close(k);
}

void
share_reached(struct session *s)
{
	if (s->at == NULL || s->reached)
		return;
	s->reached = 1;
	known_reached(s->at);
}

void
share_took(struct session *s)
{
	if (s->at != NULL && known_took(s->at))
		wake_first(s->at);
}

int
share_failed(struct known *k, const char *why)
{
	if (k == NULL)
		return (1);
	if (!known_failed(k, why, now()))
		return (0);
	while (!TAILQ_EMPTY(&k->waiting))
		wake_first(k);
	return (1);
}

/* What queue takes for one; port and source are those of the address. */
static int
of_same(const struct session *a, const struct session *b)
{
	return (a->queue == b->queue && a->dest.scheme == b->dest.scheme &&
	    a->dest.nomx == b->dest.nomx && a->dest.route == b->dest.route &&
	    strcasecmp(a->dest.host, b->dest.host) == 0 &&
	    strcmp(a->dest.label, b->dest.label) == 0);
}

/* Is a connection given up already, for somebody who cannot share one? */
static int
is_making_room(const struct known *k)
{
	const struct session	*s;

	LIST_FOREACH(s, &k->sessions, beside)
		if (s->phase == PHASE_QUIT)
			return (1);
	return (0);
}

/* Whoever is of the same destination: that gets the next message anyway. */
static enum share_turn
whose_turn(const struct session *s, struct session **to)
{
	struct session	*w;

	if (s->at == NULL || s->conn == NULL)
		return (TURN_KEEP);
	TAILQ_FOREACH(w, &s->at->waiting, line) {
		if (of_same(s, w))
			continue;
		if (of_another(s, w) && share_same(s, w)) {
			*to = w;
			return (TURN_PASS);
		}
		if (!share_same(s, w) && !is_making_room(s->at)) {
			*to = w;
			return (TURN_CLOSE);
		}
	}
	return (TURN_KEEP);
}

/* The room that is made is for him for whom it is made. */
enum share_turn
share_turn(struct session *s)
{
	struct session	*w;
	enum share_turn	 turn;

	if ((turn = whose_turn(s, &w)) == TURN_CLOSE) {
		TAILQ_REMOVE(&s->at->waiting, w, line);
		TAILQ_INSERT_HEAD(&s->at->waiting, w, line);
	}
	return (turn);
}

static void
pass(struct session *s, struct session *w)
{
	log_debug("session=%llu passes its connection on to session=%llu",
	    (unsigned long long)s->dest.session,
	    (unsigned long long)w->dest.session);
	session_no_timer(w);
	session_unlink(s);
	move(s, w);
}

void
share_pass(struct session *s)
{
	struct session	*w;

	if (whose_turn(s, &w) == TURN_PASS)
		pass(s, w);
	else
		session_quit(s);
}

void
share_spare(struct session *s)
{
	struct session	*w;
	enum share_turn	 turn;

	s->spare = 1;
	if (!is_free(s) || (turn = share_turn(s)) == TURN_KEEP)
		return;
	/* Asked while it is queue's, as he is. */
	(void)whose_turn(s, &w);
	session_forget(s, END_STOPPED, "421 4.3.2 others wait for the "
	    "connection");
	if (turn == TURN_PASS)
		pass(s, w);
	else
		session_quit(s);
}
