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

#include "buf/shown.h"
#include "buf/utf8.h"
#include "daemon/ctlclient.h"
#include "imsg/peer.h"
#include "os/compat.h"
#include "privsep/contract.h"

static struct {
	FILE	*out;
	FILE	*text;
	int	 done;
	int	 status;
	int	 gone;
	char	 rest[UTF8_MAX];	/* of a character that goes on */
	size_t	 nrest;
} ask;

/* Those that nobody has to look at: most. */
static size_t
plain(const char *s, size_t len)
{
	size_t	n = 0;

	while (n < len && ((s[n] >= ' ' && s[n] <= '~') || s[n] == '\n'))
		n++;
	return (n);
}

/*
 * What a daemon says has words of strangers in it, and of processes that may
 * have been taken over, and goes to the terminal of an administrator.  Returns
 * how many bytes were shown; what is left is the beginning of a character.
 */
static size_t
show(const char *s, size_t len, int more)
{
	char	c[SHOWN_MAX];
	size_t	at = 0, n;

	while (at < len) {
		if ((n = plain(s + at, len - at)) > 0) {
			if (fwrite(s + at, 1, n, ask.text) != n)
				ask.gone = 1;
		} else if (more && utf8_partial(s + at, len - at))
			break;
		else {
			n = shown_next(s + at, len - at, SHOWN_TERMINAL, c);
			if (fputs(c, ask.text) == EOF)
				ask.gone = 1;
		}
		at += n;
	}
	return (at);
}

/* A piece may end within a character. */
static void
ctl_text(struct peer *p, struct msg *m)
{
	const char	*s = (const char *)m->tail;
	size_t		 len = m->taillen, n;

	while (ask.nrest > 0 && len > 0) {
		ask.rest[ask.nrest++] = *s++;
		len--;
		n = show(ask.rest, ask.nrest, 1);
		ask.nrest -= n;
		memmove(ask.rest, ask.rest + n, ask.nrest);
	}
	n = show(s, len, 1);
	memcpy(ask.rest + ask.nrest, s + n, len - n);
	ask.nrest += len - n;
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

	(void)show(ask.rest, ask.nrest, 0);
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
	/* Where a message is asked for, words say why it cannot be had. */
	ask.text = what == CTL_QUEUE_CAT ? stderr : f;
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
