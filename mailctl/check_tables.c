/*
 * check_tables: what stands in the tables.
 *
 * The daemons leave out a line that makes no sense and answer 451 for an alias
 * that says what it may not; by then somebody waits for his mail.  Here each is
 * told beforehand, read by the daemons' own code with the caller's rights.
 */
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "auth/verify.h"
#include "conf/conf.h"
#include "os/compat.h"
#include "rules/value.h"
#include "table/table.h"
#include "table/user.h"
#include "check.h"

#define TOLD_MAX	20		/* entries of one table, named */

struct reading {
	struct check			*c;
	const struct conf		*conf;
	const struct conf_table		*t;
	struct table			*table;
	size_t				 told;
	int				 grave;	/* a mistake was not */
	size_t				 scramless;	/* users */
	size_t				 fast;		/* verify_fast() */
	char				 such[256];	/* one of them */
};

/* Words of Dovecot without which a user may do more than with them. */
static const struct {
	const char	*name, *instead;
} dropped[] = {
	{ "userdb_quota_rule", "; write quota=SIZE messages=N" },
	{ "quota_rule", "; write quota=SIZE messages=N" },
	{ "allow_nets=", ", so he may log in from everywhere; have a packet "
	    "filter or a listener see to that, and remove the word" },
	{ "nologin", ", so he may log in nonetheless; put ! before the hash" },
};

/* The line of a file on which a key stands first; 0 if it is not found. */
static unsigned int
line_of(const char *path, const char *key)
{
	char		*line = NULL, *p;
	size_t		 size = 0, len = strlen(key);
	unsigned int	 n = 0, found = 0;
	FILE		*f;

	if ((f = fopen(path, "r")) == NULL)
		return (0);
	while (found == 0 && getline(&line, &size, f) != -1) {
		n++;
		p = line + (*line == '"');
		if (strncasecmp(p, key, len) == 0 &&
		    strchr("\": \t\r\n", p[len]) != NULL)
			found = n;
	}
	if (line != NULL)
		freezero(line, size);
	fclose(f);
	return (found);
}

/* Something about one entry; those after the first ones only by number. */
static void
tell(void (*how)(struct check *, const char *, ...), struct reading *r,
    const char *key, const char *about, const char *what)
{
	if (++r->told > TOLD_MAX) {
		r->grave |= how == check_mistake;
		return;
	}
	if (r->t->kind == TABLE_FILE)
		how(r->c, "%s:%u: %s%s%s%s", r->t->source,
		    line_of(r->t->source, key), key, *about != '\0' ? ": " :
		    "", about, what);
	else
		how(r->c, "%s:%u: table %s: %s%s%s%s",
		    r->t->pos.file, r->t->pos.line, r->t->name, key,
		    *about != '\0' ? ": " : "", about, what);
}

static void
mistake(struct reading *r, const char *key, const char *about,
    const char *what)
{
	tell(check_mistake, r, key, about, what);
}

/* A word of the last field that nobody reads; what restricts comes first. */
static void
check_words(struct reading *r, const char *key, const char *extra)
{
	const char	*word, *instead = NULL;
	char		 first[64] = "", text[256];
	size_t		 n, i;
	int		 ours;

	while (instead == NULL &&
	    (word = table_user_word(&extra, &n, &ours)) != NULL) {
		if (ours)
			continue;
		for (i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
			if (strncasecmp(word, dropped[i].name,
			    strlen(dropped[i].name)) == 0)
				instead = dropped[i].instead;
		if (first[0] == '\0' || instead != NULL)
			(void)snprintf(first, sizeof(first), "%.*s", (int)n,
			    word);
	}
	if (first[0] == '\0')
		return;
	(void)snprintf(text, sizeof(text), ": \"%s\" counts for nothing here%s",
	    first, instead != NULL ? instead : "");
	tell(instead != NULL ? check_mistake : check_advice, r, key, "", text);
}

/* Is there a line "auth <table> scram"? */
static int
offers_scram(const struct reading *r)
{
	const struct conf_auth	*a;

	TAILQ_FOREACH(a, &r->conf->auths, entry)
		if (a->table == r->t && a->scram)
			return (1);
	return (0);
}

static void
one_user(const char *key, const char *value, void *arg)
{
	struct reading		*r = arg;
	struct table_user	 u;
	const char		*why;
	size_t			 size = strlen(value) + 1;
	char			*copy;

	if ((copy = malloc(size)) == NULL) {
		mistake(r, key, "", ": no memory to check this user");
		return;
	}
	memcpy(copy, value, size);
	if ((why = table_user_parse(&u, key, copy)) != NULL)
		mistake(r, key, why, "; he can neither log in nor get mail");
	else if (u.has_uid && u.uid == 0)
		mistake(r, key, "", ": no mail is delivered as root; give "
		    "him another uid");
	else if (u.extra[0] == ':')
		mistake(r, key, "", ": the line has more than eight fields, "
		    "and what is behind them counts for nothing; words like "
		    "quota= belong into the eighth");
	else if (!verify_locked(u.hash) && !verify_usable(u.hash))
		mistake(r, key, "", ": this system knows no such hash, so "
		    "nobody can log in with it; make one with mailctl hash");
	else {
		r->fast += !verify_locked(u.hash) && verify_fast(u.hash);
		if (!verify_locked(u.hash) && !verify_scrams(u.hash) &&
		    r->scramless++ == 0)
			(void)strlcpy(r->such, key, sizeof(r->such));
		check_words(r, key, u.extra);
	}
	freezero(copy, size);
}

/* What an alias may not say, or NULL. */
static const char *
bad_word(const struct conf_domain *d, enum value_kind kind, const char *word)
{
	size_t	n;

	switch (kind) {
	case VALUE_BAD:
		return ("is no address, file or command; quotes go in pairs");
	case VALUE_FILE:
		return ("aliases write no files; name a user or a command");
	case VALUE_INCLUDE:
		if (d->include == NULL)
			return ("nothing may be included here; write aliases "
			    "<table> include DIRECTORY");
		n = strlen(d->include);
		if (strncmp(word, d->include, n) != 0 || word[n] != '/')
			return ("is not in the directory of included lists");
		return (access(word, R_OK) == -1 ? strerror(errno) : NULL);
	case VALUE_COMMAND:
		return (d->alias_as != NULL ? NULL : "an alias starts no "
		    "commands here; write aliases <table> commands as USER");
	default:
		return (NULL);
	}
}

static void
alias_of(struct reading *r, const struct conf_domain *d, const char *key,
    const char *value)
{
	char		 word[VALUE_WORD];
	const char	*why = NULL;
	enum value_kind	 kind;
	size_t		 n = 0;

	while (why == NULL && (kind = value_next(&value, word)) != VALUE_END) {
		why = bad_word(d, kind, word);
		n++;
	}
	if (why != NULL) {
		strlcat(word, ": ", sizeof(word));
		mistake(r, key, word, why);
	} else if (n == 0)
		mistake(r, key, "", ": stands for nobody; write key: value, "
		    "with a colon");
}

/* Of an alias with a domain, is that the one under which it is asked for? */
static void
one_alias(const char *key, const char *value, void *arg)
{
	struct reading			*r = arg;
	const struct conf_domain	*d, *other = NULL;
	const char			*at = strrchr(key, '@');
	int				 asked = 0;

	/* Postfix and others have their catch-all in the table. */
	if (at == key || strcmp(key, "*") == 0) {
		mistake(r, key, "", ": is never asked for; write catchall "
		    "ADDRESS in the domain");
		return;
	}

	TAILQ_FOREACH(d, &r->conf->domains, entry) {
		if (d->alias_table != r->t)
			continue;
		if (at != NULL && conf_domain_is(d, at + 1))
			other = d;
		if (at != NULL && strcasecmp(at + 1, d->names.v[0]) != 0)
			continue;
		if (asked++ == 0)
			alias_of(r, d, key, value);
	}
	if (asked > 0)
		return;
	if (other != NULL)
		mistake(r, key, "", ": is never asked for; write it with the "
		    "first name of its domain, or without a domain");
	else
		mistake(r, key, "", ": is never asked for; no domain with "
		    "these aliases has this name");
}

static int
is_readable(const char *path, struct reading *r)
{
	int	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd == -1 && errno == EACCES && geteuid() != 0)
		check_advice(r->c, "%s: not checked; run the check as root",
		    path);
	else if (fd == -1)
		check_mistake(r->c, "%s: %s", path, strerror(errno));
	return (fd);
}

static void
has_secret(const struct table_answer *a, void *arg)
{
	int	*found = arg;

	*found = a->result == TABLE_NONE ? 0 : a->result != TABLE_FOUND ? -1 :
	    strchr(a->value, ':') == NULL && a->value[0] != '\0' ? 2 : 1;
}

/* Each route that takes its password here finds one, or a token. */
static void
check_routes(struct reading *r)
{
	const struct conf_route	*route;
	char			 path[1024];
	int			 found, fd;

	TAILQ_FOREACH(route, &r->conf->routes, entry) {
		if (route->secrets != r->t || route->url.label == NULL)
			continue;
		found = -1;
		table_lookup(r->table, route->url.label, has_secret, &found);
		if (found == 0)
			check_mistake(r->c, "%s:%u: table %s has no line "
			    "\"%s: user:password\", so what goes this way "
			    "waits; add one", route->pos.file,
			    route->pos.line, r->t->name, route->url.label);
		if (found != 2 || r->t->kind != TABLE_FILE)
			continue;
		(void)snprintf(path, sizeof(path), "%s.%s", r->t->source,
		    route->url.label);
		if ((fd = is_readable(path, r)) != -1)
			close(fd);
	}
}

static void
probed(const struct table_answer *a, void *arg)
{
	struct reading	*r = arg;

	if (a->result == TABLE_FAILED)
		check_mistake(r->c, "%s:%u: table %s: %s; mail and logins "
		    "that need it would wait", r->t->pos.file,
		    r->t->pos.line, r->t->name, a->why);
}

static int
load(struct reading *r, enum table_form form)
{
	struct table_report	 report;
	const char		*form_text = form == TABLE_USERS ?
				    "name:hash" : "key: value";
	int			 fd, ret;

	if (!table_needs_fd(r->table))
		return (0);
	if ((fd = is_readable(r->t->source, r)) == -1)
		return (-1);
	ret = table_load_fd(r->table, fd, &report);
	close(fd);
	if (ret == -1) {
		check_mistake(r->c, "%s: %s", r->t->source, strerror(errno));
		return (-1);
	}
	if (report.bad > 0)
		check_mistake(r->c, "%s:%u: is no line \"%s\" and counts for "
		    "nothing; bad lines in all: %zu", r->t->source,
		    report.first_bad, form_text, report.bad);
	if (report.duplicates > 0)
		check_mistake(r->c, "%s: of names that stand there more than "
		    "once only the first line counts; lines to remove: %zu",
		    r->t->source, report.duplicates);
	return (0);
}

static void
check_one(struct reading *r, int users, int aliases)
{
	enum table_form	form = users ? TABLE_USERS : TABLE_MAP;

	if ((r->table = table_open(r->t, form)) == NULL)
		return;			/* of a kind that is not built yet */
	if (load(r, form) == -1)
		goto done;
	if (r->t->kind == TABLE_SQLITE)
		table_lookup(r->table, "postmaster", probed, r);
	if (users)
		table_each(r->table, one_user, r);
	else if (aliases)
		table_each(r->table, one_alias, r);
	if (r->told > TOLD_MAX)
		(r->grave ? check_mistake : check_advice)(r->c, "table %s: %zu "
		    "more like these", r->t->name, r->told - TOLD_MAX);
	if (users && r->scramless > 0 && offers_scram(r))
		check_advice(r->c, "%s:%u: table %s: %zu of its users, such as "
		    "%s, cannot log in by SCRAM-SHA-256, which is offered, and "
		    "some clients try nothing else; give them hashes with "
		    "mailctl user password -s SCRAM-SHA-256, or do not write "
		    "scram", r->t->pos.file, r->t->pos.line, r->t->name,
		    r->scramless, r->such);
	if (users && r->fast > 0)
		check_advice(r->c, "%s:%u: table %s: the passwords of %zu of "
		    "its users can be guessed quickly by whoever gets to read "
		    "it ({SSHA...}); make better hashes with mailctl user "
		    "password when they choose new ones", r->t->pos.file,
		    r->t->pos.line, r->t->name, r->fast);
	check_routes(r);
done:
	table_close(r->table);
}

void
check_tables(struct check *c, const struct conf *conf)
{
	struct reading			 r = { .c = c, .conf = conf };
	const struct conf_domain	*d;
	const struct conf_auth		*a;
	int				 users, aliases;

	TAILQ_FOREACH(r.t, &conf->tables, entry) {
		users = aliases = 0;
		TAILQ_FOREACH(a, &conf->auths, entry)
			users |= a->table == r.t;
		TAILQ_FOREACH(d, &conf->domains, entry) {
			users |= d->users_table == r.t;
			aliases |= d->alias_table == r.t;
		}
		r.told = r.scramless = r.fast = 0;
		check_one(&r, users, aliases);
	}
}
