/*
 * handover: see handover.h.  Runs as root.
 *
 * Looks at names and at what lstat says of them, opens none of the files, and
 * starts a process with the uid of a file's owner for each that is what it
 * should be: a plain file with one name that its owner's uid begins.  Anybody
 * may put files there: so many names are looked at a time, and so many
 * processes run, one of each user.  Whoever comes when all of them run is the
 * next one, before any name that was looked at already.
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
#include "smtpd/handover_batch.h"

#define INTERVAL	60		/* seconds */
#define SUBMIT_SECONDS	900		/* that one may take */
#define NAMES_MAX	4096		/* looked at each time; some 5 ms */
#define GID_NOBODY	65534		/* for files of group root */

static struct {
	char		 path[C_PATH];
	DIR		*dir;
	time_t		 next;
	char		 waits[KEEP_NAME];	/* for a free batch; "" none */
	struct batches	 batches;
} self;

static int
open_dir(void)
{
	mode_t	old;
	int	fd, failed;

	old = umask(0);
	failed = mkdir(self.path, KEEP_MODE) == -1 && errno != EEXIST;
	umask(old);
	if (failed || (fd = keep_open(self.path, geteuid())) == -1)
		return (-1);
	if ((self.dir = fdopendir(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	return (0);
}

int
handover_prepare(const struct conf *conf)
{
	struct stat	st;

	if (keep_dir(conf->spool, self.path, sizeof(self.path)) == -1) {
		log_warnx("%s: the path is too long", conf->spool);
		return (-1);
	}
	if (stat(conf->state, &st) == 0 && (st.st_mode & S_IXOTH) == 0)
		log_warnx("%s: its mode keeps users from handing over mail",
		    conf->state);
	if (open_dir() == 0)
		return (0);
	log_warn("%s", self.path);
	/* on a disk that is read-only or full: handover_tick() tries again */
	return (errno == EROFS || errno == ENOSPC || errno == EDQUOT ? 0 : -1);
}

/* 0: the file waits for a free batch. */
static int
look(const char *name)
{
	struct stat	st;
	uid_t		uid;

	if (keep_name_uid(name, &uid) == -1 || fstatat(dirfd(self.dir), name,
	    &st, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_nlink != 1 || st.st_size == 0 || st.st_uid != uid ||
	    (uid == 0 && !supervise_unprivileged()))
		return (1);
	return (batch_add(&self.batches, uid,
	    st.st_gid != 0 ? st.st_gid : GID_NOBODY, name));
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

	if (self.waits[0] != '\0' && !look(self.waits))
		return (0);
	self.waits[0] = '\0';
	for (i = 0; i < NAMES_MAX; i++) {
		if ((e = readdir(self.dir)) == NULL) {
			rewinddir(self.dir);
			return (1);
		}
		if (e->d_name[0] != '.' && !look(e->d_name)) {
			strlcpy(self.waits, e->d_name, sizeof(self.waits));
			return (0);
		}
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
	if (now.tv_sec < self.next || supervise_role(ROLE_NET) == NULL)
		return;
	if (self.dir == NULL && open_dir() == -1) {
		self.next = now.tv_sec + INTERVAL;
		return;
	}
	/* who fills the directory or all batches makes nobody wait for hours */
	self.next = now.tv_sec + (look_at_names() ? INTERVAL : 1);
	for (i = 0; i < BATCH_USERS; i++)
		if (self.batches.v[i].n > 0)
			start(&self.batches.v[i]);
}

void
handover_gone(void *arg)
{
	struct batch	*b = arg;
	size_t		 i;

	/* deliverers have another argument */
	for (i = 0; i < BATCH_USERS; i++)
		if (b == &self.batches.v[i])
			b->running = 0;
}
