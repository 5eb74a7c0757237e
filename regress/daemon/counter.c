/*
 * Counters: what each reply counts as, and a role that counts for others.
 *
 * The parent around counter.c is played here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "daemon/child.h"
#include "daemon/counter.h"

struct peer {
	int	unused;
};

struct supervise		sv;
static struct role_def		net_def = { .role = ROLE_NET };
static struct role_def		lookup_def = { .role = ROLE_LOOKUP };
static struct child		net = { .def = &net_def };
static struct child		old_net = { .def = &net_def };
static struct child		lookup = { .def = &lookup_def };
static struct child		*sender;
static struct peer		 peer;
static unsigned int		 killed;

struct event_base *
role_base(void)
{
	return (NULL);
}

struct peer *
role_parent(void)
{
	return (NULL);
}

struct child *
child_of(struct peer *p)
{
	return (sender);
}

void
supervise_kill(struct peer *p, const char *why)
{
	killed++;
}

void
peer_send(struct peer *p, uint32_t type, const void *body, int fd)
{
	exit(1);
}

static void
counted(struct child *from, uint64_t id, uint64_t add, uint64_t now)
{
	struct msg_COUNTED	body = { .id = id, .add = add, .now = now };
	struct msg		m = { .type = M_COUNTED, .body = &body };

	sender = from;
	parent_counted(&peer, &m);
}

/* What the table says: a total, or with col 3 the number now; -1 no row. */
static long
row(const char *daemon, const char *name, const char *kind, int col)
{
	char	*text = counter_print(daemon, 0), *line, *rest;
	char	 f[4][32];
	long	 n = -1;

	if ((rest = text) == NULL)
		exit(1);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (sscanf(line, "%31s %31s %31s %31s", f[0], f[1], f[2],
		    f[3]) == 4 && strcmp(f[0], name) == 0 &&
		    strcmp(f[1], kind) == 0)
			n = strtol(f[col], NULL, 10);
	free(text);
	return (n);
}

static void
test_replies(void)
{
	static const struct {
		const char	*reply;
		const char	*name, *kind;
		long		 total;		/* after it was said thrice */
	} table[] = {
		{ "550 5.1.1 no such user", "refused", "address", 3 },
		{ "552 5.2.2 over quota", "refused", "mailbox", 3 },
		{ "552 5.3.4 too big", "refused", "system", 3 },
		{ "550 5.4.6 loop", "refused", "network", 3 },
		{ "503 5.5.1 sequence", "refused", "protocol", 3 },
		{ "554 5.6.0 text", "refused", "content", 3 },
		{ "550 5.7.1 no", "refused", "policy", 3 },
		{ "550 no", "refused", "other", 3 },
		{ "550 5.9.1 no", "refused", "other", 6 },
		{ "452 4.3.1 full", "delayed", "system", 3 },
		{ "421 4.7.0 slow", "delayed", "policy", 3 },
		{ "451", "delayed", "other", 3 },
		{ "250 2.1.5 fine", "refused", "other", 6 },
		{ "535 5.7.8 a login's", "refused", "policy", 3 },
		{ "454 4.7.0 a login's", "delayed", "policy", 3 },
	};
	size_t	i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		counter_reply(table[i].reply, 3);
		TEST(table[i].reply, row("smtpd", table[i].name,
		    table[i].kind, 2) == table[i].total);
	}
	TEST("not of imapd", row("imapd", "refused", "policy", 2) == -1);
}

static void
test_logins(void)
{
	static const struct {
		const char	*mech;
		uint64_t	 result;
		const char	*name, *kind;
		long		 total;
	} table[] = {
		{ "PLAIN", AUTH_GRANTED, "login", "plain", 1 },
		{ "LOGIN", AUTH_DENIED, "login-bad", "login", 1 },
		{ "SCRAM-SHA-256", AUTH_GRANTED, "login", "scram", 1 },
		{ NULL, AUTH_DENIED, "login-bad", "command", 1 },
		{ NULL, AUTH_DENIED, "login-bad", "command", 2 },
		{ NULL, AUTH_SLOWDOWN, "login-slowed", "-", 1 },
		{ NULL, AUTH_TEMPFAIL, "login-later", "-", 1 },
	};
	size_t	i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		counter_login(counter_method(table[i].mech),
		    table[i].result);
		TEST(table[i].name, row("imapd", table[i].name,
		    table[i].kind, 2) == table[i].total);
	}
	TEST("smtpd has no command", row("smtpd", "login", "command", 2) ==
	    -1);
	TEST("pop3d parks nothing", row("pop3d", "parked", "-", 2) == -1);
}

static void
test_roles(void)
{
	killed = 0;
	counted(&net, COUNTER_CONNECTIONS, 5, 2);
	counted(&old_net, COUNTER_CONNECTIONS, 4, 1);
	TEST("both generations", row("smtpd", "connections", "-", 2) == 9 &&
	    row("smtpd", "connections", "-", 3) == 3);
	counted(&net, COUNTER_CONNECTIONS, 0, 0);
	TEST("what it says now", row("smtpd", "connections", "-", 2) == 9 &&
	    row("smtpd", "connections", "-", 3) == 1);
	counted(&lookup, COUNTER_RULES, 7, 0);
	TEST("lookup's", row("smtpd", "rules",
	    "-", 2) == 7);
	TEST("all as they may", killed == 0);
	counted(&lookup, COUNTER_CONNECTIONS, 1, 0);
	TEST("not lookup's", killed == 1);
	counted(&net, COUNTER_RULES, 1, 0);
	TEST("not net's", killed == 2);
	counted(&net, COUNTER_PROCESSES, 1, 0);
	TEST("the parent's", killed == 3);
	counted(&net, COUNTER_COUNT, 1, 0);
	TEST("none at all", killed == 4);
	counted(&net, COUNTER_TLS, 1, 1);
	TEST("has no number now", killed == 5);
	TEST("nothing of it came in", row("smtpd", "rules",
	    "-", 2) == 7 && row("smtpd", "tls",
	    "-", 2) == 0);
}

int
main(void)
{
	TAILQ_INIT(&sv.children);
	TAILQ_INSERT_TAIL(&sv.children, &net, entry);
	TAILQ_INSERT_TAIL(&sv.children, &old_net, entry);
	TAILQ_INSERT_TAIL(&sv.children, &lookup, entry);
	test_replies();
	test_logins();
	test_roles();
	TEST_DONE();
}
