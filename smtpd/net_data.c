/*
 * net_data: collects a message.
 *
 * It is kept in memory up to COLLECT_MEM bytes, then in an anonymous file,
 * above COLLECT_SPOOL in a file that queue handed out.  At the end the
 * anonymous file is sealed and handed to queue.
 *
 * In what somebody of ours writes, addresses of the header are completed and
 * masqueraded here, where it is made: nobody behind this process changes a
 * message, and a relayed one is never touched.
 *
 * Cost of a message of 4 KB: the reads it came in, memfd_create, one write,
 * the seal, and the sendmsg that hands it over.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf/buf.h"
#include "daemon/limit.h"
#include "log/log.h"
#include "mime/rewrite.h"
#include "os/os.h"
#include "smtp/queueid.h"
#include "smtpd/net.h"

#define COLLECT_MEM	(64 * 1024)
#define COLLECT_SPOOL	(256 * 1024)
#define COMPLETED_MAX	(64 * 1024)	/* that a rewritten header grows */

static int	keep(void *, const void *, size_t);

struct collect {
	struct smtp_content	 content;
	struct rewrite		 rewrite;
	int			 own;		/* it is rewritten */
	struct buf		 mem;
	int			 fd;
	int			 spooled;	/* fd is queue's file */
	int			 asked;		/* for it */
	int			 bdat;
	uint64_t		 size;		/* as the client sent it */
	uint64_t		 kept;		/* what became of that */
	const char		*failed;	/* the reply it will get */
};

/* RFC 3848, and RFC 6531 4.3 for what came with SMTPUTF8. */
static void
protocol(const struct session *s, char *to, size_t size)
{
	int	lmtp = s->listener->proto == PROTO_LMTP;

	snprintf(to, size, "%s%s%s%s", s->utf8 ? "UTF8" : "",
	    lmtp ? "LMTP" : s->esmtp && !s->utf8 ? "ESMTP" : "SMTP",
	    s->esmtp && conn_is_tls(s->conn) ? "S" : "",
	    s->esmtp && s->user != NULL ? "A" : "");
}

/* RFC 5321 4.4; who logged in may be left out where that is configured. */
static void
trace_from(const struct session *s, struct buf *b)
{
	const char	*helo = s->helo != NULL ? s->helo : "unknown";

	if ((s->listener->hide_client && s->user != NULL) ||
	    s->listener->proto == PROTO_LOCAL)
		(void)buf_puts(b, "Received: ");
	else if (strcmp(s->addr, NET_LOCAL) == 0)
		(void)buf_printf(b, "Received: from %s (local socket)\r\n\t",
		    helo);
	else
		(void)buf_printf(b, "Received: from %s ([%s%s])\r\n\t", helo,
		    strchr(s->addr, ':') != NULL ? "IPv6:" : "", s->addr);
}

static void
trace_header(struct session *s, struct buf *b)
{
	char		id[QUEUEID_SIZE], date[64], proto[16];
	struct tm	tm;
	time_t		now = time(NULL);

	queueid_text(s->queueid, id);
	localtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S %z", &tm);
	protocol(s, proto, sizeof(proto));
	trace_from(s, b);
	(void)buf_printf(b, "by %s (Postern", net_config()->hostname);
	if (s->listener->proto == PROTO_LOCAL)
		(void)buf_printf(b, ", from uid %u", (unsigned int)s->uid);
	(void)buf_printf(b, ") with %s id %s", proto, id);
	if (conn_is_tls(s->conn))
		(void)buf_printf(b, "\r\n\t(%s)", conn_cipher(s->conn));
	if (s->asked == 1)
		(void)buf_printf(b, "\r\n\tfor <%s>", s->rcpt);
	(void)buf_printf(b, "; %s\r\n", date);
}

/* What a client that submits may leave out (RFC 6409 8.2, 8.3). */
static void
submission_fields(struct session *s, struct smtp_content *c)
{
	char		id[QUEUEID_SIZE];
	struct tm	tm;
	time_t		now = time(NULL);

	queueid_text(s->queueid, id);
	localtime_r(&now, &tm);
	strftime(c->add_date, sizeof(c->add_date), "%a, %d %b %Y %H:%M:%S %z",
	    &tm);
	if ((size_t)snprintf(c->add_msgid, sizeof(c->add_msgid), "<%s@%s>", id,
	    net_config()->hostname) >= sizeof(c->add_msgid))
		c->add_msgid[0] = '\0';
}

static const char *
masquerade(void *arg, const char *domain, size_t len)
{
	return (conf_masquerade(net_config(), domain, len));
}

static void
begin_rewrite(struct session *s, struct collect *c)
{
	/* What another server hands in by LMTP was written elsewhere. */
	c->own = s->listener->proto != PROTO_LMTP &&
	    conf_is_own_mail(s->addr, s->user);
	c->rewrite.origin = net_config()->origin;
	c->rewrite.domain = masquerade;
	c->rewrite.put = keep;
	c->rewrite.put_arg = s;
	rewrite_init(&c->rewrite);
}

int
data_begin(struct session *s, int bdat)
{
	struct collect	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (-1);
	c->fd = -1;
	buf_init(&c->mem, COLLECT_MEM + 8192);
	smtp_content_init(&c->content);
	c->bdat = bdat;
	c->content.binary = bdat && s->body == BODY_BINARYMIME;
	/* content.c says why this is safe */
	c->content.lf = s->listener->lenient_lf && !s->crlf;
	if (s->listener->require_auth || s->listener->proto == PROTO_LOCAL)
		submission_fields(s, &c->content);
	begin_rewrite(s, c);
	trace_header(s, &c->mem);
	if (buf_len(&c->mem) == 0) {
		free(c);
		return (-1);
	}
	s->collect = c;
	return (0);
}

void
data_free(struct session *s)
{
	struct collect	*c = s->collect;

	if (c == NULL)
		return;
	if (c->fd != -1)
		close(c->fd);
	buf_wipe(&c->mem);
	rewrite_free(&c->rewrite);
	free(c);
	s->collect = NULL;
}

static void
fail(struct collect *c, const char *reply)
{
	if (c->failed == NULL)
		c->failed = reply;
	buf_wipe(&c->mem);
}

static void
store(struct collect *c, const void *p, size_t n)
{
	if (c->failed != NULL || n == 0)
		return;
	if (c->fd == -1 && (c->fd = os_anonfile("message")) == -1) {
		log_warn("anonymous file");
		fail(c, "452 4.3.1 no room for the message now");
		return;
	}
	if (os_write_all(c->fd, p, n) == -1) {
		log_warn("message");
		fail(c, "452 4.3.1 no room for the message now");
	}
}

static void
flush_mem(struct collect *c)
{
	store(c, buf_data(&c->mem), buf_len(&c->mem));
	buf_free(&c->mem);
}

/*
 * RFC 1870 6.1: a size that was promised counts as the client counts it, and
 * not what is added here, of which there is an end, too.
 */
static void
count(struct collect *c, uint64_t *what, size_t n, uint64_t more)
{
	*what += n;
	if (*what <= net_config()->max_message + more)
		return;
	if (c->failed == NULL)
		limit_reached(LIMIT_MESSAGE);
	fail(c, "552 5.3.4 message is too big");
}

static int
keep(void *arg, const void *p, size_t n)
{
	struct session	*s = arg;
	struct collect	*c = s->collect;

	count(c, &c->kept, n, COMPLETED_MAX);
	if (c->failed != NULL)
		return (0);
	if (buf_len(&c->mem) + n <= COLLECT_MEM) {
		if (buf_add(&c->mem, p, n) == -1)
			fail(c, "452 4.3.1 no memory for the message now");
		return (0);
	}
	flush_mem(c);
	store(c, p, n);
	return (0);
}

static int
put(void *arg, const void *p, size_t n)
{
	struct session	*s = arg;
	struct collect	*c = s->collect;

	count(c, &c->size, n, c->content.added);
	return (c->own ? rewrite_feed(&c->rewrite, p, n) : keep(s, p, n));
}

static void
ask_spool(struct session *s)
{
	struct msg_SPOOL_ASK	 ask = { .conn = s->id, .id = s->queueid };
	struct peer		*queue = role_peer(ROLE_QUEUE);

	s->collect->asked = 1;
	if (queue == NULL)
		return;
	conn_pause(s->conn);
	s->state = S_BUSY;
	peer_send(queue, M_SPOOL_ASK, &ask, -1);
}

/* Move what is there to the file that queue handed out. */
void
data_spool(struct session *s, int fd, int failed)
{
	struct collect	*c = s->collect;
	char		 piece[32768];
	off_t		 off = 0;
	ssize_t		 n = 0;

	if (c == NULL || !c->asked || c->spooled || s->state != S_BUSY) {
		close(fd);
		return;
	}
	s->state = c->bdat ? S_CHUNK : S_DATA;
	if (failed) {
		close(fd);
		fail(c, "452 4.3.1 no room for the message now");
	} else {
		flush_mem(c);
		while (c->failed == NULL && (n = pread(c->fd, piece,
		    sizeof(piece), off)) > 0) {
			if (os_write_all(fd, piece, n) == -1)
				fail(c, "452 4.3.1 no room for the message");
			off += n;
		}
		if (n == -1)
			fail(c, "451 4.3.0 cannot read the message back");
		if (c->fd != -1)
			close(c->fd);
		c->fd = fd;
		c->spooled = 1;
	}
	conn_resume(s->conn);
}

static const char *
verdict(struct collect *c)
{
	if (c->failed != NULL)
		return (c->failed);
	if (c->content.nul && !c->content.binary)
		return ("550 5.6.0 the message holds a NUL byte");
	if (c->content.received > limit_of(net_config(), LIMIT_HOPS))
		return ("554 5.4.6 too many hops: the message loops");
	return (NULL);
}

/* What the text turned out to need of whoever it is passed on to. */
static int
body_of(const struct smtp_content *c)
{
	if (c->binary && c->odd)
		return (BODY_BINARYMIME);
	return (c->eightbit ? BODY_8BITMIME : BODY_7BIT);
}

static void
finish(struct session *s)
{
	struct collect		*c = s->collect;
	struct msg_TX_DATA	 d = { .conn = s->id, .id = s->queueid };
	struct peer		*queue = role_peer(ROLE_QUEUE);
	const char		*refused;
	unsigned int		 times = net_times(s);

	if (c->own && rewrite_end(&c->rewrite) == -1)
		fail(c, "451 4.3.0 internal error");
	flush_mem(c);
	if ((refused = verdict(c)) == NULL && !c->spooled &&
	    os_anonfile_seal(c->fd) == -1) {
		log_warn("seal");
		refused = "451 4.3.0 internal error";
	}
	if (refused != NULL || queue == NULL ||
	    (d.seq = net_ask(s)) == 0) {
		net_reset(s, 1);
		net_refuse(s, refused != NULL ? refused : "451 4.3.0 the "
		    "queue is not there, try again later", times);
		return;
	}
	d.spooled = c->spooled;
	d.body = body_of(&c->content);
	d.utf8 = s->utf8 && (s->wide || c->content.utf8);
	strlcpy(d.msgid, c->content.msgid, sizeof(d.msgid));
	peer_send(queue, M_TX_DATA, &d, c->fd);
	c->fd = -1;
	s->handed = 1;
	data_free(s);
	s->state = S_BUSY;
	conn_pause(s->conn);
}

void
data_wants_spool(struct session *s)
{
	struct collect	*c = s->collect;

	if (c->kept > COLLECT_SPOOL && !c->asked && c->failed == NULL)
		ask_spool(s);
}

ssize_t
data_feed(struct session *s, const char *in, size_t len)
{
	struct collect	*c = s->collect;
	ssize_t		 n;

	n = smtp_content_feed(&c->content, in, len, put, s);
	if (c->content.mixed) {
		net_hang_up(s, "550 5.6.0 lines that end in LF hold a CR");
		return (-1);
	}
	if (c->content.done) {
		s->state = S_COMMAND;
		finish(s);
	} else
		data_wants_spool(s);
	return (n);
}

void
data_chunk(struct session *s, const char *in, size_t len)
{
	struct collect	*c = s->collect;

	if (smtp_content_chunk(&c->content, in, len, put, s) == -1)
		fail(c, "451 4.3.0 internal error");
}

void
data_end(struct session *s)
{
	struct collect	*c = s->collect;

	if (smtp_content_end(&c->content, put, s) == -1)
		fail(c, "451 4.3.0 internal error");
	finish(s);
}

const char *
data_failed(const struct session *s)
{
	return (s->collect->failed);
}

uint64_t
data_size(const struct session *s)
{
	const struct collect	*c = s->collect;

	/* Its own fields may wait to be counted. */
	return (c == NULL || c->size < c->content.added ? 0 :
	    c->size - c->content.added);
}
