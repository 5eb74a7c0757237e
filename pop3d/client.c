/*
 * client: a POP3 connection after the login (RFC 1939 5 and 6).
 *
 * One step at a time: a command is read only when the reply to the one before
 * is on its way and less than OUT_HIGH bytes of it wait.  Long replies are
 * made piece by piece, so a client that never reads costs OUT_HIGH and one
 * piece, whatever it asks for.
 *
 * Cost of a command and its reply: epoll_wait, recv, send; of RETR an open,
 * pread and close more.  Commands that came together are answered in one send.
 *
 * Cost of a login: the maildrop is opened while the parent tells net, so that
 * net's line finds it open.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <sys/types.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "client_own.h"
#include "daemon/mailsession.h"
#include "log/log.h"
#include "pop3/command.h"
#include "privsep/contract.h"

#define IDLE_SECONDS	600		/* RFC 1939 3: at least 10 minutes */
#define IN_MAX		4096
#define OUT_HIGH	(64 * 1024)
#define OUT_MAX		(OUT_HIGH + TEXT_STEP_MAX)
#define STEPS		64		/* a turn of the loop */
#define PROVE_USEC	1000		/* between two looks at files */

static LIST_HEAD(, client) clients = LIST_HEAD_INITIALIZER(clients);
static time_t	last_login;		/* RFC 2449 6.5; 0: none yet */

static void	client_end(struct client *, const char *);
static void	open_drop(struct client *);
static void	on_readable(evutil_socket_t, short, void *);
static void	on_writable(evutil_socket_t, short, void *);
static void	on_again(evutil_socket_t, short, void *);
static void	on_idle(evutil_socket_t, short, void *);
static void	on_prove(evutil_socket_t, short, void *);
static time_t	now(void);
static void	work(struct client *);
static int	step(struct client *);
static int	take_line(struct client *);
static int	flush(struct client *);
static int	wait_for(struct client *, int);
static void	preface(struct client *, const char *, size_t);
static const char *too_soon(struct client *);
static void	logged_in(struct client *);
static void	prove_more(struct client *);

int
client_start(const struct mailsession *set, int fd, unsigned int id,
    const char *addr)
{
	struct timeval tv = { .tv_sec = IDLE_SECONDS };
	struct client *c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return (-1);
	}
	c->set = set;
	c->id = id;
	c->number = set->number;
	c->fd = fd;
	c->text.fd = -1;
	strlcpy(c->addr, addr, sizeof(c->addr));
	buf_init(&c->in, IN_MAX);
	buf_init(&c->out, OUT_MAX);
	LIST_INSERT_HEAD(&clients, c, entry);
	c->readable = event_new(set->base, fd, EV_READ | EV_PERSIST,
	    on_readable, c);
	c->writable = event_new(set->base, fd, EV_WRITE, on_writable, c);
	c->again = event_new(set->base, -1, 0, on_again, c);
	c->idle = evtimer_new(set->base, on_idle, c);
	c->active = now();
	if (evutil_make_socket_nonblocking(fd) == -1 || c->readable == NULL ||
	    c->writable == NULL || c->again == NULL || c->idle == NULL ||
	    event_add(c->idle, &tv) == -1) {
		client_end(c, NULL);
		return (-1);
	}
	open_drop(c);
	/* Mostly net's line is there by now. */
	on_readable(fd, EV_READ, c);
	return (0);
}

/* What is wrong, if anything, is said in answer to net's line. */
static void
open_drop(struct client *c)
{
	c->opened = STORE_SYS;
	c->refused = too_soon(c);
	if (c->refused == NULL && c->set->store != NULL)
		c->opened = maildrop_open(c->set->store,
		    c->set->mailbox->pop3_uidl, &c->drop);
}

void
client_end_all(void)
{
	struct client *c;

	while ((c = LIST_FIRST(&clients)) != NULL)
		client_end(c, "stopped");
}

/*
 * RFC 1939 has no word for it but an error; in the middle of a reply there is
 * none at all.  Nothing is removed.
 */
void
client_kick(uint64_t number)
{
	struct client *c;

	LIST_FOREACH(c, &clients, entry)
		if (c->number == number)
			break;
	if (c == NULL)
		return;
	if (c->job == JOB_NONE && c->prefaced && !c->over)
		client_reply(c, "-ERR [SYS/TEMP] " KICK_WORDS);
	(void)flush(c);			/* what is not taken now is lost */
	client_end(c, "kicked");
}

/* why is NULL if it never began: then nobody is told. */
static void
client_end(struct client *c, const char *why)
{
	const struct mailsession *set = c->set;

	LIST_REMOVE(c, entry);
	maildrop_close(c->drop);
	text_end(&c->text);
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	if (c->again != NULL)
		event_free(c->again);
	if (c->idle != NULL)
		event_free(c->idle);
	if (c->prove != NULL)
		event_free(c->prove);
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	if (why != NULL) {
		log_info("disconnect: conn=%u user=%s addr=%s "
		    "retrieved=%u deleted=%u bytes=%" PRIu64 ": %s", c->id,
		    set->user, c->addr, c->retrieved, c->deleted, c->sent,
		    why);
		set->ended(c->number);
	}
	free(c);
}

/*
 * Net's own line: "UTF8" if the client asked for it, a blank, and what CAPA is
 * to say about logging in, with tabs for line ends (lib/pop3/capa.h).
 */
static void
preface(struct client *c, const char *line, size_t len)
{
	size_t i = 0, o = 0;

	c->prefaced = 1;
	if (len >= 4 && memcmp(line, "UTF8", 4) == 0) {
		c->utf8 = 1;
		i = 4;
	}
	for (i++; i < len && o < sizeof(c->login) - 2; i++) {
		if (line[i] == '\t') {
			c->login[o++] = '\r';
			c->login[o++] = '\n';
		} else if (line[i] >= ' ' && line[i] <= '~')
			c->login[o++] = line[i];
	}
	c->login[o] = '\0';
	logged_in(c);
}

/* The answer to PASS or AUTH (RFC 2449 8.1.1 and RFC 3206 for the codes). */
static void
logged_in(struct client *c)
{
	enum store_error e = c->opened;

	if (c->refused != NULL) {
		client_reply(c, "-ERR %s", c->refused);
		c->over = 1;
		return;
	}
	if (e == STORE_OK) {
		last_login = now();
		if (maildrop_begin(c->drop, c->utf8))
			prove_more(c);
		client_reply(c, "+OK %u messages (%" PRIu64 " octets)",
		    maildrop_count(c->drop), maildrop_size(c->drop));
		return;
	}
	log_info("maildrop: conn=%u user=%s addr=%s: %s", c->id,
	    c->set->user, c->addr, c->set->store == NULL ?
	    "the mailbox cannot be opened" : store_strerror(e));
	if (e == STORE_BUSY)
		client_reply(c, "-ERR [IN-USE] another client has the mailbox");
	else if (e == STORE_CORRUPT || e == STORE_NAME)
		client_reply(c, "-ERR [SYS/PERM] the mailbox is damaged");
	else
		client_reply(c, "-ERR [SYS/TEMP] the mailbox cannot be opened");
	c->over = 1;
}

/* In many small turns: a command never waits for all. */
static void
prove_more(struct client *c)
{
	struct timeval tv = { .tv_usec = PROVE_USEC };

	if (c->prove == NULL)
		c->prove = evtimer_new(c->set->base, on_prove, c);
	if (c->prove == NULL || event_add(c->prove, &tv) == -1)
		log_warn("conn=%u user=%s: sizes are not looked at", c->id,
		    c->set->user);
}

static void
on_prove(evutil_socket_t fd, short ev, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)ev;
	if (c->drop != NULL && maildrop_prove(c->drop))
		prove_more(c);
}

static const char *
too_soon(struct client *c)
{
	time_t delay = (time_t)c->set->mailbox->pop3_delay;

	if (last_login == 0 || now() - last_login >= delay)
		return (NULL);
	log_info("too soon: conn=%u user=%s addr=%s", c->id, c->set->user,
	    c->addr);
	return ("[LOGIN-DELAY] logged in too short a time ago");
}

static void
on_readable(evutil_socket_t fd, short ev, void *arg)
{
	struct client *c = arg;
	size_t room = IN_MAX - buf_len(&c->in);
	ssize_t n = -1;
	void *p;

	(void)ev;
	if ((p = buf_reserve(&c->in, room)) != NULL)
		n = read(fd, p, room);
	if (n == -1 && p != NULL && (errno == EAGAIN || errno == EINTR))
		n = 0;
	else if (n == -1) {
		client_end(c, "read failed");
		return;
	} else if (n == 0)
		c->eof = 1;
	buf_commit(&c->in, (size_t)n);
	if (buf_len(&c->in) == 0)
		buf_free(&c->in);
	c->active = now();
	work(c);
}

static void
on_writable(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	work(arg);
}

static void
on_again(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	work(arg);
}

/* RFC 1939 3: no reply, and nothing is removed. */
static void
on_idle(evutil_socket_t fd, short ev, void *arg)
{
	struct client *c = arg;
	struct timeval tv = { 0 };
	time_t quiet = now() - c->active;

	(void)fd;
	(void)ev;
	tv.tv_sec = IDLE_SECONDS - quiet;
	if (quiet >= IDLE_SECONDS || event_add(c->idle, &tv) == -1)
		client_end(c, "idle");
}

static time_t
now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return (0);
	return (ts.tv_sec);
}

/* Do what can be done now; then wait for what is missing. */
static void
work(struct client *c)
{
	int i, busy = 1;

	for (i = 0; i < STEPS && busy; i++)
		busy = step(c);
	/* What stops for want of room has it when this is sent. */
	if (!c->over && buf_len(&c->out) >= OUT_HIGH)
		busy = 1;
	if (flush(c) == -1) {
		client_end(c, "client has gone");
		return;
	}
	if (c->over && buf_len(&c->out) == 0) {
		client_end(c, "done");
		return;
	}
	if (!busy && c->eof && buf_len(&c->out) == 0) {
		/* RFC 1939 6: without QUIT nothing is removed. */
		client_end(c, "client has gone");
		return;
	}
	if (wait_for(c, busy) == -1)
		client_end(c, "no event");
}

/* Send what is written, without waiting for the event that would allow it. */
static int
flush(struct client *c)
{
	ssize_t n;

	while (buf_len(&c->out) > 0) {
		n = send(c->fd, buf_data(&c->out), buf_len(&c->out),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (errno == EAGAIN ? 0 : -1);
		buf_drain(&c->out, (size_t)n);
		c->sent += (uint64_t)n;
		c->active = now();
	}
	return (0);
}

/* 1 if something was done and there may be more to do. */
static int
step(struct client *c)
{
	if (c->over || buf_len(&c->out) >= OUT_HIGH)
		return (0);
	return (c->job != JOB_NONE ? client_job(c) : take_line(c));
}

static int
take_line(struct client *c)
{
	const char *data = buf_data(&c->in);
	size_t len = buf_len(&c->in), used;
	ptrdiff_t n;

	n = pop3_line(data, len, &used);
	if (n == -1 && len < POP3_LINE_MAX)
		return (0);
	if (n == -1 || used > POP3_LINE_MAX) {
		client_reply(c, "-ERR line too long");
		c->over = 1;
		return (0);
	}
	if (!c->prefaced)
		preface(c, data, (size_t)n);
	else
		client_command(c, data, (size_t)n);
	buf_drain(&c->in, used);
	return (1);
}

/*
 * Input is not read while output is stuck, nor when there is no room for it.
 */
static int
wait_for(struct client *c, int busy)
{
	int stuck = buf_len(&c->out) > 0;
	int want = !c->eof && !c->over && !stuck && !busy &&
	    buf_len(&c->in) < IN_MAX;

	if (stuck && event_add(c->writable, NULL) == -1)
		return (-1);
	if (busy && !stuck)
		event_active(c->again, 0, 0);
	if (want == (event_pending(c->readable, EV_READ, NULL) != 0))
		return (0);
	return (want ? event_add(c->readable, NULL) : event_del(c->readable));
}

/* The room is there: OUT_MAX is OUT_HIGH and what one step can add. */
void
client_reply(struct client *c, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vprintf(&c->out, fmt, ap);
	va_end(ap);
	if (r == -1 || buf_add(&c->out, "\r\n", 2) == -1)
		client_cut(c);
}

void
client_cut(struct client *c)
{
	log_warn("conn=%u user=%s", c->id, c->set->user);
	c->over = 1;
}
