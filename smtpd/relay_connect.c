/*
 * relay_connect: from a destination to a connection (RFC 5321 section 5).
 *
 * What the name system says is chosen by strangers: hosts and addresses are
 * counted, a host of our own name and every worse one is left out, and mail
 * that was not sent here by the configuration never goes to this machine's
 * own port 25, where it would be taken for its own.
 *
 * Hosts are resolved one by one as they are needed: a first host that answers
 * costs three questions.  Before an address is tried, relay_share says whether
 * a connection to it is there already, or whether it is known to be down.
 */
#include "os/compat.h"
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "log/log.h"
#include "net/addr.h"
#include "privsep/role.h"
#include "smtpd/relay_connect.h"
#include "smtpd/relay_hosts.h"
#include "smtpd/relay_known.h"
#include "smtpd/relay_session.h"
#include "smtpd/relay_share.h"
#include "smtpd/relay_state.h"

#define CONNECT_SECONDS	30
#define STAGGER_MS	250	/* RFC 8305 5: until the next one is tried */
#define SLOT_BITS	10		/* of a question's number, */
#define TURNS		((1U << (32 - SLOT_BITS)) - 1)	/* never all ones */
#define DNS_SECONDS	60	/* that dns may take to be started again */
#define LOOPS		"554 5.4.6 mail for %s loops back to this host"

enum try {
	TRY_MADE,		/* connected() will be called */
	TRY_OVER,		/* nothing to do until something else is */
	TRY_LATER,		/* another address first */
	TRY_FAILED		/* noted why */
};

static void	ask(struct session *, int which, unsigned int type,
		    const char *name);
static void	ask_socket(struct session *);
static void	mx_done(struct session *, const struct msg_DNS_DONE *);
static void	next_host(struct session *);
static void	next_addr(struct session *);
static void	shut_out(struct session *, struct known *);
static enum try	try_addr(struct session *, size_t addr);
static int	attempt(struct session *, size_t addr, struct known *);
static void	vnote(struct session *, int permanent, const char *, va_list)
		    __attribute__((__format__(printf, 3, 0)));
static void	note(struct session *, int permanent, const char *, ...)
		    __attribute__((__format__(printf, 3, 4)));

/* A destination is a name, an address, or an address as in user@[address]. */
static void
plain_host(char *host)
{
	size_t	len = strlen(host), skip = 1;

	if (len < 2 || host[0] != '[' || host[len - 1] != ']')
		return;
	host[len - 1] = '\0';
	if (strncasecmp(host + 1, "IPv6:", 5) == 0)
		skip += 5;
	memmove(host, host + skip, len - skip);
}

static int
is_address(const char *host)
{
	struct sockaddr_storage	ss;
	socklen_t		len;

	return (addr_parse(host, 0, &ss, &len) == 0);
}

void
connect_start(struct session *s)
{
	if (s->dest.host[0] == '/') {
		ask_socket(s);
		return;
	}
	plain_host(s->dest.host);
	if (is_address(s->dest.host))
		s->dest.nomx = 1;
	if (!s->dest.nomx) {
		s->phase = PHASE_RESOLVING;
		s->hop.asking_mx = 1;
		ask(s, 0, DNS_MX, s->dest.host);
		return;
	}
	hosts_add(&s->hop, 0, s->dest.host);
	next_host(s);
}

/* The questions that are open have failed. */
static void
dns_late(struct session *s)
{
	struct msg_DNS_DONE	done = { .status = DNS_TEMPFAIL };
	uint32_t		ids[2];
	int			i;

	memcpy(ids, s->hop.ask, sizeof(ids));
	for (i = 0; i < 2; i++)
		if ((done.id = ids[i]) != 0)
			connect_done(&done);
}

/* Without dns the question waits for the next one. */
static void
ask(struct session *s, int which, unsigned int type, const char *name)
{
	static uint32_t		 turn;
	struct msg_DNS_ASK	 m = { 0 };
	struct peer		*dns = role_peer(ROLE_DNS);

	if (++turn == TURNS)
		turn = 1;
	s->hop.ask[which] = turn << SLOT_BITS | s->slot;
	m.id = s->hop.ask[which];
	m.type = type;
	(void)strlcpy(m.name, name, sizeof(m.name));
	if (dns != NULL)
		peer_send(dns, M_DNS_ASK, &m, -1);
	else
		session_timer(s, DNS_SECONDS, dns_late);
}

/* Whose question it was, or NULL: too late. */
static struct session *
asker(uint32_t id, int *which)
{
	struct session	*s = session_by_slot(id & ((1U << SLOT_BITS) - 1));

	if (s == NULL || s->phase != PHASE_RESOLVING || id == 0)
		return (NULL);
	for (*which = 0; *which < 2; (*which)++)
		if (s->hop.ask[*which] == id)
			return (s);
	return (NULL);
}

/* RFC 5321 section 5: IPv6 and IPv4 in turn, so that neither holds us up. */
static void
add_addr(struct session *s, const char *text)
{
	struct relay_hop	*hop = &s->hop;
	struct relay_addr	 a = { .len = 0 };
	size_t			 i, same = 0;

	if (addr_parse(text, s->dest.port, &a.ss, &a.len) == -1 ||
	    strlcpy(a.text, text, sizeof(a.text)) >= sizeof(a.text))
		return;
	for (i = 0; i < hop->naddrs; i++) {
		if (strcmp(hop->addrs[i].text, a.text) == 0)
			return;
		if (hop->addrs[i].ss.ss_family == a.ss.ss_family)
			same++;
	}
	if (same == RELAY_FAMILY)
		return;
	/* The place of this family's next: 0, 2, 4 for IPv6, else 1, 3, 5. */
	i = 2 * same + (a.ss.ss_family == AF_INET6 ? 0 : 1);
	if (i > hop->naddrs)
		i = hop->naddrs;
	memmove(&hop->addrs[i + 1], &hop->addrs[i],
	    (hop->naddrs - i) * sizeof(hop->addrs[0]));
	hop->addrs[i] = a;
	hop->naddrs++;
}

void
connect_record(const struct msg_DNS_RECORD *rec)
{
	struct session	*s;
	int		 which;

	if ((s = asker((uint32_t)rec->id, &which)) == NULL)
		return;
	if (s->hop.asking_mx)
		hosts_add(&s->hop, (unsigned int)rec->pref, rec->name);
	else
		add_addr(s, rec->name);
}

void
connect_done(const struct msg_DNS_DONE *done)
{
	struct session	*s;
	int		 which;

	if ((s = asker((uint32_t)done->id, &which)) == NULL)
		return;
	s->hop.ask[which] = 0;
	if (s->hop.asking_mx) {
		s->hop.asking_mx = 0;
		mx_done(s, done);
		return;
	}
	if (done->status == DNS_TEMPFAIL || done->status == DNS_BOGUS)
		s->hop.unsure = 1;
	if (s->hop.ask[0] != 0 || s->hop.ask[1] != 0)
		return;
	if (s->hop.naddrs == 0)
		note(s, !s->hop.unsure, s->hop.unsure ?
		    "451 4.4.3 no answer from the name service for %s" :
		    "550 5.4.4 %s has no address", session_host(s));
	next_addr(s);
}

void
connect_ask_again(struct session *s)
{
	struct relay_hop	*hop = &s->hop;

	if (s->phase != PHASE_RESOLVING)
		return;
	session_no_timer(s);
	if (hop->asking_mx) {
		hop->nhosts = 0;
		ask(s, 0, DNS_MX, s->dest.host);
		return;
	}
	if (hop->ask[0] != 0)
		ask(s, 0, DNS_AAAA, session_host(s));
	if (hop->ask[1] != 0)
		ask(s, 1, DNS_A, session_host(s));
}

static void
mx_done(struct session *s, const struct msg_DNS_DONE *done)
{
	const char	*host = s->dest.host;

	switch (done->status) {
	case DNS_OK:
		s->hop.from_mx = 1;
		s->hop.secure = (int)done->secure;
		if (hosts_null(&s->hop)) {
			note(s, 1, "556 5.1.10 %s accepts no mail", host);
			break;
		}
		if (s->hop.nhosts == 0)
			note(s, 1, "550 5.4.4 no MX of %s is a host", host);
		hosts_sort(&s->hop);
		break;
	case DNS_NODATA:
		/* RFC 5321 5.1: an implicit MX */
		hosts_add(&s->hop, 0, host);
		break;
	case DNS_NXDOMAIN:
		note(s, 1, "550 5.1.2 domain %s does not exist", host);
		break;
	default:
		note(s, 0, "451 4.4.3 no answer from the name service for %s",
		    host);
	}
	if (hosts_drop_ourselves(&s->hop, role_settings()->hostname))
		note(s, 1, LOOPS, host);
	if (s->hop.nhosts > RELAY_HOSTS)
		s->hop.nhosts = RELAY_HOSTS;
	next_host(s);
}

static void
next_host(struct session *s)
{
	struct relay_hop	*hop = &s->hop;
	const char		*name;

	hop->naddrs = hop->addr = 0;
	hop->unsure = 0;
	if (hop->host == hop->nhosts || hop->tried >= RELAY_ADDRS) {
		s->rest = hop->contacted ? 0 : hop->rest;
		session_closed(s, !hop->tempfail && hop->reply[0] != '\0' ?
		    END_FOR_GOOD : END_FAILED, hop->reply[0] != '\0' ?
		    hop->reply : "450 4.4.4 no host to connect to");
		return;
	}
	name = hop->hosts[hop->host].name;
	if (s->dest.nomx && is_address(name)) {
		add_addr(s, name);
		next_addr(s);
		return;
	}
	s->phase = PHASE_RESOLVING;
	ask(s, 0, DNS_AAAA, name);
	ask(s, 1, DNS_A, name);
}

/*
 * RFC 8305: an address that does not answer at once is not waited for; the
 * next one is tried beside it, and the first to answer is taken.
 */
static void
next_addr(struct session *s)
{
	struct relay_hop	*hop = &s->hop;
	size_t			 i;

	session_no_timer(s);
	for (i = 0; i < hop->naddrs && hop->tried < RELAY_ADDRS &&
	    hop->nattempts < RELAY_ATTEMPTS; i++) {
		if (hop->addrs[i].tried)
			continue;
		s->clear = 0;
		hop->tried++;
		switch (try_addr(s, i)) {
		case TRY_MADE:
			session_timer_ms(s, STAGGER_MS, next_addr);
			return;
		case TRY_OVER:
			return;
		case TRY_LATER:
			hop->addrs[i].tried = 0;
			hop->tried--;
			break;
		case TRY_FAILED:
			break;
		}
	}
	if (hop->nattempts > 0)
		return;
	hop->host++;
	next_host(s);
}

/* In place of the connection that it had: there is room. */
void
connect_again(struct session *s)
{
	struct known	*k = s->at;

	session_hang_up(s);
	session_no_timer(s);
	if (attempt(s, s->hop.addr - 1, k) == -1)
		next_addr(s);
}

/* What queue is told if nothing better comes: the last temporary failure. */
static void
vnote(struct session *s, int permanent, const char *fmt, va_list ap)
{
	struct relay_hop	*hop = &s->hop;
	int			 n;

	if (!permanent || !hop->tempfail) {
		n = vsnprintf(hop->reply, sizeof(hop->reply), fmt, ap);
		if (n < 0)
			hop->reply[0] = '\0';
	}
	if (!permanent)
		hop->tempfail = 1;
	log_debug("session=%llu host=%s addr=%s failed: %s",
	    (unsigned long long)s->dest.session, session_host(s),
	    session_addr(s), hop->reply);
}

static void
note(struct session *s, int permanent, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vnote(s, permanent, fmt, ap);
	va_end(ap);
}

void
connect_failed(struct session *s, int permanent, const char *fmt, ...)
{
	struct known	*k = s->at;
	va_list		 ap;
	int		 anyone = s->phase == PHASE_GREETING ||
			    s->phase == PHASE_EHLO || s->phase == PHASE_HELO;

	va_start(ap, fmt);
	vnote(s, permanent, fmt, ap);	/* may quote the connection */
	va_end(ap);
	session_hang_up(s);
	/* Before it knows who we are and for whom. */
	if (!permanent && anyone)
		shut_out(s, k);
	session_no_timer(s);
	next_addr(s);
}

/*
 * The address let nobody in.  If it serves others of ours it only has enough
 * of us, and that is no failed try.
 */
static void
shut_out(struct session *s, struct known *k)
{
	if (share_failed(k, s->hop.reply))
		return;
	s->hop.contacted--;
	s->hop.rest = SHARE_BUSY_SECONDS;
}

static void
attempt_end(struct relay_attempt *a)
{
	event_free(a->ev);
	a->ev = NULL;
	a->fd = -1;
	a->session->hop.nattempts--;
}

/* Those that lost the race were not at fault. */
static void
drop_others(struct session *s)
{
	struct relay_hop	*hop = &s->hop;
	size_t			 i;

	for (i = 0; i < RELAY_ATTEMPTS; i++)
		if (hop->attempts[i].fd != -1) {
			hop->addrs[hop->attempts[i].addr].tried = 0;
			hop->tried--;
		}
	attempts_drop(hop);
}

/* We wanted to send it away and talk to ourselves: the rest is no better. */
static void
is_ourselves(struct session *s)
{
	note(s, 1, LOOPS, s->dest.host);
	s->hop.nhosts = s->hop.host + 1;
	s->hop.naddrs = 0;
	attempts_drop(&s->hop);
}

/* The kernel gives a connection to our own address that same address. */
static int
both_ends_here(int fd, const struct relay_addr *a)
{
	struct sockaddr_storage	ss;
	socklen_t		len = sizeof(ss);
	char			text[C_ADDR];

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return (0);
	addr_text((struct sockaddr *)&ss, len, text, sizeof(text));
	return (strcmp(text, a->text) == 0);
}

/* Mail for a domain of the outside never goes to our own door. */
static int
is_own_door(const struct session *s)
{
	return (!s->dest.nomx && s->dest.port == 25);
}

void
connect_ourselves(struct session *s)
{
	session_hang_up(s);
	is_ourselves(s);
	next_addr(s);
}

static void
connected(evutil_socket_t fd, short ev, void *arg)
{
	struct relay_attempt	*a = arg;
	struct session		*s = a->session;
	struct relay_addr	*addr = &s->hop.addrs[a->addr];
	struct known		*k = a->at;
	socklen_t		 len = sizeof(int);
	int			 error = ETIMEDOUT;

	if (!(ev & EV_TIMEOUT) &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	s->hop.addr = a->addr + 1;
	attempt_end(a);
	if (error != 0) {
		close(fd);
		note(s, 0, "421 4.4.1 %s [%s]: %s", session_host(s),
		    addr->text, strerror(error));
		share_close(k);
		shut_out(s, k);
		next_addr(s);
		return;
	}
	drop_others(s);
	session_no_timer(s);
	if (is_own_door(s) && both_ends_here(fd, addr)) {
		close(fd);
		share_close(k);
		is_ourselves(s);
		next_addr(s);
		return;
	}
	share_connected(s, k);
	session_begin(s, fd);
}

static int
is_loopback_or_any(const char *addr)
{
	return (addr_is_loopback(addr) || strcmp(addr, "0.0.0.0") == 0 ||
	    strcmp(addr, "::") == 0);
}

static int
bind_source(int fd, const struct session *s, int family)
{
	struct sockaddr_storage	ss;
	socklen_t		len;

	if (s->dest.source[0] == '\0')
		return (0);
	if (addr_parse(s->dest.source, 0, &ss, &len) == -1 ||
	    ss.ss_family != family) {
		errno = EAFNOSUPPORT;
		return (-1);
	}
	return (bind(fd, (const struct sockaddr *)&ss, len));
}

static struct relay_attempt *
free_attempt(struct session *s, size_t addr, struct known *k)
{
	struct relay_attempt	*a = s->hop.attempts;

	while (a->fd != -1)
		a++;
	a->session = s;
	a->addr = addr;
	a->at = k;
	return (a);
}

/* RFC 5321 4.5.4.1: a host that did not answer just now is not asked again. */
static void
is_down(struct session *s, const struct known *k)
{
	unsigned int	rest = share_rest(s, k);

	note(s, 0, "%s (tried a moment ago)", k->why);
	if (s->hop.rest == 0 || rest < s->hop.rest)
		s->hop.rest = rest;
}

static enum try
try_addr(struct session *s, size_t i)
{
	struct relay_addr	*addr = &s->hop.addrs[i];
	struct known		*k;

	s->phase = PHASE_CONNECTING;
	addr->tried = 1;
	if (is_own_door(s) && is_loopback_or_any(addr->text)) {
		is_ourselves(s);
		return (TRY_FAILED);
	}
	switch (share_begin(s, i, &k, next_addr)) {
	case SHARE_CONNECT:
		return (attempt(s, i, k) == 0 ? TRY_MADE : TRY_FAILED);
	case SHARE_WAIT:
		/* Unless it is that one's turn, it is tried again. */
		addr->tried = 0;
		s->hop.tried--;
		return (TRY_OVER);
	case SHARE_TAKEN:
		return (TRY_OVER);
	case SHARE_DOWN:
		is_down(s, k);
		return (TRY_FAILED);
	case SHARE_BUSY:
		break;
	}
	if (s->hop.nattempts > 0)
		return (TRY_LATER);
	session_busy(s);
	return (TRY_OVER);
}

/* 0: connected() will be called; -1: noted why not. */
static int
attempt(struct session *s, size_t i, struct known *k)
{
	struct relay_addr	*addr = &s->hop.addrs[i];
	struct relay_attempt	*a = free_attempt(s, i, k);
	struct timeval		 tv = { .tv_sec = CONNECT_SECONDS };
	int			 fd, one = 1;

	s->phase = PHASE_CONNECTING;
	s->hop.contacted++;
	fd = socket(addr->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (fd == -1 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
	    sizeof(one)) == -1 ||
	    bind_source(fd, s, addr->ss.ss_family) == -1)
		goto fail;
	if (connect(fd, (struct sockaddr *)&addr->ss, addr->len) == -1 &&
	    errno != EINPROGRESS)
		goto fail;
	errno = ENOMEM;
	if ((a->ev = event_new(role_base(), fd, EV_WRITE, connected, a)) ==
	    NULL || event_add(a->ev, &tv) == -1)
		goto fail;
	a->fd = fd;
	share_open(k);
	s->hop.nattempts++;
	return (0);
fail:
	note(s, 0, "421 4.4.1 %s [%s]: %s", session_host(s), addr->text,
	    strerror(errno));
	if (a->ev != NULL)
		event_free(a->ev);
	a->ev = NULL;
	if (fd != -1)
		close(fd);
	return (-1);
}

static void
socket_late(struct session *s)
{
	connect_socket(s, -1, ETIMEDOUT);
}

/*
 * A local server's socket is a path, and we see none: the parent connects to
 * what the domain says and hands the connection over.
 */
static void
ask_socket(struct session *s)
{
	struct msg_SOCKET_ASK	ask = { .session = s->dest.session,
				    .domain = s->dest.route };

	hosts_add(&s->hop, 0, s->dest.host);
	s->phase = PHASE_CONNECTING;
	session_timer(s, CONNECT_SECONDS, socket_late);
	peer_send(role_parent(), M_SOCKET_ASK, &ask, -1);
}

void
connect_socket(struct session *s, int fd, int error)
{
	if (s->phase != PHASE_CONNECTING || s->dest.host[0] != '/' ||
	    s->conn != NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	session_no_timer(s);
	if (fd != -1)
		session_begin(s, fd);
	else
		connect_failed(s, 0, "421 4.4.1 %s: %s", s->dest.host,
		    strerror(error));
}
