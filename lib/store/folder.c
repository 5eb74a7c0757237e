/*
 * folder: one Maildir folder, open: its directories, its lock, its index.
 *
 * Everything is reached from the folder's descriptor; links are not followed.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/files.h"
#include "store/flush.h"
#include "store/folder.h"
#include "store/lock.h"
#include "store/name.h"
#include "store/quota.h"
#include "store/recover.h"
#include "store/reserve.h"
#include "store/sync.h"
#include "store/uidlist_follow.h"
#include "store/view.h"

#define FOLDERS_IDLE	4	/* kept open for the next time */
#define LOCK_TRIES	5

static int folder_lock_open(const struct folder *);
static int folder_lock_take(struct folder *, unsigned int);
static enum store_error folder_fresh(struct folder *, int);
static enum store_error folder_reopen(struct folder *, int);
static int folder_empty(const struct folder *);
static int folder_open_dirs(struct folder *);
static void folder_close(struct folder *);
static int subdir(int, const char *, int *);

enum store_error
store_errno(void)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
		return (STORE_NOENT);
	case EEXIST:
		return (STORE_EXISTS);
	case ENOSPC:
	case EDQUOT:
		return (STORE_FULL);
	case EROFS:
	case EACCES:
	case EPERM:
		return (STORE_READONLY);
	case EWOULDBLOCK:
		return (STORE_BUSY);
	case EBADMSG:
	case ELOOP:
		return (STORE_CORRUPT);
	case ENAMETOOLONG:
		return (STORE_NAME);
	case EFBIG:
		return (STORE_LIMIT);
	default:
		return (STORE_SYS);
	}
}

enum store_error
folder_get(struct store *st, const char *name, struct folder **fp)
{
	struct folder *f;
	char dirname[NAME_MAX + 1];
	enum store_error error;

	if (name_to_dir(name, dirname, sizeof(dirname)) == -1)
		return (STORE_NAME);
	TAILQ_FOREACH(f, &st->folders, entry) {
		if (strcmp(f->dirname, dirname) == 0 && folder_same(f)) {
			*fp = folder_ref(f);
			return (STORE_OK);
		}
	}
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return (STORE_SYS);
	f->store = st;
	f->dir = f->new = f->cur = f->tmp = f->lock = f->ix.fd = -1;
	strlcpy(f->name, name_is_inbox(name) ? "INBOX" : name,
	    sizeof(f->name));
	strlcpy(f->dirname, dirname, sizeof(f->dirname));
	if (folder_open_dirs(f) == -1) {
		error = store_errno();
		folder_close(f);
		return (error);
	}
	f->refs = 1;
	TAILQ_INSERT_HEAD(&st->folders, f, entry);
	*fp = f;
	return (STORE_OK);
}

struct folder *
folder_ref(struct folder *f)
{
	if (f->refs++ == 0)
		f->store->idle--;
	TAILQ_REMOVE(&f->store->folders, f, entry);
	TAILQ_INSERT_HEAD(&f->store->folders, f, entry);
	return (f);
}

void
folder_release(struct folder *f)
{
	struct store *st;

	if (f == NULL || --f->refs > 0)
		return;
	st = f->store;
	if (++st->idle <= FOLDERS_IDLE)
		return;
	TAILQ_FOREACH_REVERSE(f, &st->folders, folderlist, entry)
		if (f->refs == 0)
			break;
	if (f == NULL)
		return;
	TAILQ_REMOVE(&st->folders, f, entry);
	st->idle--;
	folder_close(f);
}

void
folder_close_idle(struct store *st)
{
	struct folder *f, *next;

	TAILQ_FOREACH_SAFE(f, &st->folders, entry, next) {
		if (f->refs > 0)
			continue;
		TAILQ_REMOVE(&st->folders, f, entry);
		st->idle--;
		folder_close(f);
	}
}

/* Still the directory of that name? */
int
folder_same(const struct folder *f)
{
	struct stat a, b;

	return (fstat(f->dir, &a) == 0 && fstatat(f->store->root, f->dirname,
	    &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino &&
	    a.st_dev == b.st_dev);
}

static void
folder_close(struct folder *f)
{
	int *fds[] = { &f->dir, &f->new, &f->cur, &f->tmp, &f->lock };
	enum store_error error;
	size_t i;

	cachefile_write(f);
	uidlist_follow(f);
	if ((error = folder_flush(f)) != STORE_OK)
		f->store->failed = error;
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (*fds[i] != -1)
			close(*fds[i]);
	cachefile_close(&f->cache);
	index_close(&f->ix);
	keywords_free(&f->kw);
	files_forget(f);
	free(f->odd);
	free(f);
}

static int
folder_open_dirs(struct folder *f)
{
	int made = 0;

	f->dir = openat(f->store->root, f->dirname, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	if (f->dir == -1)
		return (-1);
	/* cur/ makes it a Maildir; the others are made if need be. */
	if ((f->cur = openat(f->dir, "cur", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1 && strcmp(f->dirname, ".") != 0)
		return (-1);
	if ((f->cur == -1 && (f->cur = subdir(f->dir, "cur", &made)) == -1) ||
	    (f->new = subdir(f->dir, "new", &made)) == -1 ||
	    (f->tmp = subdir(f->dir, "tmp", &made)) == -1)
		return (-1);
	return ((f->lock = folder_lock_open(f)) == -1 ? -1 : 0);
}

static int
folder_lock_open(const struct folder *f)
{
	return (openat(f->dir, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC, 0600));
}

/*
 * Open a directory below dir, made as dir is if it is not there; then *made is
 * set.
 */
static int
subdir(int dir, const char *name, int *made)
{
	struct stat st;
	int fd;

	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd != -1 || errno != ENOENT)
		return (fd);
	*made = 1;
	if (fstat(dir, &st) == -1)
		return (-1);
	if (mkdirat(dir, name, 0700 | (st.st_mode & 0070)) == -1 &&
	    errno != EEXIST)
		return (-1);
	return (openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC));
}

int
folder_make(struct store *st, const char *dirname)
{
	static const char *const sub[] = { "tmp", "new", "cur" };
	size_t i;
	int dir, fd, save, made = 0;

	if (strcmp(dirname, ".") == 0)
		dir = openat(st->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	else
		dir = subdir(st->root, dirname, &made);
	if (dir == -1)
		return (-1);
	/* cur last: without it, it is no folder yet. */
	for (i = 0; i < sizeof(sub) / sizeof(sub[0]); i++) {
		if ((fd = subdir(dir, sub[i], &made)) == -1) {
			save = errno;
			close(dir);
			errno = save;
			return (-1);
		}
		close(fd);
	}
	if (strcmp(dirname, ".") != 0) {
		/* Maildir++ marks its folders so. */
		fd = openat(dir, "maildirfolder", O_WRONLY | O_CREAT |
		    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
		if (fd != -1)
			close(fd);
	}
	if (made)
		(void)fsync(dir);
	close(dir);
	return (0);
}

enum store_error
folder_lock(struct folder *f, unsigned int ms)
{
	enum store_error error;
	int anew;

	if (f->locked > 0) {
		f->locked++;
		return (STORE_OK);
	}
	if ((anew = folder_lock_take(f, ms)) == -1)
		return (store_errno());
	f->locked = 1;
	error = folder_fresh(f, ms <= LOCK_SHORT);
	if (error != STORE_OK)
		folder_unlock(f);
	else if (anew)
		folder_reserve_again(f);
	return (error);
}

/*
 * Whoever tidies up or restores a Maildir may take the file away; then others
 * lock a new one, and our lock on the old one keeps nobody out.  1 if that has
 * happened.
 */
static int
folder_lock_take(struct folder *f, unsigned int ms)
{
	struct stat st;
	int fd, i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (lock_take(f->lock, ms) == -1)
			return (-1);
		if (fstat(f->lock, &st) == 0 && st.st_nlink > 0)
			return (i > 0);
		if ((fd = folder_lock_open(f)) == -1)
			break;
		close(f->lock);
		f->lock = fd;
	}
	if (i == LOCK_TRIES)
		errno = EWOULDBLOCK;
	lock_drop(f->lock);
	return (-1);
}

void
folder_unlock(struct folder *f)
{
	if (--f->locked == 0)
		lock_drop(f->lock);
}

int
folder_current(const struct folder *f)
{
	struct stat st;

	return (index_is_open(&f->ix) &&
	    fstatat(f->dir, INDEX_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_ino == f->ix.ino && st.st_dev == f->ix.dev &&
	    (uintmax_t)st.st_size >= f->ix.maplen);
}

void
folder_use(struct folder *f, const struct index *ix)
{
	if (index_is_open(&f->ix))
		view_settle_all(f);
	files_forget(f);
	index_close(&f->ix);
	f->ix = *ix;
	f->epoch++;
}

static enum store_error
folder_fresh(struct folder *f, int quick)
{
	enum store_error error;

	if (!folder_current(f) &&
	    (error = folder_reopen(f, quick)) != STORE_OK)
		return (error);
	if (index_load(&f->ix) == 0 && !f->ix.hdr.busy && !f->ix.damaged &&
	    !index_rebooted(&f->ix) && index_sound(&f->ix))
		/* Which UIDs are free, the next scan knows. */
		return (quick && f->ix.hdr.jump != 0 ? STORE_BUSY : STORE_OK);
	/* A writer was killed, or the disk lies. */
	if (quick)
		return (STORE_BUSY);
	if (index_load(&f->ix) == -1 || index_repair(&f->ix) == -1)
		return (errno == EBADMSG ? recover_rebuild(f, 1) :
		    store_errno());
	files_forget(f);
	quota_forget(f->store);
	if (index_rebooted(&f->ix))
		index_boot(&f->ix);
	return (recover_pending(f));
}

static enum store_error
folder_reopen(struct folder *f, int quick)
{
	struct index ix;
	enum store_error error;

	if (index_open(&ix, f->dir, INDEX_FILE) == 0) {
		folder_use(f, &ix);
		folder_reserve_again(f);
		return (STORE_OK);
	}
	switch (errno) {
	case ENOENT:
		if (quick && !folder_empty(f))
			return (STORE_BUSY);
		return (recover_rebuild(f, 0));
	case EBADMSG:
	case ELOOP:
		if (quick)
			return (STORE_BUSY);
		error = recover_old(f);
		return (error == STORE_CORRUPT ? recover_rebuild(f, 1) : error);
	default:
		return (store_errno());
	}
}

/* Nothing but what we made: an index costs nothing. */
static int
folder_empty(const struct folder *f)
{
	struct stat st;

	return (recover_count(f, 1) == 0 && fstatat(f->dir, "dovecot-uidlist",
	    &st, AT_SYMLINK_NOFOLLOW) == -1);
}

enum store_error
folder_message(struct folder *f, uint32_t slot, struct index_mut *m)
{
	enum store_error error;

	if (index_get(&f->ix, slot, m) == 0)
		return (STORE_OK);
	if ((error = folder_lock(f, LOCK_LONG)) != STORE_OK)
		return (error);
	if (index_get(&f->ix, slot, m) == -1) {
		/* No writer: it is torn.  What is true, the files know. */
		error = folder_scan(f, SCAN_NEW | SCAN_CUR, NULL);
		if (error == STORE_OK && index_get(&f->ix, slot, m) == -1)
			error = STORE_CORRUPT;
	}
	folder_unlock(f);
	return (error);
}

int64_t
folder_now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		return (0);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}
