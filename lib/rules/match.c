/*
 * match: permit and reject rules; the first that matches decides.
 *
 * Everything but the client's address, the listener and the login is the
 * client's own word.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "rules/client.h"
#include "rules/rules.h"

struct waiting {
	int			 answered;
	int			 left;		/* the caller went away */
	enum table_result	 result;
	char			**value;
	void			(*resume)(void *);
	void			*arg;
};

static void
table_answered(const struct table_answer *a, void *arg)
{
	struct waiting	*w = arg;

	if (w->left) {
		/* The table is fresh now; the question is asked again. */
		w->resume(w->arg);
		free(w);
		return;
	}
	w->answered = 1;
	w->result = a->result;
	/* Half of an alias would lose mail for the other half. */
	if (a->result == TABLE_FOUND && w->value != NULL &&
	    (strlen(a->value) > RULES_VALUE_MAX ||
	    (*w->value = strdup(a->value)) == NULL))
		w->result = TABLE_FAILED;
}

static enum rules_result
from_table(enum table_result r)
{
	switch (r) {
	case TABLE_FOUND:
		return (RULES_OK);
	case TABLE_NONE:
		return (RULES_NO);
	default:
		return (RULES_TEMPFAIL);
	}
}

enum rules_result
rules_table(const struct rules_env *env, const struct conf_table *t,
    const char *key, char **value)
{
	struct waiting		*w;
	enum rules_result	 r;

	if (value != NULL)
		*value = NULL;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return (RULES_TEMPFAIL);
	w->value = value;
	w->resume = env->resume;
	w->arg = env->arg;
	env->lookup(t, TABLE_MAP, key, table_answered, w);
	if (!w->answered) {
		w->left = 1;
		w->value = NULL;
		return (RULES_PENDING);
	}
	r = from_table(w->result);
	free(w);
	return (r);
}

static int
source_matches(const struct conf_rule *rule, const struct rules_request *q)
{
	switch (rule->source) {
	case SOURCE_ANY:
		return (1);
	case SOURCE_NETWORK:
		/* a local program could as well come over loopback */
		return (addr_nets_have(rule->network->nets,
		    rule->network->nnets, q->addr != NULL ? q->addr :
		    "127.0.0.1"));
	case SOURCE_AUTHENTICATED:
		return (q->user != NULL);
	case SOURCE_LOCAL:
		return (q->addr == NULL);
	}
	return (0);
}

static int
needs_dns(const struct conf_cond *c)
{
	return (c->kind == COND_DNSBL || c->kind == COND_NO_RDNS ||
	    c->kind == COND_HELO_UNKNOWN);
}

static int
condition(const struct rules_env *env, const struct conf_rule *rule,
    const struct conf_cond *c, const struct rules_request *q,
    enum rules_result *r)
{
	*r = RULES_OK;
	switch (c->kind) {
	case COND_TAG:
		return (q->tag != NULL && strcmp(q->tag, c->word) == 0);
	case COND_SENDER:
		return (rules_in_set(env, &c->set, q->sender, r));
	case COND_RECIPIENT:
		return (rules_rcpt_in_set(env, &c->set, q->rcpt,
		    rule->permit, r));
	case COND_HELO:
		return (rules_in_set(env, &c->set, q->helo, r));
	case COND_HELO_MALFORMED:
		return (client_helo_malformed(q->helo));
	case COND_HELO_OURS:
		return (client_helo_ours(env->conf, q->helo));
	case COND_HELO_UNKNOWN:
		return (client_helo_unknown(env, q->helo, r));
	case COND_DNSBL:
		return (client_listed(env, c, q->addr, r));
	case COND_NO_RDNS:
		return (client_no_rdns(env, q->addr, r));
	case COND_NO_TLS:
		return (!q->tls);
	}
	return (0);
}

/*
 * NULL: the rule matches.  Else what was not so: a condition, or the source
 * or the scope in words.  With *r RULES_PENDING or RULES_TEMPFAIL it is not
 * known.  The name system is asked last, about what nothing else excludes.
 */
static const char *
mismatch(const struct rules_env *env, const struct conf_rule *rule,
    const struct rules_request *q, int ours, const struct conf_cond **cond,
    enum rules_result *r)
{
	const struct conf_cond	*c;
	int			 last;

	*r = RULES_OK;
	*cond = NULL;
	if (!source_matches(rule, q))
		return (rule->source == SOURCE_NETWORK ? "the client is not "
		    "in the network" : rule->source == SOURCE_LOCAL ?
		    "it does not come from this machine's own programs" :
		    "nobody has logged in");
	if (rule->scope == SCOPE_DELIVER && !ours)
		return ("the recipient is of no domain of ours");
	for (last = 0; last <= 1; last++)
		TAILQ_FOREACH(c, &rule->conds, entry)
			if (needs_dns(c) == last && !condition(env, rule, c,
			    q, r)) {
				*cond = c;
				return ("it is not so");
			}
	return (NULL);
}

/* For mailctl explain: the condition as it was written. */
static void
tell(const struct rules_env *env, const struct conf_rule *rule,
    const struct conf_cond *c, const char *why)
{
	char	*text = NULL;
	size_t	 size;
	FILE	*f;

	if (c != NULL && (f = open_memstream(&text, &size)) != NULL) {
		(void)fputs("it is not so: ", f);
		conf_print_cond(f, c);
		if (fclose(f) == 0)
			why = text;
	}
	env->trace->rule(env->trace->arg, rule, why);
	free(text);
}

/* Does the rule match?  With *r as mismatch() has it. */
static int
matches(const struct rules_env *env, const struct conf_rule *rule,
    const struct rules_request *q, int ours, enum rules_result *r)
{
	const struct conf_cond	*c;
	const char		*why;

	why = mismatch(env, rule, q, ours, &c, r);
	if (env->trace != NULL && *r == RULES_OK)
		tell(env, rule, c, why);
	return (why == NULL);
}

int
rules_ask_dns(const struct conf *conf)
{
	const struct conf_rule	*rule;
	const struct conf_cond	*c;

	TAILQ_FOREACH(rule, &conf->rules, entry)
		TAILQ_FOREACH(c, &rule->conds, entry)
			if (needs_dns(c))
				return (1);
	return (0);
}

void
rules_prefetch(const struct rules_env *env, const char *addr,
    const char *helo)
{
	struct rules_request	 q = { .addr = addr, .helo = helo };
	const struct conf_rule	*rule;
	const struct conf_cond	*c;
	enum rules_result	 r;

	TAILQ_FOREACH(rule, &env->conf->rules, entry)
		TAILQ_FOREACH(c, &rule->conds, entry)
			if (needs_dns(c) && (rule->source == SOURCE_ANY ||
			    source_matches(rule, &q)))
				(void)condition(env, rule, c, &q, &r);
}

struct conf_domain *
rules_domain(const struct conf *conf, const char *addr)
{
	const char	*at = smtp_address_at(addr);

	return (at == NULL ? NULL : conf_domain_find(conf, at + 1));
}

int
rules_complete(const struct conf *conf, char addr[SMTP_ADDR_SIZE])
{
	const char			*origin = conf->origin;
	const struct conf_domain	*d = TAILQ_FIRST(&conf->domains);
	size_t				 n;

	if (*addr == '\0' || smtp_address_at(addr) != NULL)
		return (0);
	/* RFC 5321 4.1.1.3: <postmaster> is somebody here. */
	if (strcasecmp(addr, "postmaster") == 0 && d != NULL &&
	    conf_domain_find(conf, origin) == NULL)
		origin = d->names.v[0];
	n = strlen(addr);
	if ((size_t)snprintf(addr + n, SMTP_ADDR_SIZE - n, "@%s",
	    origin) >= SMTP_ADDR_SIZE - n)
		return (-1);
	return (0);
}

int
rules_is_qualified(const struct conf *conf, const char *addr)
{
	const char	*at = smtp_address_at(addr);

	if (*addr == '\0')
		return (1);
	return (at != NULL && (at[1] == '[' || strchr(at, '.') != NULL ||
	    conf_domain_find(conf, at + 1) != NULL));
}

int
rules_masquerade(const struct conf *conf, char addr[SMTP_ADDR_SIZE])
{
	const char	*as, *at = smtp_address_at(addr);
	size_t		 n;

	if (at == NULL || (as = conf_masquerade(conf, at + 1,
	    strlen(at + 1))) == NULL)
		return (0);
	n = at + 1 - addr;
	return (strlcpy(addr + n, as, SMTP_ADDR_SIZE - n) >=
	    SMTP_ADDR_SIZE - n ? -1 : 0);
}

static int
is_postmaster(const char *addr)
{
	return (strncasecmp(addr, "postmaster@", 11) == 0);
}

/* RFC 2034 4: what nobody wrote a status code for gets one. */
void
rules_reply(const char *written, const char *status, char reply[C_REPLY])
{
	const char	*text = written + 4;

	if (text[0] == written[0] && text[1] == '.' &&
	    isdigit((unsigned char)text[2]))
		strlcpy(reply, written, C_REPLY);
	else
		snprintf(reply, C_REPLY, "%.4s%c.%s %s", written, written[0],
		    status, text);
}

void
rules_decide(const struct rules_env *env, const struct rules_request *q,
    struct rules_answer *a)
{
	const struct conf_rule	*rule;
	enum rules_result	 r;

	memset(a, 0, sizeof(*a));
	a->ours = rules_domain(env->conf, q->rcpt) != NULL;
	TAILQ_FOREACH(rule, &env->conf->rules, entry) {
		if (!matches(env, rule, q, a->ours, &r)) {
			if (r == RULES_OK)
				continue;
			a->result = r;
			strlcpy(a->reply, "451 4.3.0 a table cannot be read "
			    "now, try again later", sizeof(a->reply));
			return;
		}
		a->rule = rule;
		if (rule->permit) {
			a->result = RULES_OK;
			return;
		}
		break;
	}
	/* RFC 5321 4.5.1: postmaster is reachable whatever the rules say. */
	if (a->ours && is_postmaster(q->rcpt)) {
		a->result = RULES_OK;
		return;
	}
	a->result = RULES_NO;
	if (a->rule != NULL && a->rule->reply != NULL)
		rules_reply(a->rule->reply, "7.1", a->reply);
	else if (!a->ours)
		snprintf(a->reply, sizeof(a->reply),
		    "550 5.7.1 <%s>: relaying denied", q->rcpt);
	else
		snprintf(a->reply, sizeof(a->reply),
		    "550 5.7.1 <%s>: not permitted", q->rcpt);
}
