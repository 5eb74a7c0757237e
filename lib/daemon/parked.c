/*
 * parked: connections without a process.
 *
 * Runs as root.  Believes of a session only that it speaks for its own owner.
 * The state is never looked at.  Of what clients say one byte is peeked at, to
 * tell a client that says something from one that has gone; one that is to end
 * is told so.
 *
 * A session names a connection by a number that is looked up among those that
 * it was given, and can park nothing but the socket that it was given with it;
 * watch knows it by another one, which no session has a say in.
 */
#include "os/compat.h"
#include <sys/resource.h>
#include <sys/socket.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/child.h"
#include "daemon/counter.h"
#include "daemon/parked.h"
#include "daemon/sessions.h"
#include "daemon/visits.h"
#include "log/log.h"

#define BUCKETS		1024
#define LOOK_SECONDS	5		/* at the clock and at watch */
#define RETRY_SECONDS	10		/* if there can be no session now */
#define FDS_KEPT	256		/* for all else that the parent does */

/* What there is of a connection that is parked, or watched, or both. */
struct parked {
	LIST_ENTRY(parked) bykey;
	struct visit	*visit;
	uint64_t	 key;		/* as watch calls it */
	pid_t		 watcher;	/* that was told to watch; 0 none */
	unsigned int	 nwatched;	/* directories that it was given */
	int		 fd;		/* parked: to net; else -1 */
	struct event	*readable;
	time_t		 until;
	time_t		 told;		/* a change, to its session */
	int		 waits;		/* there was no session for it... */
	unsigned int	 why;		/* ...to come back for this */
	void		*state;
	size_t		 len;
};
LIST_HEAD(bucket, parked);

static struct {
	struct bucket	 keys[BUCKETS];
	struct event	*clock;
	unsigned int	 parked;
	unsigned int	 watched;	/* directories */
	uint64_t	 last;		/* key */
} self;

static struct parked *get(struct visit *);
static struct parked *find_key(uint64_t);
static int	start_clock(void);
static int	take(struct parked *, struct msg *);
static int	is_room(void);
static void	say_bye(int, const char *);
static void	wake(struct parked *, unsigned int);
static void	refuse_watch(struct visit *);
static void	unwatch(struct parked *);
static void	on_readable(evutil_socket_t, short, void *);
static void	on_clock(evutil_socket_t, short, void *);
static void	look_at(struct visit *, void *);

void
parent_park(struct peer *session, struct msg *m)
{
	const struct msg_PARK *park = m->body;
	struct visit *v = visits_find(session, park->id);
	struct parked *p = NULL;

	if (v == NULL || !visits_same_socket(v, m->fd)) {
		supervise_kill(session, "parks what it was not given");
		return;
	}
	if (v->kicked || (p = get(v)) == NULL || take(p, m) == -1) {
		say_bye(p != NULL && p->fd != -1 ? p->fd : m->fd, v->kicked ?
		    KICK_WORDS : "[UNAVAILABLE] try again");
		visits_free(v);
		return;
	}
	p->until = sv_now() + (time_t)park->seconds;
	log_debug("parked: conn=%u user=%s addr=%s", SESSION_NET_CONN(v->id),
	    v->owner->user, v->addr);
	counter_add(COUNTER_PARKED, 1);
	if (!is_room())
		wake(p, PARK_FULL);
	/* It may have let go before it heard of it. */
	else if (p->told != 0 && sv_now() - p->told <= 1)
		wake(p, PARK_CHANGE);
}

/* The descriptor of a directory goes on to watch, which tells when. */
void
parent_watch(struct peer *session, struct msg *m)
{
	const struct msg_WATCH *ask = m->body;
	struct msg_DIR_WATCH watch = { 0 };
	struct peer *watcher = supervise_role(ROLE_WATCH);
	struct visit *v = visits_find(session, ask->id);
	struct parked *p;

	if (v == NULL)
		return;
	if ((p = get(v)) == NULL || p->nwatched == WATCH_CONN ||
	    self.watched >= WATCH_DIRS - FDS_KEPT) {
		refuse_watch(v);
		return;
	}
	if (watcher == NULL) {
		p->watcher = -1;	/* on_clock() wakes it */
		return;
	}
	watch.key = p->key;
	p->watcher = peer_pid(watcher);
	p->nwatched++;
	self.watched++;
	peer_send(watcher, M_DIR_WATCH, &watch, m->fd);
	m->fd = -1;
}

void
parent_unwatch(struct peer *session, struct msg *m)
{
	const struct msg_UNWATCH *ask = m->body;
	struct visit *v = visits_find(session, ask->id);

	if (v != NULL)
		parked_forget(v);
}

void
parent_dir_changed(struct peer *watcher, struct msg *m)
{
	const struct msg_DIR_CHANGED *changed = m->body;
	struct msg_CHANGED tell = { 0 };
	struct parked *p = find_key(changed->key);

	(void)watcher;
	if (p == NULL)
		return;
	if (p->visit->session == NULL) {
		wake(p, PARK_CHANGE);
		return;
	}
	tell.id = p->visit->id;
	p->told = sv_now();
	peer_send(p->visit->session, M_CHANGED, &tell, -1);
}

void
parent_dir_unwatched(struct peer *watcher, struct msg *m)
{
	const struct msg_DIR_UNWATCHED *un = m->body;
	struct parked *p = find_key(un->key);

	(void)watcher;
	if (p != NULL)
		refuse_watch(p->visit);
}

void
parked_kick(struct visit *v)
{
	say_bye(v->parked->fd, KICK_WORDS);
	visits_free(v);
}

void
parked_forget(struct visit *v)
{
	struct parked *p = v->parked;

	if (p == NULL)
		return;
	if (v->session == NULL)
		counter_now(COUNTER_PARKED, --self.parked);
	unwatch(p);
	LIST_REMOVE(p, bykey);
	if (p->readable != NULL)
		event_free(p->readable);
	if (p->fd != -1)
		close(p->fd);
	free(p->state);
	free(p);
	v->parked = NULL;
}

/* What there is of it, or something new. */
static struct parked *
get(struct visit *v)
{
	struct parked *p;

	if (v->parked != NULL)
		return (v->parked);
	if (start_clock() == -1 || (p = calloc(1, sizeof(*p))) == NULL)
		return (NULL);
	p->visit = v;
	p->key = ++self.last;
	p->fd = -1;
	LIST_INSERT_HEAD(&self.keys[p->key % BUCKETS], p, bykey);
	v->parked = p;
	return (p);
}

static struct parked *
find_key(uint64_t key)
{
	struct parked *p;

	LIST_FOREACH(p, &self.keys[key % BUCKETS], bykey)
		if (p->key == key)
			return (p);
	return (NULL);
}

static int
start_clock(void)
{
	struct timeval tv = { .tv_sec = LOOK_SECONDS };

	if (self.clock != NULL)
		return (0);
	if ((self.clock = event_new(sv.base, -1, EV_PERSIST, on_clock,
	    NULL)) == NULL)
		return (-1);
	return (event_add(self.clock, &tv));
}

static int
take(struct parked *p, struct msg *m)
{
	if ((p->state = malloc(m->taillen + 1)) == NULL)
		return (-1);
	memcpy(p->state, m->tail, m->taillen);
	p->len = m->taillen;
	p->fd = m->fd;
	m->fd = -1;
	p->visit->session = NULL;
	counter_now(COUNTER_PARKED, ++self.parked);
	if ((p->readable = event_new(sv.base, p->fd, EV_READ, on_readable,
	    p)) == NULL)
		return (-1);
	return (event_add(p->readable, NULL));
}

/* For one more, so that logins and processes never want for descriptors. */
static int
is_room(void)
{
	struct rlimit rl;

	return (getrlimit(RLIMIT_NOFILE, &rl) == 0 && self.parked +
	    supervise_peruser_count() + FDS_KEPT <= rl.rlim_cur);
}

/*
 * A connection is parked between two responses, when all that was written has
 * been taken; so this is a line of its own (RFC 3501 7.1.5).
 */
static void
say_bye(int fd, const char *why)
{
	char line[128];
	int n;

	n = snprintf(line, sizeof(line), "* BYE %s\r\n", why);
	if (send(fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
		log_debug("parked client has gone");
}

static void
on_readable(evutil_socket_t fd, short ev, void *arg)
{
	struct parked *p = arg;
	char c;

	(void)ev;
	if (recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
		log_debug("parked client has gone: conn=%u user=%s",
		    SESSION_NET_CONN(p->visit->id), p->visit->owner->user);
		visits_free(p->visit);
	} else
		wake(p, PARK_INPUT);
}

/*
 * To a session of the same owner.  It gets a number of its own, and has its
 * mailbox watched anew if it wants to.
 */
static void
wake(struct parked *p, unsigned int why)
{
	struct msg_RESUME resume = { .why = why };
	struct visit *v = p->visit;
	struct peer *session;
	uint64_t number;

	session = sessions_reach(v->owner, SESSION_NET_CONN(v->id), &number);
	if (session == NULL) {
		/* The clock tries again; what it said is still there. */
		p->waits = 1;
		p->why = why;
		p->until = sv_now() + RETRY_SECONDS;
		if (event_del(p->readable) == -1)
			visits_free(v);
		return;
	}
	resume.id = number;
	strlcpy(resume.addr, v->addr, sizeof(resume.addr));
	log_debug("resuming: conn=%u user=%s why=%u", SESSION_NET_CONN(v->id),
	    v->owner->user, why);
	peer_send_tail(session, M_RESUME, &resume, p->state, p->len, p->fd);
	p->fd = -1;
	parked_forget(v);
	v->session = session;
	v->id = number;
}

/* Its session has to look itself, and not to park it. */
static void
refuse_watch(struct visit *v)
{
	struct msg_UNWATCHED un = { .id = v->id };

	if (v->session == NULL) {
		wake(v->parked, PARK_CHANGE);	/* it asks once more */
		return;
	}
	parked_forget(v);
	peer_send(v->session, M_UNWATCHED, &un, -1);
}

static void
unwatch(struct parked *p)
{
	struct msg_DIR_UNWATCH m = { .key = p->key };
	struct peer *watcher = supervise_role(ROLE_WATCH);

	if (p->watcher != 0 && watcher != NULL &&
	    peer_pid(watcher) == p->watcher)
		peer_send(watcher, M_DIR_UNWATCH, &m, -1);
	self.watched -= p->nwatched;
	p->nwatched = 0;
	p->watcher = 0;
}

static void
on_clock(evutil_socket_t fd, short ev, void *arg)
{
	struct peer *watcher = supervise_role(ROLE_WATCH);
	pid_t pid = watcher != NULL ? peer_pid(watcher) : 0;

	(void)fd;
	(void)ev;
	(void)arg;
	visits_each(look_at, &pid);
}

/* Is its time over, or its watcher not there any more? */
static void
look_at(struct visit *v, void *arg)
{
	const pid_t *watcher = arg;
	struct parked *p = v->parked;

	if (p == NULL || v->session != NULL)
		return;
	if (sv_now() >= p->until)
		wake(p, p->waits ? p->why : PARK_TIME);
	else if (*watcher != 0 && p->watcher != 0 && p->watcher != *watcher)
		wake(p, PARK_CHANGE);
}
