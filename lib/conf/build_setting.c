/*
 * build_setting: statements that set one thing: hostname to state, limit,
 * queue, log, sandbox.
 */
#include <stdint.h>

#include "os/compat.h"
#include "log/log.h"
#include "conf/build.h"
#include "conf/build_setting.h"
#include "conf/value.h"

#define MESSAGE_MAX	((uint64_t)2 << 30)
#define MEMORY_MIN	((uint64_t)16 << 20)
#define MEMORY_MAX	((uint64_t)1 << 40)
#define RECIPIENTS_MAX	100000
#define SESSIONS_MAX	1000000
#define PER_SESSION_MAX	999999	/* six digits, RFC 9422 4 */

static const char *const facilities[] = {
	"mail", "daemon", "local0", "local1", "local2", "local3", "local4",
	"local5", "local6", "local7",
};

/* A second value is reported and the first one kept. */
static void
set_text(struct build *b, char **slot, const char *what,
    const struct conf_pos *pos, char *value)
{
	if (value == NULL)
		return;
	if (!build_once(b, &b->file_seen, what, pos)) {
		free(value);
		return;
	}
	free(*slot);
	*slot = value;
}

void
build_hostname(struct build *b, const struct word *w)
{
	set_text(b, &b->conf->hostname, "hostname", &w->pos,
	    build_domain_name(b, w));
}

void
build_origin(struct build *b, const struct word *w)
{
	set_text(b, &b->conf->origin, "origin", &w->pos,
	    build_domain_name(b, w));
}

void
build_postmaster(struct build *b, const struct word *w)
{
	if (!value_is_address(w->s) && !value_is_user(w->s)) {
		build_error(b, w, "no address; write a user or user@domain");
		return;
	}
	set_text(b, &b->conf->postmaster, "postmaster", &w->pos,
	    build_keep(b, w->s));
}

void
build_banner(struct build *b, const struct word *w)
{
	if (!value_is_text(w->s)) {
		build_error(b, w, "no banner; write one line of at most 400 "
		    "ASCII characters");
		return;
	}
	set_text(b, &b->conf->banner, "banner", &w->pos, build_keep(b, w->s));
}

void
build_spool(struct build *b, const struct word *w)
{
	set_text(b, &b->conf->spool, "spool", &w->pos, build_path(b, w));
}

void
build_state(struct build *b, const struct word *w)
{
	set_text(b, &b->conf->state, "state", &w->pos, build_path(b, w));
}

static void
set_number(struct build *b, const struct word *w, unsigned int max,
    unsigned int *out)
{
	unsigned int n;

	if (value_number(w->s, max, &n) == -1 || n == 0)
		report_error(b->report, &w->pos, "\"%s\" is no number from 1 "
		    "to %u; write one", w->s, max);
	else
		*out = n;
}

static int
limit_once(struct build *b, const char *what)
{
	struct conf_pos pos = lex_pos(b->lex);

	return (build_once(b, &b->file_seen, what, &pos));
}

void
build_limit_message(struct build *b, const struct word *w)
{
	if (limit_once(b, "limit message"))
		(void)build_size(b, w, 1, MESSAGE_MAX, &b->conf->max_message);
}

void
build_limit_recipients(struct build *b, const struct word *w)
{
	if (limit_once(b, "limit recipients"))
		set_number(b, w, RECIPIENTS_MAX, &b->conf->max_recipients);
}

void
build_limit_sessions(struct build *b, const struct word *w)
{
	struct conf *c = b->conf;

	build_line(b);
	if (!limit_once(b, "limit sessions"))
		return;
	set_number(b, w, SESSIONS_MAX, &c->max_sessions);
	if (c->max_sessions_addr > c->max_sessions)
		c->max_sessions_addr = c->max_sessions;
	if (c->max_sessions_net > c->max_sessions)
		c->max_sessions_net = c->max_sessions;
}

/* A network is never held to less than one of its addresses, unless asked. */
void
build_limit_per(struct build *b, enum build_per per, const struct word *w)
{
	struct conf *c = b->conf;
	int net = per == PER_NETWORK;
	unsigned int *slot = net ? &c->max_sessions_net :
	    &c->max_sessions_addr;

	if (!build_once(b, &b->line_seen, net ? "per network" : "per address",
	    &w->pos))
		return;
	set_number(b, w, SESSIONS_MAX, slot);
	if (*slot > c->max_sessions)
		report_error(b->report, &w->pos, "one %s cannot have more "
		    "sessions than all of them; lower it to %u", net ?
		    "network" : "address", c->max_sessions);
	if (!net && !build_says(&b->line_seen, "per network") &&
	    c->max_sessions_net < c->max_sessions_addr)
		c->max_sessions_net = c->max_sessions_addr;
}

void
build_limit_messages(struct build *b, const struct word *w)
{
	if (limit_once(b, "limit messages"))
		set_number(b, w, PER_SESSION_MAX, &b->conf->max_messages);
}

void
build_limit_errors(struct build *b, const struct word *w)
{
	if (limit_once(b, "limit errors"))
		set_number(b, w, PER_SESSION_MAX, &b->conf->max_errors);
}

void
build_limit_time(struct build *b, enum build_per per, const struct word *w)
{
	struct conf *c = b->conf;

	if (per == PER_COMMAND) {
		if (limit_once(b, "limit time per command"))
			(void)build_time(b, w, &c->time_command);
	} else if (per == PER_MESSAGE) {
		if (limit_once(b, "limit time per message"))
			(void)build_time(b, w, &c->time_message);
	} else if (limit_once(b, "limit time per session"))
		(void)build_time(b, w, &c->time_session);
}

static void
set_rate(struct build *b, const struct word *w, unsigned int *count,
    unsigned int *secs)
{
	if (value_rate(w->s, count, secs) == -1) {
		build_error(b, w, "no rate; write messages per time as in "
		    "100/1m");
		*count = 0;
	}
}

void
build_limit_rate(struct build *b, enum build_per per, const struct word *w)
{
	struct conf *c = b->conf;

	if (per == PER_USER) {
		if (limit_once(b, "limit rate per user"))
			set_rate(b, w, &c->rate_user, &c->rate_user_secs);
	} else if (per == PER_NETWORK) {
		if (limit_once(b, "limit rate per network"))
			set_rate(b, w, &c->rate_net, &c->rate_net_secs);
	} else if (limit_once(b, "limit rate per address"))
		set_rate(b, w, &c->rate_addr, &c->rate_addr_secs);
}

void
build_limit_memory(struct build *b, const struct word *w)
{
	if (limit_once(b, "limit memory"))
		(void)build_size(b, w, MEMORY_MIN, MEMORY_MAX,
		    &b->conf->max_memory);
}

void
build_queue_lifetime(struct build *b, const struct word *w)
{
	if (build_once(b, &b->file_seen, "queue lifetime", &w->pos))
		(void)build_time(b, w, &b->conf->queue_lifetime);
}

void
build_queue_retry(struct build *b, const struct word *from,
    const struct word *to)
{
	struct conf *c = b->conf;

	if (!build_once(b, &b->file_seen, "queue retry", &from->pos))
		return;
	if (build_time(b, from, &c->retry_min) == -1 ||
	    build_time(b, to, &c->retry_max) == -1)
		return;
	if (c->retry_min > c->retry_max)
		build_error(b, to, "shorter than the first wait; write the "
		    "shorter time first");
}

void
build_queue_warn(struct build *b, const struct word *w)
{
	if (build_once(b, &b->file_seen, "queue warn", &w->pos))
		(void)build_time(b, w, &b->conf->warn_after);
}

static int
log_once(struct build *b, enum log_dest dest)
{
	struct conf_pos pos = lex_pos(b->lex);

	if (!build_once(b, &b->file_seen, "log", &pos))
		return (0);
	b->conf->log_dest = dest;
	return (1);
}

void
build_log_syslog(struct build *b, const struct word *w)
{
	size_t i, n = sizeof(facilities) / sizeof(facilities[0]);

	if (!log_once(b, LOG_TO_SYSLOG) || w == NULL)
		return;
	for (i = 0; i < n; i++)
		if (strcmp(facilities[i], w->s) == 0)
			break;
	if (i == n) {
		build_error(b, w, "no facility of syslog; write mail, daemon "
		    "or local0 to local7");
		return;
	}
	free(b->conf->log_facility);
	b->conf->log_facility = build_keep(b, w->s);
}

void
build_log_stderr(struct build *b)
{
	(void)log_once(b, LOG_TO_STDERR);
}

void
build_log_file(struct build *b, const struct word *w)
{
	char *path;

	if (!log_once(b, LOG_TO_FILE))
		return;
	if ((path = build_path(b, w)) == NULL)
		return;
	free(b->conf->log_path);
	b->conf->log_path = path;
}

void
build_log_json(struct build *b)
{
	b->conf->log_json = 1;
}

void
build_sandbox_full(struct build *b)
{
	b->conf->sandbox_full = 1;
}
