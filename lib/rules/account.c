/*
 * account: the people of a domain: Unix accounts, or a user table; and its
 * aliases.
 */
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "rules/rules.h"

struct asking {
	int			 answered;
	int			 left;
	enum table_result	 result;
	struct rules_account	*to;
	void			(*resume)(void *);
	void			*arg;
};

static void
user_answered(const struct table_answer *a, void *arg)
{
	struct asking	*w = arg;

	if (w->left) {
		w->resume(w->arg);
		free(w);
		return;
	}
	w->answered = 1;
	w->result = a->result;
	if (a->result != TABLE_FOUND)
		return;
	if (strlcpy(w->to->user, a->key, sizeof(w->to->user)) >=
	    sizeof(w->to->user) ||
	    strlcpy(w->to->home, a->user->home, sizeof(w->to->home)) >=
	    sizeof(w->to->home)) {
		w->result = TABLE_NONE;
		return;
	}
	if (strlcpy(w->to->extra, a->user->extra, sizeof(w->to->extra)) >=
	    sizeof(w->to->extra))
		w->to->extra[0] = '\0';
	w->to->has_ids = a->user->has_uid && a->user->has_gid;
	w->to->uid = a->user->uid;
	w->to->gid = a->user->gid;
	w->to->quota.bytes = a->user->has_quota ? a->user->quota : 0;
	w->to->quota.messages = a->user->messages;
}

static enum rules_result
ask_table(const struct rules_env *env, const struct conf_table *t,
    const char *key, struct rules_account *to)
{
	struct asking		*w;
	enum table_result	 r;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return (RULES_TEMPFAIL);
	w->to = to;
	w->resume = env->resume;
	w->arg = env->arg;
	env->lookup(t, TABLE_USERS, key, user_answered, w);
	if (!w->answered) {
		w->left = 1;
		return (RULES_PENDING);
	}
	r = w->result;
	free(w);
	if (r == TABLE_FOUND)
		return (RULES_OK);
	return (r == TABLE_NONE ? RULES_NO : RULES_TEMPFAIL);
}

static enum rules_result
ask_system(const char *name, struct rules_account *to)
{
	struct passwd	*pw;

	errno = 0;
	if ((pw = getpwnam(name)) == NULL)
		return (errno == 0 || errno == ENOENT || errno == ESRCH ||
		    errno == EPERM ? RULES_NO : RULES_TEMPFAIL);
	/* No mail is ever delivered as root: it needs an alias. */
	if (pw->pw_uid == 0 || pw->pw_gid == 0)
		return (RULES_NO);
	if (strlcpy(to->user, pw->pw_name, sizeof(to->user)) >=
	    sizeof(to->user) || strlcpy(to->home, pw->pw_dir,
	    sizeof(to->home)) >= sizeof(to->home))
		return (RULES_NO);
	to->system = 1;
	to->has_ids = 1;
	to->uid = pw->pw_uid;
	to->gid = pw->pw_gid;
	return (RULES_OK);
}

/* The ids of "as USER" where the table names none. */
static enum rules_result
fill_ids(const struct conf_domain *d, struct rules_account *to)
{
	struct passwd	*pw;

	/* An LMTP server has its own. */
	if (to->has_ids || d->deliver == DELIVER_LMTP)
		return (RULES_OK);
	if (d->as == NULL || (pw = getpwnam(d->as)) == NULL)
		return (RULES_TEMPFAIL);
	to->uid = pw->pw_uid;
	to->gid = pw->pw_gid;
	to->has_ids = 1;
	return (RULES_OK);
}

enum rules_result
rules_account(const struct rules_env *env, const struct conf_domain *d,
    const char *name, struct rules_account *to)
{
	char			 key[SMTP_ADDR_SIZE];
	enum rules_result	 r;

	memset(to, 0, sizeof(*to));
	if (!d->has_users)
		return (RULES_NO);
	if (d->users == USERS_SYSTEM)
		return (ask_system(name, to));
	r = RULES_NO;
	if (strchr(name, '@') == NULL) {
		if (strlcpy(key, name, sizeof(key)) >= sizeof(key) ||
		    strlcat(key, "@", sizeof(key)) >= sizeof(key) ||
		    strlcat(key, d->names.v[0], sizeof(key)) >= sizeof(key))
			return (RULES_NO);
		r = ask_table(env, d->users_table, key, to);
	}
	if (r == RULES_NO)
		r = ask_table(env, d->users_table, name, to);
	return (r == RULES_OK ? fill_ids(d, to) : r);
}

enum rules_result
rules_alias(const struct rules_env *env, const struct conf_domain *d,
    const char *name, char **text)
{
	enum rules_result	r;
	char			key[SMTP_ADDR_SIZE];

	*text = NULL;
	if (d->alias_table == NULL)
		return (RULES_NO);
	if ((size_t)snprintf(key, sizeof(key), "%s@%s", name,
	    d->names.v[0]) >= sizeof(key))
		return (RULES_NO);
	r = rules_table(env, d->alias_table, key, text);
	if (r == RULES_NO)
		r = rules_table(env, d->alias_table, name, text);
	return (r);
}
