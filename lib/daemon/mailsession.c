/*
 * mailsession: one user's process, from the hand-over of the mailbox to the
 * end.
 *
 * Runs as the user, without TLS.  Believes the parent and reads nothing of
 * what clients write: that is the daemon's part.
 */
#include "os/compat.h"
#include <event2/event.h>

#include "daemon/mailsession.h"
#include "log/log.h"
#include "os/os.h"
#include "privsep/contract.h"
#include "store/store.h"

#define REST_SECONDS	2	/* without a connection: memory is given back */

static struct {
	const struct mailsession_ops *ops;
	struct msg_MAILBOX mailbox;
	struct mailsession shared;
	struct event	*linger;
	struct event	*deadline;
	uint64_t	 last;		/* number of the latest connection */
	unsigned int	 conns;
	time_t		 rest;		/* seconds to linger after it, or 0 */
	int		 tried;		/* in vain, just now */
} self;

static void	conn_ended(uint64_t);
static void	one_less(void);
static void	open_store(void);
static void	close_moved(void);
static void	session_mailbox(struct peer *, struct msg *);
static void	session_session_conn(struct peer *, struct msg *);
static void	session_resume(struct peer *, struct msg *);
static void	session_changed(struct peer *, struct msg *);
static void	session_unwatched(struct peer *, struct msg *);
static void	session_kick(struct peer *, struct msg *);
static int	new_conn(uint64_t, const char *);
static void	park(uint64_t, int, unsigned int, const void *, size_t);
static void	watch(uint64_t, int);
static void	unwatch(uint64_t);
static void	session_go(void);
static void	session_drain(unsigned int);
static void	session_stats(void);
static void	alone(evutil_socket_t, short, void *);
static void	idle(void);
static void	stop(evutil_socket_t, short, void *);
static void	leave(void);

static const struct mailsession_parking parking = { park, watch, unwatch };

static const struct handler handlers[] = {
	{ M_MAILBOX,		session_mailbox },
	{ M_SESSION_CONN,	session_session_conn },
	{ M_KICK,		session_kick },
	{ 0, NULL }
};

static const struct handler park_handlers[] = {
	{ M_MAILBOX,		session_mailbox },
	{ M_SESSION_CONN,	session_session_conn },
	{ M_KICK,		session_kick },
	{ M_RESUME,		session_resume },
	{ M_CHANGED,		session_changed },
	{ M_UNWATCHED,		session_unwatched },
	{ 0, NULL }
};

const struct role_code mailsession_code = {
	.handlers = handlers,
	.go = session_go,
	.drain = session_drain,
	.stats = session_stats,
};

const struct role_code mailsession_park_code = {
	.handlers = park_handlers,
	.go = session_go,
	.drain = session_drain,
	.stats = session_stats,
};

void
mailsession_run(const struct mailsession_ops *ops,
    const struct daemon_def *def, const struct role_def *role, int argc,
    char **argv)
{
	self.ops = ops;
	role_run(def, role, argc, argv);
}

static void
session_mailbox(struct peer *parent, struct msg *m)
{
	const struct msg_MAILBOX *mailbox = m->body;

	(void)parent;
	self.mailbox = *mailbox;
}

static void
session_go(void)
{
	if (self.mailbox.path[0] == '\0')
		fatalx("no mailbox");
	setproctitle("session %s", self.mailbox.user);
	self.linger = evtimer_new(role_base(), alone, NULL);
	self.deadline = evtimer_new(role_base(), stop, NULL);
	if (self.linger == NULL || self.deadline == NULL)
		fatal("event");
	self.shared.base = role_base();
	self.shared.user = self.mailbox.user;
	self.shared.mailbox = &self.mailbox;
	self.shared.ended = conn_ended;
	if (self.ops->resume != NULL)
		self.shared.parking = &parking;
	open_store();
	self.tried = self.shared.store == NULL;
}

/* Nobody is kept from his mail because this fails. */
static void
care(void)
{
	enum store_error e;
	uint64_t gone;

	e = store_special(self.shared.store, self.mailbox.special);
	if (e == STORE_OK)
		e = store_expire_daily(self.shared.store, self.mailbox.expire,
		    &gone);
	if (e != STORE_OK)
		log_warnx("user=%s special or expire: %s", self.mailbox.user,
		    store_strerror(e));
	else if (gone > 0)
		log_info("user=%s expired=%llu", self.mailbox.user,
		    (unsigned long long)gone);
}

/*
 * If it cannot be opened the client is told, and the next one makes another
 * attempt: a full disk may have been cleared in between.
 */
static void
open_store(void)
{
	struct store_settings set = {
		.user = self.mailbox.user,
		.hostname = role_settings()->hostname,
		.mbox = (int)self.mailbox.mbox,
		.quota = self.mailbox.quota,
		.quota_messages = self.mailbox.quota_messages,
	};
	enum store_error e;

	e = store_open_path(&self.shared.store, self.mailbox.path, &set,
	    STORE_CREATE);
	if (e == STORE_OK) {
		care();
		return;
	}
	log_warnx("user=%s %s: %s", self.mailbox.user, self.mailbox.path,
	    store_strerror(e));
	self.shared.store = NULL;
}

/*
 * While nobody was here the mailbox may have been replaced.  This process may
 * be confined to the old one; then this client is told to come again, and finds
 * another process.
 */
static void
close_moved(void)
{
	if (self.shared.store == NULL ||
	    !store_moved(self.shared.store, self.mailbox.path))
		return;
	log_info("user=%s %s: another mailbox is there now",
	    self.mailbox.user, self.mailbox.path);
	store_close(self.shared.store);
	self.shared.store = NULL;
}

static void
session_session_conn(struct peer *parent, struct msg *m)
{
	const struct msg_SESSION_CONN *conn = m->body;
	int fd = m->fd;

	(void)parent;
	if (new_conn(conn->id, conn->addr) == -1)
		return;
	m->fd = -1;
	if (self.ops->start(&self.shared, fd, SESSION_NET_CONN(conn->id),
	    conn->addr) == -1) {
		log_warn("user=%s", self.mailbox.user);
		conn_ended(conn->id);
	}
}

static void
session_resume(struct peer *parent, struct msg *m)
{
	const struct msg_RESUME *conn = m->body;
	int fd = m->fd;

	(void)parent;
	if (new_conn(conn->id, conn->addr) == -1)
		return;
	m->fd = -1;
	if (self.ops->resume(&self.shared, fd, SESSION_NET_CONN(conn->id),
	    conn->addr, m->tail, m->taillen, (unsigned int)conn->why) == -1) {
		log_warn("user=%s", self.mailbox.user);
		conn_ended(conn->id);
	}
}

static void
session_changed(struct peer *parent, struct msg *m)
{
	const struct msg_CHANGED *changed = m->body;

	(void)parent;
	self.ops->changed(changed->id);
}

static void
session_unwatched(struct peer *parent, struct msg *m)
{
	const struct msg_UNWATCHED *un = m->body;

	(void)parent;
	self.ops->unwatched(un->id);
}

static void
session_kick(struct peer *parent, struct msg *m)
{
	const struct msg_KICK *kick = m->body;

	(void)parent;
	self.ops->kick(kick->id);
}

/* Count it; -1 if it is one too many, which the parent saw to. */
static int
new_conn(uint64_t number, const char *addr)
{
	self.last = self.shared.number = number;
	if (event_del(self.linger) == -1)
		log_warnx("event_del");
	if (self.conns == 0)
		close_moved();
	if (self.shared.store == NULL && !self.tried)
		open_store();
	self.tried = 0;
	self.conns++;
	if (self.conns <= SESSION_CONNS)
		return (0);
	log_warnx("user=%s addr=%s: too many connections",
	    self.mailbox.user, addr);
	conn_ended(number);
	return (-1);
}

static void
park(uint64_t number, int fd, unsigned int seconds, const void *state,
    size_t len)
{
	struct msg_PARK park = { .id = number, .seconds = seconds };

	peer_send_tail(role_parent(), M_PARK, &park, state, len, fd);
	one_less();
	/* It is known where the next one comes from: no need to linger. */
	if (self.conns == 0)
		idle();
}

static void
watch(uint64_t number, int fd)
{
	struct msg_WATCH watch = { .id = number };

	peer_send(role_parent(), M_WATCH, &watch, fd);
}

static void
unwatch(uint64_t number)
{
	struct msg_UNWATCH unwatch = { .id = number };

	peer_send(role_parent(), M_UNWATCH, &unwatch, -1);
}

static void
conn_ended(uint64_t number)
{
	struct msg_CONN_ENDED ended = { .id = number };

	peer_send(role_parent(), M_CONN_ENDED, &ended, -1);
	one_less();
}

static void
one_less(void)
{
	struct timeval tv = { .tv_sec = self.ops->linger };

	if (tv.tv_sec < (time_t)self.mailbox.pop3_delay)
		tv.tv_sec = (time_t)self.mailbox.pop3_delay;
	if (--self.conns > 0)
		return;
	/* The next one may need another process: see close_moved(). */
	if (self.shared.store == NULL && !role_draining()) {
		idle();
		return;
	}
	self.rest = 0;
	if (tv.tv_sec > REST_SECONDS) {
		self.rest = tv.tv_sec - REST_SECONDS;
		tv.tv_sec = REST_SECONDS;
	}
	if (role_draining() || event_add(self.linger, &tv) == -1)
		leave();
}

/*
 * Who comes back within a moment finds his mailboxes open; who comes later, a
 * process that costs little.
 */
static void
alone(evutil_socket_t fd, short ev, void *arg)
{
	struct timeval tv = { .tv_sec = self.rest };

	(void)fd;
	(void)ev;
	(void)arg;
	self.rest = 0;
	if (tv.tv_sec == 0) {
		idle();
		return;
	}
	if (self.shared.store != NULL)
		store_rest(self.shared.store);
	os_heap_trim();
	if (event_add(self.linger, &tv) == -1)
		leave();
}

/* The parent answers with DRAIN, or with another connection. */
static void
idle(void)
{
	struct msg_SESSION_IDLE msg = { .id = self.last };

	peer_send(role_parent(), M_SESSION_IDLE, &msg, -1);
}

static void
session_drain(unsigned int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	if (self.conns == 0)
		leave();
	if (self.ops->drain != NULL)
		self.ops->drain();
	if (event_add(self.deadline, &tv) == -1)
		leave();
}

static void
stop(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(void)arg;
	if (self.ops->stop != NULL)
		self.ops->stop();
	leave();
}

/* What is kept up for other programs is written when a folder is closed. */
static void
leave(void)
{
	store_close(self.shared.store);
	role_exit(0);
}

static void
session_stats(void)
{
	log_info("user=%s connections=%u", self.mailbox.user, self.conns);
}
