/*
 * session_conn: read commands, run them, answer.
 *
 * Reads what clients write after the login; their mistakes end at their own
 * connection.  A command that takes long returns between its steps, and the
 * next command of the same client waits for it.  Memory of a connection that
 * idles: the struct and its events.
 */
#include <stdio.h>

#include <event2/event.h>

#include "cmd_idle.h"
#include "cmd_table.h"
#include "log/log.h"
#include "session_park.h"
#include "session_reply.h"
#include "session_sync.h"

#define IDLE_SECONDS	(30 * 60)	/* RFC 3501 5.4 */
#define BAD_MAX		10
#define CODE_MAX	SIO_OUT_MAX	/* bytes of a response code */

static TAILQ_HEAD(, client) clients = TAILQ_HEAD_INITIALIZER(clients);
static unsigned int	nclients;

static size_t	 on_input(void *, const char *, size_t);
static void	 on_turn(void *);
static void	 run_free(struct client *);
static void	 on_ended(void *, enum sio_end);

static const struct sio_ops io_ops = { on_input, on_turn, on_ended };

int
session_conn_new(const struct mailsession *set, int fd, unsigned int id,
    const char *addr)
{
	return (session_conn_make(set, fd, id, addr) == NULL ? -1 : 0);
}

struct client *
session_conn_make(const struct mailsession *set, int fd, unsigned int id,
    const char *addr)
{
	struct client *c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return (NULL);
	}
	c->set = set;
	c->id = id;
	c->number = set->number;
	c->state = CLIENT_AUTH;
	(void)strlcpy(c->addr, addr, sizeof(c->addr));
	buf_init(&c->code, CODE_MAX);
	imap_reader_init(&c->reader, &imap_limits_after);
	if ((c->io = sio_new(set->base, fd, &io_ops, c,
	    IDLE_SECONDS)) == NULL) {
		free(c);
		return (NULL);
	}
	TAILQ_INSERT_TAIL(&clients, c, entry);
	nclients++;
	session_park_begin(set);
	return (c);
}

unsigned int
session_conn_count(void)
{
	return (nclients);
}

int
session_conn_each(int (*fn)(struct client *, void *), void *arg)
{
	struct client *c, *next;
	int r = 0;

	for (c = TAILQ_FIRST(&clients); c != NULL && r == 0; c = next) {
		next = TAILQ_NEXT(c, entry);
		r = fn(c, arg);
	}
	return (r);
}

void
session_conn_free(struct client *c)
{
	run_free(c);
	client_unselect(c);
	buf_free(&c->code);
	imap_reader_free(&c->reader);
	sio_free(c->io);
	TAILQ_REMOVE(&clients, c, entry);
	nclients--;
	free(c);
}

static void
on_settle(evutil_socket_t fd, short ev, void *arg)
{
	struct client *c = TAILQ_FIRST(&clients);
	enum store_error e;

	(void)fd;
	(void)ev;
	(void)arg;
	if (c == NULL)
		return;
	e = store_flush(c->set->store);
	TAILQ_FOREACH(c, &clients, entry) {
		if (!sio_held(c->io))
			continue;
		if (e == STORE_OK) {
			sio_hold(c->io, 0);
			continue;
		}
		log_warnx("conn=%llu user=%s not on the disk, no answer: %s",
		    (unsigned long long)c->id, c->set->user,
		    store_strerror(e));
		sio_fail(c->io);
	}
}

void
client_settle(struct client *c)
{
	static struct event *settle;
	struct timeval now = { 0 };

	if (settle == NULL)
		settle = evtimer_new(c->set->base, on_settle, NULL);
	if (settle == NULL || (!evtimer_pending(settle, NULL) &&
	    event_add(settle, &now) == -1)) {
		sio_fail(c->io);
		return;
	}
	sio_hold(c->io, 1);
}

/* The state of the command that runs, if it has one. */
static void
run_free(struct client *c)
{
	if (c->ops != NULL && c->run != NULL)
		c->ops->free(c->run);
	c->ops = NULL;
	c->run = NULL;
	c->streaming = 0;
}

int
client_utf8(const struct client *c)
{
	return ((c->enabled & (ENABLED_UTF8 | ENABLED_REV2)) != 0);
}

void
client_unselect(struct client *c)
{
	if (c->mb != NULL)
		mailbox_close(c->mb);
	free(c->mbname);
	free(c->vanished);
	imap_seqset_free(&c->saved);
	c->vanished = NULL;
	c->nvanished = c->roomvanished = 0;
	c->mb = NULL;
	c->mbname = NULL;
	c->readonly = 0;
	c->nomodseq = 0;
	c->keywords = 0;
	c->withheld = c->parted = 0;
	c->state = CLIENT_AUTH;
}

static void
on_ended(void *arg, enum sio_end why)
{
	static const char *const words[] = {
		[SIO_EOF] = "closed",
		[SIO_ERROR] = "broken",
		[SIO_TIMEOUT] = "timeout"
	};
	struct client *c = arg;
	void (*ended)(uint64_t) = c->set->ended;
	uint64_t number = c->number;

	if (why == SIO_TIMEOUT && !c->kicked) {
		reply_line(c, "* BYE Autologout; idle for too long");
		sio_flush(c->io);
	}
	log_info("conn=%llu user=%s addr=%s logout=%s commands=%u in=%llu "
	    "out=%llu", (unsigned long long)c->id, c->set->user, c->addr,
	    c->kicked ? "kicked" : words[why],
	    c->commands, (unsigned long long)sio_bytes_in(c->io),
	    (unsigned long long)sio_bytes_out(c->io));
	session_conn_free(c);
	ended(number);
}

void
client_bye(struct client *c, const char *why)
{
	if (c->leaving)
		return;
	c->leaving = 1;
	reply_line(c, "* BYE %s", why);
	sio_finish(c->io);
}

/* One that runs a command leaves at its end. */
static void
leave(struct client *c, const char *why)
{
	if (c->cmd == NULL || (c->ops != NULL && c->ops->line != NULL))
		client_bye(c, why);
	else if (c->leaving == 0) {
		c->leaving = -1;
		c->why = why;
	}
}

void
session_conn_drain(void)
{
	struct client *c;

	TAILQ_FOREACH(c, &clients, entry)
		leave(c, "Server is going down");
}

void
session_conn_kick(uint64_t number)
{
	struct client *c;

	TAILQ_FOREACH(c, &clients, entry) {
		if (c->number != number || c->kicked)
			continue;
		c->kicked = 1;
		sio_hurry(c->io, KICK_SECONDS);
		leave(c, KICK_WORDS);
		return;
	}
}

enum cmd_result
client_run(struct client *c, const struct cmd_run *ops, void *run,
    enum cmd_result result)
{
	c->ops = ops;
	c->run = run;
	return (result);
}

/* 1 if there is more than the client could take in this turn. */
static int
tell_changes(struct client *c)
{
	if (c->cmd == NULL || (c->cmd->flags & CMD_NOSYNC))
		return (0);
	return (session_sync(c, (c->cmd->flags & CMD_SEQ) &&
	    (!c->uid || c->numbers)));
}

/*
 * What changed meanwhile is told first, in as many turns as the client takes
 * to read it: the next command waits, and others do not.
 */
static void
answer(struct client *c)
{
	static const char *const words[] = {
		[CMD_OK] = "OK", [CMD_NO] = "NO", [CMD_BAD] = "BAD"
	};
	enum cmd_result result = c->result;
	int draining = c->leaving == -1;

	if (draining)
		c->leaving = 0;
	if ((c->answering = tell_changes(c)) != 0) {
		c->leaving = draining ? -1 : 0;
		sio_again(c->io);
		return;
	}
	reply_check(c, buf_printf(sio_out(c->io), "%s %s ",
	    c->tag[0] != '\0' ? c->tag : "*", words[result]));
	if (buf_len(&c->code) > 0 && result != CMD_BAD) {
		reply_bytes(c, "[", 1);
		reply_bytes(c, buf_data(&c->code), buf_len(&c->code));
		reply_bytes(c, "] ", 2);
	}
	buf_free(&c->code);
	reply_line(c, "%s", c->text);
	c->cmd = NULL;
	c->uid = c->numbers = 0;
	imap_reader_next(&c->reader);
	c->bad = result == CMD_BAD ? c->bad + 1 : 0;
	if (c->bad >= BAD_MAX)
		client_bye(c, "Too many errors");
	else if (draining)
		client_bye(c, c->why);
}

/* Answer the command. */
static void
finish(struct client *c, enum cmd_result result)
{
	run_free(c);
	c->result = result;
	answer(c);
}

static void
proceed(struct client *c, enum cmd_result result)
{
	switch (result) {
	case CMD_MORE:
		sio_again(c->io);
		break;
	case CMD_WAIT:
		imap_reader_next(&c->reader);
		break;
	default:
		finish(c, result);
		break;
	}
}

static void
on_turn(void *arg)
{
	struct client *c = arg;

	if (c->answering)
		answer(c);
	else if (c->cmd != NULL && c->ops != NULL && c->ops->step != NULL)
		proceed(c, c->ops->step(c, c->run));
	else
		cmd_idle_look(c);
}

/* What the table says of the command, in the state that we are in. */
static enum cmd_result
permitted(struct client *c, const struct command *cmd)
{
	if ((cmd->states & c->state) == 0)
		return (cmd_bad(c, c->state == CLIENT_AUTH ?
		    "No mailbox is selected" : "A mailbox is selected"));
	if ((cmd->flags & CMD_NUMBERS) && !c->uid &&
	    (c->enabled & ENABLED_UIDONLY))
		return (cmd_bad(c, "[UIDREQUIRED] Message numbers are not "
		    "used"));
	if ((cmd->rights & RIGHTS_CHANGE) && c->readonly)
		return (cmd_store_error(c, STORE_READONLY));
	return (CMD_OK);
}

/* Tag and name: which command is it?  CMD_OK: c->cmd is set. */
static enum cmd_result
parse_head(struct client *c)
{
	enum cmd_result result;
	struct imap_str s;
	size_t len;
	char *text = imap_reader_text(&c->reader, &len);

	c->tag[0] = '\0';
	c->uid = c->numbers = 0;
	imap_parser_init(&c->args, text, len);
	c->args.utf8 = client_utf8(c);
	if (imap_tag(&c->args, &s) == -1 ||
	    imap_str_copy(&s, c->tag, sizeof(c->tag)) == -1)
		return (cmd_bad_args(c));
	if (imap_sp(&c->args) == -1 || imap_atom(&c->args, &s) == -1)
		return (cmd_bad(c, "Missing command"));
	if (imap_str_is(&s, "UID")) {
		c->uid = 1;
		if (imap_sp(&c->args) == -1 || imap_atom(&c->args, &s) == -1)
			return (cmd_bad(c, "Missing command after UID"));
	}
	if ((c->cmd = cmd_find(&s)) == NULL ||
	    (c->uid && (c->cmd->flags & CMD_UID) == 0)) {
		c->cmd = NULL;
		return (cmd_bad(c, "Unknown command"));
	}
	if ((result = permitted(c, c->cmd)) == CMD_BAD)
		c->cmd = NULL;
	return (result);
}

static void
command(struct client *c)
{
	enum cmd_result result;
	size_t len;
	char *text;

	if (c->streaming) {
		/* What follows the literal. */
		text = imap_reader_text(&c->reader, &len);
		imap_parser_init(&c->args, text, len);
		c->args.utf8 = client_utf8(c);
	} else if ((result = parse_head(c)) != CMD_OK) {
		finish(c, result);
		return;
	}
	c->commands++;
	proceed(c, c->cmd->run(c));
}

static void
refuse(struct client *c, enum cmd_result result)
{
	c->refusal = result;
	imap_reader_refuse(&c->reader);
}

static void
take(struct client *c, int stream)
{
	if (c->reader.literal_sync)
		reply_line(c, "+ Ready");
	if (stream) {
		c->streaming = 1;
		imap_reader_stream(&c->reader);
	} else
		imap_reader_take(&c->reader);
}

/* The text behind a streamed literal announces another. */
static enum cmd_literal
next_literal(struct client *c)
{
	size_t len;
	char *text = imap_reader_text(&c->reader, &len);

	imap_parser_init(&c->args, text, len);
	c->args.utf8 = client_utf8(c);
	return (c->cmd->stream->more(c));
}

/* A literal was announced. */
static void
literal(struct client *c)
{
	enum cmd_literal how = LITERAL_DEFAULT;
	enum cmd_result result;

	if (c->streaming && c->cmd->stream->more != NULL)
		how = next_literal(c);
	else if (c->streaming || !c->prefaced ||
	    (c->cmd != NULL && c->run != NULL)) {
		refuse(c, cmd_bad(c, "Unexpected literal"));
		return;
	} else if ((result = parse_head(c)) != CMD_OK) {
		refuse(c, result);
		return;
	} else if (c->cmd->stream != NULL)
		how = c->cmd->stream->begin(c);
	if (how == LITERAL_STREAM) {
		take(c, 1);
		return;
	}
	if (how == LITERAL_REFUSE)
		imap_reader_refuse(&c->reader);
	else if (imap_reader_fits(&c->reader)) {
		take(c, 0);
		c->cmd = NULL;
	} else
		refuse(c, cmd_bad(c, "[TOOBIG] Literal too large"));
}

/* RFC 3501 6.2.3: the answer to the login that net took. */
static void
preface(struct client *c)
{
	struct imap_str tag;
	size_t len;
	char *text = imap_reader_text(&c->reader, &len);

	c->prefaced = 1;
	imap_parser_init(&c->args, text, len);
	if (imap_tag(&c->args, &tag) == -1 || imap_end(&c->args) == -1 ||
	    imap_str_copy(&tag, c->tag, sizeof(c->tag)) == -1) {
		client_bye(c, "Bad hand-over");
		return;
	}
	if (c->set->store == NULL) {
		reply_line(c, "%s NO [UNAVAILABLE] Mailbox cannot be opened",
		    c->tag);
		client_bye(c, "Try again later");
		return;
	}
	log_info("conn=%llu user=%s addr=%s login", (unsigned long long)c->id,
	    c->set->user, c->addr);
	reply_line(c, "%s OK [CAPABILITY %s] Logged in", c->tag,
	    SESSION_CAPABILITY);
	imap_reader_next(&c->reader);
}

/* A line that a running command waits for. */
static void
waited_line(struct client *c)
{
	size_t len;
	const char *text = imap_reader_text(&c->reader, &len);

	proceed(c, c->ops->line(c, c->run, text, len));
}

static void
event(struct client *c, enum imap_event ev)
{
	switch (ev) {
	case IMAP_COMMAND:
		if (!c->prefaced)
			preface(c);
		else if (c->ops != NULL && c->ops->line != NULL)
			waited_line(c);
		else
			command(c);
		break;
	case IMAP_LITERAL:
		literal(c);
		break;
	case IMAP_DATA:
		c->cmd->stream->data(c, c->reader.data, c->reader.datalen);
		break;
	case IMAP_REFUSED:
		finish(c, c->refusal);
		break;
	case IMAP_OVERFLOW:
		client_bye(c, "Command too long");
		break;
	case IMAP_MORE:
		break;
	}
}

/* A command runs that does not wait for lines. */
static int
busy(const struct client *c)
{
	return (c->leaving == 1 || c->answering ||
	    (c->ops != NULL && c->ops->step != NULL));
}

static size_t
on_input(void *arg, const char *data, size_t len)
{
	struct client *c = arg;
	enum imap_event ev;
	size_t used, done = 0;

	if (c->leaving == 1)
		return (len);
	/* One command a turn, so that clients take turns. */
	while (!busy(c)) {
		ev = imap_reader_feed(&c->reader, data + done, len - done,
		    &used);
		done += used;
		event(c, ev);
		if (ev != IMAP_LITERAL)
			break;
	}
	return (done);
}
