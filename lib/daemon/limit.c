/*
 * limit: the table of limits, and how much of each is used.
 *
 * Cost where one is enforced: a few memory accesses; a message to the parent
 * once a second while something changes.
 */
#include <event2/event.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/child.h"
#include "daemon/counter.h"
#include "daemon/limit.h"
#include "log/log.h"
#include "privsep/role.h"
#include "smtp/command.h"

enum unit { COUNT, BYTES, SECONDS, RATE, HOURLY };

static const struct limit {
	const char	*name;
	const char	*per;
	const char	*what;
	enum unit	 unit;
	int		 smtp;		/* smtpd only */
	uint32_t	 roles;		/* R_*: that enforce and report it */
	int		 used;		/* they say how much is in use */
	size_t		 off;		/* in struct conf; 0: fixed */
	size_t		 size;		/* of it */
	size_t		 secs;		/* RATE: of its time */
	uint64_t	 fixed;
} limits[LIMIT_COUNT] = {
/* clang-format off */
#define CONF(field)	offsetof(struct conf, field),			\
			sizeof(((struct conf *)0)->field), 0, 0
#define CONF_RATE(field) offsetof(struct conf, field),			\
			sizeof(((struct conf *)0)->field),		\
			offsetof(struct conf, field##_secs), 0
#define FIXED(n)	0, 0, 0, n
[LIMIT_SESSIONS] = { "sessions", "daemon", "connections at once",
    COUNT, 0, R_NET, 1, CONF(max_sessions) },
[LIMIT_SESSIONS_ADDRESS] = { "sessions", "address", "connections at once "
    "of an address or IPv6 /64",
    COUNT, 0, R_NET, 1, CONF(max_sessions_addr) },
[LIMIT_SESSIONS_NETWORK] = { "sessions", "network", "connections at once "
    "of an IPv4 /24 or IPv6 /48",
    COUNT, 0, R_NET, 1, CONF(max_sessions_net) },
[LIMIT_RATE_ADDRESS] = { "rate", "address", "messages, ten recipients each",
    RATE, 1, R_NET, 0, CONF_RATE(rate_addr) },
[LIMIT_RATE_NETWORK] = { "rate", "network", "messages, ten recipients each",
    RATE, 1, R_NET, 0, CONF_RATE(rate_net) },
[LIMIT_RATE_USER] = { "rate", "user", "messages, ten recipients each",
    RATE, 1, R_LOOKUP, 0, CONF_RATE(rate_user) },
[LIMIT_MESSAGE] = { "message", "message", "bytes",
    BYTES, 1, R_NET, 0, CONF(max_message) },
[LIMIT_RECIPIENTS] = { "recipients", "message", "recipients taken",
    COUNT, 1, R_NET, 0, CONF(max_recipients) },
[LIMIT_RECIPIENTS_TRIED] = { "recipients-tried", "recipient taken",
    "RCPT commands, for each of the limit above",
    COUNT, 1, R_NET, 0, FIXED(10) },
[LIMIT_HOPS] = { "hops", "message", "Received fields",
    COUNT, 1, 0, 0, FIXED(100) },
[LIMIT_MESSAGES] = { "messages", "session", "transactions",
    COUNT, 1, R_NET, 0, CONF(max_messages) },
[LIMIT_ERRORS] = { "errors", "session", "replies that refuse",
    COUNT, 1, R_NET, 0, CONF(max_errors) },
[LIMIT_UNKNOWN] = { "unknown", "session", "unknown commands in a row",
    COUNT, 1, R_NET, 0, FIXED(3) },
[LIMIT_IDLE] = { "idle", "session", "commands since a message",
    COUNT, 1, R_NET, 0, FIXED(200) },
[LIMIT_LOGINS] = { "logins", "session", "failed logins",
    COUNT, 1, R_NET, 0, FIXED(5) },
[LIMIT_LINE] = { "line", "command", "bytes",
    BYTES, 1, R_NET, 0, FIXED(SMTP_LINE_MAX) },
[LIMIT_AUTH_LINE] = { "auth-line", "line", "bytes while logging in",
    BYTES, 1, R_NET, 0, FIXED(SMTP_AUTH_MAX) },
[LIMIT_PARAMETERS] = { "parameters", "command", "of MAIL or RCPT",
    COUNT, 1, 0, 0, FIXED(SMTP_PARAMS) },
[LIMIT_PIPELINE] = { "pipeline", "session", "commands without their answer",
    COUNT, 1, 0, 0, FIXED(128) },
[LIMIT_TIME_COMMAND] = { "time", "command", "until its line is complete",
    SECONDS, 1, R_NET, 0, CONF(time_command) },
[LIMIT_TIME_MESSAGE] = { "time", "message", "and one more for each KB",
    SECONDS, 1, R_NET, 0, CONF(time_message) },
[LIMIT_TIME_SESSION] = { "time", "session", "without a message",
    SECONDS, 1, R_NET, 0, CONF(time_session) },
[LIMIT_DELIVERERS] = { "deliverers", "daemon", "processes that deliver, "
    "one a mailbox or command", COUNT, 1, R_QUEUE, 1, FIXED(200) },
[LIMIT_COMMANDS] = { "commands", "daemon", "of these, commands",
    COUNT, 1, R_QUEUE, 1, FIXED(100) },
[LIMIT_COMMANDS_USER] = { "commands", "user", "commands that run as one "
    "account at once", COUNT, 1, R_QUEUE, 0, FIXED(20) },
[LIMIT_READERS] = { "readers", "daemon", "processes that read forward files",
    COUNT, 1, R_LOOKUP, 1, FIXED(128) },
[LIMIT_REPORTS] = { "reports", "daemon", "reports sent, bounces among them",
    HOURLY, 1, R_QUEUE, 0, FIXED(2000) },
[LIMIT_REPORTS_SENDER] = { "reports", "sender", "reports sent to one "
    "address", HOURLY, 1, R_QUEUE, 0, FIXED(50) },
[LIMIT_MEMORY] = { "memory", "process", "bytes",
    BYTES, 0, 0, 0, CONF(max_memory) },
#undef CONF
#undef CONF_RATE
#undef FIXED
/* clang-format on */
};

struct use {
	uint64_t	 now, top, reached;
	int		 told;		/* in the parent: by somebody */
	int		 changed;	/* elsewhere: since it was told */
};

static struct {
	struct use	 use[LIMIT_COUNT];
	struct event	*later;
	int		 waiting;
} self;

static uint64_t
field(const struct conf *conf, size_t off, size_t size)
{
	const char	*p = (const char *)conf + off;
	uint64_t	 wide;
	unsigned int	 n;

	if (size == sizeof(wide)) {
		memcpy(&wide, p, sizeof(wide));
		return (wide);
	}
	memcpy(&n, p, sizeof(n));
	return (n);
}

uint64_t
limit_of(const struct conf *conf, enum limit_id id)
{
	const struct limit	*l = &limits[id];

	return (l->size == 0 ? l->fixed : field(conf, l->off, l->size));
}

static void
tell(evutil_socket_t fd, short ev, void *arg)
{
	struct msg_LIMIT_USE	 m = { 0 };
	struct use		*u;
	size_t			 i;

	self.waiting = 0;
	for (i = 0; i < LIMIT_COUNT; i++) {
		u = &self.use[i];
		if (!u->changed)
			continue;
		u->changed = 0;
		m.id = i;
		m.now = u->now;
		m.top = u->top;
		m.reached = u->reached;
		peer_send(role_parent(), M_LIMIT_USE, &m, -1);
	}
}

static void
changed(struct use *u)
{
	static const struct timeval	second = { .tv_sec = 1 };

	u->changed = 1;
	if (self.waiting || (self.later == NULL && (self.later =
	    evtimer_new(role_base(), tell, NULL)) == NULL))
		return;
	self.waiting = event_add(self.later, &second) == 0;
}

void
limit_use(enum limit_id id, uint64_t now)
{
	struct use	*u = &self.use[id];

	u->now = now;
	if (now > u->top)
		u->top = now;
	changed(u);
}

void
limit_reached(enum limit_id id)
{
	self.use[id].reached++;
	counter_add(COUNTER_LIMITS, 1);
	changed(&self.use[id]);
}

/* Its own are a role's to misstate, and no others. */
void
parent_limit_use(struct peer *p, struct msg *m)
{
	const struct msg_LIMIT_USE	*a = m->body;
	struct use			*u;

	if (a->id >= LIMIT_COUNT || a->now > a->top ||
	    !(limits[a->id].roles & (1u << child_of(p)->def->role)) ||
	    (a->top != 0 && !limits[a->id].used)) {
		supervise_kill(p, "reports a limit that is not its own");
		return;
	}
	u = &self.use[a->id];
	u->now = a->now;
	u->top = a->top;
	u->reached = a->reached;
	u->told = 1;
}

/* Of a rate, else 0. */
static uint64_t
seconds_of(const struct conf *conf, const struct limit *l)
{
	return (l->unit == HOURLY ? 3600 : l->unit == RATE ?
	    field(conf, l->secs, sizeof(unsigned int)) : 0);
}

static void
print_text(FILE *f, const struct conf *conf, const struct limit *l,
    const struct use *u)
{
	uint64_t	most = limit_of(conf, (enum limit_id)(l - limits));
	uint64_t	secs = seconds_of(conf, l);
	char		value[64] = "none", now[32] = "-";

	if (most != 0 && secs != 0)
		snprintf(value, sizeof(value), "%llu/%llus",
		    (unsigned long long)most, (unsigned long long)secs);
	else if (most != 0)
		snprintf(value, sizeof(value), "%llu%s",
		    (unsigned long long)most, l->unit == SECONDS ? "s" : "");
	if (l->used && u->told)
		snprintf(now, sizeof(now), "%llu/%llu",
		    (unsigned long long)u->now, (unsigned long long)u->top);
	fprintf(f, "%-16s %-15s %-12s %-9s %-7llu %s\n", l->name, l->per,
	    value, now, (unsigned long long)u->reached, l->what);
}

static void
print_json(FILE *f, const struct conf *conf, const struct limit *l,
    const struct use *u, const char *sep)
{
	static const char *const	units[] = { "count", "bytes",
					    "seconds", "rate", "rate" };

	fprintf(f, "%s\n    {\"name\": \"%s\", \"per\": \"%s\", \"unit\": "
	    "\"%s\", \"value\": %llu, \"seconds\": %llu, \"now\": %llu, "
	    "\"top\": %llu, \"reached\": %llu, \"what\": \"%s\"}", sep,
	    l->name, l->per, units[l->unit], (unsigned long long)
	    limit_of(conf, (enum limit_id)(l - limits)),
	    (unsigned long long)seconds_of(conf, l),
	    (unsigned long long)u->now, (unsigned long long)u->top,
	    (unsigned long long)u->reached, l->what);
}

char *
limit_print(const struct conf *conf, const char *daemon, int json)
{
	char		*text = NULL;
	const char	*sep = "";
	size_t		 size, i;
	FILE		*f;

	if ((f = open_memstream(&text, &size)) == NULL)
		return (NULL);
	if (json)
		fprintf(f, "{\"daemon\": \"%s\", \"limits\": [", daemon);
	else
		fprintf(f, "%s\n%-16s %-15s %-12s %-9s %-7s %s\n", daemon,
		    "limit", "per", "value", "now/top", "reached", "what");
	for (i = 0; i < LIMIT_COUNT; i++) {
		if (limits[i].smtp && strcmp(daemon, "smtpd") != 0)
			continue;
		if (json)
			print_json(f, conf, &limits[i], &self.use[i], sep);
		else
			print_text(f, conf, &limits[i], &self.use[i]);
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
