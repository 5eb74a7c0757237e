/*
 * net_data: collects a message.
 *
 * It is kept in memory up to COLLECT_MEM bytes, then in an anonymous file,
 * above COLLECT_SPOOL in a file that queue handed out.  At the end the
 * anonymous file is sealed and handed to queue.
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
#include "log/log.h"
#include "os/os.h"
#include "smtp/queueid.h"
#include "smtpd/net.h"

#define COLLECT_MEM	(64 * 1024)
#define COLLECT_SPOOL	(256 * 1024)
#define HOPS_MAX	100		/* Received fields that may pass */

struct collect {
	struct smtp_content	 content;
	struct buf		 mem;
	int			 fd;
	int			 spooled;	/* fd is queue's file */
	int			 asked;		/* for it */
	uint64_t		 size;
	const char		*failed;	/* the reply it will get */
};

/* RFC 5321 4.4, RFC 3848 for the protocol's name. */
static void
trace_header(struct session *s, struct buf *b)
{
	char		id[QUEUEID_SIZE], date[64];
	struct tm	tm;
	time_t		now = time(NULL);
	int		v6 = strchr(s->addr, ':') != NULL;

	queueid_text(s->queueid, id);
	localtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S %z", &tm);
	(void)buf_printf(b, "Received: from %s ([%s%s])\r\n"
	    "\tby %s (Postern) with %s%s%s id %s", s->helo,
	    v6 ? "IPv6:" : "", s->addr, net_config()->hostname,
	    s->esmtp ? "ESMTP" : "SMTP",
	    s->esmtp && conn_is_tls(s->conn) ? "S" : "",
	    s->esmtp && s->user != NULL ? "A" : "", id);
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

int
data_begin(struct session *s)
{
	struct collect	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (-1);
	c->fd = -1;
	buf_init(&c->mem, COLLECT_MEM + 8192);
	smtp_content_init(&c->content);
	if (s->listener->require_auth)
		submission_fields(s, &c->content);
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
	free(c);
	s->collect = NULL;
}

static int
write_all(int fd, const char *p, size_t n)
{
	ssize_t	w;

	while (n > 0) {
		if ((w = write(fd, p, n)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		p += w;
		n -= w;
	}
	return (0);
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
	if (write_all(c->fd, p, n) == -1) {
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

static int
put(void *arg, const void *p, size_t n)
{
	struct session	*s = arg;
	struct collect	*c = s->collect;

	c->size += n;
	if (c->size > net_config()->max_message)
		fail(c, "552 5.3.4 message is too big");
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
	s->state = S_DATA;
	if (failed) {
		close(fd);
		fail(c, "452 4.3.1 no room for the message now");
	} else {
		flush_mem(c);
		while (c->failed == NULL && (n = pread(c->fd, piece,
		    sizeof(piece), off)) > 0) {
			if (write_all(fd, piece, n) == -1)
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
	if (c->content.nul)
		return ("550 5.6.0 the message holds a NUL byte");
	if (c->content.received > HOPS_MAX)
		return ("554 5.4.6 too many hops: the message loops");
	return (NULL);
}

static void
finish(struct session *s)
{
	struct collect		*c = s->collect;
	struct msg_TX_DATA	 d = { .conn = s->id, .id = s->queueid };
	struct peer		*queue = role_peer(ROLE_QUEUE);
	const char		*refused;

	flush_mem(c);
	if ((refused = verdict(c)) == NULL && !c->spooled &&
	    os_anonfile_seal(c->fd) == -1) {
		log_warn("seal");
		refused = "451 4.3.0 internal error";
	}
	if (refused != NULL || queue == NULL ||
	    (d.seq = net_ask(s)) == 0) {
		net_reset(s, 1);
		net_reply(s, "%s", refused != NULL ? refused :
		    "451 4.3.0 the queue is not there, try again later");
		return;
	}
	d.spooled = c->spooled;
	d.body = c->content.eightbit ? BODY_8BITMIME : BODY_7BIT;
	d.utf8 = s->utf8;
	strlcpy(d.msgid, c->content.msgid, sizeof(d.msgid));
	peer_send(queue, M_TX_DATA, &d, c->fd);
	c->fd = -1;
	s->handed = 1;
	data_free(s);
	s->state = S_BUSY;
	conn_pause(s->conn);
}

ssize_t
data_feed(struct session *s, const char *in, size_t len)
{
	struct collect	*c = s->collect;
	ssize_t		 n;

	n = smtp_content_feed(&c->content, in, len, put, s);
	if (c->content.done) {
		s->state = S_COMMAND;
		finish(s);
	} else if (c->size > COLLECT_SPOOL && !c->asked && c->failed == NULL)
		ask_spool(s);
	return (n);
}
