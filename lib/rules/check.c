/*
 * check: what -n and every reload try before a configuration is used: its
 * "test" lines, the proof that no rule relays for a stranger, and what will not
 * be delivered.
 */
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "rules/prove.h"
#include "rules/rules.h"
#include "rules/value.h"

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

void
rules_witness_print(FILE *f, const struct rules_witness *w)
{
	fprintf(f, "from %s%s%s%s helo %s sender \"%s\" to \"%s\"", w->addr,
	    w->tls ? " tls" : "", *w->tag != '\0' ? " tag " : "", w->tag,
	    w->helo, *w->sender == '\0' ? "<>" : w->sender, w->rcpt);
}

static int
prove(const struct conf *conf, FILE *report)
{
	struct rules_witness	w;

	switch (rules_prove(conf, &w)) {
	case PROOF_SAFE:
		return (0);
	case PROOF_UNKNOWN:
		if (report != NULL)
			fprintf(report, "it cannot be proven that no rule "
			    "relays for strangers: too many combinations of "
			    "conditions, a rule that asks one block list "
			    "twice, or no memory\n");
		return (-1);
	case PROOF_RELAYS:
		break;
	}
	if (report == NULL)
		return (-1);
	fprintf(report, "%s:%u:%u: this rule relays for strangers, for "
	    "instance ", w.rule->pos.file, w.rule->pos.line, w.rule->pos.col);
	rules_witness_print(report, &w);
	fprintf(report, "%s%s: name a network, \"authenticated\" or "
	    "recipients, or write \"unsafe\"\n", *w.given != '\0' ?
	    ", if " : "", w.given);
	return (-1);
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

static int
names_command(const char *text)
{
	enum value_kind	kind;
	char		word[VALUE_WORD];

	while ((kind = value_next(&text, word)) != VALUE_END)
		if (kind == VALUE_COMMAND)
			return (1);
	return (0);
}

/*
 * Commands that nobody starts: of an inline table, the only one whose keys are
 * at hand, and those of an account that is not there or that takes none.
 */
static void
warn_commands(const struct conf_domain *d, FILE *report)
{
	const struct conf_table	*t = d->alias_table;
	const struct passwd	*pw;
	size_t			 i;

	if (report == NULL)
		return;
	if (d->alias_as != NULL) {
		if ((pw = getpwnam(d->alias_as)) == NULL || pw->pw_uid == 0)
			complain(report, &d->pos, "warning: commands of "
			    "aliases do not start: there is no account %s, "
			    "or it is root's", d->alias_as);
		return;
	}
	for (i = 0; t != NULL && t->kind == TABLE_INLINE && i < t->values.n;
	    i++)
		if (names_command(t->values.v[i]))
			complain(report, &d->pos, "warning: mail to %s waits, "
			    "its alias names a command: write \"commands as "
			    "USER\" behind the table, or remove it",
			    t->keys.v[i]);
}

int
rules_check(const struct conf *conf, FILE *report)
{
	struct rules_env	 env;
	const struct conf_domain *d;
	const struct conf_test	*t;
	int			 ret;

	rules_now(&env, conf);
	TAILQ_FOREACH(d, &conf->domains, entry)
		warn_commands(d, report);
	warn_postmaster(&env, report);
	ret = prove(conf, report);
	TAILQ_FOREACH(t, &conf->tests, entry)
		if (run_test(&env, t, report) == -1)
			ret = -1;
	return (ret);
}

int
rules_check_told(const struct conf *conf, conf_report report, void *arg)
{
	char	*text = NULL, *line, *rest;
	size_t	 len = 0;
	FILE	*f;
	int	 ret;

	if ((f = open_memstream(&text, &len)) == NULL) {
		report(arg, 1, "the rules are not checked: out of memory");
		return (-1);
	}
	ret = rules_check(conf, f);
	if (fclose(f) == EOF) {
		report(arg, 1, "the rules are not checked: out of memory");
		ret = -1;
	} else
		for (rest = text; (line = strsep(&rest, "\n")) != NULL;)
			if (*line != '\0')
				report(arg, strstr(line, "warning: ") == NULL,
				    line);
	free(text);
	return (ret);
}
