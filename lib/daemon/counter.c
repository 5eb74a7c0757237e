/*
 * counter: see counter.h.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/child.h"
#include "daemon/counter.h"
#include "log/log.h"
#include "privsep/role.h"

#define SMTP	0x01			/* the daemons that have it */
#define IMAP	0x02
#define POP3	0x04
#define ALL	(SMTP | IMAP | POP3)

static const struct counter {
	const char	*name;
	const char	*kind;
	uint32_t	 roles;		/* R_*: that count it */
	int		 daemons;
	int		 now;		/* there is a number now */
	const char	*what;
} counters[COUNTER_COUNT] = {
/* clang-format off */
#define LOGINS(n, name, what)						\
[n + METHOD_PLAIN] = { name, "plain", R_NET, ALL, 0, what },		\
[n + METHOD_LOGIN] = { name, "login", R_NET, ALL, 0, what },		\
[n + METHOD_SCRAM] = { name, "scram", R_NET, ALL, 0, what },		\
[n + METHOD_COMMAND] = { name, "command", R_NET, IMAP | POP3, 0, what }
#define REPLIES(n, name, what)						\
[n + 0] = { name, "other", R_NET, SMTP, 0, what },			\
[n + 1] = { name, "address", R_NET, SMTP, 0, what },			\
[n + 2] = { name, "mailbox", R_NET, SMTP, 0, what },			\
[n + 3] = { name, "system", R_NET, SMTP, 0, what },			\
[n + 4] = { name, "network", R_NET, SMTP, 0, what },			\
[n + 5] = { name, "protocol", R_NET, SMTP, 0, what },			\
[n + 6] = { name, "content", R_NET, SMTP, 0, what },			\
[n + 7] = { name, "policy", R_NET, SMTP, 0, what }

[COUNTER_CONNECTIONS] = { "connections", "", R_NET, ALL, 1,
    "connections taken" },
[COUNTER_TURNED_AWAY] = { "turned-away", "", R_NET, ALL, 0,
    "connections closed at once" },
[COUNTER_TLS] = { "tls", "", R_NET, ALL, 0, "handshakes done" },
[COUNTER_TLS_FAILED] = { "tls-failed", "", R_NET, ALL, 0,
    "handshakes that failed" },
LOGINS(COUNTER_LOGIN, "login", "logins granted"),
LOGINS(COUNTER_LOGIN_BAD, "login-bad", "logins refused"),
[COUNTER_LOGIN_SLOWED] = { "login-slowed", "", R_NET, ALL, 0,
    "logins not looked at after too many failures" },
[COUNTER_LOGIN_LATER] = { "login-later", "", R_NET, ALL, 0,
    "logins that could not be judged" },
[COUNTER_LIMITS] = { "limits", "", R_NET | R_LOOKUP | R_QUEUE, ALL, 0,
    "limits come up against" },
[COUNTER_MESSAGES] = { "messages", "", R_NET, SMTP, 0,
    "messages taken" },
REPLIES(COUNTER_REFUSED, "refused", "replies 5xx"),
REPLIES(COUNTER_DELAYED, "delayed", "replies 4xx"),
[COUNTER_RULES] = { "rules", "", R_LOOKUP, SMTP, 0,
    "recipients refused by a rule" },
[COUNTER_PROCESSES] = { "processes", "", R_PARENT, ALL, 1,
    "processes of users started" },
[COUNTER_PARKED] = { "parked", "", R_PARENT, IMAP, 1,
    "connections parked" },
#undef LOGINS
#undef REPLIES
/* clang-format on */
};

/* In a role: not told yet.  In the parent: all. */
static struct {
	uint64_t	 total[COUNTER_COUNT];
	unsigned int	 now[COUNTER_COUNT];
	int		 changed[COUNTER_COUNT];
	struct event	*later;
	int		 waiting;
} self;

static void
tell(evutil_socket_t fd, short ev, void *arg)
{
	struct msg_COUNTED	m = { 0 };
	size_t			i;

	self.waiting = 0;
	for (i = 0; i < COUNTER_COUNT; i++) {
		if (!self.changed[i])
			continue;
		self.changed[i] = 0;
		m.id = i;
		m.add = self.total[i] > UINT32_MAX ? UINT32_MAX :
		    self.total[i];
		m.now = self.now[i];
		self.total[i] -= m.add;
		peer_send(role_parent(), M_COUNTED, &m, -1);
	}
}

static void
changed(enum counter_id id)
{
	static const struct timeval	second = { .tv_sec = 1 };

	if (role_base() == NULL)
		return;			/* the parent tells nobody */
	self.changed[id] = 1;
	if (self.waiting || (self.later == NULL && (self.later =
	    evtimer_new(role_base(), tell, NULL)) == NULL))
		return;
	self.waiting = event_add(self.later, &second) == 0;
}

void
counter_add(enum counter_id id, unsigned int n)
{
	self.total[id] += n;
	changed(id);
}

void
counter_now(enum counter_id id, unsigned int n)
{
	self.now[id] = n;
	changed(id);
}

enum counter_method
counter_method(const char *mech)
{
	if (mech == NULL)
		return (METHOD_COMMAND);
	if (strcmp(mech, "PLAIN") == 0)
		return (METHOD_PLAIN);
	return (strcmp(mech, "LOGIN") == 0 ? METHOD_LOGIN : METHOD_SCRAM);
}

void
counter_login(enum counter_method method, uint64_t result)
{
	switch (result) {
	case AUTH_GRANTED:
		counter_add(COUNTER_LOGIN + method, 1);
		break;
	case AUTH_DENIED:
		counter_add(COUNTER_LOGIN_BAD + method, 1);
		break;
	case AUTH_SLOWDOWN:
		counter_add(COUNTER_LOGIN_SLOWED, 1);
		break;
	default:
		counter_add(COUNTER_LOGIN_LATER, 1);
	}
}

/* "550 5.1.1 ...": the subject is the second number of the second word. */
void
counter_reply(const char *reply, unsigned int times)
{
	unsigned int	subject = 0;

	if (*reply != '4' && *reply != '5')
		return;
	/* a login's, which is counted as one */
	if (strncmp(reply, "535 ", 4) == 0 || strncmp(reply, "454 ", 4) == 0)
		return;
	if (strlen(reply) > 7 && reply[5] == '.' && reply[7] == '.' &&
	    reply[6] > '0' && reply[6] < '0' + COUNTER_SUBJECTS)
		subject = (unsigned int)(reply[6] - '0');
	counter_add((*reply == '5' ? COUNTER_REFUSED : COUNTER_DELAYED) +
	    subject, times);
}

/* What is now in one process is kept with that process, and ends with it. */
void
parent_counted(struct peer *p, struct msg *m)
{
	const struct msg_COUNTED	*a = m->body;
	struct child			*c = child_of(p);

	if (a->id >= COUNTER_COUNT ||
	    !(counters[a->id].roles & (1u << c->def->role)) ||
	    (a->now != 0 && a->id != COUNTER_CONNECTIONS)) {
		supervise_kill(p, "counts what is not its own");
		return;
	}
	self.total[a->id] += a->add;
	if (a->id == COUNTER_CONNECTIONS)
		c->connections = (unsigned int)a->now;
}

static uint64_t
now_of(enum counter_id id)
{
	const struct child	*c;
	uint64_t		 n = 0;

	if (id != COUNTER_CONNECTIONS)
		return (self.now[id]);
	TAILQ_FOREACH(c, &sv.children, entry)
		n += c->connections;
	return (n);
}

static void
print_text(FILE *f, const struct counter *c, enum counter_id id)
{
	char	now[24] = "-";

	if (c->now)
		snprintf(now, sizeof(now), "%llu",
		    (unsigned long long)now_of(id));
	fprintf(f, "%-16s %-15s %-12llu %-9s %s\n", c->name,
	    *c->kind != '\0' ? c->kind : "-",
	    (unsigned long long)self.total[id], now, c->what);
}

static void
print_json(FILE *f, const struct counter *c, enum counter_id id,
    const char *sep)
{
	fprintf(f, "%s\n    {\"name\": \"%s\", \"kind\": \"%s\", \"total\": "
	    "%llu, ", sep, c->name, c->kind,
	    (unsigned long long)self.total[id]);
	if (c->now)
		fprintf(f, "\"now\": %llu, ", (unsigned long long)now_of(id));
	fprintf(f, "\"what\": \"%s\"}", c->what);
}

static int
daemon_bit(const char *name)
{
	return (strcmp(name, "smtpd") == 0 ? SMTP :
	    strcmp(name, "imapd") == 0 ? IMAP : POP3);
}

char *
counter_print(const char *daemon, int json)
{
	char		*text = NULL, when[32];
	const char	*sep = "";
	size_t		 size;
	FILE		*f;
	int		 i, bit = daemon_bit(daemon);

	if ((f = open_memstream(&text, &size)) == NULL)
		return (NULL);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime(&sv.since));
	if (json)
		fprintf(f, "{\"daemon\": \"%s\", \"since\": \"%s\", "
		    "\"counters\": [", daemon, when);
	else
		fprintf(f, "%s since %s\n%-16s %-15s %-12s %-9s %s\n", daemon,
		    when, "counter", "kind", "total", "now", "what");
	for (i = 0; i < COUNTER_COUNT; i++) {
		if (!(counters[i].daemons & bit))
			continue;
		if (json)
			print_json(f, &counters[i], (enum counter_id)i, sep);
		else
			print_text(f, &counters[i], (enum counter_id)i);
		sep = ",";
	}
	if (json)
		fputs("\n]}\n", f);
	if (fclose(f) == EOF) {
		free(text);
		return (NULL);
	}
	return (text);
}
