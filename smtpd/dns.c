/*
 * dns: the role that asks the domain name system, for all others.
 *
 * Runs as _maildns in an empty chroot with the network as its only resource.
 * It reads what any name server on earth writes, through libunbound and
 * lib/dns, and what it answers is believed only as far as one believes the
 * name system.
 *
 * libunbound reads /etc/resolv.conf, /etc/hosts and the trust anchor with its
 * first question, so that one is asked before the process is confined.
 *
 * With a trust anchor answers are validated.  A resolver that takes the
 * signatures out of the answers makes every signed name look forged, and mail
 * would stop; therefore "bogus" is believed only once an answer was validated.
 * Until then the question goes to a second context, without anchor.
 */
#include "os/compat.h"
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns/resolver.h"
#include "dns/wire.h"
#include "log/log.h"
#include "smtpd/contract.h"
#include "smtpd/dns.h"

#define ASKS_MAX	4096	/* questions under way */
#define ASK_SECONDS	20

enum context { VALIDATING, PLAIN, CONTEXTS };

/*
 * A question.  It lives until libunbound has called back, even when nobody
 * waits any more: then peer is NULL.
 */
struct ask {
	TAILQ_ENTRY(ask)	 entry;
	struct peer		*peer;
	struct event		*timer;
	uint32_t		 id;
	unsigned int		 type;		/* DNS_WIRE_* */
	enum context		 where;
	char			 name[DNS_NAME];
};

static struct {
	struct ub_ctx		*ctx[CONTEXTS];
	TAILQ_HEAD(, ask)	 asks;
	size_t			 nasks;
	int			 proven;	/* an answer was validated */
	int			 told;		/* said that none is */
	unsigned long		 questions, failures;
} dns;

static void	dns_dns_ask(struct peer *, struct msg *);
static void	resolve(struct ask *);
static void	resolved(void *, int, void *, int, int, char *, int);
static void	send_answer(struct ask *, const struct dns_answer *,
		    unsigned int status, int secure);

static const char *const anchors[] = {
	"/var/lib/unbound/root.key",
	"/usr/share/dns/root.key",
	"/var/unbound/db/root.key",
};

static void
probed(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int limited)
{
	if (rcode == 0 && sec == RESOLVER_SECURE)
		dns.proven = 1;
}

static struct ub_ctx *
new_context(const char *anchor)
{
	struct ub_ctx	*ctx;
	const char	*why;

	if ((ctx = resolver_new(role_base(), anchor, probed, &why)) == NULL)
		log_warnx("libunbound: %s: no name will be resolved%s", why,
		    anchor != NULL ? " with validation" : "");
	return (ctx);
}

/* As root, before the sandbox: reads files, sends nothing. */
static void
dns_warm(void)
{
	size_t	i;

	TAILQ_INIT(&dns.asks);
	for (i = 0; i < sizeof(anchors) / sizeof(anchors[0]); i++)
		if (access(anchors[i], R_OK) == 0) {
			dns.ctx[VALIDATING] = new_context(anchors[i]);
			break;
		}
	dns.ctx[PLAIN] = new_context(NULL);
}

/* Does the resolver pass on what validation needs? */
static void
dns_go(void)
{
	if (dns.ctx[VALIDATING] == NULL)
		return;
	(void)ub_resolve_event(dns.ctx[VALIDATING], ".", DNS_WIRE_NS,
	    RESOLVER_IN, NULL, probed, NULL);
}

static void
dns_drain(unsigned int seconds)
{
	struct timeval	tv = { .tv_sec = seconds };

	if (role_peer(ROLE_RELAY) == NULL ||
	    event_base_loopexit(role_base(), &tv) == -1)
		role_exit(0);
}

static void
dns_channel_gone(struct peer *p)
{
	struct ask	*a;

	TAILQ_FOREACH(a, &dns.asks, entry)
		if (a->peer == p)
			a->peer = NULL;
	if (role_draining() && role_peer(ROLE_RELAY) == NULL)
		role_exit(0);
}

static void
dns_stats(void)
{
	log_info("stats questions=%lu failed=%lu pending=%zu validating=%s",
	    dns.questions, dns.failures, dns.nasks,
	    dns.proven ? "yes" : "no");
}

static void
ask_free(struct ask *a)
{
	TAILQ_REMOVE(&dns.asks, a, entry);
	dns.nasks--;
	if (a->timer != NULL)
		event_free(a->timer);
	free(a);
}

static void
timed_out(evutil_socket_t fd, short ev, void *arg)
{
	struct ask	*a = arg;

	if (a->peer != NULL)
		send_answer(a, NULL, DNS_TEMPFAIL, 0);
	a->peer = NULL;
}

/* NULL with errno, or EINVAL if the name cannot be asked for. */
static struct ask *
ask_new(struct peer *p, const struct msg_DNS_ASK *m)
{
	static const unsigned int	types[] = { DNS_WIRE_A, DNS_WIRE_AAAA,
	    DNS_WIRE_MX, DNS_WIRE_PTR };
	struct timeval			tv = { .tv_sec = ASK_SECONDS };
	struct ask			*a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return (NULL);
	TAILQ_INSERT_TAIL(&dns.asks, a, entry);
	dns.nasks++;
	a->peer = p;
	a->id = m->id;
	a->type = types[m->type];
	if (a->type == DNS_WIRE_PTR ? dns_reverse_name(m->name, a->name,
	    sizeof(a->name)) == -1 : !dns_name_ok(m->name) ||
	    strlcpy(a->name, m->name, sizeof(a->name)) >= sizeof(a->name)) {
		errno = EINVAL;
		goto fail;
	}
	if ((a->timer = evtimer_new(role_base(), timed_out, a)) == NULL ||
	    event_add(a->timer, &tv) == -1) {
		errno = ENOMEM;
		goto fail;
	}
	return (a);
fail:
	ask_free(a);
	return (NULL);
}

static void
dns_dns_ask(struct peer *p, struct msg *m)
{
	const struct msg_DNS_ASK	*ask = m->body;
	struct msg_DNS_DONE		 done = { .id = ask->id };
	struct ask			*a = NULL;

	dns.questions++;
	errno = EAGAIN;
	if (dns.nasks < ASKS_MAX && (a = ask_new(p, ask)) != NULL) {
		a->where = dns.ctx[VALIDATING] != NULL ? VALIDATING : PLAIN;
		resolve(a);
		return;
	}
	/* What is no name does not exist. */
	done.status = errno == EINVAL ? DNS_NXDOMAIN : DNS_TEMPFAIL;
	peer_send(p, M_DNS_DONE, &done, -1);
}

/* The answer may come before this returns; a is not to be used after it. */
static void
resolve(struct ask *a)
{
	struct ub_ctx	*ctx = dns.ctx[a->where];

	if (ctx != NULL && ub_resolve_event(ctx, a->name, (int)a->type,
	    RESOLVER_IN, a, resolved, NULL) == 0)
		return;
	if (a->peer != NULL)
		send_answer(a, NULL, DNS_TEMPFAIL, 0);
	ask_free(a);
}

/* Is a forged-looking answer the resolver's fault?  Then ask again. */
static int
ask_plain(struct ask *a)
{
	if (a->where == PLAIN || dns.proven || dns.ctx[PLAIN] == NULL)
		return (0);
	if (!dns.told) {
		dns.told = 1;
		log_info("the resolver of /etc/resolv.conf gives no DNSSEC "
		    "data: answers are not validated");
	}
	a->where = PLAIN;
	resolve(a);
	return (1);
}

static void
resolved(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int limited)
{
	static struct dns_answer	 ans;	/* 16 KB, used up at once */
	struct ask			*a = arg;
	unsigned int			 status = DNS_TEMPFAIL;

	if (sec == RESOLVER_BOGUS && ask_plain(a))
		return;
	if (sec == RESOLVER_SECURE)
		dns.proven = 1;
	memset(&ans, 0, sizeof(ans));
	if (sec == RESOLVER_BOGUS)
		status = DNS_BOGUS;
	else if (rcode == 0 && packet != NULL && len > 0 &&
	    dns_wire_parse(packet, (size_t)len, a->type, &ans) == 0) {
		if (ans.rcode == 3)
			status = DNS_NXDOMAIN;
		else if (ans.rcode == 0)
			status = ans.found > 0 ? DNS_OK : DNS_NODATA;
	} else if (rcode == 3)
		status = DNS_NXDOMAIN;
	if (a->peer != NULL)
		send_answer(a, &ans, status, sec == RESOLVER_SECURE);
	ask_free(a);
}

static void
send_answer(struct ask *a, const struct dns_answer *ans, unsigned int status,
    int secure)
{
	struct msg_DNS_RECORD	rec = { .id = a->id };
	struct msg_DNS_DONE	done = { .id = a->id, .status = status };
	size_t			i;

	if (status == DNS_TEMPFAIL || status == DNS_BOGUS) {
		dns.failures++;
		log_debug("%s type %u: %s", a->name, a->type,
		    status == DNS_BOGUS ? "bogus" : "no answer");
	}
	for (i = 0; status == DNS_OK && i < ans->n; i++) {
		rec.pref = ans->rec[i].pref;
		if (strlcpy(rec.name, ans->rec[i].name, sizeof(rec.name)) >=
		    sizeof(rec.name))
			continue;
		peer_send(a->peer, M_DNS_RECORD, &rec, -1);
	}
	done.secure = secure;
	if (ans != NULL)
		done.ttl = ans->ttl;
	peer_send(a->peer, M_DNS_DONE, &done, -1);
}

static const struct handler dns_handlers[] = {
	{ M_DNS_ASK,	dns_dns_ask },
	{ 0,		NULL }
};

const struct role_code dns_code = {
	.handlers	= dns_handlers,
	.warm		= dns_warm,
	.go		= dns_go,
	.drain		= dns_drain,
	.channel_gone	= dns_channel_gone,
	.stats		= dns_stats,
};
