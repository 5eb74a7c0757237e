/*
 * login: what the net processes of imapd and pop3d share.
 *
 * A connection's number is chosen here and stays taken until the question that
 * carries it was answered, even when the client has gone: an answer never
 * meets another client.  For the same reason every connection that waits is
 * closed when auth dies.
 *
 * After the hand-over a connection costs a struct login, the conn's own
 * state and two descriptors; bytes are copied by lib/net.
 *
 * Cost of a login of a user whose session is there, in wake-ups one behind the
 * other: client - net - auth - parent - net - session - client, with TLS over
 * net again; the session opens the mailbox while net is told.  Then a command
 * and its answer are two, with TLS four.  System calls of all processes for a
 * POP3 session of USER, PASS, STAT and QUIT: 72, of them 24 in net, 5 in auth,
 * 10 in the parent and 33 in the session, 8 of which open the maildrop; with
 * TLS 109.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/addrcount.h"
#include "daemon/counter.h"
#include "daemon/doors.h"
#include "daemon/limit.h"
#include "daemon/login_own.h"
#include "log/log.h"
#include "net/conn.h"
#include "net/listen.h"
#include "tls/server.h"

#define LOGIN_SECONDS	60		/* from connecting to the session */
#define STOP_SECONDS	60		/* a shorter drain is the end */
#define ORPHAN_SECONDS	120		/* for an answer nobody waits for */
#define TRIES_MAX	4
#define KEEPALIVE_SECONDS 120		/* of silence */
#define ID_BUCKETS	1024
#define FIRST_MAX	2048		/* bytes a session gets from us */

static struct {
	const struct login_proto *proto;
	const struct conf *conf;
	struct addrcount *addrs;
	TAILQ_HEAD(, login) waiting;	/* not in a session, oldest first */
	LIST_HEAD(, login) ids[ID_BUCKETS];
	struct event	*stop;
	int		 stopping;	/* a stop, not a reload */
	unsigned int	 count, max, next;
} net = {
	.waiting = TAILQ_HEAD_INITIALIZER(net.waiting),
};

static void	net_auth_challenge(struct peer *, struct msg *);
static void	net_auth_done(struct peer *, struct msg *);
static void	net_session(struct peer *, struct msg *);
static void	net_conns_ask(struct peer *, struct msg *);
static void	take(const struct conf_listen *, int, const struct sockaddr *,
		    socklen_t);
static int	make_room(void);
static struct login *login_new(const struct conf_listen *, int *, void *,
		    const char *);
static void	login_free(struct login *);
static void	gone(struct login *);
static struct login *find(uint64_t);
static void	begin(struct login *);
static void	hand_over(struct login *, int, const char *);
static void	bye(struct login *, enum login_bye);
static size_t	on_input(struct conn *, void *, const char *, size_t);
static void	on_secured(struct conn *, void *);
static void	on_ended(struct conn *, void *, enum conn_end);
static void	on_timer(evutil_socket_t, short, void *);
static void	on_stop(evutil_socket_t, short, void *);

const struct handler login_handlers[] = {
	{ M_CONF,	net_conf },
	{ M_CERT,	net_cert },
	{ M_LISTENER,	net_listener },
	{ M_SIGNED,	tls_serve_signed },
	{ M_AUTH_CHALLENGE, net_auth_challenge },
	{ M_AUTH_DONE,	net_auth_done },
	{ M_SESSION,	net_session },
	{ M_CONNS_ASK,	net_conns_ask },
	{ 0, NULL }
};

static const struct conn_ops conn_ops = {
	.input = on_input,
	.secured = on_secured,
	.ended = on_ended,
};

/* libcrypto reads its own files while there are any. */
void
login_warm(void)
{
	if (tls_serve_init() == -1)
		fatalx("TLS");
}

void
login_go(const struct login_proto *proto)
{
	net.proto = proto;
	if ((net.conf = doors_conf()) == NULL)
		fatalx("no configuration");
	if ((net.addrs = addrcount_new()) == NULL || (net.stop =
	    evtimer_new(role_base(), on_stop, NULL)) == NULL)
		fatal("login");
	net.max = doors_most();
	doors_open(proto->name, take);
}

/*
 * Take no more clients.  Those who are there go on until they or their session
 * end it, or until the time is over: after a reload that is long, and who was
 * greeted may still log in.
 */
void
login_drain(unsigned int seconds)
{
	struct timeval tv = { .tv_sec = seconds };
	struct login *l, *next;

	doors_close();
	net.stopping = seconds < STOP_SECONDS;
	for (l = TAILQ_FIRST(&net.waiting); net.stopping && l != NULL;
	    l = next) {
		next = TAILQ_NEXT(l, entry);
		if (l->phase == PHASE_OPEN || l->phase == PHASE_HANDSHAKE)
			bye(l, LOGIN_BYE_DRAIN);
	}
	if (net.count == 0)
		role_exit(0);
	if (seconds > 0 && event_add(net.stop, &tv) == -1)
		role_exit(0);
}

static void
on_stop(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(void)arg;
	log_info("%u connections cut off", net.count);
	role_exit(0);
}

/*
 * Auth has gone: what it was asked will not be answered by it, but perhaps
 * still by the parent, so these connections must not ask again.
 */
void
login_channel_gone(struct peer *p)
{
	struct login *l, *next;

	if (peer_role(p) != ROLE_AUTH)
		return;
	for (l = TAILQ_FIRST(&net.waiting); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (!l->asked)
			continue;
		l->asked = 0;
		if (l->phase == PHASE_WAIT)
			bye(l, LOGIN_BYE_AUTH);
		else if (l->phase == PHASE_ORPHAN)
			login_free(l);
	}
}

void
login_stats(void)
{
	log_info("connections=%u", net.count);
}

/* Clients come. */

static void
take(const struct conf_listen *conf, int fd, const struct sockaddr *sa,
    socklen_t len)
{
	static struct log_limit turned_away;
	char addr[ADDR_TEXT];
	enum addrcount_result r;
	void *key = NULL;
	struct login *l = NULL;

	addr_text(sa, len, addr, sizeof(addr));
	/* In this order: who has too many displaces nobody. */
	r = addrcount_add(net.addrs, sa, net.conf->max_sessions_addr,
	    net.conf->max_sessions_net, &key);
	if (r != ADDRCOUNT_OK) {
		if (r != ADDRCOUNT_MEMORY)
			limit_reached(r == ADDRCOUNT_ADDRESS ?
			    LIMIT_SESSIONS_ADDRESS : LIMIT_SESSIONS_NETWORK);
		goto refuse;
	}
	if (make_room() == -1)
		goto refuse;
	/* Who idles for long must not be forgotten by what is in between. */
	listen_keepalive(fd, KEEPALIVE_SECONDS);
	if ((l = login_new(conf, &fd, key, addr)) == NULL)
		goto refuse;
	counter_add(COUNTER_CONNECTIONS, 1);
	log_debug("connect: conn=%u addr=%s listener=%s", l->id, l->addr,
	    conf_proto_name(l->conf->proto));
	if (l->phase == PHASE_OPEN)
		begin(l);
	return;
refuse:
	counter_add(COUNTER_TURNED_AWAY, 1);
	if (log_allowed(&turned_away))
		log_info("turned away: addr=%s connections=%u", addr,
		    net.count);
	addrcount_drop(net.addrs, key);
	if (fd == -1)
		return;
	if (conf->proto == net.proto->clear && send(fd,
	    net.proto->too_many, strlen(net.proto->too_many), MSG_NOSIGNAL |
	    MSG_DONTWAIT) == -1)
		log_debug("turned away: addr=%s: %s", addr, strerror(errno));
	close(fd);
}

/*
 * When every place is taken, whoever has waited longest without logging in
 * goes, so that a flood of strangers does not lock out users.
 */
static int
make_room(void)
{
	struct login *l;

	if (net.count < net.max)
		return (0);
	limit_reached(LIMIT_SESSIONS);
	TAILQ_FOREACH(l, &net.waiting, entry) {
		if (!l->asked) {
			log_debug("displaced: conn=%u addr=%s", l->id,
			    l->addr);
			login_free(l);
			return (0);
		}
	}
	return (-1);
}

/*
 * Takes key over if it succeeds, and *fd, which is then -1, as soon as it
 * tries to make a conn of it.
 */
static struct login *
login_new(const struct conf_listen *conf, int *fd, void *key, const char *addr)
{
	struct login *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return (NULL);
	l->conf = conf;
	l->phase = PHASE_OPEN;
	strlcpy(l->addr, addr, sizeof(l->addr));
	if ((l->timer = evtimer_new(role_base(), on_timer, l)) == NULL)
		goto fail;
	l->conn = conn_new(role_base(), *fd, &conn_ops, l, net.proto->in_max);
	*fd = -1;
	if (l->conn == NULL)
		goto fail;
	if (conf->proto == net.proto->secure) {
		l->phase = PHASE_HANDSHAKE;
		if (conn_accept_tls(l->conn, login_context(conf)) == -1)
			goto fail;
	}
	do {
		l->id = net.next++;
	} while (find(l->id) != NULL);
	l->addrkey = key;
	LIST_INSERT_HEAD(&net.ids[l->id % ID_BUCKETS], l, byid);
	TAILQ_INSERT_TAIL(&net.waiting, l, entry);
	counter_now(COUNTER_CONNECTIONS, ++net.count);
	limit_use(LIMIT_SESSIONS, net.count);
	limit_use(LIMIT_SESSIONS_ADDRESS, addrcount_address(key));
	limit_use(LIMIT_SESSIONS_NETWORK, addrcount_network(key));
	login_set_timer(l, LOGIN_SECONDS);
	return (l);
fail:
	if (l->timer != NULL)
		event_free(l->timer);
	if (l->conn != NULL)
		conn_free(l->conn);
	free(l);
	return (NULL);
}

static void
login_free(struct login *l)
{
	if (l->phase != PHASE_SESSION)
		TAILQ_REMOVE(&net.waiting, l, entry);
	login_cancel(l);
	LIST_REMOVE(l, byid);
	if (l->timer != NULL)
		event_free(l->timer);
	if (l->conn != NULL)
		conn_free(l->conn);
	if (l->state != NULL)
		net.proto->end(l->state);
	addrcount_drop(net.addrs, l->addrkey);
	free(l);
	counter_now(COUNTER_CONNECTIONS, --net.count);
	limit_use(LIMIT_SESSIONS, net.count);
	if (role_draining() && net.count == 0)
		role_exit(0);
}

/* The client has; but its number may still be in somebody's answer. */
static void
gone(struct login *l)
{
	if (!l->asked) {
		login_free(l);
		return;
	}
	if (l->conn != NULL)
		conn_free(l->conn);
	l->conn = NULL;
	l->phase = PHASE_ORPHAN;
	login_set_timer(l, ORPHAN_SECONDS);
}

void
login_set_timer(struct login *l, unsigned int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	if (event_add(l->timer, &tv) == -1)
		role_exit(1);
}

static struct login *
find(uint64_t id)
{
	struct login *l;

	LIST_FOREACH(l, &net.ids[id % ID_BUCKETS], byid) {
		if (l->id == id)
			return (l);
	}
	return (NULL);
}

static void
begin(struct login *l)
{
	l->phase = PHASE_OPEN;
	if ((l->state = net.proto->begin(l)) == NULL)
		login_close(l);
}

/* The verdict and the hand-over. */

static void
net_auth_challenge(struct peer *p, struct msg *m)
{
	const struct msg_AUTH_CHALLENGE *ch = m->body;
	struct login *l;

	(void)p;
	if ((l = find(ch->conn)) == NULL || !l->asked || !l->exchange)
		return;
	l->asked = 0;
	if (l->phase == PHASE_ORPHAN) {
		login_free(l);
		return;
	}
	if (l->phase != PHASE_WAIT)
		return;
	l->phase = PHASE_OPEN;
	net.proto->challenge(l, l->state, ch->text);
	if (l->phase == PHASE_OPEN)
		conn_resume(l->conn);
}

static void
net_auth_done(struct peer *p, struct msg *m)
{
	const struct msg_AUTH_DONE *done = m->body;
	struct login *l;

	(void)p;
	if ((l = find(done->conn)) == NULL || !l->asked)
		return;
	if (done->result == AUTH_GRANTED)
		return;			/* the parent acts on it */
	l->asked = 0;
	l->exchange = 0;
	if (l->phase == PHASE_ORPHAN)
		login_free(l);
	else if (l->phase == PHASE_WAIT)
		login_refuse(l, (unsigned int)done->result);
}

static void
net_session(struct peer *parent, struct msg *m)
{
	const struct msg_SESSION *session = m->body;
	struct login *l;
	int fd = m->fd;

	(void)parent;
	if ((l = find(session->conn)) == NULL || !l->asked)
		return;
	l->asked = 0;
	if (l->phase == PHASE_ORPHAN)
		login_free(l);
	else if (l->phase == PHASE_WAIT && !session->ok)
		login_refuse(l, AUTH_TEMPFAIL);
	else if (l->phase == PHASE_WAIT) {
		m->fd = -1;
		hand_over(l, fd, session->user);
	}
}

/* For mailctl: for how long has each user's client said nothing? */
static void
net_conns_ask(struct peer *parent, struct msg *m)
{
	const struct msg_CONNS_ASK *ask = m->body;
	struct msg_CONN_IDLE idle = { .round = ask->round };
	struct msg_CONNS_TOLD told = { .round = ask->round };
	struct login *l;
	size_t i;

	for (i = 0; i < ID_BUCKETS; i++)
		LIST_FOREACH(l, &net.ids[i], byid) {
			if (l->phase != PHASE_SESSION || l->conn == NULL)
				continue;
			idle.conn = l->id;
			idle.seconds = conn_silence(l->conn);
			peer_send(parent, M_CONN_IDLE, &idle, -1);
		}
	peer_send(parent, M_CONNS_TOLD, &told, -1);
}

/*
 * The session waits for its line, the log does not.
 */
static void
hand_over(struct login *l, int fd, const char *user)
{
	char first[FIRST_MAX];
	size_t n;
	int done = -1;

	counter_login(l->method, AUTH_GRANTED);
	l->exchange = 0;
	n = net.proto->preface(l, l->state, first, sizeof(first));
	if (n > 0)
		done = conn_pump(l->conn, fd, first, n);
	else
		close(fd);
	if (done == -1)
		log_warn("conn=%u", l->id);
	log_info("login: user=%s addr=%s tls=%s conn=%u", user, l->addr,
	    conn_is_tls(l->conn) ? conn_cipher(l->conn) : "no", l->id);
	net.proto->end(l->state);
	l->state = NULL;
	event_free(l->timer);
	l->timer = NULL;
	TAILQ_REMOVE(&net.waiting, l, entry);
	l->phase = PHASE_SESSION;
	if (done == -1)
		login_free(l);
}

void
login_refuse(struct login *l, unsigned int result)
{
	counter_login(l->method, result);
	l->phase = PHASE_OPEN;
	net.proto->refused(l, l->state, result);
	if (++l->tries == TRIES_MAX || result == AUTH_SLOWDOWN)
		login_close(l);
	else
		conn_resume(l->conn);
}

static void
bye(struct login *l, enum login_bye why)
{
	if (l->phase == PHASE_HANDSHAKE || l->state == NULL)
		gone(l);
	else {
		net.proto->bye(l, l->state, why);
		login_close(l);
	}
}

/* What lib/net tells. */

static size_t
on_input(struct conn *c, void *arg, const char *data, size_t len)
{
	struct login *l = arg;

	(void)c;
	if (l->phase == PHASE_OPEN)
		return (net.proto->input(l, l->state, data, len));
	return (l->phase == PHASE_BYE ? len : 0);
}

static void
on_secured(struct conn *c, void *arg)
{
	struct login *l = arg;

	counter_add(COUNTER_TLS, 1);
	log_debug("tls: conn=%u %s", l->id, conn_cipher(c));
	if (l->state == NULL) {
		begin(l);
		return;
	}
	l->phase = PHASE_OPEN;
	net.proto->secured(l, l->state);
}

static void
on_ended(struct conn *c, void *arg, enum conn_end why)
{
	static const char *const reason[] = {
		[CONN_EOF] = "closed",
		[CONN_ERROR] = "error",
		[CONN_TIMEOUT] = "timeout",
		[CONN_TLS_FAILED] = "no TLS",
	};
	struct login *l = arg;

	if (why == CONN_TLS_FAILED)
		counter_add(COUNTER_TLS_FAILED, 1);
	if (why == CONN_EOF)
		log_debug("disconnect: conn=%u addr=%s", l->id, l->addr);
	else
		log_debug("disconnect: conn=%u addr=%s %s: %s", l->id,
		    l->addr, reason[why], conn_error(c));
	gone(l);
}

static void
on_timer(evutil_socket_t fd, short ev, void *arg)
{
	struct login *l = arg;

	(void)fd;
	(void)ev;
	if (l->phase == PHASE_ORPHAN)
		login_free(l);
	else if (l->phase == PHASE_BYE)
		gone(l);
	else
		bye(l, LOGIN_BYE_TIMEOUT);
}

/* ALPN's names for our protocols are our own (RFC 7301 registry). */
struct tls *
login_context(const struct conf_listen *conf)
{
	if (conf->tls == NULL)
		return (NULL);
	return (tls_serve_context(conf->tls->index, net.proto->name));
}

const struct login_proto *
login_proto(void)
{
	return (net.proto);
}

const struct conf *
login_conf(void)
{
	return (net.conf);
}

int
login_stopping(void)
{
	return (net.stopping);
}
