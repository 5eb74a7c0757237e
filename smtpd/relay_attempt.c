/*
 * relay_attempt: the addresses of a host, one by one, until one answers.
 *
 * Before an address is tried, relay_share says whether a connection to it is
 * there already, or whether it is known to be down.  Mail that was not sent
 * there by the configuration never goes to port 25 of the loopback, where it
 * would be taken for this machine's own.
 */
#include "os/compat.h"
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "net/addr.h"
#include "privsep/role.h"
#include "smtpd/relay_attempt.h"
#include "smtpd/relay_connect.h"
#include "smtpd/relay_known.h"
#include "smtpd/relay_session.h"
#include "smtpd/relay_share.h"
#include "smtpd/relay_state.h"

#define CONNECT_SECONDS	30
#define STAGGER_MS	250	/* RFC 8305 5: until the next one is tried */

enum try {
	TRY_MADE,		/* connected() will be called */
	TRY_OVER,		/* nothing to do until something else is */
	TRY_LATER,		/* another address first */
	TRY_FAILED		/* noted why */
};

static enum try	try_addr(struct session *, size_t addr);
static int	attempt(struct session *, size_t addr, struct known *);

/*
 * RFC 8305: an address that does not answer at once is not waited for; the
 * next one is tried beside it, and the first to answer is taken.
 */
void
attempt_next(struct session *s)
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
			session_timer_ms(s, STAGGER_MS, attempt_next);
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
	connect_next_host(s);
}

/* In place of the connection that it had: there is room. */
void
attempt_again(struct session *s)
{
	struct known	*k = s->at;

	session_hang_up(s);
	session_no_timer(s);
	if (attempt(s, s->hop.addr - 1, k) == -1)
		attempt_next(s);
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

/*
 * On an address of this machine that is not the loopback's there may be another
 * server than we; who it is its greeting tells (relay_session).
 */
static int
may_be_own_door(const struct session *s)
{
	return (!s->dest.nomx && s->dest.port == 25);
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
		connect_note(s, 0, "421 4.4.1 %s [%s]: %s", session_host(s),
		    addr->text, strerror(error));
		share_close(k);
		connect_shut_out(s, k);
		attempt_next(s);
		return;
	}
	drop_others(s);
	session_no_timer(s);
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

	connect_note(s, 0, "%s (tried a moment ago)", k->why);
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
	if (may_be_own_door(s) && is_loopback_or_any(addr->text)) {
		connect_loops(s);
		return (TRY_FAILED);
	}
	switch (share_begin(s, i, &k, attempt_next)) {
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
	share_open(k);
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
	s->hop.nattempts++;
	return (0);
fail:
	connect_note(s, 0, "421 4.4.1 %s [%s]: %s", session_host(s), addr->text,
	    strerror(errno));
	if (a->ev != NULL)
		event_free(a->ev);
	a->ev = NULL;
	if (fd != -1)
		close(fd);
	share_close(k);			/* whoever waits sees for himself */
	return (-1);
}
