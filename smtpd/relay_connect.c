/*
 * relay_connect: from a destination to a connection (RFC 5321 section 5).
 *
 * What the name system says is chosen by strangers: hosts and addresses are
 * counted, and a host of our own name and every worse one is left out.
 *
 * Hosts are resolved one by one as they are needed: a first host that answers
 * costs three questions.  The addresses of one are relay_attempt's.
 */
#include "os/compat.h"
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "log/log.h"
#include "net/addr.h"
#include "privsep/role.h"
#include "smtpd/relay_attempt.h"
#include "smtpd/relay_connect.h"
#include "smtpd/relay_hosts.h"
#include "smtpd/relay_session.h"
#include "smtpd/relay_share.h"
#include "smtpd/relay_state.h"

#define SOCKET_SECONDS	30
#define SLOT_BITS	10		/* of a question's number, */
#define TURNS		((1U << (32 - SLOT_BITS)) - 1)	/* never all ones */
#define DNS_SECONDS	60	/* that dns may take to be started again */
#define LOOPS		"554 5.4.6 mail for %s loops back to this host"

static void	ask(struct session *, int which, unsigned int type,
		    const char *name);
static void	ask_socket(struct session *);
static void	mx_done(struct session *, const struct msg_DNS_DONE *);
static void	vnote(struct session *, int permanent, const char *, va_list)
		    __attribute__((__format__(printf, 3, 0)));

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
	connect_next_host(s);
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
		connect_note(s, !s->hop.unsure, s->hop.unsure ?
		    "451 4.4.3 no answer from the name service for %s" :
		    "550 5.4.4 %s has no address", session_host(s));
	attempt_next(s);
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
			connect_note(s, 1, "556 5.1.10 %s accepts no mail",
			    host);
			break;
		}
		if (s->hop.nhosts == 0)
			connect_note(s, 1, "550 5.4.4 no MX of %s is a host",
			    host);
		hosts_sort(&s->hop);
		break;
	case DNS_NODATA:
		/* RFC 5321 5.1: an implicit MX */
		hosts_add(&s->hop, 0, host);
		break;
	case DNS_NXDOMAIN:
		connect_note(s, 1, "550 5.1.2 domain %s does not exist", host);
		break;
	default:
		connect_note(s, 0, "451 4.4.3 no answer from the name service "
		    "for %s", host);
	}
	if (hosts_drop_ourselves(&s->hop, role_settings()->hostname))
		connect_note(s, 1, LOOPS, host);
	if (s->hop.nhosts > RELAY_HOSTS)
		s->hop.nhosts = RELAY_HOSTS;
	connect_next_host(s);
}

void
connect_next_host(struct session *s)
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
		attempt_next(s);
		return;
	}
	s->phase = PHASE_RESOLVING;
	ask(s, 0, DNS_AAAA, name);
	ask(s, 1, DNS_A, name);
}

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

void
connect_note(struct session *s, int permanent, const char *fmt, ...)
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
		connect_shut_out(s, k);
	session_no_timer(s);
	attempt_next(s);
}

void
connect_shut_out(struct session *s, struct known *k)
{
	if (share_failed(k, s->hop.reply))
		return;
	s->hop.contacted--;
	s->hop.rest = SHARE_REFUSED_SECONDS;
}

/* We wanted to send it away and talk to ourselves: the rest is no better. */
void
connect_loops(struct session *s)
{
	connect_note(s, 1, LOOPS, s->dest.host);
	s->hop.nhosts = s->hop.host + 1;
	s->hop.naddrs = 0;
	attempts_drop(&s->hop);
}

void
connect_ourselves(struct session *s)
{
	session_hang_up(s);
	connect_loops(s);
	attempt_next(s);
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
	session_timer(s, SOCKET_SECONDS, socket_late);
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
