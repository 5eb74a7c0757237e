/*
 * pump: bytes both ways between a connection and a socket to another process.
 *
 * Cost: a small request and its answer take a read and a write on each side;
 * bulk goes in pieces of PUMP_READ, from where they were read and not copied
 * unless the client does not take them.  Each side is read only while the other
 * takes what was read, so a connection holds at most CONN_OUT_HIGH plus one
 * piece.
 */
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf/buf.h"
#include "net/pump.h"

#define PUMP_READ	65536
#define PUMP_FIRST	65536
#define PUMP_LAST	60	/* seconds a client has for the last bytes */

struct pump {
	struct conn		*c;
	int			 fd;
	const struct conn_ops	*owner;
	void			*arg;
	struct event		*rd;
	struct event		*wr;
	struct buf		 first;
	int			 rd_on;
	int			 eof;	/* of the client, behind first */
};

static char	piece[PUMP_READ];

/* From the client to the process. */
static size_t
pump_input(struct conn *c, void *arg, const char *data, size_t len)
{
	struct pump	*p = arg;
	ssize_t		 n;

	if (buf_len(&p->first) > 0) {
		conn_pause(c);
		return (0);
	}
	n = send(p->fd, data, len, MSG_NOSIGNAL);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		n = 0;
	if (n == -1) {
		/* The process has gone; what it wrote last is still read. */
		return (len);
	}
	if ((size_t)n < len) {
		conn_pause(c);
		event_add(p->wr, NULL);
	}
	return (n);
}

static void
pump_writable(evutil_socket_t fd, short ev, void *arg)
{
	struct pump	*p = arg;
	ssize_t		 n;

	while (buf_len(&p->first) > 0) {
		n = send(p->fd, buf_data(&p->first), buf_len(&p->first),
		    MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN) {
			event_add(p->wr, NULL);
			return;
		}
		if (n == -1) {
			buf_wipe(&p->first);
			break;
		}
		buf_drain(&p->first, n);
	}
	if (p->eof)
		pump_eof(p);
	conn_resume(p->c);
}

/* From the process to the client. */
static void
pump_readable(evutil_socket_t fd, short ev, void *arg)
{
	struct pump	*p = arg;
	ssize_t		 n;

	n = recv(p->fd, piece, sizeof(piece), 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		event_del(p->rd);
		p->rd_on = 0;
		/* Nobody else watches over a client that does not read. */
		conn_timeout(p->c, PUMP_LAST);
		conn_finish(p->c);
		return;
	}
	conn_send(p->c, piece, n);
	if (conn_unsent(p->c) > CONN_OUT_HIGH) {
		event_del(p->rd);
		p->rd_on = 0;
	}
}

static void
pump_drained(struct conn *c, void *arg)
{
	struct pump	*p = arg;

	if (!p->rd_on && event_add(p->rd, NULL) == 0)
		p->rd_on = 1;
}

static void
pump_ended(struct conn *c, void *arg, enum conn_end why)
{
	struct pump	*p = arg;

	p->owner->ended(c, p->arg, why);
}

static const struct conn_ops ops = {
	.input = pump_input,
	.drained = pump_drained,
	.ended = pump_ended,
};

const struct conn_ops *
pump_conn_ops(void)
{
	return (&ops);
}

struct pump *
pump_new(struct event_base *base, struct conn *c, int fd,
    const struct conn_ops *owner, void *arg)
{
	struct pump	*p;

	if ((p = calloc(1, sizeof(*p))) == NULL) {
		close(fd);
		return (NULL);
	}
	p->c = c;
	p->fd = fd;
	p->owner = owner;
	p->arg = arg;
	buf_init(&p->first, PUMP_FIRST);
	p->rd = event_new(base, fd, EV_READ | EV_PERSIST, pump_readable, p);
	p->wr = event_new(base, fd, EV_WRITE, pump_writable, p);
	if (p->rd == NULL || p->wr == NULL ||
	    evutil_make_socket_nonblocking(fd) == -1 ||
	    event_add(p->rd, NULL) == -1) {
		pump_free(p);
		return (NULL);
	}
	p->rd_on = 1;
	return (p);
}

void
pump_free(struct pump *p)
{
	if (p->rd != NULL)
		event_free(p->rd);
	if (p->wr != NULL)
		event_free(p->wr);
	close(p->fd);
	buf_wipe(&p->first);
	free(p);
}

void
pump_first(struct pump *p, const void *data, size_t len)
{
	if (buf_add(&p->first, data, len) == 0)
		pump_writable(p->fd, EV_WRITE, p);
}

/* The client has said all; the process ends the connection when it is done. */
void
pump_eof(struct pump *p)
{
	p->eof = 1;
	if (buf_len(&p->first) > 0)
		return;
	if (shutdown(p->fd, SHUT_WR) == -1)
		conn_finish(p->c);
}
