/*
 * session: one user's POP3 clients, as the user, confined to the mailbox.
 *
 * A program of its own, without TLS.  Believes the parent; reads what clients
 * write after the login, which net passes through as it came.  May touch the
 * user's mailbox and nothing else.
 */
#include "os/compat.h"
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "contract.h"
#include "log/log.h"
#include "roles.h"
#include "store/store.h"

/*
 * A client that asks every few seconds finds the process still there; it
 * costs a start to end it too soon, and memory to end it too late.
 */
#define LINGER_SECONDS	10
#define CLIENTS_MAX	64

static struct {
	struct msg_MAILBOX mailbox;
	struct client_settings settings;
	struct event	*linger;
	uint64_t	 last;		/* number of the latest client */
	unsigned int	 clients;
} self;

static void	client_gone(void);
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

static const struct daemon_def pop3d = { "pop3d", &pop3d_contract, roles,
	NULL };

int
main(int argc, char **argv)
{
	role_run(&pop3d, &roles[0], argc, argv);
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
	if ((self.linger = evtimer_new(role_base(), idle, NULL)) == NULL)
		fatal("event");
	self.settings.base = role_base();
	self.settings.user = self.mailbox.user;
	self.settings.ended = client_gone;
	open_store();
}

/*
 * If it cannot be opened the clients are told, and the next one makes another
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

	strlcpy(dir, self.mailbox.path, sizeof(dir));
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
	self.clients++;
	if (self.clients > CLIENTS_MAX) {
		log_warnx("user=%s addr=%s: too many clients",
		    self.mailbox.user, conn->addr);
		client_gone();
		return;
	}
	m->fd = -1;
	if (client_start(&self.settings, fd, SESSION_NET_CONN(conn->id),
	    conn->addr) == -1) {
		log_warn("user=%s", self.mailbox.user);
		client_gone();
	}
}

static void
client_gone(void)
{
	struct timeval tv = { .tv_sec = LINGER_SECONDS };

	if (--self.clients > 0)
		return;
	if (role_draining() || event_add(self.linger, &tv) == -1)
		role_exit(0);
}

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
	static struct event *timer;
	struct timeval tv = { .tv_sec = seconds };

	if (self.clients == 0)
		role_exit(0);
	if (timer == NULL)
		timer = evtimer_new(role_base(), stop, NULL);
	if (timer == NULL || event_add(timer, &tv) == -1)
		role_exit(0);
}

static void
stop(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(void)arg;
	client_end_all();
	role_exit(0);
}

static void
session_stats(void)
{
	log_info("user=%s clients=%u", self.mailbox.user, self.clients);
}
