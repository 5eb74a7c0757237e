/*
 * user: "mailctl user ...", the users of tables that are files.
 *
 * Runs with its caller's rights: who may write the file may change it.  What
 * is written was checked by the same rules as what is read.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/verify.h"
#include "conf/conf.h"
#include "hash.h"
#include "mailctl.h"
#include "os/compat.h"
#include "table/user.h"
#include "usertable.h"

#define LINE_SIZE	8192
#define NFIELDS		8
#define F_HASH		1
#define F_HOME		5
#define F_EXTRA		7

struct work {
	struct conf		*conf;
	const char		*name;
	const char		*scheme;
	struct usertable	 t;
	char			*at;		/* the user's line, or NULL */
	size_t			 len;
	char			*field[NFIELDS];
	char			 line[LINE_SIZE];
	char			 hash[VERIFY_HASH_MAX];
};

/* The file with the users of a domain or, bare, of the only such file. */
static const char *
find_path(const struct conf *conf, const char *name)
{
	const struct conf_domain *d;
	const struct conf_table	*found = NULL;
	const char		*at = strchr(name, '@');

	TAILQ_FOREACH(d, &conf->domains, entry) {
		if (!d->has_users || d->users != USERS_TABLE ||
		    d->users_table->kind != TABLE_FILE ||
		    (at != NULL && !conf_domain_is(d, at + 1)))
			continue;
		if (found != NULL && found != d->users_table) {
			fprintf(stderr, "mailctl: %s: more than one table has "
			    "users; write the name with its domain\n", name);
			return (NULL);
		}
		found = d->users_table;
	}
	if (found == NULL) {
		fprintf(stderr, "mailctl: %s: no domain has a table of users "
		    "that is a file for this name\n", name);
		return (NULL);
	}
	return (found->source);
}

/* A hash of another kind would shut out who logs in by what is offered. */
static const char *
usual_scheme(const struct conf *conf, const char *path)
{
	const struct conf_auth	*a;

	TAILQ_FOREACH(a, &conf->auths, entry)
		if (a->scram && a->table != NULL &&
		    a->table->kind == TABLE_FILE &&
		    strcmp(a->table->source, path) == 0)
			return ("SCRAM-SHA-256");
	return (NULL);
}

/* No byte that would make another line or field of it. */
static int
name_ok(const char *name)
{
	const char	*p;

	for (p = name; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f ||
		    strchr(":/#", *p) != NULL)
			break;
	if (p != name && *p == '\0' && strlen(name) < 256)
		return (1);
	fprintf(stderr, "mailctl: \"%s\" is no name of a user\n", name);
	return (0);
}

static int
home_ok(const char *home)
{
	if (home[0] == '/' && strpbrk(home, ":\r\n") == NULL)
		return (1);
	fprintf(stderr, "mailctl: \"%s\" is no home directory\n", home);
	return (0);
}

/* The line as fields; those that it lacks are empty. */
static int
split(struct work *w)
{
	static char	 empty[1];
	char		*rest = w->line;
	size_t		 i;

	if (w->len > sizeof(w->line)) {
		fprintf(stderr, "mailctl: %s: the line is too long\n",
		    w->name);
		return (-1);
	}
	memcpy(w->line, w->at, w->len - 1);
	w->line[w->len - 1] = '\0';
	for (i = 0; i < NFIELDS; i++) {
		w->field[i] = i == NFIELDS - 1 ? rest : strsep(&rest, ":");
		if (w->field[i] == NULL)
			w->field[i] = empty;
	}
	return (0);
}

static int
join(struct work *w)
{
	struct table_user	 u = { 0 };
	char			 line[2 * LINE_SIZE], check[2 * LINE_SIZE];
	const char		*why;
	size_t			 i, n = NFIELDS;

	while (n > 2 && *w->field[n - 1] == '\0')
		n--;
	line[0] = '\0';
	for (i = 0; i < n; i++) {
		if (i > 0)
			strlcat(line, ":", sizeof(line));
		if (strlcat(line, w->field[i], sizeof(line)) >= LINE_SIZE) {
			fprintf(stderr, "mailctl: the line is too long\n");
			return (-1);
		}
	}
	strlcpy(check, strchr(line, ':') + 1, sizeof(check));
	if (strpbrk(line, "\r\n") != NULL)
		why = "a line end in a field";
	else
		why = table_user_parse(&u, w->name, check);
	if (why != NULL) {
		fprintf(stderr, "mailctl: %s: %s\n", w->name, why);
		return (-1);
	}
	return (usertable_replace(&w->t, w->at, w->len, line));
}

static int
do_add(struct work *w, const struct call *call)
{
	static char	empty[1];
	char		name[256];
	size_t		i;

	if (w->at != NULL) {
		fprintf(stderr, "mailctl: %s: there is such a user\n",
		    w->name);
		return (-1);
	}
	strlcpy(name, w->name, sizeof(name));
	for (i = 0; i < NFIELDS; i++)
		w->field[i] = empty;
	w->field[0] = name;
	w->field[F_HASH] = w->hash;
	if (call->argc > 1)
		w->field[F_HOME] = call->argv[1];
	w->at = w->t.text + w->t.len;
	w->len = 0;
	return (join(w));
}

static int
do_password(struct work *w, const struct call *call)
{
	(void)call;
	w->field[F_HASH] = w->hash;
	return (join(w));
}

static int
do_delete(struct work *w, const struct call *call)
{
	(void)call;
	return (usertable_replace(&w->t, w->at, w->len, NULL));
}

/* "none", "5g", "5000 messages" or "5g 5000 messages"; what is left is NULL. */
static int
quota_words(const struct call *call, const char **size, const char **messages)
{
	int	n = call->argc - 1;

	*size = *messages = NULL;
	if (n >= 2 && strcmp(call->argv[n], "messages") == 0) {
		*messages = call->argv[n - 1];
		n -= 2;
	}
	if (n == 1 && strcmp(call->argv[1], "none") != 0)
		*size = call->argv[1];
	if (n <= 1)
		return (0);
	fprintf(stderr, "mailctl: a quota is a size, a number and the word "
	    "\"messages\", or both\n");
	return (-1);
}

static void
add_word(char *extra, size_t size, const char *name, const char *value)
{
	if (value == NULL)
		return;
	strlcat(extra, extra[0] == '\0' ? "" : " ", size);
	strlcat(extra, name, size);
	strlcat(extra, value, size);
}

/* Other words of the last field stay. */
static int
do_quota(struct work *w, const struct call *call)
{
	char		 extra[LINE_SIZE] = "", old[LINE_SIZE];
	const char	*size, *messages, *word;
	char		*rest = old;

	if (quota_words(call, &size, &messages) == -1)
		return (-1);
	strlcpy(old, w->field[F_EXTRA], sizeof(old));
	while ((word = strsep(&rest, " ,")) != NULL)
		if (*word != '\0' && strncasecmp(word, "quota=", 6) != 0 &&
		    strncasecmp(word, "messages=", 9) != 0)
			add_word(extra, sizeof(extra), "", word);
	add_word(extra, sizeof(extra), "quota=", size);
	add_word(extra, sizeof(extra), "messages=", messages);
	w->field[F_EXTRA] = extra;
	return (join(w));
}

/* Is a user whom the table names so one of the domain?  "@domain" or "". */
static int
is_of(const struct conf *conf, const char *name, const char *domain)
{
	const struct conf_domain *d;
	const char		*at = strrchr(name, '@');

	if (*domain == '\0' || at == NULL)
		return (1);	/* a bare name is of every domain */
	TAILQ_FOREACH(d, &conf->domains, entry)
		if (conf_domain_is(d, domain + 1))
			return (conf_domain_is(d, at + 1));
	return (0);
}

/* One line a user: name, home and what else there is, never a hash. */
static int
do_list(const struct call *call, const struct conf *conf, const char *domain,
    const char *path)
{
	struct usertable	 t;
	const char		*sep = "";
	char			*rest, *line, *f[NFIELDS];
	size_t			 i;

	if (usertable_open(&t, path) == -1)
		return (-1);
	rest = t.text;
	if (call->json)
		putchar('[');
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line == '\0' || *line == '#')
			continue;
		for (i = 0; i < NFIELDS; i++)
			f[i] = i == NFIELDS - 1 ? line : strsep(&line, ":");
		if (!is_of(conf, f[0], domain))
			continue;
		if (!call->json) {
			printf("%s%s%s%s%s\n", f[0], f[F_HOME] != NULL ? " " :
			    "", f[F_HOME] != NULL ? f[F_HOME] : "",
			    f[F_EXTRA] != NULL ? " " : "",
			    f[F_EXTRA] != NULL ? f[F_EXTRA] : "");
			continue;
		}
		printf("%s{\"name\": ", sep);
		json_string(f[0]);
		fputs(", \"home\": ", stdout);
		json_string(f[F_HOME] != NULL ? f[F_HOME] : "");
		fputs(", \"extra\": ", stdout);
		json_string(f[F_EXTRA] != NULL ? f[F_EXTRA] : "");
		putchar('}');
		sep = ",\n ";
	}
	if (call->json)
		fputs("]\n", stdout);
	usertable_close(&t);
	return (0);
}

static int
change(struct work *w, const struct call *call, const char *path)
{
	static int (*const does[])(struct work *, const struct call *) = {
		[USER_ADD] = do_add, [USER_DELETE] = do_delete,
		[USER_PASSWORD] = do_password, [USER_QUOTA] = do_quota
	};
	int	rv = -1;

	if (!name_ok(w->name) || (call->argc > 1 && call->what == USER_ADD &&
	    !home_ok(call->argv[1])))
		return (-1);
	/* Nobody waits for the file while somebody types. */
	if ((call->what == USER_ADD || call->what == USER_PASSWORD) &&
	    hash_ask(w->scheme, w->hash, sizeof(w->hash)) == -1)
		return (-1);
	if (usertable_open(&w->t, path) == -1)
		return (-1);
	w->at = usertable_find(&w->t, w->name, &w->len);
	if (w->at == NULL && call->what != USER_ADD)
		fprintf(stderr, "mailctl: %s: no such user in %s\n", w->name,
		    path);
	else if (w->at == NULL || split(w) == 0)
		rv = does[call->what](w, call);
	usertable_close(&w->t);
	explicit_bzero(w->line, sizeof(w->line));
	explicit_bzero(w->hash, sizeof(w->hash));
	return (rv);
}

int
user_command(const struct call *given)
{
	struct call	 call = *given;
	struct work	 w = { 0 };
	const char	*path;
	int		 rv = -1;

	if (call.argc > 1 && strcmp(call.argv[0], "-s") == 0) {
		w.scheme = call.argv[1];
		call.argv += 2;
		call.argc -= 2;
	}
	if (call.argc < (call.what == USER_LIST ? 0 :
	    call.what == USER_QUOTA ? 2 : 1)) {
		fprintf(stderr, "mailctl: whose?\n");
		return (STATUS_USAGE);
	}
	if (call.what == USER_LIST && call.argc > 0 &&
	    call.argv[0][0] != '@') {
		fprintf(stderr, "mailctl: \"%s\" is not @DOMAIN\n",
		    call.argv[0]);
		return (STATUS_USAGE);
	}
	if ((w.conf = call_load(&call)) == NULL)
		return (STATUS_FAILED);
	w.name = call.argc > 0 ? call.argv[0] : "";
	if ((path = find_path(w.conf, w.name)) != NULL && w.scheme == NULL)
		w.scheme = usual_scheme(w.conf, path);
	if (path != NULL)
		rv = call.what == USER_LIST ? do_list(&call, w.conf,
		    w.name, path) :
		    change(&w, &call, path);
	conf_free(w.conf);
	return (rv == 0 ? STATUS_OK : STATUS_FAILED);
}
