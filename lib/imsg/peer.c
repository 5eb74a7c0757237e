/*
 * peer: framing, descriptors, and the read loop of a channel.
 *
 * Trusts nobody: whatever arrives is held against the contract first.
 *
 * Cost: messages that are sent in one turn of the event loop are gathered and
 * leave in one write(); one that carries a descriptor needs a sendmsg() of its
 * own.  Reading takes one recvmsg() for up to PEER_READ bytes; a handler sees
 * its message where it was received, without a copy.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf/buf.h"
#include "imsg/peer.h"
#include "log/log.h"
#include "os/compat.h"

#define PEER_READ	(2 * PEER_MSG_MAX)
#define PEER_FDS	64	/* received and not yet claimed by a message */
#define PEER_FDS_CALL	16	/* in one recvmsg() */

struct frame {
	uint32_t	type;
	uint32_t	len;		/* of struct and tail */
	uint32_t	nfds;
	uint32_t	zero;
};

/* A descriptor that waits to be sent with the byte at this place. */
struct outfd {
	TAILQ_ENTRY(outfd) entry;
	uint64_t	 at;
	int		 fd;
};

struct peer {
	const struct peer_ops	*ops;
	enum role		 other;
	int			 fd;
	unsigned int		 phase;
	void			*arg;
	pid_t			 pid;
	uint32_t		 generation;
	struct event		*in;
	struct event		*out;		/* the socket was full */
	struct event		*flush;		/* end of this turn */
	struct buf		 rbuf;
	struct buf		 wbuf;
	uint64_t		 wdone;		/* bytes ever written */
	TAILQ_HEAD(, outfd)	 wfds;
	int			 rfds[PEER_FDS];
	size_t			 nrfds;
	const char		*broken;	/* why it is over */
	int			 full;		/* a message was lost */
	int			 flushing;
	int			 busy;		/* inside a handler */
	int			 freed;		/* peer_free() inside one */
	uint32_t		 answered;	/* last type handled */
	time_t			 second;
	unsigned int		*count;		/* by type in this second */
};

static void	peer_readable(evutil_socket_t, short, void *);
static void	peer_writable(evutil_socket_t, short, void *);

void
peer_check_handlers(const struct peer_ops *ops)
{
	const struct contract	*c = ops->contract;
	const struct handler	*h;
	uint32_t		 type;

	for (type = 0; type < c->nmsgs; type++) {
		for (h = ops->handlers; h->fn != NULL; h++)
			if (h->type == type)
				break;
		if (h->fn == NULL && (c->msgs[type].to & (1u << ops->self)))
			fatalx("%s has no handler for %s",
			    role_name(ops->self), c->msgs[type].name);
		if (h->fn != NULL && !(c->msgs[type].to & (1u << ops->self)))
			fatalx("%s must not handle %s", role_name(ops->self),
			    c->msgs[type].name);
	}
}

static int
peer_events(struct event_base *base, struct peer *p)
{
	p->in = event_new(base, p->fd, EV_READ | EV_PERSIST, peer_readable, p);
	p->out = event_new(base, p->fd, EV_WRITE, peer_writable, p);
	p->flush = event_new(base, -1, 0, peer_writable, p);
	if (p->in == NULL || p->out == NULL || p->flush == NULL)
		return (-1);
	return (event_add(p->in, NULL));
}

struct peer *
peer_new(struct event_base *base, const struct peer_ops *ops, enum role other,
    int fd)
{
	struct peer	*p;
	int		 flags;

	if ((p = calloc(1, sizeof(*p))) == NULL) {
		close(fd);
		return (NULL);
	}
	p->ops = ops;
	p->other = other;
	p->fd = fd;
	p->phase = WHEN_RUN;
	TAILQ_INIT(&p->wfds);
	buf_init(&p->rbuf, PEER_READ);
	buf_init(&p->wbuf, PEER_OUT_MAX);
	p->rbuf.secret = p->wbuf.secret = 1;	/* passwords pass here */
	if ((p->count = calloc(ops->contract->nmsgs, sizeof(*p->count))) ==
	    NULL || (flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    peer_events(base, p) == -1) {
		peer_free(p);
		return (NULL);
	}
	return (p);
}

static void
drop_fds(struct peer *p)
{
	struct outfd	*o;
	size_t		 i;

	while ((o = TAILQ_FIRST(&p->wfds)) != NULL) {
		TAILQ_REMOVE(&p->wfds, o, entry);
		close(o->fd);
		free(o);
	}
	for (i = 0; i < p->nrfds; i++)
		close(p->rfds[i]);
	p->nrfds = 0;
}

void
peer_free(struct peer *p)
{
	if (p == NULL)
		return;
	if (p->in != NULL)
		event_free(p->in);
	if (p->out != NULL)
		event_free(p->out);
	if (p->flush != NULL)
		event_free(p->flush);
	p->in = p->out = p->flush = NULL;
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
	if (p->busy) {			/* freed by its own handler */
		p->freed = 1;
		return;
	}
	drop_fds(p);
	buf_wipe(&p->rbuf);
	buf_wipe(&p->wbuf);
	free(p->count);
	free(p);
}

void
peer_phase(struct peer *p, unsigned int when)
{
	p->phase = when;
}

void
peer_set_arg(struct peer *p, void *arg)
{
	p->arg = arg;
}

void *
peer_arg(struct peer *p)
{
	return (p->arg);
}

void
peer_set_pid(struct peer *p, pid_t pid)
{
	p->pid = pid;
}

pid_t
peer_pid(const struct peer *p)
{
	return (p->pid);
}

void
peer_set_generation(struct peer *p, uint32_t generation)
{
	p->generation = generation;
}

uint32_t
peer_generation(const struct peer *p)
{
	return (p->generation);
}

enum role
peer_role(const struct peer *p)
{
	return (p->other);
}

size_t
peer_unsent(const struct peer *p)
{
	return (buf_len(&p->wbuf));
}

/* The channel is over; tell the owner once, from the loop. */
static void
peer_break(struct peer *p, const char *why)
{
	if (p->broken != NULL || p->freed)
		return;
	p->broken = why != NULL ? why : "";
	if (p->in != NULL)
		event_del(p->in);
	if (p->ops->gone != NULL)
		p->ops->gone(p, why);
}

void
peer_send_tail(struct peer *p, uint32_t type, const void *body,
    const void *tail, size_t taillen, int fd)
{
	const struct contract	*c = p->ops->contract;
	const struct msg_def	*def;
	struct frame		 h = { .type = type };
	struct outfd		*o = NULL;
	struct msg		 m;
	char			 text[512];

	if (type >= c->nmsgs || taillen > c->msgs[type].tail ||
	    (fd != -1) != (c->msgs[type].fds == 1) ||
	    !(c->msgs[type].from & (1u << p->ops->self)) ||
	    !(c->msgs[type].to & (1u << p->other)))
		fatalx("%s: message %u to %s breaks the contract",
		    role_name(p->ops->self), type, role_name(p->other));
	def = &c->msgs[type];
	if (log_level() >= 2) {
		m.type = type;
		m.body = (void *)(uintptr_t)body;
		m.taillen = taillen;
		contract_format(c, &m, text, sizeof(text));
		log_trace("to %s: %s", role_name(p->other), text);
	}
	h.len = def->size + taillen;
	h.nfds = def->fds;
	if (p->broken != NULL || p->fd == -1 ||
	    (fd != -1 && (o = calloc(1, sizeof(*o))) == NULL))
		goto lost;
	if (buf_reserve(&p->wbuf, sizeof(h) + h.len) == NULL) {
		p->full = 1;
		event_active(p->flush, 0, 0);
		goto lost;
	}
	if (o != NULL) {
		o->at = p->wdone + buf_len(&p->wbuf);
		o->fd = fd;
		TAILQ_INSERT_TAIL(&p->wfds, o, entry);
	}
	/* The room was reserved, so these cannot fail half-way. */
	if (buf_add(&p->wbuf, &h, sizeof(h)) == -1 ||
	    buf_add(&p->wbuf, body, def->size) == -1 ||
	    buf_add(&p->wbuf, tail, taillen) == -1)
		fatal("peer buffer");
	if (!p->flushing) {
		p->flushing = 1;
		event_active(p->flush, 0, 0);
	}
	return;
lost:
	free(o);
	if (fd != -1)
		close(fd);
}

void
peer_send(struct peer *p, uint32_t type, const void *body, int fd)
{
	peer_send_tail(p, type, body, NULL, 0, fd);
}

static ssize_t
send_some(struct peer *p, const void *data, size_t len, int fd)
{
	struct iovec	iov = { (void *)(uintptr_t)data, len };
	struct msghdr	mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr	*cm;
	union {
		struct cmsghdr	h;
		char		b[CMSG_SPACE(sizeof(int))];
	} ctl;

	if (fd == -1)
		return (write(p->fd, data, len));
	memset(&ctl, 0, sizeof(ctl));
	mh.msg_control = ctl.b;
	mh.msg_controllen = sizeof(ctl.b);
	cm = CMSG_FIRSTHDR(&mh);
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	return (sendmsg(p->fd, &mh, MSG_NOSIGNAL));
}

/* 1 all written, 0 the socket is full, -1 broken. */
static int
write_out(struct peer *p)
{
	struct outfd	*o;
	size_t		 len;
	ssize_t		 n;
	int		 fd;

	while ((len = buf_len(&p->wbuf)) > 0) {
		fd = -1;
		if ((o = TAILQ_FIRST(&p->wfds)) != NULL) {
			if (o->at == p->wdone) {
				fd = o->fd;
				o = TAILQ_NEXT(o, entry);
			}
			if (o != NULL && o->at - p->wdone < len)
				len = o->at - p->wdone;
		}
		n = send_some(p, buf_data(&p->wbuf), len, fd);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (errno == EAGAIN || errno == ENOBUFS ? 0 : -1);
		if (fd != -1) {
			o = TAILQ_FIRST(&p->wfds);
			TAILQ_REMOVE(&p->wfds, o, entry);
			close(o->fd);
			free(o);
		}
		p->wdone += n;
		buf_drain(&p->wbuf, n);
	}
	return (1);
}

static void
peer_writable(evutil_socket_t fd, short ev, void *arg)
{
	struct peer	*p = arg;

	p->flushing = 0;
	if (p->broken != NULL || p->fd == -1)
		return;
	if (p->full) {
		peer_break(p, "does not read");
		return;
	}
	switch (write_out(p)) {
	case 0:
		p->flushing = 1;
		if (event_add(p->out, NULL) == -1)
			peer_break(p, "no event");
		break;
	case -1:
		/* What it sent before it went may still be read: EOF tells. */
		if (errno != EPIPE && errno != ECONNRESET)
			peer_break(p, strerror(errno));
		break;
	}
}

void
peer_push(struct peer *p)
{
	/* What goes wrong is noticed at the end of the turn. */
	if (p->broken == NULL && p->fd != -1 && !p->full)
		(void)write_out(p);
}

int
peer_flush(struct peer *p)
{
	struct pollfd	pfd = { .fd = p->fd, .events = POLLOUT };
	int		r;

	while ((r = write_out(p)) == 0)
		if (poll(&pfd, 1, -1) == -1 && errno != EINTR)
			return (-1);
	return (r == 1 ? 0 : -1);
}

/* Keep what came with these bytes; more than PEER_FDS is a broken peer. */
static int
take_fds(struct peer *p, struct msghdr *mh)
{
	struct cmsghdr	*cm;
	size_t		 i, n;
	int		 fd, ret = 0;

	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET ||
		    cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int),
			    sizeof(fd));
			if (p->nrfds == PEER_FDS) {
				close(fd);
				ret = -1;
			} else
				p->rfds[p->nrfds++] = fd;
		}
	}
	return (mh->msg_flags & MSG_CTRUNC ? -1 : ret);
}

/* 1 some came, 0 none now, -1 over; *why is NULL at a plain EOF. */
static int
read_in(struct peer *p, const char **why)
{
	struct iovec	iov;
	struct msghdr	mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t		n;
	union {
		struct cmsghdr	h;
		char		b[CMSG_SPACE(sizeof(int) * PEER_FDS_CALL)];
	} ctl;

	*why = NULL;
	iov.iov_len = PEER_READ - buf_len(&p->rbuf);
	if (iov.iov_len == 0)
		return (0);	/* what is there has to be handled first */
	if (iov.iov_len > PEER_MSG_MAX)
		iov.iov_len = PEER_MSG_MAX;
	if ((iov.iov_base = buf_reserve(&p->rbuf, iov.iov_len)) == NULL) {
		*why = "out of memory";
		return (-1);
	}
	mh.msg_control = ctl.b;
	mh.msg_controllen = sizeof(ctl.b);
	n = recvmsg(p->fd, &mh, MSG_CMSG_CLOEXEC);
	if (n == -1) {
		if (errno == EAGAIN || errno == EINTR)
			return (0);
		if (errno != ECONNRESET)
			*why = strerror(errno);
		return (-1);
	}
	if (take_fds(p, &mh) == -1) {
		*why = "too many descriptors";
		return (-1);
	}
	if (n == 0)
		return (-1);
	buf_commit(&p->rbuf, n);
	return (1);
}

static const char *
check_rate(struct peer *p, uint32_t type)
{
	unsigned int	rate = p->ops->contract->msgs[type].rate;
	struct timespec	ts;

	if (rate == 0)
		return (NULL);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (ts.tv_sec != p->second) {
		p->second = ts.tv_sec;
		memset(p->count, 0, p->ops->contract->nmsgs *
		    sizeof(*p->count));
	}
	return (++p->count[type] > rate ? "too many a second" : NULL);
}

static void
call_handler(struct peer *p, struct msg *m)
{
	const struct handler	*h;
	char			 text[512];

	if (log_level() >= 2) {
		contract_format(p->ops->contract, m, text, sizeof(text));
		log_trace("from %s: %s", role_name(p->other), text);
	}
	for (h = p->ops->handlers; h->fn != NULL; h++)
		if (h->type == m->type) {
			h->fn(p, m);
			break;
		}
	contract_wipe(p->ops->contract, m);
	if (m->fd != -1)
		close(m->fd);
	p->answered = m->type;
}

/* Handle the first whole message.  1 done, 0 none is whole yet, -1 bad. */
static int
handle_one(struct peer *p, const char **why)
{
	struct frame	 h;
	struct msg	 m;
	unsigned char	*data = buf_data(&p->rbuf);
	size_t		 len = buf_len(&p->rbuf);

	/* A descriptor comes with the first byte of its message. */
	if (len == 0 && p->nrfds > 0) {
		*why = "unexpected descriptor";
		return (-1);
	}
	if (len < sizeof(h))
		return (0);
	memcpy(&h, data, sizeof(h));
	if (h.len > PEER_MSG_MAX - sizeof(h)) {
		*why = "too long";
		return (-1);
	}
	if (len - sizeof(h) < h.len)
		return (0);
	if (h.nfds > p->nrfds) {
		*why = "descriptor missing";
		return (-1);
	}
	*why = contract_check(p->ops->contract, p->other, p->ops->self,
	    p->phase, h.type, data + sizeof(h), h.len, h.nfds, &m);
	if (*why == NULL)
		*why = check_rate(p, h.type);
	if (*why != NULL)
		return (-1);
	if (h.nfds == 1) {
		m.fd = p->rfds[0];
		p->nrfds--;
		memmove(p->rfds, p->rfds + 1, p->nrfds * sizeof(int));
	}
	call_handler(p, &m);
	if (!p->freed)
		buf_drain(&p->rbuf, sizeof(h) + h.len);
	return (1);
}

/* Handle what is there; stops early at the answer that is waited for. */
static int
handle_all(struct peer *p, int64_t until)
{
	const char	*why = NULL;
	int		 r;

	p->busy++;
	do {
		r = handle_one(p, &why);
	} while (r == 1 && !p->freed && p->broken == NULL &&
	    (until == -1 || p->answered != until));
	p->busy--;
	if (p->freed) {
		if (p->busy == 0)
			peer_free(p);
		return (-1);
	}
	if (r == -1) {
		peer_break(p, why);
		return (-1);
	}
	return (p->broken != NULL ? -1 : 0);
}

static void
peer_readable(evutil_socket_t fd, short ev, void *arg)
{
	struct peer	*p = arg;
	const char	*why;

	if (read_in(p, &why) == -1) {
		peer_break(p, why);
		return;
	}
	if (buf_len(&p->rbuf) > 0)
		(void)handle_all(p, -1);
}

/* What was read but is not waited for is handled by the loop. */
static void
leave_rest(struct peer *p)
{
	if (buf_len(&p->rbuf) > 0)
		event_active(p->in, EV_READ, 0);
}

static int
wait_readable(struct peer *p, int timeout)
{
	struct pollfd	pfd = { .fd = p->fd, .events = POLLIN };
	int		n;

	do {
		n = poll(&pfd, 1, timeout == -1 ? -1 : timeout * 1000);
	} while (n == -1 && errno == EINTR);
	return (n == 1 ? 0 : -1);
}

int
peer_read_one(struct peer *p)
{
	const char	*why;
	int		 r;

	for (;;) {
		p->busy++;
		r = handle_one(p, &why);
		p->busy--;
		if (p->freed) {			/* by that handler */
			if (p->busy == 0)
				peer_free(p);
			return (-1);
		}
		if (r == 1) {
			leave_rest(p);
			return (1);
		}
		if (r == -1) {
			peer_break(p, why);
			return (-1);
		}
		if (wait_readable(p, -1) == -1)
			return (-1);
		if (read_in(p, &why) == -1) {
			if (why == NULL)
				return (0);
			peer_break(p, why);
			return (-1);
		}
	}
}

int
peer_call(struct peer *p, uint32_t type, const void *body, const void *tail,
    size_t taillen, uint32_t answer, int timeout)
{
	const char	*why;

	peer_send_tail(p, type, body, tail, taillen, -1);
	if (peer_flush(p) == -1)
		return (-1);
	p->answered = UINT32_MAX;
	for (;;) {
		if (handle_all(p, answer) == -1)
			return (-1);
		if (p->answered == answer) {
			leave_rest(p);
			return (0);
		}
		if (wait_readable(p, timeout) == -1)
			return (-1);
		if (read_in(p, &why) == -1) {
			peer_break(p, why);
			return (-1);
		}
	}
}
