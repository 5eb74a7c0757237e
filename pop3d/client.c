/*
 * client: a POP3 connection after the login (RFC 1939 5 and 6).
 *
 * One step at a time: a command is read only when the reply to the one before
 * is on its way and less than OUT_HIGH bytes of it wait.  Long replies are
 * made piece by piece, so a client that never reads costs OUT_HIGH and one
 * piece, whatever it asks for.
 *
 * Cost of a command and its reply: epoll_wait, read, send; of RETR an open,
 * fstat, pread and close more.  Commands that came together are answered in
 * one send.
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

#include "buf/buf.h"
#include "client.h"
#include "daemon/mailsession.h"
#include "log/log.h"
#include "maildrop.h"
#include "pop3/capa.h"
#include "pop3/command.h"
#include "privsep/contract.h"

#define IDLE_SECONDS	600		/* RFC 1939 3: at least 10 minutes */
#define IN_MAX		4096
#define OUT_HIGH	(64 * 1024)
#define LINES		256		/* of a listing, a piece */
#define OUT_MAX		(OUT_HIGH + TEXT_STEP_MAX)
#define STEPS		64		/* a turn of the loop */

enum job { JOB_NONE, JOB_LIST, JOB_UIDL, JOB_TEXT };

struct client {
	LIST_ENTRY(client) entry;
	const struct mailsession *set;
	struct event	*readable, *writable, *idle, *again;
	struct buf	 in, out;
	struct maildrop	*drop;
	struct text	 text;		/* of JOB_TEXT */
	unsigned int	 id;
	uint64_t	 sent;
	time_t		 active;	/* monotonic seconds */
	uint32_t	 next;		/* message of a JOB_ */
	uint32_t	 retrieved, deleted;
	int		 fd;
	enum job	 job;
	int		 prefaced;	/* net's own line was read */
	int		 utf8;
	char		 login[POP3_LOGIN_MAX];	/* for CAPA */
	int		 eof;		/* nothing more will come */
	int		 over;		/* close when all is written */
	char		 addr[64];
};

static LIST_HEAD(, client) clients = LIST_HEAD_INITIALIZER(clients);
static time_t	last_login;		/* RFC 2449 6.5; 0: none yet */

static void	client_end(struct client *, const char *);
static void	on_readable(evutil_socket_t, short, void *);
static void	on_writable(evutil_socket_t, short, void *);
static void	on_again(evutil_socket_t, short, void *);
static void	on_idle(evutil_socket_t, short, void *);
static time_t	now(void);
static void	work(struct client *);
static int	step(struct client *);
static int	flush(struct client *);
static int	wait_for(struct client *, int);
static void	preface(struct client *, const char *, size_t);
static const char *too_soon(struct client *);
static void	logged_in(struct client *);
static int	take_line(struct client *);
static void	command(struct client *, const struct pop3_command *);
static void	do_capa(struct client *);
static void	send_text(struct client *, const char *);
static void	do_dele(struct client *, uint32_t);
static void	do_list(struct client *, const struct pop3_command *);
static void	do_quit(struct client *);
static void	do_stat(struct client *);
static void	do_text(struct client *, const struct pop3_command *);
static void	list_line(struct client *, const char *, uint32_t, int64_t,
		    int);
static void	list_some(struct client *);
static void	text_some(struct client *);
static void	reply(struct client *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));

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
	/* Mostly net's line and the first command are there. */
	on_readable(fd, EV_READ, c);
	return (0);
}

void
client_end_all(void)
{
	struct client *c;

	while ((c = LIST_FIRST(&clients)) != NULL)
		client_end(c, "stopped");
}

/* why is NULL if it never began: then nobody is told. */
static void
client_end(struct client *c, const char *why)
{
	const struct mailsession *set = c->set;

	if (why != NULL)
		log_info("disconnect: conn=%u user=%s addr=%s "
		    "retrieved=%u deleted=%u bytes=%" PRIu64 ": %s", c->id,
		    set->user, c->addr, c->retrieved, c->deleted, c->sent,
		    why);
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
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
	if (why != NULL)
		set->ended();
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
	enum store_error e = STORE_SYS;
	const char *why;

	if ((why = too_soon(c)) != NULL) {
		reply(c, "-ERR %s", why);
		c->over = 1;
		return;
	}
	if (c->set->store != NULL)
		e = maildrop_open(c->set->store, c->set->mailbox->pop3_uidl,
		    c->utf8, &c->drop);
	if (e == STORE_OK) {
		last_login = now();
		reply(c, "+OK %u messages (%" PRIu64 " octets)",
		    maildrop_count(c->drop), maildrop_size(c->drop));
		return;
	}
	log_info("maildrop: conn=%u user=%s addr=%s: %s", c->id,
	    c->set->user, c->addr, store_strerror(e));
	if (e == STORE_BUSY)
		reply(c, "-ERR [IN-USE] another client has the mailbox");
	else if (e == STORE_CORRUPT || e == STORE_NAME)
		reply(c, "-ERR [SYS/PERM] the mailbox is damaged");
	else
		reply(c, "-ERR [SYS/TEMP] the mailbox cannot be opened");
	c->over = 1;
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
		    MSG_NOSIGNAL);
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
	switch (c->job) {
	case JOB_LIST:
	case JOB_UIDL:
		list_some(c);
		return (1);
	case JOB_TEXT:
		text_some(c);
		return (1);
	default:
		return (take_line(c));
	}
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

static int
take_line(struct client *c)
{
	struct pop3_command cmd;
	const char *data = buf_data(&c->in);
	size_t len = buf_len(&c->in), used;
	ptrdiff_t n;

	if ((n = pop3_line(data, len, &used)) == -1) {
		if (len < POP3_LINE_MAX)
			return (0);
		reply(c, "-ERR line too long");
		c->over = 1;
		return (0);
	}
	if (!c->prefaced)
		preface(c, data, (size_t)n);
	else switch (pop3_parse(&cmd, data, (size_t)n)) {
	case POP3_OK:
		command(c, &cmd);
		break;
	case POP3_NO_COMMAND:
		reply(c, "-ERR unknown command");
		break;
	case POP3_BAD_NUMBER:
		reply(c, "-ERR no such message");
		break;
	default:
		reply(c, "-ERR bad argument");
		break;
	}
	buf_drain(&c->in, used);
	return (1);
}

static void
command(struct client *c, const struct pop3_command *cmd)
{
	switch (cmd->verb) {
	case POP3_CAPA:
		do_capa(c);
		break;
	case POP3_DELE:
		do_dele(c, cmd->number);
		break;
	case POP3_LANG:
		send_text(c, pop3_lang(cmd->arg));
		break;
	case POP3_LIST:
	case POP3_UIDL:
		do_list(c, cmd);
		break;
	case POP3_NOOP:
		reply(c, "+OK");
		break;
	case POP3_QUIT:
		do_quit(c);
		break;
	case POP3_RETR:
	case POP3_TOP:
		do_text(c, cmd);
		break;
	case POP3_RSET:
		maildrop_reset(c->drop);
		reply(c, "+OK %u messages (%" PRIu64 " octets)",
		    maildrop_count(c->drop), maildrop_size(c->drop));
		break;
	case POP3_STAT:
		do_stat(c);
		break;
	default:
		reply(c, "-ERR you are logged in");
		break;
	}
}

static void
do_capa(struct client *c)
{
	struct pop3_capa capa = {
		.login = c->login,
		.delay = c->set->mailbox->pop3_delay,
		.expire = c->set->mailbox->pop3_expire
	};
	char text[POP3_CAPA_MAX];

	(void)pop3_capa(&capa, text);
	send_text(c, text);
}

static void
do_dele(struct client *c, uint32_t n)
{
	if (maildrop_message(c->drop, n) == -1) {
		reply(c, "-ERR no such message");
		return;
	}
	maildrop_delete(c->drop, n);
	reply(c, "+OK %u will be deleted", n);
}

static void
do_list(struct client *c, const struct pop3_command *cmd)
{
	int uidl = cmd->verb == POP3_UIDL;
	int64_t size;

	if (!cmd->has_number) {
		reply(c, "+OK %u messages (%" PRIu64 " octets)",
		    maildrop_count(c->drop), maildrop_size(c->drop));
		c->job = uidl ? JOB_UIDL : JOB_LIST;
		c->next = 1;
	} else if ((size = maildrop_message(c->drop, cmd->number)) == -1)
		reply(c, "-ERR no such message");
	else
		list_line(c, "+OK ", cmd->number, size, uidl);
}

/*
 * RFC 1939 6: everything or nothing is removed, and a failure is told.  After
 * this the maildrop is free for the next one before the reply goes out.
 */
static void
do_quit(struct client *c)
{
	uint32_t marked = maildrop_last(c->drop) - maildrop_count(c->drop);
	enum store_error e;

	e = maildrop_update(c->drop);
	maildrop_close(c->drop);
	c->drop = NULL;
	c->over = 1;
	if (e == STORE_OK) {
		c->deleted = marked;
		reply(c, "+OK bye");
		return;
	}
	log_warnx("conn=%u user=%s: cannot delete: %s", c->id,
	    c->set->user, store_strerror(e));
	reply(c, "-ERR [SYS/TEMP] some messages were not deleted");
}

static void
do_stat(struct client *c)
{
	reply(c, "+OK %u %" PRIu64, maildrop_count(c->drop),
	    maildrop_size(c->drop));
}

static void
do_text(struct client *c, const struct pop3_command *cmd)
{
	enum store_error e;
	int64_t size;

	if ((size = maildrop_message(c->drop, cmd->number)) == -1) {
		reply(c, "-ERR no such message");
		return;
	}
	if ((e = maildrop_text(c->drop, cmd->number, &c->text)) !=
	    STORE_OK) {
		log_warnx("conn=%u user=%s message %u: %s", c->id,
		    c->set->user, cmd->number, store_strerror(e));
		reply(c, e == STORE_NOENT ? "-ERR the message has gone" :
		    "-ERR [SYS/TEMP] the message cannot be read");
		return;
	}
	c->job = JOB_TEXT;
	c->next = cmd->number;
	if (cmd->verb == POP3_TOP) {
		c->next = 0;
		text_limit(&c->text, cmd->lines);
		reply(c, "+OK");
	} else {
		reply(c, "+OK %" PRId64 " octets", size);
	}
}

static void
list_line(struct client *c, const char *prefix, uint32_t n, int64_t size,
    int uidl)
{
	char uid[UIDL_MAX + 1];

	if (!uidl) {
		reply(c, "%s%u %" PRId64, prefix, n, size);
		return;
	}
	maildrop_uid(c->drop, n, uid);
	reply(c, "%s%u %s", prefix, n, uid);
}

static void
list_some(struct client *c)
{
	uint32_t i, last = maildrop_last(c->drop);
	int64_t size;

	for (i = 0; i < LINES && c->next <= last; i++, c->next++) {
		if ((size = maildrop_message(c->drop, c->next)) != -1)
			list_line(c, "", c->next, size, c->job == JOB_UIDL);
	}
	if (c->next <= last)
		return;
	c->job = JOB_NONE;
	reply(c, ".");
}

/*
 * A message that cannot be read to its end must not look as if it could: the
 * reply has begun, so the connection ends without the final dot.
 */
static void
text_some(struct client *c)
{
	switch (text_step(&c->text, &c->out)) {
	case 1:
		return;
	case 0:
		c->job = JOB_NONE;
		if (c->next != 0) {
			maildrop_retrieved(c->drop, c->next, &c->text);
			c->retrieved++;
		}
		return;
	default:
		log_warn("conn=%u user=%s", c->id, c->set->user);
		c->over = 1;
		return;
	}
}

static void
send_text(struct client *c, const char *text)
{
	if (buf_puts(&c->out, text) == -1) {
		log_warn("conn=%u user=%s", c->id, c->set->user);
		c->over = 1;
	}
}

/* The room is there: OUT_MAX is OUT_HIGH and what one step can add. */
static void
reply(struct client *c, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vprintf(&c->out, fmt, ap);
	va_end(ap);
	if (r == -1 || buf_add(&c->out, "\r\n", 2) == -1) {
		log_warn("conn=%u user=%s", c->id, c->set->user);
		c->over = 1;
	}
}
