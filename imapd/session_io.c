/*
 * session_io: one non-blocking descriptor in the event loop, with limits.
 *
 * Believes nothing of what it reads and looks at none of it.  Ends are told
 * in a turn of their own, never from inside a call of the owner's.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <time.h>

#include "session_io.h"
#include "session_zip.h"

#define SEND_PIECE	(64 * 1024)	/* deflated at a time */

struct sio {
	int			 fd;
	const struct sio_ops	*ops;
	void			*arg;
	struct event		*rd;
	struct event		*wr;
	struct event		*next;		/* the turn asked for */
	struct event		*idle;
	struct buf		 in;
	struct buf		 out;
	struct zip		*zip;		/* NULL: not compressed */
	int			 zip_next;	/* from the end of this turn */
	struct buf		 raw;		/* came, not yet inflated */
	struct buf		 wire;		/* deflated, not yet sent */
	int			 eof;
	int			 failed;
	int			 finishing;
	int			 held;		/* nothing may leave yet */
	int			 wants_turn;	/* sio_again() was called */
	int			 hurry;		/* idle is the very end */
	unsigned int		 idle_seconds;
	time_t			 active;
	uint64_t		 bytes_in;
	uint64_t		 bytes_out;
};

static void	on_read(evutil_socket_t, short, void *);
static void	on_write(evutil_socket_t, short, void *);
static void	on_turn(evutil_socket_t, short, void *);
static void	on_idle(evutil_socket_t, short, void *);

static time_t
now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return (0);
	return (ts.tv_sec);
}

struct sio *
sio_new(struct event_base *base, int fd, const struct sio_ops *ops, void *arg,
    unsigned int idle_seconds)
{
	struct timeval tv = { .tv_sec = idle_seconds };
	struct sio *io;
	int flags;

	if ((io = calloc(1, sizeof(*io))) == NULL) {
		close(fd);
		return (NULL);
	}
	io->fd = fd;
	io->ops = ops;
	io->arg = arg;
	io->idle_seconds = idle_seconds;
	io->active = now();
	buf_init(&io->in, SIO_IN_MAX);
	buf_init(&io->out, SIO_OUT_MAX);
	buf_init(&io->raw, SIO_IN_MAX);
	buf_init(&io->wire, SIO_OUT_MAX);
	io->rd = event_new(base, fd, EV_READ | EV_PERSIST, on_read, io);
	io->wr = event_new(base, fd, EV_WRITE, on_write, io);
	io->next = evtimer_new(base, on_turn, io);
	io->idle = evtimer_new(base, on_idle, io);
	if (io->rd == NULL || io->wr == NULL || io->next == NULL ||
	    io->idle == NULL || (flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    event_add(io->rd, NULL) == -1 || event_add(io->idle, &tv) == -1) {
		sio_free(io);
		return (NULL);
	}
	return (io);
}

void
sio_free(struct sio *io)
{
	if (io == NULL)
		return;
	if (io->rd != NULL)
		event_free(io->rd);
	if (io->wr != NULL)
		event_free(io->wr);
	if (io->next != NULL)
		event_free(io->next);
	if (io->idle != NULL)
		event_free(io->idle);
	buf_free(&io->in);
	buf_free(&io->out);
	buf_free(&io->raw);
	buf_free(&io->wire);
	zip_free(io->zip);
	if (io->fd != -1)
		close(io->fd);
	free(io);
}

struct buf *
sio_out(struct sio *io)
{
	return (&io->out);
}

int
sio_full(const struct sio *io)
{
	return (io->failed || buf_len(&io->out) >= SIO_OUT_HIGH ||
	    buf_len(&io->wire) >= SIO_OUT_HIGH);
}

/* A timer of no length runs behind the descriptors that are ready. */
static void
schedule(struct sio *io)
{
	struct timeval tv = { 0 };

	if (!evtimer_pending(io->next, NULL) && event_add(io->next, &tv) == -1)
		io->failed = 1;
}

void
sio_fail(struct sio *io)
{
	io->failed = 1;
	schedule(io);
}

void
sio_again(struct sio *io)
{
	io->wants_turn = 1;
	schedule(io);
}

void
sio_finish(struct sio *io)
{
	io->finishing = 1;
	schedule(io);
}

void
sio_hurry(struct sio *io, unsigned int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	io->hurry = 1;
	if (event_add(io->idle, &tv) == -1)
		sio_fail(io);
}

int
sio_held(const struct sio *io)
{
	return (io->held);
}

void
sio_hold(struct sio *io, int on)
{
	io->held = on;
	if (on)
		return;
	sio_flush(io);
	schedule(io);
}

long
sio_quiet(const struct sio *io)
{
	if (io->eof || io->failed || io->finishing || io->wants_turn ||
	    io->held || io->zip != NULL || buf_len(&io->in) > 0 ||
	    buf_len(&io->out) > 0 || buf_len(&io->wire) > 0)
		return (-1);
	return ((long)(now() - io->active));
}

unsigned int
sio_left(const struct sio *io)
{
	time_t quiet = now() - io->active;

	return (quiet < (time_t)io->idle_seconds ?
	    io->idle_seconds - (unsigned int)quiet : 0);
}

int
sio_release(struct sio *io)
{
	int fd = io->fd;

	io->fd = -1;
	return (fd);
}

uint64_t
sio_bytes_in(const struct sio *io)
{
	return (io->bytes_in);
}

uint64_t
sio_bytes_out(const struct sio *io)
{
	return (io->bytes_out);
}

/* 1 all was sent, 0 it waits, or it failed. */
static int
send_all(struct sio *io, struct buf *b)
{
	ssize_t n;

	while (buf_len(b) > 0) {
		n = send(io->fd, buf_data(b), buf_len(b), MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (event_add(io->wr, NULL) == -1)
				sio_fail(io);
			return (0);
		}
		if (n == -1) {
			sio_fail(io);
			return (0);
		}
		io->bytes_out += (uint64_t)n;
		io->active = now();
		buf_drain(b, (size_t)n);
	}
	return (1);
}

void
sio_flush(struct sio *io)
{
	size_t n;

	if (io->failed || io->held)
		return;
	if (io->zip == NULL || io->zip_next) {
		(void)send_all(io, &io->out);
		return;
	}
	while (send_all(io, &io->wire) && (n = buf_len(&io->out)) > 0) {
		if (n > SEND_PIECE)
			n = SEND_PIECE;
		if (zip_out(io->zip, buf_data(&io->out), n, &io->wire,
		    n == buf_len(&io->out)) == -1) {
			sio_fail(io);
			return;
		}
		buf_drain(&io->out, n);
	}
}

int
sio_compressed(const struct sio *io)
{
	return (io->zip != NULL);
}

int
sio_compress(struct sio *io)
{
	if ((io->zip = zip_new()) == NULL)
		return (-1);
	io->zip_next = 1;
	return (0);
}

/* What was written so far leaves plain; what came behind it is compressed. */
static void
zip_begin(struct sio *io)
{
	io->zip_next = 0;
	if (buf_len(&io->out) > 0 && buf_add(&io->wire, buf_data(&io->out),
	    buf_len(&io->out)) == -1)
		io->failed = 1;
	buf_drain(&io->out, buf_len(&io->out));
	if (buf_len(&io->in) > 0 && buf_add(&io->raw, buf_data(&io->in),
	    buf_len(&io->in)) == -1)
		io->failed = 1;
	buf_drain(&io->in, buf_len(&io->in));
}

static void
zip_fill(struct sio *io)
{
	if (buf_len(&io->raw) > 0 && buf_len(&io->in) < SIO_IN_MAX &&
	    zip_in(io->zip, &io->raw, &io->in,
	    SIO_IN_MAX - buf_len(&io->in)) == -1)
		io->failed = 1;
}

/* Read while there is room for what was not taken yet. */
static void
watch_input(struct sio *io)
{
	int want = !io->eof && !io->failed && !io->finishing &&
	    buf_len(&io->in) < SIO_IN_MAX && buf_len(&io->raw) < SIO_IN_MAX;

	if (want != (event_pending(io->rd, EV_READ, NULL) != 0) &&
	    (want ? event_add(io->rd, NULL) : event_del(io->rd)) == -1)
		io->failed = 1;
}

/* One turn: a piece of input or a step, then output. */
static void
turn(struct sio *io)
{
	size_t n;
	int stuck = 0;

	if (io->wants_turn && !sio_full(io)) {
		io->wants_turn = 0;
		io->ops->turn(io->arg);
	}
	if (!sio_full(io) && !io->finishing && buf_len(&io->in) > 0) {
		n = io->ops->input(io->arg, buf_data(&io->in),
		    buf_len(&io->in));
		buf_drain(&io->in, n);
		stuck = n == 0;
	}
	if (io->zip_next)
		zip_begin(io);
	if (io->zip != NULL && !io->failed)
		zip_fill(io);
	sio_flush(io);
	watch_input(io);
	if (io->failed)
		io->ops->ended(io->arg, SIO_ERROR);
	else if (io->finishing) {
		if (buf_len(&io->out) == 0 && buf_len(&io->wire) == 0)
			io->ops->ended(io->arg, SIO_EOF);
	} else if (io->eof && !io->wants_turn && (stuck ||
	    buf_len(&io->in) == 0)) {
		sio_finish(io);
	} else if (!sio_full(io) && (io->wants_turn ||
	    (!stuck && buf_len(&io->in) > 0)))
		schedule(io);
}

static void
on_read(evutil_socket_t fd, short ev, void *arg)
{
	struct sio *io = arg;
	struct buf *in = io->zip != NULL ? &io->raw : &io->in;
	size_t room = SIO_IN_MAX - buf_len(in);
	ssize_t n;
	void *p;

	(void)ev;
	if ((p = buf_reserve(in, room)) == NULL)
		io->failed = 1;
	else if ((n = read(fd, p, room)) > 0) {
		buf_commit(in, (size_t)n);
		io->bytes_in += (uint64_t)n;
		io->active = now();
	} else if (n == 0)
		io->eof = 1;
	else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		io->failed = 1;
	if (io->zip != NULL && !io->failed)
		zip_fill(io);
	if (buf_len(&io->in) == 0)
		buf_free(&io->in);
	turn(io);
}

static void
on_write(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	turn(arg);
}

static void
on_turn(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	turn(arg);
}

static void
on_idle(evutil_socket_t fd, short ev, void *arg)
{
	struct sio *io = arg;
	struct timeval tv = { 0 };
	time_t quiet = now() - io->active;

	(void)fd;
	(void)ev;
	if (io->hurry || quiet >= (time_t)io->idle_seconds) {
		io->ops->ended(io->arg, SIO_TIMEOUT);
		return;
	}
	tv.tv_sec = (time_t)io->idle_seconds - quiet;
	if (event_add(io->idle, &tv) == -1)
		sio_fail(io);
}
