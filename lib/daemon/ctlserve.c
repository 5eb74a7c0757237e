/*
 * ctlserve: the serving end of a control socket.
 */
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/ctlserve.h"
#include "log/log.h"
#include "os/os.h"
#include "privsep/contract.h"

struct ctlserve {
	struct peer_ops		 ops;
	struct handler		 handlers[2];
	struct event_base	*base;
	struct event		*ev;
	struct event		*again;		/* after a failed accept */
	int			 fd;
	unsigned int		 clients;
	void			(*gone)(struct peer *);
};

static void
client_gone(struct peer *p, const char *why)
{
	struct ctlserve	*s = peer_arg(p);

	if (why != NULL)
		log_warnx("control socket: %s", why);
	s->clients--;
	if (s->gone != NULL)
		s->gone(p);
	peer_free(p);
	if (s->fd == -1 && s->clients == 0)
		free(s);
}

static int
may_ask(int fd)
{
	uid_t	uid;
	gid_t	gid;
	pid_t	pid;

	return (os_peer_cred(fd, &uid, &gid, &pid) == 0 &&
	    (uid == 0 || uid == geteuid()));
}

static void
on_accept(evutil_socket_t lfd, short ev, void *arg)
{
	static const struct timeval	second = { .tv_sec = 1 };
	struct ctlserve			*s = arg;
	struct peer			*p;
	int				 fd;

	fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1) {
		if (errno == EAGAIN || errno == EINTR ||
		    errno == ECONNABORTED)
			return;
		/* Level-triggered: without a pause it would spin. */
		log_warn("control socket");
		event_del(s->ev);
		event_add(s->again, &second);
		return;
	}
	if (s->clients >= CTLSERVE_CLIENTS || !may_ask(fd)) {
		close(fd);
		return;
	}
	if ((p = peer_new(s->base, &s->ops, ROLE_CTL, fd)) == NULL)
		return;
	peer_set_arg(p, s);
	s->clients++;
}

static void
on_again(evutil_socket_t fd, short ev, void *arg)
{
	struct ctlserve	*s = arg;

	if (event_add(s->ev, NULL) == -1)
		log_warnx("control socket: no event");
}

struct ctlserve *
ctlserve_new(struct event_base *base, int fd, const struct contract *contract,
    enum role self, peer_handler ask, void (*gone)(struct peer *))
{
	struct ctlserve	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL) {
		close(fd);
		return (NULL);
	}
	s->base = base;
	s->fd = fd;
	s->gone = gone;
	s->handlers[0].type = M_CTL_ASK;
	s->handlers[0].fn = ask;
	s->ops.contract = contract;
	s->ops.self = self;
	s->ops.handlers = s->handlers;
	s->ops.gone = client_gone;
	s->ev = event_new(base, fd, EV_READ | EV_PERSIST, on_accept, s);
	s->again = evtimer_new(base, on_again, s);
	if (s->ev == NULL || s->again == NULL ||
	    event_add(s->ev, NULL) == -1) {
		ctlserve_close(s);
		return (NULL);
	}
	return (s);
}

void
ctlserve_close(struct ctlserve *s)
{
	if (s->ev != NULL)
		event_free(s->ev);
	if (s->again != NULL)
		event_free(s->again);
	s->ev = s->again = NULL;
	close(s->fd);
	s->fd = -1;
	if (s->clients == 0)
		free(s);	/* else the last client does */
}
