/*
 * tree: making, removing and renaming mailboxes.
 *
 * Removing is a rename to a name that is no mailbox, which is atomic, and
 * then the work; what a kill leaves of that goes with the next removal.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/files.h"
#include "store/name.h"
#include "store/quota.h"
#include "store/sync.h"

#define TRASH		"..postern-removed."
#define TREE_DEPTH	4
#define TREE_FOLDERS	10000		/* renamed at once */

static int tree_odd_inbox(const char *);
static int tree_exists(struct store *, const char *);
static int tree_children(struct store *, const char *);
static enum store_error tree_remove(struct store *, const char *,
    const char *, const char *);
static void tree_empty(int, int);
static void tree_tidy(struct store *);
static enum store_error rename_inbox(struct store *, const char *);
static enum store_error rename_dirs(struct store *, const char *,
    const char *, int);
static int rename_target(const char *, const char *, const char *, char *,
    size_t);
static DIR *tree_open(int, const char *);

enum store_error
store_create(struct store *st, const char *name)
{
	char dirname[NAME_MAX + 1];
	struct folder *f;
	enum store_error error;

	if (name_to_dir(name, dirname, sizeof(dirname)) == -1 ||
	    tree_odd_inbox(name))
		return (STORE_NAME);
	if (name_is_inbox(name) || tree_exists(st, dirname))
		return (STORE_EXISTS);
	if (st->mbox != NULL)
		return (STORE_SINGLE);
	if (folder_make(st, dirname) == -1)
		return (store_errno());
	/* With its index, so that a delivery need not wait for a session. */
	if ((error = folder_get(st, name, &f)) == STORE_OK) {
		error = folder_sync(f, 0);
		folder_release(f);
	}
	return (error);
}

/* Below "inbox": clients would see an INBOX that is not INBOX. */
static int
tree_odd_inbox(const char *name)
{
	return (strncasecmp(name, "INBOX/", 6) == 0 &&
	    strncmp(name, "INBOX/", 6) != 0);
}

static DIR *
tree_open(int dirfd, const char *name)
{
	DIR *dir;
	int fd;

	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1)
		return (NULL);
	if ((dir = fdopendir(fd)) == NULL)
		close(fd);
	return (dir);
}

static int
tree_exists(struct store *st, const char *dirname)
{
	char cur[NAME_MAX + 8];
	struct stat sb;
	int n;

	n = snprintf(cur, sizeof(cur), "%s/cur", dirname);
	return (n > 0 && (size_t)n < sizeof(cur) &&
	    fstatat(st->root, cur, &sb, AT_SYMLINK_NOFOLLOW) == 0);
}

static int
tree_children(struct store *st, const char *dirname)
{
	struct dirent *e;
	DIR *dir;
	size_t len = strlen(dirname);
	int found = 0;

	if ((dir = tree_open(st->root, ".")) == NULL)
		return (0);
	while (!found && (e = readdir(dir)) != NULL)
		found = strncmp(e->d_name, dirname, len) == 0 &&
		    e->d_name[len] == '.';
	closedir(dir);
	return (found);
}

/* Nobody adds to it, or counts, between the look at it and the rename. */
static enum store_error
tree_remove(struct store *st, const char *name, const char *dirname,
    const char *trash)
{
	enum store_error error = STORE_OK;
	struct folder *f = NULL;
	int lock, known = 0;

	if (folder_get(st, name, &f) == STORE_OK &&
	    folder_lock(f, LOCK_LONG) == STORE_OK)
		known = folder_sync(f, 0) == STORE_OK;
	lock = quota_lock(st);
	if (renameat(st->root, dirname, st->root, trash) == -1)
		error = store_errno();
	else if (known)
		quota_change_locked(st, lock, -(int64_t)f->ix.hdr.fsize,
		    -(int64_t)f->ix.hdr.messages);
	if (lock != -1)
		close(lock);
	if (error == STORE_OK && !known)
		quota_forget(st);
	if (f != NULL && f->locked > 0)
		folder_unlock(f);
	folder_release(f);
	return (error);
}

enum store_error
store_delete(struct store *st, const char *name)
{
	char dirname[NAME_MAX + 1], trash[NAME_MAX + 1];
	enum store_error error;
	int n;

	if (name_is_inbox(name) ||
	    name_to_dir(name, dirname, sizeof(dirname)) == -1)
		return (STORE_NAME);
	if (st->mbox != NULL)
		return (STORE_NOENT);
	if (!tree_exists(st, dirname))
		return (tree_children(st, dirname) ? STORE_NOTEMPTY :
		    STORE_NOENT);
	n = snprintf(trash, sizeof(trash), "%s%lld.%ld.%u", TRASH,
	    (long long)time(NULL), (long)getpid(), ++st->serial);
	if (n < 0 || (size_t)n >= sizeof(trash))
		return (STORE_NAME);
	if ((error = tree_remove(st, name, dirname, trash)) != STORE_OK)
		return (error);
	(void)fsync(st->root);
	folder_close_idle(st);
	tree_tidy(st);
	return (STORE_OK);
}

/* Remove what was renamed away, also what a kill has left. */
static void
tree_tidy(struct store *st)
{
	struct dirent *e;
	DIR *dir;
	int fd;

	if ((dir = tree_open(st->root, ".")) == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, TRASH, strlen(TRASH)) != 0)
			continue;
		fd = openat(st->root, e->d_name, O_RDONLY | O_DIRECTORY |
		    O_NOFOLLOW | O_CLOEXEC);
		if (fd == -1)
			continue;
		tree_empty(fd, TREE_DEPTH);
		(void)unlinkat(st->root, e->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

/* Everything below fd, which is closed; no link is followed. */
static void
tree_empty(int fd, int depth)
{
	struct dirent *e;
	DIR *dir;
	int sub;

	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    unlinkat(fd, e->d_name, 0) == 0 || depth == 0)
			continue;
		sub = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY |
		    O_NOFOLLOW | O_CLOEXEC);
		if (sub == -1)
			continue;
		tree_empty(sub, depth - 1);
		(void)unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

enum store_error
store_rename(struct store *st, const char *from, const char *to)
{
	char fromdir[NAME_MAX + 1], todir[NAME_MAX + 1];
	enum store_error error;
	int lock;

	if (name_to_dir(from, fromdir, sizeof(fromdir)) == -1 ||
	    name_to_dir(to, todir, sizeof(todir)) == -1 ||
	    tree_odd_inbox(to))
		return (STORE_NAME);
	if (st->mbox != NULL)
		return (STORE_SINGLE);
	if (name_is_inbox(to) || tree_exists(st, todir))
		return (STORE_EXISTS);
	if (name_is_inbox(from))
		return (rename_inbox(st, to));
	/* Not below itself. */
	if (strncmp(todir, fromdir, strlen(fromdir)) == 0 &&
	    todir[strlen(fromdir)] == '.')
		return (STORE_NAME);
	if (!tree_exists(st, fromdir) && !tree_children(st, fromdir))
		return (STORE_NOENT);
	/* Once to see that all can be, once to do it. */
	if ((error = rename_dirs(st, fromdir, todir, 0)) == STORE_OK) {
		/* Who counts meanwhile may have missed it. */
		lock = quota_lock(st);
		error = rename_dirs(st, fromdir, todir, 1);
		quota_change_locked(st, lock, 0, 0);
		if (lock != -1)
			close(lock);
	}
	(void)fsync(st->root);
	folder_close_idle(st);
	return (error);
}

/* RFC 9051 6.3.6: its messages move, it stays. */
static enum store_error
rename_inbox(struct store *st, const char *to)
{
	struct mailbox *mb;
	enum store_error error;
	uint32_t *seqs, *uids, n, i, validity;

	if ((error = store_create(st, to)) != STORE_OK)
		return (error);
	if ((error = mailbox_open(st, "INBOX", 0, &mb)) != STORE_OK)
		return (error);
	n = mailbox_count(mb);
	seqs = calloc((size_t)n + 1, sizeof(*seqs));
	uids = calloc((size_t)n + 1, sizeof(*uids));
	for (i = 0; seqs != NULL && i < n; i++)
		seqs[i] = i + 1;
	if (seqs == NULL || uids == NULL)
		error = STORE_SYS;
	else if (n > 0)
		error = mailbox_move(mb, seqs, n, to, uids, &validity, NULL,
		    NULL);
	free(seqs);
	free(uids);
	mailbox_close(mb);
	return (error);
}

/* ".from" and ".from.x" become ".to" and ".to.x". */
static enum store_error
rename_dirs(struct store *st, const char *from, const char *to, int doit)
{
	char *list[1 + 256], target[NAME_MAX + 1];
	enum store_error error = STORE_OK;
	struct dirent *e;
	DIR *dir;
	size_t i, n, len = strlen(from);
	int more = 1, total = 0;

	/* In batches: a directory is not renamed in while it is read. */
	while (more && error == STORE_OK && total < TREE_FOLDERS) {
		if ((dir = tree_open(st->root, ".")) == NULL)
			return (store_errno());
		for (n = 0, more = 0; (e = readdir(dir)) != NULL;) {
			if (strncmp(e->d_name, from, len) != 0 ||
			    (e->d_name[len] != '\0' && e->d_name[len] != '.'))
				continue;
			if (rename_target(e->d_name, from, to, target,
			    sizeof(target)) == -1)
				error = STORE_NAME;
			else if (!doit && tree_exists(st, target))
				error = STORE_EXISTS;
			if (!doit || error != STORE_OK)
				continue;
			if (n == sizeof(list) / sizeof(list[0])) {
				more = 1;
				break;
			}
			if ((list[n] = strdup(e->d_name)) == NULL)
				error = STORE_SYS;
			else
				n++;
		}
		closedir(dir);
		for (i = 0; i < n; i++, total++) {
			if (error == STORE_OK && (rename_target(list[i], from,
			    to, target, sizeof(target)) == -1 ||
			    renameat(st->root, list[i], st->root, target) ==
			    -1))
				error = store_errno();
			free(list[i]);
		}
	}
	return (error);
}

static int
rename_target(const char *dirname, const char *from, const char *to,
    char *target, size_t len)
{
	char name[FOLDER_NAME_MAX];
	int n;

	n = snprintf(target, len, "%s%s", to, dirname + strlen(from));
	if (n < 0 || (size_t)n >= len ||
	    name_from_dir(target, name, sizeof(name)) == -1) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (0);
}

enum store_error
store_status(struct store *st, const char *name, struct mailbox_status *s,
    uint64_t *size)
{
	struct mailbox *mb;
	struct folder *f;
	struct index_mut m;
	const struct index_header *h;
	enum store_error error;
	uint32_t i;

	memset(s, 0, sizeof(*s));
	if (st->mbox == NULL) {
		if ((error = folder_get(st, name, &f)) != STORE_OK)
			return (error);
		error = folder_sync(f, 0);
		h = &f->ix.hdr;
		if (error != STORE_OK || size == NULL || h->unsized == 0) {
			s->messages = h->messages;
			s->unseen = h->unseen;
			s->deleted = h->deleted;
			s->uidnext = h->uidnext;
			s->uidvalidity = h->uidvalidity;
			s->highestmodseq = h->modseq;
			if (size != NULL)
				*size = h->size;
			for (i = 0; i < sizeof(h->id); i++)
				snprintf(s->id + (size_t)i * 2, 3, "%02x",
				    h->id[i]);
			for (i = h->newlow; i < h->slots;
			    i = index_next(&f->ix, i))
				s->recent += index_get(&f->ix, i, &m) == 0 &&
				    (m.state & REC_LIVE) &&
				    (m.state & (REC_NEW | REC_RECENT));
			folder_release(f);
			return (error);
		}
		folder_release(f);
	}
	/* Sizes have to be measured first. */
	if ((error = mailbox_open(st, name, MAILBOX_READONLY, &mb)) !=
	    STORE_OK)
		return (error);
	mailbox_status(mb, s);
	if (size != NULL)
		*size = mailbox_size(mb);
	mailbox_close(mb);
	return (STORE_OK);
}
