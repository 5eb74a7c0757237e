/*
 * check: what -n and every reload try before a configuration is used: its
 * "test" lines, and the proof that no rule relays for a stranger.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "rules/rules.h"

#define STRANGER	"203.0.113.9"	/* RFC 5737: nobody's */
#define STRANGER6	"2001:db8:ffff::9"

static void
complain(FILE *report, const struct conf_pos *pos, const char *fmt, ...)
    __attribute__((__format__(printf, 3, 4)));

static void
complain(FILE *report, const struct conf_pos *pos, const char *fmt, ...)
{
	va_list	ap;

	if (report == NULL)
		return;
	fprintf(report, "%s:%u:%u: ", pos->file, pos->line, pos->col);
	va_start(ap, fmt);
	vfprintf(report, fmt, ap);
	va_end(ap);
	fputc('\n', report);
}

/* Tables are read here directly: this runs before any role exists. */
static void
lookup_now(const struct conf_table *ct, enum table_form form, const char *key,
    table_cb cb, void *arg)
{
	struct table_answer	 none = { .result = TABLE_FAILED,
				    .why = "cannot be opened" };
	struct table_report	 rep;
	struct table		*t;
	int			 fd = -1;

	if ((t = table_open(ct, form)) == NULL) {
		cb(&none, arg);
		return;
	}
	if (table_needs_fd(t) && ((fd = open(ct->source, O_RDONLY |
	    O_CLOEXEC)) == -1 || table_load_fd(t, fd, &rep) == -1))
		cb(&none, arg);
	else
		table_lookup(t, key, cb, arg);
	if (fd != -1)
		close(fd);
	table_close(t);
}

static void
resume_never(void *arg)
{
	abort();		/* lookup_now() answers at once */
}

static const char *
outcome(const struct rules_env *env, const struct rules_request *q,
    char reply[C_REPLY])
{
	struct rules_answer	 a;
	struct rules_dests	 dests;
	enum rules_result	 r;

	rules_decide(env, q, &a);
	strlcpy(reply, a.reply, C_REPLY);
	if (a.result != RULES_OK)
		return (a.result == RULES_NO ? "reject" : "tempfail");
	r = rules_resolve(env, q->sender, q->rcpt, 1, &dests, reply);
	if (r != RULES_OK)
		return (r == RULES_NO ? "reject" : "tempfail");
	rules_dests_free(&dests);
	return (a.ours ? "deliver" : "relay");
}

static int
run_test(const struct rules_env *env, const struct conf_test *t, FILE *report)
{
	struct rules_request	 q = { .addr = t->from, .tls = t->tls,
				    .user = t->auth };
	char			 rcpt[SMTP_ADDR_SIZE], sender[SMTP_ADDR_SIZE];
	char			 reply[C_REPLY];
	const char		*got;

	sender[0] = '\0';
	if (smtp_address(t->to, rcpt) != NULL ||
	    rules_complete(env->conf, rcpt) == -1 ||
	    (t->sender != NULL && *t->sender != '\0' &&
	    smtp_address(t->sender, sender) != NULL)) {
		complain(report, &t->pos, "test: not an address");
		return (-1);
	}
	q.rcpt = rcpt;
	q.sender = sender;
	q.helo = t->helo != NULL ? t->helo : "";
	got = outcome(env, &q, reply);
	if (strcmp(got, t->expect) == 0)
		return (0);
	complain(report, &t->pos, "test: expected %s, but it is %s%s%s",
	    t->expect, got, *reply != '\0' ? ": " : "", reply);
	return (-1);
}

/* A network that no one organisation has; private ones are narrower. */
static int
is_wide(const struct addr_net *n)
{
	if (n->negated)
		return (0);
	if (n->family == AF_INET)
		return (n->bits < 8);
	return (n->bits < 3 || (n->bits < 16 && (n->bytes[0] & 0xe0) == 0x20));
}

static int
is_everybody(const struct conf_rule *r, char witness[ADDR_TEXT])
{
	static const char *const	strangers[] = { STRANGER, STRANGER6 };
	const struct conf_network	*net = r->network;
	size_t				 i;

	strlcpy(witness, STRANGER, ADDR_TEXT);
	if (r->source != SOURCE_NETWORK)
		return (r->source == SOURCE_ANY);
	for (i = 0; i < 2; i++)
		if (addr_nets_have(net->nets, net->nnets, strangers[i])) {
			strlcpy(witness, strangers[i], ADDR_TEXT);
			return (1);
		}
	for (i = 0; i < net->nnets; i++)
		if (is_wide(&net->nets[i])) {
			addr_net_print(&net->nets[i], witness, ADDR_TEXT);
			return (1);
		}
	return (0);
}

/*
 * Sender, HELO, tag and TLS are the client's to choose, so they restrict
 * nobody; a recipient does (a backup MX), unless it is a pattern for all.
 */
static int
restricts(const struct conf_rule *r)
{
	const struct conf_cond	*c;

	TAILQ_FOREACH(c, &r->conds, entry)
		if (c->kind == COND_RECIPIENT && !conf_words_match(
		    &c->set.words, "somebody@stranger.invalid"))
			return (1);
	return (0);
}

static int
prove(const struct conf *conf, FILE *report)
{
	const struct conf_rule	*r;
	char			 witness[ADDR_TEXT];

	TAILQ_FOREACH(r, &conf->rules, entry) {
		if (!is_everybody(r, witness))
			continue;
		if (!r->permit && TAILQ_EMPTY(&r->conds) &&
		    r->scope != SCOPE_DELIVER)
			return (0);	/* nobody gets past this one */
		if (!r->permit || r->scope == SCOPE_DELIVER || r->unsafe ||
		    restricts(r))
			continue;
		complain(report, &r->pos, "this rule relays for strangers, "
		    "for instance from %s to somebody@stranger.invalid: name "
		    "a network, \"authenticated\" or recipients, or write "
		    "\"unsafe\"", witness);
		return (-1);
	}
	return (0);
}

/*
 * Mail to postmaster is always accepted (RFC 5321 4.5.1), so it should also
 * arrive; root, the default, takes no mail without an alias.  No mistake: a
 * table may be filled later.
 */
static void
warn_postmaster(const struct rules_env *env, FILE *report)
{
	struct rules_dests	dests;
	char			rcpt[SMTP_ADDR_SIZE], reply[C_REPLY];

	if (report == NULL || TAILQ_EMPTY(&env->conf->domains))
		return;
	if (smtp_address(env->conf->postmaster, rcpt) != NULL ||
	    rules_complete(env->conf, rcpt) == -1 ||
	    rules_resolve(env, "", rcpt, 1, &dests, reply) == RULES_NO)
		fprintf(report, "warning: mail to postmaster goes to \"%s\", "
		    "which cannot be delivered: give it an alias or write "
		    "\"postmaster\"\n", env->conf->postmaster);
	else
		rules_dests_free(&dests);
}

int
rules_check(const struct conf *conf, FILE *report)
{
	struct rules_env	 env = { .conf = conf, .lookup = lookup_now,
				    .resume = resume_never };
	const struct conf_test	*t;
	int			 ret;

	warn_postmaster(&env, report);
	ret = prove(conf, report);
	TAILQ_FOREACH(t, &conf->tests, entry)
		if (run_test(&env, t, report) == -1)
			ret = -1;
	return (ret);
}
