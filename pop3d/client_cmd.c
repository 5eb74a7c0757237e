/*
 * client_cmd: what the commands of RFC 1939 5 do.
 *
 * A reply of any length is a job: it is made in pieces, each when the one
 * before is on its way.
 */
#include "os/compat.h"
#include <inttypes.h>

#include "client_own.h"
#include "daemon/mailsession.h"
#include "log/log.h"
#include "pop3/capa.h"
#include "pop3/command.h"
#include "privsep/contract.h"

#define LINES		256		/* of a listing, a piece */

static void	obey(struct client *, const struct pop3_command *);
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

void
client_command(struct client *c, const char *line, size_t len)
{
	struct pop3_command cmd;

	maildrop_fix(c->drop);
	switch (pop3_parse(&cmd, line, len)) {
	case POP3_OK:
		obey(c, &cmd);
		break;
	case POP3_NO_COMMAND:
		client_reply(c, "-ERR unknown command");
		break;
	case POP3_BAD_NUMBER:
		client_reply(c, "-ERR no such message");
		break;
	default:
		client_reply(c, "-ERR bad argument");
		break;
	}
}

int
client_job(struct client *c)
{
	if (c->job == JOB_TEXT)
		text_some(c);
	else
		list_some(c);
	return (1);
}

static void
obey(struct client *c, const struct pop3_command *cmd)
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
		client_reply(c, "+OK");
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
		client_reply(c, "+OK %u messages (%" PRIu64 " octets)",
		    maildrop_count(c->drop), maildrop_size(c->drop));
		break;
	case POP3_STAT:
		do_stat(c);
		break;
	default:
		client_reply(c, "-ERR you are logged in");
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
		client_reply(c, "-ERR no such message");
		return;
	}
	maildrop_delete(c->drop, n);
	client_reply(c, "+OK %u will be deleted", n);
}

static void
do_list(struct client *c, const struct pop3_command *cmd)
{
	int uidl = cmd->verb == POP3_UIDL;
	int64_t size;

	if (uidl && maildrop_uids(c->drop) == -1) {
		log_warn("conn=%u user=%s: unique ids", c->id, c->set->user);
		client_reply(c, "-ERR [SYS/TEMP] the ids cannot be read");
		return;
	}
	if (!cmd->has_number) {
		client_reply(c, "+OK %u messages (%" PRIu64 " octets)",
		    maildrop_count(c->drop), maildrop_size(c->drop));
		c->job = uidl ? JOB_UIDL : JOB_LIST;
		c->next = 1;
	} else if ((size = maildrop_message(c->drop, cmd->number)) == -1)
		client_reply(c, "-ERR no such message");
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
		client_reply(c, "+OK bye");
		return;
	}
	log_warnx("conn=%u user=%s: cannot delete: %s", c->id,
	    c->set->user, store_strerror(e));
	client_reply(c, "-ERR [SYS/TEMP] some messages were not deleted");
}

static void
do_stat(struct client *c)
{
	client_reply(c, "+OK %u %" PRIu64, maildrop_count(c->drop),
	    maildrop_size(c->drop));
}

static void
do_text(struct client *c, const struct pop3_command *cmd)
{
	enum store_error e;
	int64_t size;

	if ((size = maildrop_message(c->drop, cmd->number)) == -1) {
		client_reply(c, "-ERR no such message");
		return;
	}
	if ((e = maildrop_text(c->drop, cmd->number, &c->text)) !=
	    STORE_OK) {
		log_warnx("conn=%u user=%s message %u: %s", c->id,
		    c->set->user, cmd->number, store_strerror(e));
		client_reply(c, e == STORE_NOENT ? "-ERR the message has gone" :
		    "-ERR [SYS/TEMP] the message cannot be read");
		return;
	}
	c->job = JOB_TEXT;
	c->next = cmd->number;
	if (cmd->verb == POP3_TOP) {
		c->next = 0;
		text_limit(&c->text, cmd->lines);
		client_reply(c, "+OK");
	} else {
		client_reply(c, "+OK %" PRId64 " octets", size);
	}
}

static void
list_line(struct client *c, const char *prefix, uint32_t n, int64_t size,
    int uidl)
{
	struct buf *out = &c->out;
	char uid[UIDL_MAX + 1];
	int r;

	if (buf_puts(out, prefix) == -1 || buf_number(out, n) == -1 ||
	    buf_add(out, " ", 1) == -1)
		r = -1;
	else if (uidl) {
		r = maildrop_uid(c->drop, n, uid) == -1 ? -1 :
		    buf_puts(out, uid);
	} else
		r = buf_number(out, (uint64_t)size);
	if (r == -1 || buf_add(out, "\r\n", 2) == -1)
		client_cut(c);
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
	client_reply(c, ".");
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
		client_cut(c);
		return;
	}
}

static void
send_text(struct client *c, const char *text)
{
	if (buf_puts(&c->out, text) == -1)
		client_cut(c);
}
