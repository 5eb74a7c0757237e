/*
 * doors: the listening sockets of a net role.
 *
 * When descriptors run out every door is shut for a second; whoever waits
 * then waits in the kernel's queue.
 */
#include "os/compat.h"
#include <sys/resource.h>
#include <sys/socket.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/doors.h"
#include "log/log.h"
#include "tls/server.h"

#define ACCEPT_BURST	16		/* a turn of the loop */
#define CONF_BYTES	(16 << 20)
#define SPARE_FDS	64		/* listeners, channels, log */

struct door {
	TAILQ_ENTRY(door) entry;
	const struct conf_listen *conf;
	struct event	*ev;
	int		 fd;
};

static struct {
	struct conf	*conf;
	TAILQ_HEAD(, door) doors;
	struct event	*again;
	doors_take	 take;
} doors = {
	.doors = TAILQ_HEAD_INITIALIZER(doors.doors),
};

static void	open_all(evutil_socket_t, short, void *);
static void	close_for_a_second(void);
static void	accept_some(evutil_socket_t, short, void *);

const struct conf *
doors_conf(void)
{
	return (doors.conf);
}

void
doors_open(const char *alpn, doors_take take)
{
	struct door *d;

	doors.take = take;
	TAILQ_FOREACH(d, &doors.doors, entry) {
		if (d->conf->tls == NULL ? conf_proto_is_tls(d->conf->proto) :
		    tls_serve_context(d->conf->tls->index, alpn) == NULL)
			fatalx("no certificate for %s on %s; mailctl check "
			    "says which file is wrong",
			    conf_proto_name(d->conf->proto), d->conf->where);
	}
	if ((doors.again = evtimer_new(role_base(), open_all, NULL)) == NULL)
		fatal("event");
	open_all(-1, 0, NULL);
}

void
doors_close(void)
{
	struct door *d;

	while ((d = TAILQ_FIRST(&doors.doors)) != NULL) {
		TAILQ_REMOVE(&doors.doors, d, entry);
		event_free(d->ev);
		close(d->fd);
		free(d);
	}
}

/*
 * Each needs a descriptor here and one to its session.  One that does not fit
 * would be lost on its way from the parent.
 */
unsigned int
doors_most(void)
{
	struct rlimit rl;
	rlim_t most = doors.conf->max_sessions;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("getrlimit");
	if (rl.rlim_cur < SPARE_FDS + 2)
		fatalx("too few descriptors");
	if (most <= (rl.rlim_cur - SPARE_FDS) / 2)
		return ((unsigned int)most);
	most = (rl.rlim_cur - SPARE_FDS) / 2;
	log_warnx("descriptors suffice for %u sessions, not for %u",
	    (unsigned int)most, doors.conf->max_sessions);
	return ((unsigned int)most);
}

static void
open_all(evutil_socket_t fd, short ev, void *arg)
{
	struct door *d;

	(void)fd;
	(void)ev;
	(void)arg;
	TAILQ_FOREACH(d, &doors.doors, entry) {
		if (event_add(d->ev, NULL) == -1)
			fatal("event");
	}
}

static void
close_for_a_second(void)
{
	struct timeval tv = { .tv_sec = 1 };
	struct door *d;

	if (event_add(doors.again, &tv) == -1)
		return;
	TAILQ_FOREACH(d, &doors.doors, entry)
		event_del(d->ev);
}

static void
accept_some(evutil_socket_t lfd, short ev, void *arg)
{
	struct door *d = arg;
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, i;

	(void)ev;
	for (i = 0; i < ACCEPT_BURST; i++) {
		len = sizeof(ss);
		fd = accept4(lfd, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			doors.take(d->conf, fd, (struct sockaddr *)&ss, len);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			log_warn("accept");
			close_for_a_second();
		}
		return;
	}
}

static void
report(void *arg, int is_error, const char *line)
{
	(void)arg;
	if (is_error)
		log_warnx("%s", line);
}

void
net_conf(struct peer *parent, struct msg *m)
{
	char *text;
	size_t len;

	(void)parent;
	if ((text = role_slurp(m->fd, CONF_BYTES, &len)) == NULL)
		fatal("configuration");
	if (doors.conf != NULL)
		fatalx("a second configuration");
	if ((doors.conf = conf_parse(text, len, report, NULL)) == NULL)
		fatalx("configuration cannot be used");
	freezero(text, len);
}

void
net_cert(struct peer *parent, struct msg *m)
{
	const struct msg_CERT *cert = m->body;

	(void)parent;
	if (tls_serve_cert((unsigned int)cert->index, cert->name, m->fd) == -1)
		fatalx("certificate \"%s\" cannot be used", cert->name);
}

void
net_listener(struct peer *parent, struct msg *m)
{
	const struct msg_LISTENER *ask = m->body;
	const struct conf_listen *l = NULL;
	struct door *d;
	int flags;

	(void)parent;
	if (doors.conf != NULL && !ask->control) {
		TAILQ_FOREACH(l, &doors.conf->listens, entry) {
			if (l->index == ask->index)
				break;
		}
	}
	if (l == NULL || doors.take != NULL)
		fatalx("unknown listener");
	if ((flags = fcntl(m->fd, F_GETFL)) == -1 ||
	    fcntl(m->fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    (d = calloc(1, sizeof(*d))) == NULL)
		fatal("listener");
	if ((d->ev = event_new(role_base(), m->fd, EV_READ | EV_PERSIST,
	    accept_some, d)) == NULL)
		fatal("listener");
	d->conf = l;
	d->fd = m->fd;
	m->fd = -1;
	TAILQ_INSERT_TAIL(&doors.doors, d, entry);
}
