/*
 * check_owners: owners and modes.
 *
 * What the configuration names was looked at when it was read; here it is the
 * folders above it, where others could put another file in its place, and
 * what the daemons have made.  Nothing is opened but folders.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/submit_keep.h"
#include "os/compat.h"
#include "check.h"

#define NAMES_MAX	100000		/* looked at in one folder */
#define TOLD_MAX	5		/* files of one folder, named */

static const char *
owner_name(uid_t uid)
{
	static char		 text[64];
	const struct passwd	*pw = getpwuid(uid);

	if (pw != NULL)
		(void)snprintf(text, sizeof(text), "%s", pw->pw_name);
	else
		(void)snprintf(text, sizeof(text), "uid %u", (unsigned)uid);
	return (text);
}

/* 1 if it is there; what is not there the daemon will make. */
static int
look(struct check *c, const char *path, struct stat *st)
{
	if (lstat(path, st) == 0)
		return (1);
	if (errno == EACCES && geteuid() != 0)
		check_advice(c, "%s: not checked; run the check as root",
		    path);
	else if (errno != ENOENT)
		check_mistake(c, "%s: %s", path, strerror(errno));
	return (0);
}

static void
check_owner(struct check *c, const char *path, const struct stat *st,
    uid_t owner)
{
	char	is[64];

	if (st->st_uid == owner)
		return;
	(void)snprintf(is, sizeof(is), "%s", owner_name(st->st_uid));
	check_mistake(c, "%s: belongs to %s; chown it to %s", path, is,
	    owner_name(owner));
}

/* What smtpd's queue cannot open makes it end. */
static void
check_folder(struct check *c, const char *path, uid_t owner)
{
	struct dirent	*e;
	struct stat	 st;
	unsigned int	 bad = 0, n = 0;
	char		 file[PATH_MAX];
	DIR		*dir;

	if (!look(c, path, &st))
		return;
	if (!S_ISDIR(st.st_mode)) {
		check_mistake(c, "%s: is no directory; remove it", path);
		return;
	}
	check_owner(c, path, &st, owner);
	if ((dir = opendir(path)) == NULL)
		return;			/* look() has told */
	while ((e = readdir(dir)) != NULL && n++ < NAMES_MAX) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 || fstatat(dirfd(dir),
		    e->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
		    st.st_uid == owner)
			continue;
		if (++bad > TOLD_MAX || (size_t)snprintf(file, sizeof(file),
		    "%s/%s", path, e->d_name) >= sizeof(file))
			continue;
		check_owner(c, file, &st, owner);
	}
	closedir(dir);
	if (bad > TOLD_MAX)
		check_mistake(c, "%s: %u more files belong to others; "
		    "chown -R %s it", path, bad - TOLD_MAX, owner_name(owner));
}

/* A daemon makes the directory itself, but not those above it. */
static void
check_home(struct check *c, const char *path)
{
	struct stat	st;
	char		above[PATH_MAX], *slash;

	if (strlcpy(above, path, sizeof(above)) >= sizeof(above) ||
	    (slash = strrchr(above, '/')) == NULL || slash == above)
		return;
	*slash = '\0';
	if (stat(above, &st) == -1 && errno == ENOENT)
		check_mistake(c, "%s: does not exist, so %s cannot be made; "
		    "mkdir it", above, path);
}

static void
check_spool(struct check *c, const struct conf *conf)
{
	static const char *const parts[] = { "", "/journal", "/large",
				    "/damaged" };
	const struct passwd	*pw;
	struct stat		 st;
	char			 path[PATH_MAX];
	uid_t			 owner = geteuid();
	size_t			 i;

	if (geteuid() == 0) {
		if ((pw = getpwnam("_mailq")) == NULL) {
			check_mistake(c, "no account _mailq; run \"make "
			    "users\"");
			return;
		}
		owner = pw->pw_uid;
	}
	if (!look(c, conf->spool, &st))
		check_home(c, conf->spool);
	else if ((st.st_mode & 077) != 0)
		check_mistake(c, "%s: others may look into it; chmod 0700 it",
		    conf->spool);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", conf->spool,
		    parts[i]);
		check_folder(c, path, owner);
	}
}

/* Where any user may leave mail: he must not be able to take that of others. */
static void
check_handover(struct check *c, const struct conf *conf)
{
	struct stat	st;
	char		path[PATH_MAX];

	if (keep_dir(conf->spool, path, sizeof(path)) == -1 ||
	    !look(c, path, &st))
		return;
	check_owner(c, path, &st, geteuid());
	if ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0)
		check_mistake(c, "%s: others may remove what is in it; "
		    "chmod %o it", path, (unsigned int)KEEP_MODE);
}

static int
may_write(const struct passwd *pw, const struct stat *st)
{
	mode_t	want = S_IWOTH | S_IXOTH;

	if (st->st_uid == pw->pw_uid)
		want <<= 6;
	else if (st->st_gid == pw->pw_gid)
		want <<= 3;
	return (pw->pw_uid == 0 || (st->st_mode & want) == want);
}

/*
 * Where those who share an account have their mailboxes: the account makes
 * them.  Looked at is what stands before the first part that a user's name is
 * in, or the last folder of it that exists.
 */
static void
check_mailboxes(struct check *c, const struct conf_domain *d)
{
	const struct passwd	*pw;
	struct stat		 st;
	char			 path[PATH_MAX], *p;

	if ((d->deliver != DELIVER_MAILDIR && d->deliver != DELIVER_MBOX) ||
	    d->as == NULL || d->target[0] != '/' || geteuid() != 0 ||
	    (pw = getpwnam(d->as)) == NULL ||
	    strlcpy(path, d->target, sizeof(path)) >= sizeof(path))
		return;
	if ((p = strchr(path, '%')) != NULL)
		*p = '\0';
	while ((p = strrchr(path, '/')) != NULL) {
		*p = '\0';
		if (stat(*path != '\0' ? path : "/", &st) == 0)
			break;
	}
	if (p != NULL && !may_write(pw, &st))
		check_advice(c, "%s: %s, as whom %s:%u delivers, cannot make "
		    "mailboxes there; chown it to %s", *path != '\0' ? path :
		    "/", d->as, d->pos.file, d->pos.line, d->as);
}

static void
check_state(struct check *c, const struct conf *conf)
{
	struct stat	st;

	if (!look(c, conf->state, &st)) {
		check_home(c, conf->state);
		return;
	}
	check_owner(c, conf->state, &st, geteuid());
	if ((st.st_mode & 022) != 0)
		check_mistake(c, "%s: others may put sockets into it; "
		    "chmod go-w it", conf->state);
	if ((st.st_mode & S_IXOTH) == 0)
		check_advice(c, "%s: users cannot hand over mail; chmod "
		    "o+x it", conf->state);
}

/* Who may write a folder may replace what is in it. */
static void
check_above(struct check *c, const char *file)
{
	struct stat	st;
	char		path[PATH_MAX], *slash;

	if (realpath(file, path) == NULL)
		return;			/* that was told */
	while ((slash = strrchr(path, '/')) != NULL && slash != path) {
		*slash = '\0';
		if (stat(path, &st) == -1)
			return;
		if ((st.st_mode & S_IWOTH) != 0 &&
		    (st.st_mode & S_ISVTX) == 0) {
			check_mistake(c, "%s: others may write it, and put "
			    "another file in the place of %s; chmod o-w it",
			    path, file);
			return;
		}
		if (st.st_uid != 0 && st.st_uid != geteuid()) {
			check_advice(c, "%s: belongs to %s, who can put "
			    "another file in the place of %s", path,
			    owner_name(st.st_uid), file);
			return;
		}
	}
}

void
check_owners(struct check *c, const struct conf *conf)
{
	const struct conf_domain	*d;
	const struct conf_network	*n;
	const struct conf_table		*t;
	const struct conf_tls		*tls;
	size_t				 i;

	check_spool(c, conf);
	check_handover(c, conf);
	check_state(c, conf);
	TAILQ_FOREACH(d, &conf->domains, entry)
		check_mailboxes(c, d);
	for (i = 0; i < conf->files.n; i++)
		check_above(c, conf->files.v[i]);
	TAILQ_FOREACH(tls, &conf->tlses, entry) {
		check_above(c, tls->cert);
		check_above(c, tls->key);
	}
	TAILQ_FOREACH(t, &conf->tables, entry)
		if (conf_table_is_file(t))
			check_above(c, t->source);
	TAILQ_FOREACH(n, &conf->networks, entry)
		if (n->file != NULL)
			check_above(c, n->file);
}
