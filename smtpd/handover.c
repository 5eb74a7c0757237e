/*
 * handover: see handover.h.  Runs as root.
 *
 * Looks at names and at what lstat says of them, opens none of the files, and
 * starts a process with the uid of a file's owner for each that is what it
 * should be: a plain file with one name that its owner's uid begins.  Anybody
 * may put files there: so many names are looked at a time, and so many
 * processes run, one of each user.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/submit_keep.h"
#include "daemon/supervise.h"
#include "log/log.h"
#include "os/compat.h"
#include "smtpd/contract.h"
#include "smtpd/handover.h"

#define INTERVAL	60		/* seconds */
#define SUBMIT_SECONDS	3600	/* that one may take */
#define NAMES_MAX	4096		/* looked at each time; some 5 ms */
#define USERS_MAX	16		/* processes at a time */
#define FILES_MAX	32		/* of one */
#define GID_NOBODY	65534		/* for files of group root */

struct batch {
	int	running;
	uid_t	uid;
	gid_t	gid;
	size_t	n;
	char	names[FILES_MAX][KEEP_NAME];
};

static struct {
	char		 path[C_PATH];
	DIR		*dir;
	time_t		 next;
	struct batch	 batches[USERS_MAX];
} self;

int
handover_prepare(const struct conf *conf)
{
	struct stat	st;
	mode_t		old;
	int		fd, failed;

	if (keep_dir(conf->spool, self.path, sizeof(self.path)) == -1) {
		log_warnx("%s: the path is too long", conf->spool);
		return (-1);
	}
	if (stat(conf->state, &st) == 0 && (st.st_mode & S_IXOTH) == 0)
		log_warnx("%s: its mode keeps users from handing over mail",
		    conf->state);
	old = umask(0);
	failed = mkdir(self.path, KEEP_MODE) == -1 && errno != EEXIST;
	umask(old);
	if (failed || (fd = keep_open(self.path, geteuid())) == -1) {
		log_warn("%s", self.path);
		return (-1);
	}
	if ((self.dir = fdopendir(fd)) == NULL) {
		log_warn("%s", self.path);
		close(fd);
		return (-1);
	}
	return (0);
}

/* The batch of a user, a free one for a new user; NULL: not now. */
static struct batch *
batch_of(uid_t uid)
{
	struct batch	*b, *unused = NULL;
	size_t		 i;

	for (i = 0; i < USERS_MAX; i++) {
		b = &self.batches[i];
		if (b->uid == uid && (b->running || b->n > 0))
			return (b->running || b->n == FILES_MAX ? NULL : b);
		if (!b->running && b->n == 0)
			unused = b;
	}
	return (unused);
}

static void
look(const char *name)
{
	struct stat	 st;
	struct batch	*b;
	uid_t		 uid;

	if (keep_name_uid(name, &uid) == -1 || fstatat(dirfd(self.dir), name,
	    &st, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_nlink != 1 || st.st_size == 0 || st.st_uid != uid ||
	    (uid == 0 && !supervise_unprivileged()) ||
	    (b = batch_of(uid)) == NULL)
		return;
	b->uid = uid;
	b->gid = st.st_gid != 0 ? st.st_gid : GID_NOBODY;
	strlcpy(b->names[b->n++], name, KEEP_NAME);
}

/*
 * Goes on next time where it ends now, and at the end from the start: 1 if it
 * has seen the end.
 */
static int
look_at_names(void)
{
	const struct dirent	*e;
	size_t			 i;

	for (i = 0; i < NAMES_MAX; i++) {
		if ((e = readdir(self.dir)) == NULL) {
			rewinddir(self.dir);
			return (1);
		}
		if (e->d_name[0] != '.')
			look(e->d_name);
	}
	return (0);
}

static void
start(struct batch *b)
{
	struct sandbox_path	 path = { .path = self.path, .perm = "rwc" };
	struct msg_SUBMIT_PLACE	 place = { 0 };
	struct msg_SUBMIT_FILE	 file;
	struct peer		*p;
	char			 user[32];
	size_t			 i;

	snprintf(user, sizeof(user), "uid %u", (unsigned int)b->uid);
	p = supervise_peruser(ROLE_SUBMIT, "smtpd-submit", b->uid, b->gid,
	    user, &path, 1, b);
	if (p != NULL) {
		supervise_lifetime(p, SUBMIT_SECONDS);
		b->running = 1;
		place.max = supervise_conf()->max_message;
		strlcpy(place.dir, self.path, sizeof(place.dir));
		snprintf(place.socket, sizeof(place.socket), "%s",
		    conf_submit_socket(supervise_conf()));
		peer_send(p, M_SUBMIT_PLACE, &place, -1);
		for (i = 0; i < b->n; i++) {
			memset(&file, 0, sizeof(file));
			strlcpy(file.name, b->names[i], sizeof(file.name));
			peer_send(p, M_SUBMIT_FILE, &file, -1);
		}
		supervise_go(p);
	}
	b->n = 0;
}

void
handover_tick(void)
{
	struct timespec	now;
	size_t		i;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (self.dir == NULL || now.tv_sec < self.next ||
	    supervise_role(ROLE_NET) == NULL)
		return;
	/* who fills the directory does not make others wait for hours */
	self.next = now.tv_sec + (look_at_names() ? INTERVAL : 1);
	for (i = 0; i < USERS_MAX; i++)
		if (self.batches[i].n > 0)
			start(&self.batches[i]);
}

void
handover_gone(void *arg)
{
	struct batch	*b = arg;
	size_t		 i;

	/* deliverers have another argument */
	for (i = 0; i < USERS_MAX; i++)
		if (b == &self.batches[i])
			b->running = 0;
}
