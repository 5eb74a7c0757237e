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

/* Whom the mistakes are told, if anybody. */
struct told {
	conf_report	 fn;
	void		*arg;
};

static void	complain(const struct told *, int is_error,
		    const struct conf_pos *, const char *, ...)
		    __attribute__((__format__(printf, 4, 5)));

/* pos may be NULL. */
static void
complain(const struct told *told, int is_error, const struct conf_pos *pos,
    const char *fmt, ...)
{
	char	*line = NULL;
	size_t	 len;
	FILE	*f;
	va_list	 ap;

	if (told->fn == NULL)
		return;
	if ((f = open_memstream(&line, &len)) == NULL) {
		told->fn(told->arg, is_error, "out of memory");
		return;
	}
	if (pos != NULL)
		fprintf(f, "%s:%u:%u: ", pos->file, pos->line, pos->col);
	if (!is_error)
		fputs("warning: ", f);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	told->fn(told->arg, is_error, fclose(f) == EOF ? "out of memory" :
	    line);
	free(line);
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
run_test(const struct rules_env *env, const struct conf_test *t,
    const struct told *told)
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
		complain(told, 1, &t->pos, "test: not an address");
		return (-1);
	}
	q.rcpt = rcpt;
	q.sender = sender;
	q.helo = t->helo != NULL ? t->helo : "";
	got = outcome(env, &q, reply);
	if (strcmp(got, t->expect) == 0)
		return (0);
	complain(told, 1, &t->pos, "test: expected %s, but it is %s%s%s",
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

static void
tell_witness(const struct told *told, const struct rules_witness *w)
{
	char	*text = NULL;
	size_t	 len;
	FILE	*f;

	if ((f = open_memstream(&text, &len)) == NULL ||
	    (rules_witness_print(f, w), fclose(f) == EOF)) {
		complain(told, 1, &w->rule->pos, "this rule relays for "
		    "strangers");
		free(text);
		return;
	}
	complain(told, 1, &w->rule->pos, "this rule relays for strangers, for "
	    "instance %s%s%s: name a network, \"authenticated\" or recipients, "
	    "or write \"unsafe\"", text, *w->given != '\0' ? ", if " : "",
	    w->given);
	free(text);
}

static int
prove(const struct conf *conf, const struct told *told)
{
	struct rules_witness	w;

	switch (rules_prove(conf, &w)) {
	case PROOF_SAFE:
		return (0);
	case PROOF_UNKNOWN:
		complain(told, 1, NULL, "it cannot be proven that no rule "
		    "relays for strangers: too many combinations of "
		    "conditions, a rule that asks one block list twice, or no "
		    "memory");
		return (-1);
	case PROOF_RELAYS:
		break;
	}
	tell_witness(told, &w);
	return (-1);
}

/*
 * Mail to postmaster is always accepted (RFC 5321 4.5.1), so it should also
 * arrive; root, the default, takes no mail without an alias.  No mistake: a
 * table may be filled later.
 */
static void
warn_postmaster(const struct rules_env *env, const struct told *told)
{
	struct rules_dests	dests;
	char			rcpt[SMTP_ADDR_SIZE], reply[C_REPLY];

	if (told->fn == NULL || TAILQ_EMPTY(&env->conf->domains))
		return;
	if (smtp_address(env->conf->postmaster, rcpt) != NULL ||
	    rules_complete(env->conf, rcpt) == -1 ||
	    rules_resolve(env, "", rcpt, 1, &dests, reply) == RULES_NO)
		complain(told, 0, NULL, "mail to postmaster goes to \"%s\", "
		    "which cannot be delivered: give it an alias or write "
		    "\"postmaster\"", env->conf->postmaster);
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
warn_commands(const struct conf_domain *d, const struct told *told)
{
	const struct conf_table	*t = d->alias_table;
	const struct passwd	*pw;
	size_t			 i;

	if (told->fn == NULL)
		return;
	if (d->alias_as != NULL) {
		if ((pw = getpwnam(d->alias_as)) == NULL || pw->pw_uid == 0)
			complain(told, 0, &d->pos, "commands of aliases do not "
			    "start: there is no account %s, or it is root's",
			    d->alias_as);
		return;
	}
	for (i = 0; t != NULL && t->kind == TABLE_INLINE && i < t->values.n;
	    i++)
		if (names_command(t->values.v[i]))
			complain(told, 0, &d->pos, "mail to %s waits, its "
			    "alias names a command: write \"commands as "
			    "USER\" behind the table, or remove it",
			    t->keys.v[i]);
}

int
rules_check(const struct conf *conf, conf_report report, void *arg)
{
	const struct told	 told = { .fn = report, .arg = arg };
	struct rules_env	 env;
	const struct conf_domain *d;
	const struct conf_test	*t;
	int			 ret;

	rules_now(&env, conf);
	TAILQ_FOREACH(d, &conf->domains, entry)
		warn_commands(d, &told);
	warn_postmaster(&env, &told);
	ret = prove(conf, &told);
	TAILQ_FOREACH(t, &conf->tests, entry)
		if (run_test(&env, t, &told) == -1)
			ret = -1;
	return (ret);
}
