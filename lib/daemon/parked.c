/*
 * parked: connections without a process.
 *
 * Runs as root.  Believes of a session only that it speaks for its own owner.
 * The state is never looked at.  Of what clients say one byte is peeked at, to
 * tell a client that says something from one that has gone.
 *
 * A session names a connection by a number that is looked up among its own
 * only; watch knows it by another one, which no session has a say in.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <sys/stat.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/child.h"
#include "daemon/counter.h"
#include "daemon/parked.h"
#include "daemon/sessions.h"
#include "log/log.h"

#define BUCKETS		1024
#define OWNER_MAX	256		/* of one owner */
#define LOOK_SECONDS	5		/* at the clock and at watch */
#define RETRY_SECONDS	10		/* if there can be no session now */

/* A connection that is parked, or whose mailbox is watched, or both. */
struct parked {
	LIST_ENTRY(parked) byowner;
	LIST_ENTRY(parked) bykey;
	uint64_t	 id;		/* as its session calls it */
	uint64_t	 key;		/* as watch does */
	struct session_owner owner;	/* user and home are ours */
	struct peer	*session;	/* that has it now; NULL: parked */
	pid_t		 watcher;	/* that was told to watch; 0 none */
	int		 fd;		/* parked: to net */
	struct event	*readable;
	time_t		 until;
	time_t		 told;		/* a change, to its session */
	int		 waits;		/* there was no session for it... */
	unsigned int	 why;		/* ...to come back for this */
	void		*state;
	size_t		 len;
	char		 addr[C_ADDR];
};
LIST_HEAD(bucket, parked);

static struct {
	struct bucket	 owners[BUCKETS];
	struct bucket	 keys[BUCKETS];
	struct event	*clock;
	unsigned int	 count, parked;
	uint64_t	 last;		/* key */
} self;

static struct bucket *bucket_of(const char *);
static struct parked *find(struct peer *, uint64_t);
static struct parked *get(struct peer *, uint64_t);
static int	may_have_more(const struct session_owner *);
static int	start_clock(void);
static void	forget(struct parked *);
static int	take(struct parked *, struct msg *);
static int	usable(int);
static void	wake(struct parked *, unsigned int);
static void	unwatch(struct parked *);
static void	on_readable(evutil_socket_t, short, void *);
static void	on_clock(evutil_socket_t, short, void *);

void
parent_park(struct peer *session, struct msg *m)
{
	const struct msg_PARK *park = m->body;
	struct parked *p;

	if ((p = get(session, park->id)) == NULL)
		return;			/* m's descriptor is closed: net sees */
	strlcpy(p->addr, park->addr, sizeof(p->addr));
	p->until = sv_now() + (time_t)park->seconds;
	if (take(p, m) == -1) {
		log_warn("parking: user=%s", p->owner.user);
		forget(p);
		return;
	}
	log_debug("parked: conn=%u user=%s addr=%s", SESSION_NET_CONN(p->id),
	    p->owner.user, p->addr);
	/* It may have let go before it heard of it. */
	if (p->told != 0 && sv_now() - p->told <= 1)
		wake(p, PARK_CHANGE);
}

/* The descriptor of a directory goes on to watch, which tells when. */
void
parent_watch(struct peer *session, struct msg *m)
{
	const struct msg_WATCH *ask = m->body;
	struct msg_DIR_WATCH watch = { 0 };
	struct peer *watcher = supervise_role(ROLE_WATCH);
	struct parked *p;

	if ((p = get(session, ask->id)) == NULL)
		return;
	if (watcher == NULL) {
		p->watcher = -1;	/* on_clock() wakes it */
		return;
	}
	watch.key = p->key;
	p->watcher = peer_pid(watcher);
	peer_send(watcher, M_DIR_WATCH, &watch, m->fd);
	m->fd = -1;
}

void
parent_unwatch(struct peer *session, struct msg *m)
{
	const struct msg_UNWATCH *ask = m->body;
	struct parked *p = find(session, ask->id);

	if (p != NULL)
		forget(p);
}

void
parent_dir_changed(struct peer *watcher, struct msg *m)
{
	const struct msg_DIR_CHANGED *changed = m->body;
	struct msg_CHANGED tell = { 0 };
	struct parked *p;

	(void)watcher;
	LIST_FOREACH(p, &self.keys[changed->key % BUCKETS], bykey)
		if (p->key == changed->key)
			break;
	if (p == NULL)
		return;
	tell.id = p->id;
	if (p->session == NULL) {
		wake(p, PARK_CHANGE);
		return;
	}
	p->told = sv_now();
	peer_send(p->session, M_CHANGED, &tell, -1);
}

/* A session has gone, and what it had with it. */
void
parked_session_gone(struct peer *session)
{
	struct parked *p, *next;

	for (p = LIST_FIRST(bucket_of(sessions_owner(session)->user));
	    p != NULL; p = next) {
		next = LIST_NEXT(p, byowner);
		if (p->session == session)
			forget(p);
	}
}

static struct bucket *
bucket_of(const char *user)
{
	return (&self.owners[sessions_hash(user) % BUCKETS]);
}

static struct parked *
find(struct peer *session, uint64_t id)
{
	struct parked *p;

	LIST_FOREACH(p, bucket_of(sessions_owner(session)->user), byowner)
		if (p->session == session && p->id == id)
			return (p);
	return (NULL);
}

/* The one that this session calls so, or a new one. */
static struct parked *
get(struct peer *session, uint64_t id)
{
	const struct session_owner *o = sessions_owner(session);
	struct parked *p;

	if ((p = find(session, id)) != NULL)
		return (p);
	if (start_clock() == -1 || !may_have_more(o) ||
	    (p = calloc(1, sizeof(*p))) == NULL)
		return (NULL);
	p->id = id;
	p->key = ++self.last;
	p->session = session;
	p->fd = -1;
	p->owner = *o;
	p->owner.user = strdup(o->user);
	p->owner.home = strdup(o->home);
	LIST_INSERT_HEAD(bucket_of(o->user), p, byowner);
	LIST_INSERT_HEAD(&self.keys[p->key % BUCKETS], p, bykey);
	self.count++;
	if (p->owner.user == NULL || p->owner.home == NULL) {
		forget(p);
		return (NULL);
	}
	return (p);
}

static int
may_have_more(const struct session_owner *o)
{
	struct parked *p;
	unsigned int n = 0;

	LIST_FOREACH(p, bucket_of(o->user), byowner)
		n += strcmp(p->owner.user, o->user) == 0;
	return (n < OWNER_MAX && self.count < supervise_conf()->max_sessions);
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

static void
forget(struct parked *p)
{
	unwatch(p);
	LIST_REMOVE(p, byowner);
	LIST_REMOVE(p, bykey);
	self.count--;
	if (p->session == NULL)
		counter_now(COUNTER_PARKED, --self.parked);
	if (p->readable != NULL)
		event_free(p->readable);
	if (p->fd != -1)
		close(p->fd);
	free(p->owner.user);
	free(p->owner.home);
	free(p->state);
	free(p);
}

static int
take(struct parked *p, struct msg *m)
{
	if (!usable(m->fd)) {
		errno = ENOTSOCK;
		return (-1);
	}
	if ((p->state = malloc(m->taillen + 1)) == NULL)
		return (-1);
	memcpy(p->state, m->tail, m->taillen);
	p->len = m->taillen;
	p->fd = m->fd;
	m->fd = -1;
	p->session = NULL;
	counter_add(COUNTER_PARKED, 1);
	counter_now(COUNTER_PARKED, ++self.parked);
	if ((p->readable = event_new(sv.base, p->fd, EV_READ, on_readable,
	    p)) == NULL)
		return (-1);
	return (event_add(p->readable, NULL));
}

/* What a session sends is to be waited for, and nothing else. */
static int
usable(int fd)
{
	struct stat st;
	int type;
	socklen_t len = sizeof(type);

	return (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && getsockopt(fd,
	    SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM);
}

static void
on_readable(evutil_socket_t fd, short ev, void *arg)
{
	struct parked *p = arg;
	char c;

	(void)ev;
	if (recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
		log_debug("parked client has gone: conn=%u user=%s",
		    SESSION_NET_CONN(p->id), p->owner.user);
		forget(p);
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
	struct peer *session;
	uint64_t number;

	session = sessions_reach(&p->owner, SESSION_NET_CONN(p->id), &number);
	if (session == NULL) {
		/* The clock tries again; what it said is still there. */
		p->waits = 1;
		p->why = why;
		p->until = sv_now() + RETRY_SECONDS;
		if (event_del(p->readable) == -1)
			forget(p);
		return;
	}
	resume.id = number;
	strlcpy(resume.addr, p->addr, sizeof(resume.addr));
	log_debug("resuming: conn=%u user=%s why=%u", SESSION_NET_CONN(p->id),
	    p->owner.user, why);
	peer_send_tail(session, M_RESUME, &resume, p->state, p->len, p->fd);
	p->fd = -1;
	forget(p);
}

static void
unwatch(struct parked *p)
{
	struct msg_DIR_UNWATCH m = { .key = p->key };
	struct peer *watcher = supervise_role(ROLE_WATCH);

	if (p->watcher != 0 && watcher != NULL &&
	    peer_pid(watcher) == p->watcher)
		peer_send(watcher, M_DIR_UNWATCH, &m, -1);
	p->watcher = 0;
}

/* Whose time is over, and whose watcher is not there any more. */
static void
on_clock(evutil_socket_t fd, short ev, void *arg)
{
	struct peer *watcher = supervise_role(ROLE_WATCH);
	pid_t pid = watcher != NULL ? peer_pid(watcher) : 0;
	struct parked *p, *next;
	size_t i;

	(void)fd;
	(void)ev;
	(void)arg;
	for (i = 0; i < BUCKETS; i++)
		for (p = LIST_FIRST(&self.owners[i]); p != NULL; p = next) {
			next = LIST_NEXT(p, byowner);
			if (p->session != NULL)
				continue;
			if (sv_now() >= p->until)
				wake(p, p->waits ? p->why : PARK_TIME);
			else if (pid != 0 && p->watcher != 0 &&
			    p->watcher != pid)
				wake(p, PARK_CHANGE);
		}
}
