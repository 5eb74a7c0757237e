/*
 * session: one user's IMAP connections, as the user, confined to the mailbox.
 *
 * A program of its own, without TLS.  Believes the parent; reads what clients
 * write after the login, which net passes through as it came.  May touch the
 * user's mailbox and nothing else.
 */
#include "os/compat.h"
#include <event2/event.h>
#include <fcntl.h>

#include "contract.h"
#include "log/log.h"
#include "roles.h"
#include "session_conn.h"
#include "store/store.h"

/* A client that comes back soon finds the process still there. */
#define LINGER_SECONDS	60
#define CONNS_MAX	256		/* clients open several each */

static struct {
	struct msg_MAILBOX mailbox;
	struct session_settings settings;
	struct event	*linger;
	struct event	*deadline;
	uint64_t	 last;		/* number of the latest connection */
	unsigned int	 conns;
} self;

static void	conn_ended(void);
static void	open_store(void);
static void	session_mailbox(struct peer *, struct msg *);
static void	session_session_conn(struct peer *, struct msg *);
static void	session_go(void);
static void	session_drain(unsigned int);
static void	session_stats(void);
static void	idle(evutil_socket_t, short, void *);
static void	stop(evutil_socket_t, short, void *);

static const struct handler handlers[] = {
	{ M_MAILBOX,		session_mailbox },
	{ M_SESSION_CONN,	session_session_conn },
	{ 0, NULL }
};

static const struct role_code session_code = {
	.handlers = handlers,
	.go = session_go,
	.drain = session_drain,
	.stats = session_stats,
};

static const struct role_def roles[] = {
	SESSION_ROLE(&session_code),
	{ ROLE_PARENT, NULL, NULL, NULL, 0, 0, 0, NULL }
};

static const struct daemon_def imapd = { "imapd", &imapd_contract, roles,
	NULL };

int
main(int argc, char **argv)
{
	role_run(&imapd, &roles[0], argc, argv);
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
	self.linger = evtimer_new(role_base(), idle, NULL);
	self.deadline = evtimer_new(role_base(), stop, NULL);
	if (self.linger == NULL || self.deadline == NULL)
		fatal("event");
	self.settings.base = role_base();
	self.settings.user = self.mailbox.user;
	self.settings.ended = conn_ended;
	open_store();
}

/*
 * If it cannot be opened the client is told, and the next one makes another
 * attempt: a full disk may have been cleared in between.
 */
static void
open_store(void)
{
	struct store_settings set = { .user = self.mailbox.user };
	enum store_error e;
	const char *name = ".";
	char *slash;
	char dir[C_PATH];
	int fd;

	(void)strlcpy(dir, self.mailbox.path, sizeof(dir));
	if (self.mailbox.mbox && (slash = strrchr(dir, '/')) != NULL) {
		*slash = '\0';
		name = slash + 1;
	}
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		log_warn("user=%s %s", self.mailbox.user, dir);
		return;
	}
	set.hostname = role_settings()->hostname;
	set.mbox = (int)self.mailbox.mbox;
	set.quota = self.mailbox.quota;
	e = store_open(&self.settings.store, fd, name, &set, STORE_CREATE);
	if (e != STORE_OK) {
		log_warnx("user=%s %s: %s", self.mailbox.user,
		    self.mailbox.path, store_strerror(e));
		self.settings.store = NULL;
	}
	close(fd);
}

static void
session_session_conn(struct peer *parent, struct msg *m)
{
	const struct msg_SESSION_CONN *conn = m->body;
	int fd = m->fd;

	(void)parent;
	self.last = conn->id;
	if (event_del(self.linger) == -1)
		log_warnx("event_del");
	if (self.settings.store == NULL)
		open_store();
	self.conns++;
	if (self.conns > CONNS_MAX) {
		log_warnx("user=%s addr=%s: too many connections",
		    self.mailbox.user, conn->addr);
		conn_ended();
		return;
	}
	m->fd = -1;
	if (session_conn_new(&self.settings, fd, SESSION_NET_CONN(conn->id),
	    conn->addr) == -1) {
		log_warn("user=%s", self.mailbox.user);
		conn_ended();
	}
}

static void
conn_ended(void)
{
	struct timeval tv = { .tv_sec = LINGER_SECONDS };

	if (--self.conns > 0)
		return;
	if (role_draining() || event_add(self.linger, &tv) == -1)
		role_exit(0);
}

/* The parent answers with DRAIN, or with another connection. */
static void
idle(evutil_socket_t fd, short ev, void *arg)
{
	struct msg_SESSION_IDLE msg = { .id = self.last };

	(void)fd;
	(void)ev;
	(void)arg;
	peer_send(role_parent(), M_SESSION_IDLE, &msg, -1);
}

static void
session_drain(unsigned int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	if (self.conns == 0)
		role_exit(0);
	session_conn_drain();
	if (event_add(self.deadline, &tv) == -1)
		role_exit(0);
}

static void
stop(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(void)arg;
	role_exit(0);
}

static void
session_stats(void)
{
	log_info("user=%s connections=%u", self.mailbox.user, self.conns);
}
