/*
 * source_table: users of a table.
 *
 * The name is looked up as it was typed, in lower case.  If nobody has it: a
 * name of another name of its domain is looked up under the first one, and a
 * name without a domain is completed with the domain whose users the table
 * holds, if there is exactly one.
 *
 * The table is believed about everything but uid 0.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/source.h"
#include "conf/conf.h"
#include "os/compat.h"
#include "table/refresh.h"

#define NAME_BUFFER	16384
#define KEYS		2
#define OWNERS_MAX	16
#define OWNER_NAME	64
#define OWNER_TTL	60

struct search {
	const struct conf		*conf;
	const struct conf_domain	*domain;	/* of a bare name */
	struct table_refresh		*table;
	source_cb			 cb;
	void				*arg;
	char				 keys[KEYS][C_USER];
	size_t				 n, next;
};

static void	next_key(struct search *);

static void
lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s += 'a' - 'A';
}

/* The domain whose users these are, if there is exactly one. */
static const struct conf_domain *
only_domain(const struct conf *conf, const struct conf_table *t)
{
	const struct conf_domain	*d, *only = NULL;

	TAILQ_FOREACH(d, &conf->domains, entry)
		if (d->has_users && d->users == USERS_TABLE &&
		    d->users_table == t) {
			if (only != NULL)
				return (NULL);
			only = d;
		}
	return (only);
}

/* local@domain as a further key, if it fits and is another one. */
static void
add_key(struct search *s, size_t locallen, const struct conf_domain *d)
{
	char	*key = s->keys[s->n];
	int	 n;

	if (d == NULL || d->names.n == 0)
		return;
	n = snprintf(key, sizeof(s->keys[0]), "%.*s@%s",
	    (int)locallen, s->keys[0], d->names.v[0]);
	if (n < 0 || (size_t)n >= sizeof(s->keys[0]))
		return;
	lower(key);
	if (strcmp(key, s->keys[0]) != 0)
		s->n++;
}

/* What to look up, in this order. */
static void
make_keys(struct search *s, const struct conf_table *t, const char *login)
{
	const char	*at;

	if (strlcpy(s->keys[0], login, sizeof(s->keys[0])) >=
	    sizeof(s->keys[0]))
		return;
	lower(s->keys[0]);
	s->n = 1;
	if ((at = strrchr(s->keys[0], '@')) != NULL)
		add_key(s, (size_t)(at - s->keys[0]),
		    conf_domain_find(s->conf, at + 1));
	else if ((s->domain = only_domain(s->conf, t)) != NULL)
		add_key(s, strlen(s->keys[0]), s->domain);
}

const char *
source_table_name(const struct conf *conf, const struct conf_table *t,
    const char *login, char *out, size_t size)
{
	struct search	s = { .conf = conf };

	make_keys(&s, t, login);
	(void)strlcpy(out, s.n > 0 ? s.keys[s.n - 1] : "", size);
	return (out);
}

void
source_table(const struct conf *conf, const struct conf_table *t,
    struct table_refresh *table, const char *login, source_cb cb, void *arg)
{
	struct search	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL) {
		cb(SOURCE_FAILED, NULL, strerror(errno), arg);
		return;
	}
	s->conf = conf;
	s->table = table;
	s->cb = cb;
	s->arg = arg;
	make_keys(s, t, login);
	next_key(s);
}

static void
finish(struct search *s, enum source_result result, const struct account *a,
    const char *why)
{
	s->cb(result, a, why, s->arg);
	free(s);
}

/*
 * uid and gid of an "as".  These accounts are few and hardly ever change, and
 * every login asks: an answer is good for OWNER_TTL seconds.
 */
static const char *
owner_find(const char *as, uid_t *uid, gid_t *gid)
{
	static struct owner {
		char	name[OWNER_NAME];
		time_t	until;
		uid_t	uid;
		gid_t	gid;
	}		 owners[OWNERS_MAX];
	static size_t	 n;
	struct owner	*o = NULL;
	struct passwd	 pw, *found = NULL;
	struct timespec	 now;
	char		 buffer[NAME_BUFFER];
	size_t		 i;
	int		 error;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (i = 0; i < OWNERS_MAX && o == NULL; i++)
		if (strcmp(owners[i].name, as) == 0)
			o = &owners[i];
	if (o == NULL || now.tv_sec >= o->until) {
		error = getpwnam_r(as, &pw, buffer, sizeof(buffer), &found);
		if (found == NULL)
			return (error != 0 ? strerror(error) :
			    "the account of \"as\" does not exist");
		if (o == NULL)
			o = &owners[n++ % OWNERS_MAX];
		if (strlcpy(o->name, as, sizeof(o->name)) >= sizeof(o->name))
			o->name[0] = '\0';
		o->until = now.tv_sec + OWNER_TTL;
		o->uid = pw.pw_uid;
		o->gid = pw.pw_gid;
	}
	*uid = o->uid;
	*gid = o->gid;
	return (NULL);
}

/* uid and gid of the domain's "as", where the table leaves them out. */
static const char *
owner_from_domain(const struct search *s, struct account *a, int has_uid,
    int has_gid)
{
	const struct conf_domain	*d = s->domain;
	const char			*at, *why;
	uid_t				 uid = 0;
	gid_t				 gid = 0;

	if ((at = strrchr(a->user, '@')) != NULL)
		d = conf_domain_find(s->conf, at + 1);
	if (d == NULL || d->as == NULL)
		return ("no uid and gid: neither in the table nor by \"as\"");
	if ((why = owner_find(d->as, &uid, &gid)) != NULL)
		return (why);
	if (!has_uid)
		a->uid = uid;
	if (!has_gid)
		a->gid = gid;
	return (NULL);
}

static enum source_result
judge(const struct search *s, const struct table_user *u, struct account *a,
    const char **why)
{
	a->uid = u->uid;
	a->gid = u->gid;
	a->quota.bytes = u->has_quota ? u->quota : 0;
	a->quota.messages = u->messages;
	if (strlcpy(a->user, u->name, sizeof(a->user)) >= sizeof(a->user) ||
	    strlcpy(a->home, u->home, sizeof(a->home)) >= sizeof(a->home) ||
	    strlcpy(a->hash, u->hash, sizeof(a->hash)) >= sizeof(a->hash)) {
		*why = "a field is too long";
		return (SOURCE_FAILED);
	}
	if (verify_locked(a->hash)) {
		*why = "the account is locked";
		return (SOURCE_REFUSED);
	}
	if (strncmp(a->hash, VERIFY_BSDAUTH, strlen(VERIFY_BSDAUTH)) == 0) {
		*why = "the hash is of no scheme for tables";
		return (SOURCE_FAILED);
	}
	if ((!u->has_uid || !u->has_gid) && (*why = owner_from_domain(s, a,
	    u->has_uid, u->has_gid)) != NULL)
		return (SOURCE_FAILED);
	if (a->uid == 0 || a->gid == 0) {
		*why = "root owns no mailbox";
		return (SOURCE_REFUSED);
	}
	return (SOURCE_FOUND);
}

static void
answer(const struct table_answer *t, void *arg)
{
	struct search		*s = arg;
	struct account		 a = { 0 };
	const char		*why = NULL;
	enum source_result	 result;

	switch (t->result) {
	case TABLE_NONE:
		next_key(s);
		return;
	case TABLE_FAILED:
		finish(s, SOURCE_FAILED, NULL, t->why);
		return;
	case TABLE_FOUND:
		break;
	}
	result = judge(s, t->user, &a, &why);
	finish(s, result, result == SOURCE_FOUND ? &a : NULL, why);
	explicit_bzero(&a, sizeof(a));
}

static void
next_key(struct search *s)
{
	if (s->next < s->n)
		table_refresh_lookup(s->table, s->keys[s->next++], answer, s);
	else
		finish(s, SOURCE_UNKNOWN, NULL, NULL);
}
