/*
 * net: the SMTP server's network process: accepts, speaks TLS and the
 * protocol, collects messages.
 *
 * It reads what strangers write and is therefore believed nothing: it holds
 * no key (signer does), no password beyond the login in flight, opens no file,
 * and gets its verdicts from lookup and queue, which keep state of their own.
 */
#include <sys/socket.h>

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/addrcount.h"
#include "daemon/doors.h"
#include "log/log.h"
#include "net/addr.h"
#include "smtp/command.h"
#include "smtpd/net.h"
#include "tls/server.h"

#define IDLE_TIMEOUT	300		/* seconds, RFC 5321 4.5.3.2.7 */
#define SESSION_BUCKETS	4096

static struct {
	LIST_HEAD(, session)	 sessions[SESSION_BUCKETS];
	unsigned int		 nsessions;
	uint32_t		 last;
	struct addrcount	*addrs;
	uint64_t		 total;
} self;

static struct session *
session_find(uint32_t id)
{
	struct session	*s;

	LIST_FOREACH(s, &self.sessions[id % SESSION_BUCKETS], entry)
		if (s->id == id)
			return (s);
	return (NULL);
}

const struct conf *
net_config(void)
{
	return (doors_conf());
}

struct tls *
net_tls(const struct conf_listen *l)
{
	return (l->tls == NULL ? NULL : tls_serve_context(l->tls->index,
	    "smtp"));
}

/* A password comes only where nobody can listen. */
int
net_may_login(const struct session *s)
{
	if (s->listener->no_auth || s->user != NULL)
		return (0);
	return (conn_is_tls(s->conn) || s->listener->plaintext_auth ||
	    addr_is_loopback(s->addr));
}

/* lookup forgets the connection and has queue forget it. */
static void
tell_end(uint32_t conn)
{
	struct msg_TX_END	 end = { .conn = conn, .gone = 1 };
	struct peer		*lookup = role_peer(ROLE_LOOKUP);

	if (lookup != NULL)
		peer_send(lookup, M_TX_END, &end, -1);
}

void
net_forget(struct session *s)
{
	if (s->known)
		tell_end(s->id);
	s->known = 0;
	free(s->helo);
	s->helo = NULL;
	s->esmtp = 0;
	free(s->user);
	s->user = NULL;
}

void
net_session_free(struct session *s)
{
	struct slot	*sl;

	LIST_REMOVE(s, entry);
	self.nsessions--;
	net_forget(s);
	addrcount_drop(self.addrs, s->addrkey);
	while ((sl = TAILQ_FIRST(&s->slots)) != NULL) {
		TAILQ_REMOVE(&s->slots, sl, entry);
		free(sl->text);
		free(sl);
	}
	data_free(s);
	auth_end(s, 1);
	conn_free(s->conn);
	free(s);
	if (role_draining() && self.nsessions == 0)
		role_exit(0);
}

static void
session_ended(struct conn *c, void *arg, enum conn_end why)
{
	static struct log_limit	 timeouts, no_tls;
	struct session	*s = arg;

	switch (why) {
	case CONN_TIMEOUT:
		if (log_allowed(&timeouts))
			log_info("conn %u: %s timed out", s->id, s->addr);
		break;
	case CONN_TLS_FAILED:
		if (log_allowed(&no_tls))
			log_info("conn %u: %s: no TLS: %s", s->id, s->addr,
			    conn_error(c));
		break;
	default:
		log_debug("conn %u: %s disconnected %s", s->id, s->addr,
		    conn_error(c));
	}
	net_session_free(s);
}

static const struct conn_ops session_ops = {
	.input = net_input,
	.secured = net_secured,
	.ended = session_ended,
};

static void
turn_away(int fd, const char *reply)
{
	/* One try: a full socket buffer on a new connection cannot be. */
	(void)send(fd, reply, strlen(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static uint32_t
next_id(void)
{
	do {
		self.last++;
	} while (self.last == 0 || session_find(self.last) != NULL);
	return (self.last);
}

static void
start(struct session *s)
{
	conn_timeout(s->conn, IDLE_TIMEOUT);
	if (conf_proto_is_tls(s->listener->proto)) {
		s->state = S_BUSY;
		if (conn_accept_tls(s->conn, net_tls(s->listener)) == -1)
			conn_finish(s->conn);
	} else
		net_begin(s);
}

static void
take(const struct conf_listen *l, int fd, const struct sockaddr *sa,
    socklen_t len)
{
	const struct conf	*conf = net_config();
	struct session		*s;
	void			*key;

	if (self.nsessions >= conf->max_sessions) {
		turn_away(fd, "421 4.3.2 too many connections\r\n");
		return;
	}
	if (addrcount_add(self.addrs, sa, conf->max_sessions_addr, &key) ==
	    -1) {
		turn_away(fd, "421 4.7.0 too many connections from your "
		    "address\r\n");
		return;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->conn = conn_new(role_base(), fd, &session_ops, s,
	    SMTP_AUTH_MAX + 4096)) == NULL) {
		if (s == NULL)
			close(fd);
		free(s);
		addrcount_drop(self.addrs, key);
		return;
	}
	s->addrkey = key;
	s->id = next_id();
	s->listener = l;
	s->wait = SMTP_UNKNOWN;
	TAILQ_INIT(&s->slots);
	addr_text(sa, len, s->addr, sizeof(s->addr));
	LIST_INSERT_HEAD(&self.sessions[s->id % SESSION_BUCKETS], s, entry);
	self.nsessions++;
	self.total++;
	log_debug("conn %u: %s connected to port %u", s->id, s->addr, l->port);
	start(s);
}

static void
net_tx_reply(struct peer *p, struct msg *m)
{
	const struct msg_TX_REPLY	*r = m->body;
	struct session			*s = session_find(r->conn);

	if (s != NULL)
		net_take_reply(s, r);
}

static void
net_spool_file(struct peer *p, struct msg *m)
{
	const struct msg_SPOOL_FILE	*f = m->body;
	struct session			*s = session_find(f->conn);

	if (s == NULL || s->queueid != f->id)
		return;
	data_spool(s, m->fd, f->failed != 0);
	m->fd = -1;
}

static void
net_auth_done(struct peer *p, struct msg *m)
{
	const struct msg_AUTH_DONE	*d = m->body;
	struct session			*s = session_find(d->conn);

	/* Only lookup, which will act on it, can say that it is granted. */
	if (d->result == AUTH_GRANTED && peer_role(p) != ROLE_LOOKUP)
		return;
	if (s != NULL)
		net_take_auth(s, d);
	else if (d->result == AUTH_GRANTED)
		tell_end(d->conn);	/* it was told of the end before */
}

static void
net_auth_challenge(struct peer *p, struct msg *m)
{
	const struct msg_AUTH_CHALLENGE	*ch = m->body;
	struct session			*s = session_find(ch->conn);

	if (s != NULL)
		auth_challenge(s, ch->text);
}

/* What was asked of a role that has gone is answered with "later". */
static void
net_channel_gone(struct peer *p)
{
	struct session	*s, *next;
	enum role	 role = peer_role(p);
	size_t		 i;

	if (role == ROLE_SIGNER)
		return;
	for (i = 0; i < SESSION_BUCKETS; i++)
		LIST_FOREACH_SAFE(s, &self.sessions[i], entry, next)
			if (s->auth_pending || (role != ROLE_AUTH &&
			    (s->mail_seq != 0 || s->nslots > 0)) ||
			    (s->user != NULL && role == ROLE_LOOKUP))
				net_abort(s, "421 4.3.0 a part of the "
				    "server was restarted, try again");
}

static void
net_init(void)
{
	if (tls_serve_init() == -1)
		fatalx("TLS");
	if ((self.addrs = addrcount_new()) == NULL)
		fatal("addresses");
}

static void
net_go(void)
{
	doors_open("smtp", take);
}

static void
net_drain(unsigned int seconds)
{
	struct session	*s, *next;
	size_t		 i;

	doors_close();
	if (self.nsessions == 0)
		role_exit(0);
	/* Whoever is between two messages can as well come back. */
	for (i = 0; i < SESSION_BUCKETS; i++)
		LIST_FOREACH_SAFE(s, &self.sessions[i], entry, next)
			if (seconds < 60 && s->mail_seq == 0 &&
			    s->state != S_BUSY)
				net_hang_up(s, "421 4.3.2 the server is "
				    "being stopped");
}

static void
net_stats(void)
{
	log_info("sessions=%u total=%llu", self.nsessions,
	    (unsigned long long)self.total);
}

static const struct handler handlers[] = {
	{ M_CONF,	net_conf },
	{ M_CERT,	net_cert },
	{ M_LISTENER,	net_listener },
	{ M_SIGNED,	tls_serve_signed },
	{ M_AUTH_CHALLENGE, net_auth_challenge },
	{ M_AUTH_DONE,	net_auth_done },
	{ M_TX_REPLY,	net_tx_reply },
	{ M_SPOOL_FILE,	net_spool_file },
	{ 0,		NULL }
};

const struct role_code net_code = {
	.handlers = handlers,
	.init = net_init,
	.go = net_go,
	.drain = net_drain,
	.channel_gone = net_channel_gone,
	.stats = net_stats,
};
