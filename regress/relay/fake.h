/*
 * fake: what relay sees of the other roles, in one process: a queue that
 * sends messages and writes down what it is told, a dns with a few names, a
 * lookup with one password.
 */
#ifndef REGRESS_FAKE_H
#define REGRESS_FAKE_H

#include "os/compat.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "regress/test.h"
#include "smtpd/contract.h"
#include "smtpd/relay.h"

struct name {
	unsigned int	 type;
	const char	*name;
	unsigned int	 pref;
	const char	*value;		/* NULL: status is answered */
	unsigned int	 status;
};

static struct {
	struct event_base	*base;
	struct peer		*queue, *dns, *lookup;	/* as relay has them */
	struct peer		*as_queue, *as_dns, *as_lookup;
	struct msg_START	 settings;
	int			 draining;
	const struct name	*names;
	uint32_t		 session;
	/* what the next message is */
	const char		*sender;
	const char *const	*rcpts;
	unsigned int		 body;
	int			 utf8;
	int			 dsn;
	const char		*content;
	size_t			 contentlen;
	unsigned int		 nmessages;	/* to be sent */
	unsigned int		 nresults;	/* of the one under way */
	int			 drain;		/* at the first result */
	int			 over;
	char			 seen[16384];
} fake;

struct event_base *
role_base(void)
{
	return (fake.base);
}

struct peer *
role_peer(enum role role)
{
	switch (role) {
	case ROLE_DNS:
		return (fake.dns);
	case ROLE_LOOKUP:
		return (fake.lookup);
	default:
		return (fake.queue);
	}
}

/* No local sockets here: nothing is sent there. */
struct peer *
role_parent(void)
{
	return (NULL);
}

const struct msg_START *
role_settings(void)
{
	return (&fake.settings);
}

int
role_draining(void)
{
	return (fake.draining);
}

static void
note(const char *fmt, ...) __attribute__((__format__(printf, 1, 2)));

static void
note(const char *fmt, ...)
{
	size_t	len = strlen(fake.seen);
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(fake.seen + len, sizeof(fake.seen) - len, fmt, ap);
	va_end(ap);
}

void
role_exit(int status)
{
	/* What relay said last must have left. */
	alarm(5);
	while (strstr(fake.seen, "closed") == NULL)
		if (peer_read_one(fake.as_queue) != 1)
			break;
	TEST_STR("drain", fake.seen, "ready;0+ 250 2.0.0 ok;"
	    "last;closed 421 4.3.2 shutting down;");
	exit(status != 0 || test_failed);
}

void
role_peer_bad(struct peer *p, const char *why)
{
	note("bad %s;", why);
	fake.over = 1;
}

char *
role_slurp(int fd, size_t max, size_t *len)
{
	char	*p = malloc(max + 1);
	ssize_t	 n = pread(fd, p, max, 0);

	if (n == -1)
		exit(2);
	p[n] = '\0';
	*len = (size_t)n;
	return (p);
}

static void
queue_message(void)
{
	struct msg_RELAY_MAIL	mail = { .session = fake.session };
	struct msg_RELAY_RCPT	rcpt = { .session = fake.session };
	unsigned int		i;
	int			fd = memfd_create("mail", 0);

	if (fd == -1 || write(fd, fake.content, fake.contentlen) !=
	    (ssize_t)fake.contentlen)
		exit(2);
	fake.nmessages--;
	fake.nresults = 0;
	for (i = 0; fake.rcpts[i] != NULL; i++)
		;
	mail.nrcpts = i;
	mail.size = fake.contentlen;
	mail.body = fake.body;
	mail.utf8 = fake.utf8;
	mail.ret = fake.dsn ? RET_HDRS : 0;
	strlcpy(mail.envid, fake.dsn ? "e+2Bid" : "", sizeof(mail.envid));
	strlcpy(mail.sender, fake.sender, sizeof(mail.sender));
	peer_send(fake.as_queue, M_RELAY_MAIL, &mail, fd);
	for (i = 0; fake.rcpts[i] != NULL; i++) {
		rcpt.index = i;
		strlcpy(rcpt.rcpt, fake.rcpts[i], sizeof(rcpt.rcpt));
		if (fake.dsn) {
			rcpt.notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
			strlcpy(rcpt.orcpt, "rfc822;b+40x",
			    sizeof(rcpt.orcpt));
		}
		peer_send(fake.as_queue, M_RELAY_RCPT, &rcpt, -1);
	}
}

static void
queue_next(void)
{
	struct msg_RELAY_CLOSE	c = { .session = fake.session };

	if (fake.nmessages > 0)
		queue_message();
	else if (!fake.draining)
		peer_send(fake.as_queue, M_RELAY_CLOSE, &c, -1);
}

static void
queue_relay_ready(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_READY	*r = m->body;

	note("ready%s%s;", r->tls ? " tls" : "", r->dsn ? " dsn" : "");
	queue_next();
}

static void
queue_relay_result(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_RESULT	*r = m->body;

	if (r->index < 10)
		note("%u%s %s;", (unsigned int)r->index, r->final ? "+" : "",
		    r->reply);
	fake.nresults++;
	if (r->closing)
		note("last;");
	else if (fake.rcpts[fake.nresults] == NULL)
		queue_next();
}

static void
queue_relay_closed(struct peer *p, struct msg *m)
{
	const struct msg_RELAY_CLOSED	*c = m->body;

	note("closed%s %s;", c->permanent ? " for good" : "", c->reply);
	if (!fake.draining)
		fake.over = 1;
}

static void
dns_dns_ask(struct peer *p, struct msg *m)
{
	const struct msg_DNS_ASK	*ask = m->body;
	struct msg_DNS_RECORD		 rec = { .id = ask->id };
	struct msg_DNS_DONE		 done = { .id = ask->id };
	const struct name		*n;

	done.status = DNS_NXDOMAIN;
	for (n = fake.names; n != NULL && n->name != NULL; n++) {
		if (strcmp(n->name, ask->name) != 0)
			continue;
		if (done.status == DNS_NXDOMAIN)
			done.status = DNS_NODATA;
		if (n->type != ask->type)
			continue;
		done.status = n->status;
		if (n->value == NULL)
			continue;
		rec.pref = n->pref;
		strlcpy(rec.name, n->value, sizeof(rec.name));
		peer_send(p, M_DNS_RECORD, &rec, -1);
	}
	peer_send(p, M_DNS_DONE, &done, -1);
}

static void
lookup_secret_ask(struct peer *p, struct msg *m)
{
	const struct msg_SECRET_ASK	*ask = m->body;
	struct msg_SECRET		 s = { .session = ask->session };

	if (strcmp(ask->label, "isp") == 0) {
		s.found = 1;
		strlcpy(s.user, "bob", sizeof(s.user));
		strlcpy(s.pass, "secret", sizeof(s.pass));
	}
	peer_send(p, M_SECRET, &s, -1);
}

static void
fake_gone(struct peer *p, const char *what)
{
	note("gone %s;", what != NULL ? what : "EOF");
	fake.over = 1;
}

static const struct handler queue_handlers[] = {
	{ M_RELAY_READY, queue_relay_ready },
	{ M_RELAY_RESULT, queue_relay_result },
	{ M_RELAY_CLOSED, queue_relay_closed },
	{ 0, NULL }
}, dns_handlers[] = {
	{ M_DNS_ASK, dns_dns_ask },
	{ 0, NULL }
}, lookup_handlers[] = {
	{ M_SECRET_ASK, lookup_secret_ask },
	{ 0, NULL }
};

static struct peer_ops	relay_ops = { &smtpd_contract, ROLE_RELAY, NULL,
	fake_gone }, queue_ops = { &smtpd_contract, ROLE_QUEUE,
	queue_handlers, fake_gone }, dns_ops = { &smtpd_contract, ROLE_DNS,
	dns_handlers, fake_gone }, lookup_ops = { &smtpd_contract,
	ROLE_LOOKUP, lookup_handlers, fake_gone };

static struct peer *
fake_channel(enum role other, const struct peer_ops *ops, struct peer **far)
{
	struct peer	*near;
	int		 sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1)
		exit(2);
	near = peer_new(fake.base, &relay_ops, other, sv[0]);
	*far = peer_new(fake.base, ops, ROLE_RELAY, sv[1]);
	if (near == NULL || *far == NULL)
		exit(2);
	return (near);
}

static void
fake_start(void)
{
	relay_ops.handlers = relay_code.handlers;
	if ((fake.base = event_base_new()) == NULL)
		exit(2);
	strlcpy(fake.settings.hostname, "client.lab",
	    sizeof(fake.settings.hostname));
	fake.queue = fake_channel(ROLE_QUEUE, &queue_ops, &fake.as_queue);
	fake.dns = fake_channel(ROLE_DNS, &dns_ops, &fake.as_dns);
	fake.lookup = fake_channel(ROLE_LOOKUP, &lookup_ops, &fake.as_lookup);
	relay_code.init();
}

/* Hand relay its CA certificates, as the parent would. */
static void
fake_cafile(const char *pem)
{
	const struct handler	*h;
	struct msg		 m = { .type = M_CAFILE };

	m.fd = memfd_create("ca", 0);
	if (m.fd == -1 || write(m.fd, pem, strlen(pem)) == -1)
		exit(2);
	for (h = relay_code.handlers; h->fn != NULL; h++)
		if (h->type == M_CAFILE)
			h->fn(NULL, &m);
	close(m.fd);
}

#endif
