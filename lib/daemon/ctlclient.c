/*
 * ctlclient: asking a running daemon over its control socket.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/ctlclient.h"
#include "imsg/peer.h"
#include "os/compat.h"
#include "privsep/contract.h"

static struct {
	FILE	*out;
	int	 done;
	int	 status;
	int	 gone;
} ask;

static void
ctl_text(struct peer *p, struct msg *m)
{
	if (fwrite(m->tail, 1, m->taillen, ask.out) != m->taillen)
		ask.gone = 1;
}

/* A file, handed over as it is: its size is the daemon's word for nothing. */
static void
ctl_file(struct peer *p, struct msg *m)
{
	char	piece[65536];
	ssize_t	n;
	off_t	off = 0;

	while ((n = pread(m->fd, piece, sizeof(piece), off)) > 0) {
		if (fwrite(piece, 1, (size_t)n, ask.out) != (size_t)n)
			break;
		off += n;
	}
	if (n != 0)
		ask.gone = 1;
}

static void
ctl_done(struct peer *p, struct msg *m)
{
	const struct msg_CTL_DONE	*d = m->body;

	ask.done = 1;
	ask.status = d->status;
}

static void
ctl_gone(struct peer *p, const char *why)
{
	ask.gone = 1;
}

static const struct handler handlers[] = {
	{ M_CTL_TEXT,	ctl_text },
	{ M_CTL_FILE,	ctl_file },
	{ M_CTL_DONE,	ctl_done },
	{ 0,		NULL }
};

static int
dial(const char *state, const char *name)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	int			fd, save;

	if ((size_t)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s.sock",
	    state, name) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return (-1);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		save = errno;
		close(fd);
		errno = save;
		return (-1);
	}
	return (fd);
}

int
ctl_ask(const struct contract *contract, const char *state, const char *name,
    unsigned int what, int json, const char *arg, FILE *f, int *status)
{
	struct peer_ops		 ops = { contract, ROLE_CTL, handlers,
				     ctl_gone };
	struct msg_CTL_ASK	 m = { .what = what, .json = json };
	struct event_base	*base;
	struct peer		*p;
	enum role		 other;
	int			 fd;

	if ((fd = dial(state, name)) == -1)
		return (-1);
	memset(&ask, 0, sizeof(ask));
	ask.out = f;
	other = strcmp(name, "queue") == 0 ? ROLE_QUEUE : ROLE_PARENT;
	if ((base = event_base_new()) == NULL)
		return (-1);
	if ((p = peer_new(base, &ops, other, fd)) == NULL) {
		event_base_free(base);
		return (-1);
	}
	strlcpy(m.arg, arg, sizeof(m.arg));
	peer_send(p, M_CTL_ASK, &m, -1);
	if (peer_flush(p) == 0)
		while (!ask.done && !ask.gone && peer_read_one(p) == 1)
			;
	peer_free(p);
	event_base_free(base);
	if (!ask.done) {
		errno = ECONNRESET;
		return (-1);
	}
	*status = ask.status;
	return (fflush(f) == 0 ? 0 : -1);
}
