/*
 * sender: does the sender of a message belong to who logged in?  For
 * listeners with "check sender".
 *
 * A user's own addresses are the name of the login, every address whose mail
 * reaches that account (its aliases, groups it is in, other names of its
 * domain, details behind a plus), and what "sender=" of the user table says.
 * The null path is everybody's: reports have it.
 */
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "rules/rules.h"

/* Could a login be one of this domain's users? */
static int
logs_in(const struct conf *conf, const struct conf_domain *d)
{
	const struct conf_auth	*a;

	TAILQ_FOREACH(a, &conf->auths, entry)
		if (d->has_users && a->kind == d->users &&
		    (a->kind == USERS_SYSTEM || a->table == d->users_table))
			return (1);
	return (0);
}

/* Does mail to this address reach the account? */
static enum rules_result
reaches(const struct rules_env *env, const char *user, const char *addr)
{
	const struct conf_domain	*d;
	struct rules_dests		 dests;
	enum rules_result		 r;
	char				 reply[C_REPLY];
	size_t				 i;

	if ((r = rules_resolve(env, "", addr, 1, &dests, reply)) != RULES_OK)
		return (r);
	r = RULES_NO;
	for (i = 0; i < dests.n && r == RULES_NO; i++)
		if (dests.v[i].local && !dests.v[i].dead &&
		    strcasecmp(dests.v[i].user, user) == 0 &&
		    (d = conf_domain_find(env->conf, dests.v[i].host)) !=
		    NULL && logs_in(env->conf, d))
			r = RULES_OK;
	rules_dests_free(&dests);
	return (r);
}

/* Words like "sender=@example.org" among others; "*" is any address. */
static int
says_sender(const char *extra, const char *addr)
{
	char		 word[SMTP_ADDR_SIZE], *v = word;
	struct conf_words words = { .v = &v, .n = 1 };
	size_t		 n;

	for (; *extra != '\0'; extra += n) {
		extra += strspn(extra, " \t,");
		n = strcspn(extra, " \t,");
		if (n <= 7 || n - 7 >= sizeof(word) ||
		    strncasecmp(extra, "sender=", 7) != 0)
			continue;
		memcpy(word, extra + 7, n - 7);
		word[n - 7] = '\0';
		if (strcmp(word, "*") == 0 || conf_words_match(&words, addr))
			return (1);
	}
	return (0);
}

static enum rules_result
listed(const struct rules_env *env, const char *user, const char *addr)
{
	const struct conf_domain	*d;
	struct rules_account		 acc;
	enum rules_result		 r;

	TAILQ_FOREACH(d, &env->conf->domains, entry) {
		if (d->users != USERS_TABLE || !logs_in(env->conf, d))
			continue;
		r = rules_account(env, d, user, &acc);
		if (r == RULES_PENDING || r == RULES_TEMPFAIL)
			return (r);
		if (r == RULES_OK && strcasecmp(acc.user, user) == 0 &&
		    says_sender(acc.extra, addr))
			return (RULES_OK);
	}
	return (RULES_NO);
}

enum rules_result
rules_sender(const struct rules_env *env, const char *user, const char *sender)
{
	enum rules_result	r;

	if (*sender == '\0' || strcasecmp(sender, user) == 0)
		return (RULES_OK);
	if (rules_domain(env->conf, sender) != NULL &&
	    (r = reaches(env, user, sender)) != RULES_NO)
		return (r);
	return (listed(env, user, sender));
}
