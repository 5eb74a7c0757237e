/*
 * conn: a connection over raw libevent events and libtls.
 *
 * Trusts nobody on the other side.  Touches the one socket it was given.
 *
 * Cost of a request and its answer in the clear: epoll_wait, read, write.
 * Reading goes through one buffer that all connections of the process share;
 * a connection has memory of its own only while it holds input that was not
 * consumed or output that was not written.
 */
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tls.h>
#include <unistd.h>

#include "buf/buf.h"
#include "net/conn_own.h"
#include "net/pump.h"
#include "os/compat.h"

#define CONN_READ	65536		/* the shared buffer */
#define CONN_OUT_MAX	(4 << 20)	/* more unwritten output is an error */
#define CONN_TURNS	16		/* TLS records read in one turn */

static char	shared[CONN_READ];

static void	on_readable(evutil_socket_t, short, void *);
static void	on_writable(evutil_socket_t, short, void *);
static void	on_kick(evutil_socket_t, short, void *);
static void	on_timer(evutil_socket_t, short, void *);

static void
rd_set(struct conn *c, int on)
{
	if (c->rd_on == (unsigned int)on || c->rd == NULL)
		return;
	c->rd_on = on;
	if ((on ? event_add(c->rd, NULL) : event_del(c->rd)) == -1)
		strlcpy(c->error, "event", sizeof(c->error));
}

static void
wr_set(struct conn *c, int on)
{
	if (c->wr_on == (unsigned int)on || c->wr == NULL)
		return;
	c->wr_on = on;
	if ((on ? event_add(c->wr, NULL) : event_del(c->wr)) == -1)
		strlcpy(c->error, "event", sizeof(c->error));
}

void
conn_kick(struct conn *c)
{
	if (c->kicked || c->over || c->freed)
		return;
	c->kicked = 1;
	event_active(c->kick, 0, 0);
}

/* Monotonic: a clock that is set must not end every connection. */
static time_t
seconds_now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec);
}

struct conn *
conn_new(struct event_base *base, int fd, const struct conn_ops *ops,
    void *arg, size_t in_max)
{
	struct conn	*c;
	int		 one = 1;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return (NULL);
	}
	/* Fails on a local socket, which needs it not. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->base = base;
	c->fd = fd;
	c->ops = ops;
	c->arg = arg;
	c->in_max = in_max;
	buf_init(&c->in, in_max + CONN_READ);
	buf_init(&c->out, CONN_OUT_MAX);
	c->in.secret = 1;
	c->heard = seconds_now();
	c->rd = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->wr = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->kick = event_new(base, -1, 0, on_kick, c);
	if (c->rd == NULL || c->wr == NULL || c->kick == NULL) {
		conn_free(c);
		return (NULL);
	}
	rd_set(c, 1);
	return (c);
}

void
conn_free(struct conn *c)
{
	if (c == NULL)
		return;
	c->over = 1;
	if (c->busy > 0) {
		c->freed = 1;
		return;
	}
	if (c->pump != NULL)
		pump_free(c->pump);
	if (c->rd != NULL)
		event_free(c->rd);
	if (c->wr != NULL)
		event_free(c->wr);
	if (c->kick != NULL)
		event_free(c->kick);
	if (c->timer != NULL)
		event_free(c->timer);
	tls_free(c->tls);
	if (c->fd != -1)
		close(c->fd);
	buf_wipe(&c->in);
	buf_wipe(&c->out);
	free(c);
}

/* Callbacks may free the connection; what they freed goes when all returned. */
static void
enter(struct conn *c)
{
	c->busy++;
}

static void
leave(struct conn *c)
{
	if (--c->busy == 0 && c->freed)
		conn_free(c);
}

static void
finish(struct conn *c, enum conn_end why)
{
	if (c->over)
		return;
	c->over = 1;
	rd_set(c, 0);
	wr_set(c, 0);
	c->ops->ended(c, c->arg, why);
}

static void
fail(struct conn *c, enum conn_end why, const char *text)
{
	if (c->over)
		return;
	strlcpy(c->error, text != NULL ? text : "unknown error",
	    sizeof(c->error));
	finish(c, why);
}

static void
progressed(struct conn *c)
{
	if (c->timeout > 0)
		c->progress = seconds_now();
}

/* The rest of what was read goes away, else close() would send a reset. */
static void
close_gently(struct conn *c)
{
	if (c->tls != NULL)
		(void)tls_close(c->tls);
	(void)shutdown(c->fd, SHUT_WR);
	(void)recv(c->fd, shared, sizeof(shared), MSG_DONTWAIT);
	finish(c, CONN_EOF);
}

/* How many were taken; what else is TLS_WANT_POLLIN, TLS_WANT_POLLOUT or -1. */
static ssize_t
put(struct conn *c, const void *data, size_t len)
{
	ssize_t	n;

	/* The answer to STARTTLS still leaves in the clear. */
	if (c->tls != NULL && !c->want_tls) {
		n = tls_write(c->tls, data, len);
		/* Broken, behind the peer's close_notify. */
		return (n == 0 ? -1 : n);
	}
	do {
		n = send(c->fd, data, len, MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	return (n == -1 && errno == EAGAIN ? TLS_WANT_POLLOUT : n);
}

/* 1 all written, 0 must wait, -1 over. */
static int
write_out(struct conn *c)
{
	ssize_t	n;

	while (buf_len(&c->out) > 0) {
		n = put(c, buf_data(&c->out), buf_len(&c->out));
		if (n == TLS_WANT_POLLIN)
			return (0);
		if (n == TLS_WANT_POLLOUT) {
			wr_set(c, 1);
			return (0);
		}
		if (n < 0) {
			fail(c, CONN_ERROR, c->tls != NULL && !c->want_tls ?
			    tls_error(c->tls) : strerror(errno));
			return (-1);
		}
		progressed(c);
		buf_drain(&c->out, n);
	}
	wr_set(c, 0);
	return (1);
}

static void
flush_out(struct conn *c)
{
	size_t	had = buf_len(&c->out);

	if (c->over || c->handshake)
		return;
	if (write_out(c) != 1)
		return;
	if (c->finishing) {
		close_gently(c);
		return;
	}
	if (!c->paused && !c->eof)
		rd_set(c, 1);
	if (had > 0 && c->ops->drained != NULL)
		c->ops->drained(c, c->arg);
}

/* Hand over what is buffered, as far as the protocol wants it now. */
static void
give_buffered(struct conn *c)
{
	size_t	n;

	while (!c->over && !c->paused && !c->finishing &&
	    buf_len(&c->in) > 0) {
		n = c->ops->input(c, c->arg, buf_data(&c->in),
		    buf_len(&c->in));
		if (c->over || c->freed)
			return;
		if (n == 0)
			break;
		/* STARTTLS threw the rest away */
		if (n > buf_len(&c->in))
			n = buf_len(&c->in);
		if (n > 0)
			buf_drain(&c->in, n);
		if (c->handshake || c->want_tls)
			return;
	}
	if (!c->over && !c->paused && !c->finishing &&
	    buf_len(&c->in) > c->in_max)
		fail(c, CONN_ERROR, "too much input");
}

static void
give(struct conn *c, const char *data, size_t len)
{
	size_t	n = 0;

	c->heard = c->progress = seconds_now();
	if (buf_len(&c->in) == 0 && !c->paused && !c->finishing) {
		n = c->ops->input(c, c->arg, data, len);
		/* What came with STARTTLS is never a command (RFC 3207 4.2) */
		if (c->over || c->freed || c->handshake || c->want_tls)
			return;
	}
	if (n < len && !c->finishing &&
	    buf_add(&c->in, data + n, len - n) == -1) {
		fail(c, CONN_ERROR, "too much input");
		return;
	}
	give_buffered(c);
}

/* What came before the end goes to the process before it. */
static void
pass_eof(struct conn *c)
{
	if (!c->over && c->eof && c->pump != NULL && buf_len(&c->in) == 0)
		pump_eof(c->pump);
}

static void
at_eof(struct conn *c)
{
	c->eof = 1;
	rd_set(c, 0);
	/* Commands that came before the end are still answered. */
	if (c->pump != NULL) {
		pass_eof(c);
		return;
	}
	if (c->paused || c->resumed || buf_len(&c->out) > 0)
		return;
	finish(c, CONN_EOF);
}

/* Reads until the socket is empty, the protocol pauses, or it is enough. */
static void
read_in(struct conn *c)
{
	ssize_t	n;
	int	turn;

	for (turn = 0; turn < CONN_TURNS; turn++) {
		if (c->over || c->paused || c->handshake)
			return;
		if (c->want_tls) {
			rd_set(c, 0);
			return;
		}
		if (buf_len(&c->out) > CONN_OUT_HIGH) {
			rd_set(c, 0);	/* until it was drained */
			return;
		}
		if (c->tls != NULL)
			n = tls_read(c->tls, shared, sizeof(shared));
		else
			n = recv(c->fd, shared, sizeof(shared), 0);
		if (c->tls != NULL && n == TLS_WANT_POLLIN)
			return;
		if (c->tls != NULL && n == TLS_WANT_POLLOUT) {
			wr_set(c, 1);
			return;
		}
		if (n == -1 && c->tls == NULL &&
		    (errno == EAGAIN || errno == EINTR))
			return;
		if (n == 0 || (n == -1 && c->tls == NULL &&
		    errno == ECONNRESET)) {
			at_eof(c);
			return;
		}
		if (n < 0) {
			fail(c, CONN_ERROR, c->tls != NULL ?
			    tls_error(c->tls) : strerror(errno));
			return;
		}
		give(c, shared, n);
		/* It may have been a password. */
		if (c->pump == NULL)
			explicit_bzero(shared, n);
		if (c->tls == NULL)
			return;
	}
	/* libtls may hold more; no event would tell. */
	conn_kick(c);
	c->resumed = 1;
}

static void
do_handshake(struct conn *c)
{
	int	r = tls_handshake(c->tls);

	switch (r) {
	case TLS_WANT_POLLIN:
		wr_set(c, 0);
		rd_set(c, 1);
		return;
	case TLS_WANT_POLLOUT:
		wr_set(c, 1);
		return;
	case 0:
		break;
	default:
		fail(c, CONN_TLS_FAILED, tls_error(c->tls));
		return;
	}
	c->handshake = 0;
	wr_set(c, 0);
	progressed(c);
	snprintf(c->cipher, sizeof(c->cipher), "%s %s",
	    tls_conn_version(c->tls), tls_conn_cipher(c->tls));
	if (buf_len(&c->out) > 0 || c->finishing)
		conn_kick(c);	/* what was said meanwhile */
	if (c->ops->secured != NULL)
		c->ops->secured(c, c->arg);
	if (!c->over && !c->paused)
		read_in(c);
}

static void
begin_tls(struct conn *c)
{
	c->want_tls = 0;
	c->handshake = 1;
	rd_set(c, 1);
	do_handshake(c);
}

static void
on_readable(evutil_socket_t fd, short ev, void *arg)
{
	struct conn	*c = arg;

	enter(c);
	if (c->handshake)
		do_handshake(c);
	else if (c->paused)
		rd_set(c, 0);		/* until conn_resume() */
	else {
		read_in(c);
		if (c->tls != NULL && buf_len(&c->out) > 0)
			conn_kick(c);
	}
	leave(c);
}

/* The client has said all, and all was answered. */
static void
end_at_eof(struct conn *c)
{
	if (!c->over && c->eof && !c->paused && c->pump == NULL &&
	    buf_len(&c->out) == 0)
		finish(c, CONN_EOF);
}

static void
on_writable(evutil_socket_t fd, short ev, void *arg)
{
	struct conn	*c = arg;

	enter(c);
	if (c->handshake)
		do_handshake(c);
	else if (c->want_tls) {
		if (write_out(c) == 1)
			begin_tls(c);
	} else {
		wr_set(c, 0);
		flush_out(c);
		if (c->tls != NULL && !c->over && !c->eof)
			read_in(c);
		end_at_eof(c);
	}
	leave(c);
}

static void
on_kick(evutil_socket_t fd, short ev, void *arg)
{
	struct conn	*c = arg;
	int		 again;

	enter(c);
	c->kicked = 0;
	if (c->choked)
		fail(c, CONN_ERROR, "output is not read");
	again = c->resumed;
	c->resumed = 0;
	if (again && !c->over && !c->paused) {
		give_buffered(c);
		pass_eof(c);
		if (!c->over && !c->paused && !c->eof && !c->handshake) {
			rd_set(c, 1);
			if (c->tls != NULL)
				read_in(c);
		}
	}
	if (!c->over && c->want_tls) {
		if (write_out(c) == 1)
			begin_tls(c);
	} else
		flush_out(c);
	end_at_eof(c);
	leave(c);
}

static void
on_timer(evutil_socket_t fd, short ev, void *arg)
{
	struct conn	*c = arg;
	struct timeval	 left = { 0 };

	enter(c);
	left.tv_sec = (time_t)c->timeout - (seconds_now() - c->progress);
	if (left.tv_sec <= 0 || event_add(c->timer, &left) == -1)
		fail(c, CONN_TIMEOUT, "timed out");
	leave(c);
}

void
conn_timeout(struct conn *c, unsigned int seconds)
{
	struct timeval	tv = { .tv_sec = seconds };

	c->timeout = seconds;
	c->progress = seconds_now();
	if (seconds == 0) {
		if (c->timer != NULL)
			event_del(c->timer);
		return;
	}
	if (c->timer == NULL &&
	    (c->timer = evtimer_new(c->base, on_timer, c)) == NULL)
		return;
	event_add(c->timer, &tv);
}

unsigned int
conn_silence(const struct conn *c)
{
	return ((unsigned int)(seconds_now() - c->heard));
}

void
conn_give(struct conn *c, void *arg)
{
	c->arg = arg;
}

int
conn_fd(const struct conn *c)
{
	return (c->fd);
}

const char *
conn_error(const struct conn *c)
{
	return (c->error);
}

void
conn_write(struct conn *c, const void *data, size_t len)
{
	if (c->over)
		return;
	if (buf_add(&c->out, data, len) == -1)
		c->choked = 1;
	conn_kick(c);
}

/* What was not taken, for whatever reason, flush_out() sees to. */
void
conn_send(struct conn *c, const void *data, size_t len)
{
	const char	*p = data;
	ssize_t		 n;

	while (len > 0 && buf_len(&c->out) == 0 && !c->over &&
	    !c->handshake && !c->want_tls && (n = put(c, p, len)) > 0) {
		progressed(c);
		p += n;
		len -= n;
	}
	if (len > 0)
		conn_write(c, p, len);
}

void
conn_printf(struct conn *c, const char *fmt, ...)
{
	va_list	ap;
	int	r;

	if (c->over)
		return;
	va_start(ap, fmt);
	r = buf_vprintf(&c->out, fmt, ap);
	va_end(ap);
	if (r == -1)
		c->choked = 1;
	conn_kick(c);
}

size_t
conn_unsent(const struct conn *c)
{
	return (buf_len(&c->out));
}

void
conn_pause(struct conn *c)
{
	c->paused = 1;
}

void
conn_resume(struct conn *c)
{
	if (!c->paused)
		return;
	c->paused = 0;
	c->resumed = 1;
	conn_kick(c);
}

void
conn_finish(struct conn *c)
{
	c->finishing = 1;
	c->paused = 0;
	conn_kick(c);
}

const char *
conn_pending(struct conn *c, size_t *len)
{
	*len = buf_len(&c->in);
	return (buf_data(&c->in));
}

int
conn_pump(struct conn *c, int fd, const void *first, size_t len)
{
	if ((c->pump = pump_new(c->base, c, fd, c->ops, c->arg)) == NULL)
		return (-1);
	c->ops = pump_conn_ops();
	c->arg = c->pump;
	if (len > 0)
		pump_first(c->pump, first, len);
	c->paused = 0;
	c->resumed = 1;
	conn_kick(c);
	return (0);
}
