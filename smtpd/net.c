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
#include "daemon/limit.h"
#include "daemon/rate.h"
#include "log/log.h"
#include "net/addr.h"
#include "os/os.h"
#include "smtp/command.h"
#include "smtpd/net.h"
#include "tls/server.h"

#define IDLE_TIMEOUT	300		/* seconds, RFC 5321 4.5.3.2.7 */
#define SESSION_BUCKETS	4096

static struct {
	LIST_HEAD(, session)	 sessions[SESSION_BUCKETS];
	TAILQ_HEAD(, session)	 strangers;	/* the oldest first */
	unsigned int		 nsessions;
	uint32_t		 last;
	struct addrcount	*addrs;
	struct rate		*rate_addr, *rate_net;	/* NULL: none */
	uint64_t		 total;
} self = {
	.strangers = TAILQ_HEAD_INITIALIZER(self.strangers),
};

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
	if (s->listener->no_auth || s->listener->proto == PROTO_LMTP ||
	    s->user != NULL)
		return (0);
	return (conn_is_tls(s->conn) || s->listener->plaintext_auth ||
	    addr_is_loopback(s->addr));
}

/* The network of so many bits that an address is in, as text. */
static void
network_of(const char *addr, unsigned int bits4, unsigned int bits6, char *to,
    size_t size)
{
	struct addr_net	net;
	unsigned int	i, bits;

	*to = '\0';
	if (addr_net_parse(&net, addr) == -1)
		return;
	bits = net.family == AF_INET ? bits4 : bits6;
	for (i = bits / 8; i < sizeof(net.bytes); i++)
		net.bytes[i] = 0;
	net.bits = bits;
	addr_net_print(&net, to, size);
}

/*
 * Who logged in has a rate of his own, which lookup keeps, and does not
 * suffer from what his neighbours do.
 */
int
net_rate(const struct session *s, unsigned int n)
{
	char	net[ADDR_TEXT];

	if (s->user != NULL || (self.rate_addr == NULL &&
	    self.rate_net == NULL) || strcmp(s->addr, NET_LOCAL) == 0)
		return (0);
	network_of(s->addr, 32, 64, net, sizeof(net));
	if (self.rate_addr != NULL && rate_take(self.rate_addr, net, n) ==
	    -1) {
		limit_reached(LIMIT_RATE_ADDRESS);
		return (-1);
	}
	network_of(s->addr, 24, 48, net, sizeof(net));
	if (self.rate_net != NULL && rate_take(self.rate_net, net, n) == -1) {
		limit_reached(LIMIT_RATE_NETWORK);
		return (-1);
	}
	return (0);
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
net_known(struct session *s)
{
	if (s->known_user)
		return;
	s->known_user = 1;
	TAILQ_REMOVE(&self.strangers, s, stranger);
}

unsigned int
net_each(void (*fn)(struct session *))
{
	struct session	*s, *next;
	size_t		 i;

	for (i = 0; i < SESSION_BUCKETS && self.nsessions > 0; i++)
		LIST_FOREACH_SAFE(s, &self.sessions[i], entry, next)
			fn(s);
	return (self.nsessions);
}

void
net_session_free(struct session *s)
{
	struct slot	*sl;

	LIST_REMOVE(s, entry);
	net_known(s);
	limit_use(LIMIT_SESSIONS, --self.nsessions);
	counter_now(COUNTER_CONNECTIONS, self.nsessions);
	if (s->greet != NULL)
		event_free(s->greet);
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
		counter_add(COUNTER_TLS_FAILED, 1);
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

/* One try: a full socket buffer on a new connection cannot be. */
static void
say_at_once(int fd, const char *reply)
{
	(void)send(fd, reply, strlen(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
turn_away(const struct conf_listen *l, int fd, const char *addr,
    enum limit_id id, const char *reply)
{
	static struct log_limit	turned_away;

	limit_reached(id);
	counter_add(COUNTER_TURNED_AWAY, 1);
	if (log_allowed(&turned_away))
		log_info("turned away: addr=%s reply=\"%.*s\"", addr,
		    (int)strcspn(reply, "\r"), reply);
	if (!conf_proto_is_tls(l->proto))
		say_at_once(fd, reply);
	close(fd);
}

/*
 * Everywhere is taken, and somebody comes where users log in: whoever has
 * been there longest without a login goes, first of all if he has no
 * transaction, never if his message is being stored.
 */
static int
make_room(void)
{
	struct session	*s, *victim = NULL;

	TAILQ_FOREACH(s, &self.strangers, stranger) {
		if (s->auth_pending || s->handed)
			continue;
		if (victim == NULL)
			victim = s;
		if (s->mail_seq == 0) {
			victim = s;
			break;
		}
	}
	if (victim == NULL)
		return (-1);
	limit_reached(LIMIT_SESSIONS);
	log_debug("conn %u: %s makes room", victim->id, victim->addr);
	if (!conn_is_tls(victim->conn) && victim->state != S_BUSY)
		say_at_once(conn_fd(victim->conn), "421 4.3.2 too many "
		    "connections, try again later\r\n");
	net_session_free(victim);
	return (0);
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
	} else if (s->listener->pregreet > 0)
		time_greet(s);
	else
		net_begin(s);
}

/* Is there room for one more of this address? Then key counts it. */
static int
admit(const struct conf_listen *l, int fd, const struct sockaddr *sa,
    const char *addr, uid_t uid, void **key)
{
	const struct conf	*conf = net_config();
	enum addrcount_result	 r;

	if (l->proto == PROTO_LOCAL)
		r = addrcount_add_uid(self.addrs, uid,
		    limit_of(conf, LIMIT_SESSIONS_ADDRESS), key);
	else
		r = addrcount_add(self.addrs, sa,
		    limit_of(conf, LIMIT_SESSIONS_ADDRESS),
		    limit_of(conf, LIMIT_SESSIONS_NETWORK), key);
	switch (r) {
	case ADDRCOUNT_ADDRESS:
		turn_away(l, fd, addr, LIMIT_SESSIONS_ADDRESS, "421 4.7.0 "
		    "too many connections from your address\r\n");
		return (-1);
	case ADDRCOUNT_NETWORK:
		turn_away(l, fd, addr, LIMIT_SESSIONS_NETWORK, "421 4.7.0 "
		    "too many connections from your network\r\n");
		return (-1);
	case ADDRCOUNT_MEMORY:
		close(fd);
		return (-1);
	case ADDRCOUNT_OK:
		break;
	}
	if (self.nsessions >= limit_of(conf, LIMIT_SESSIONS) &&
	    (!l->require_auth || make_room() == -1)) {
		turn_away(l, fd, addr, LIMIT_SESSIONS, "421 4.3.2 too many "
		    "connections\r\n");
		addrcount_drop(self.addrs, *key);
		return (-1);
	}
	return (0);
}

static void
take(const struct conf_listen *l, int fd, const struct sockaddr *sa,
    socklen_t len)
{
	struct session		*s;
	char			 addr[C_ADDR];
	void			*key;
	uid_t			 uid = 0;
	gid_t			 gid;
	pid_t			 pid;

	if (l->proto == PROTO_LOCAL && os_peer_cred(fd, &uid, &gid, &pid) ==
	    -1) {
		log_warn("a local client's user");
		close(fd);
		return;
	}
	addr_text(sa, len, addr, sizeof(addr));
	if (addr[0] == '\0')
		strlcpy(addr, NET_LOCAL, sizeof(addr));
	if (admit(l, fd, sa, addr, uid, &key) == -1)
		return;
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
	s->uid = uid;
	s->wait = SMTP_UNKNOWN;
	TAILQ_INIT(&s->slots);
	strlcpy(s->addr, addr, sizeof(s->addr));
	LIST_INSERT_HEAD(&self.sessions[s->id % SESSION_BUCKETS], s, entry);
	TAILQ_INSERT_TAIL(&self.strangers, s, stranger);
	if (l->proto == PROTO_LOCAL)
		net_known(s);
	self.total++;
	limit_use(LIMIT_SESSIONS, ++self.nsessions);
	counter_add(COUNTER_CONNECTIONS, 1);
	counter_now(COUNTER_CONNECTIONS, self.nsessions);
	limit_use(LIMIT_SESSIONS_ADDRESS, addrcount_address(key));
	limit_use(LIMIT_SESSIONS_NETWORK, addrcount_network(key));
	time_start();
	time_began(s);
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

/* A rate that was not set costs nothing. */
static void
rates_begin(const struct conf *conf)
{
	if (conf->rate_addr > 0 && (self.rate_addr =
	    rate_new(conf->rate_addr, conf->rate_addr_secs)) == NULL)
		fatal("rate");
	if (conf->rate_net > 0 && (self.rate_net =
	    rate_new(conf->rate_net, conf->rate_net_secs)) == NULL)
		fatal("rate");
}

static void
net_go(void)
{
	rates_begin(net_config());
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
