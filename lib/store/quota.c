/*
 * quota: how much a user has.
 *
 * maildirsize: a line with the limits, then a line "bytes messages" for each
 * change.  It is counted again from the indexes when it is missing, long, made
 * for other limits, or says that there is no room and is older than 15
 * minutes.  Without a limit it is not kept at all.
 *
 * A change is written while the index is marked as being changed, and where
 * somebody was killed at that, or others came or went without us, the file is
 * removed: what it says is what the indexes say.
 *
 * postern.quota is the lock for that, and holds the number of changes ever
 * made: who counted while somebody changed something counts again.
 *
 * Cost: with a limit, two small files for each change; without, nothing.
 *
 * An mbox is what it is: the file's length, whoever has added to it.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "store/file.h"
#include "store/lock.h"
#include "store/mbox.h"
#include "store/quota.h"
#include "store/sync.h"

#define QUOTA_FILE	"maildirsize"
#define QUOTA_SIZE	5120		/* bytes; longer is counted again */
#define QUOTA_AGE	(15 * 60)
#define QUOTA_LOCK	"postern.quota"
#define QUOTA_WAIT	5000		/* ms; it is held for a moment */
#define COUNT_TRIES	5

struct usage {
	struct store	*store;
	int64_t		 bytes, messages;
	int		 partial;	/* a folder could not be counted now */
};

static int quota_limited(const struct store *);
static enum store_error quota_mbox(struct usage *, int);
static int quota_over(const struct store *, const struct usage *, uint64_t,
    uint64_t);
static int quota_spec(const struct store *, char *, size_t);
static int quota_read(struct store *, struct usage *, time_t *);
static enum store_error quota_count(struct store *, struct usage *);
static int quota_folder(void *, const char *, unsigned int);
static int quota_keep(struct store *, const struct usage *, uint64_t);
static int quota_changes(int, uint64_t *);
static int quota_changed(int);

static int
quota_limited(const struct store *st)
{
	return (st->quota != 0 || st->quota_messages != 0);
}

enum store_error
quota_check(struct store *st, uint64_t bytes, uint64_t n)
{
	struct usage u = { .store = st };
	enum store_error error = STORE_OK;
	time_t made = 0;

	if (!quota_limited(st))
		return (STORE_OK);
	if (st->mbox != NULL)
		error = quota_mbox(&u, st->quota_messages != 0);
	else if (quota_read(st, &u, &made) == -1 ||
	    (quota_over(st, &u, bytes, n) && time(NULL) - made > QUOTA_AGE))
		error = quota_count(st, &u);
	if (error != STORE_OK)
		return (error);
	return (quota_over(st, &u, bytes, n) ? STORE_QUOTA : STORE_OK);
}

/* Messages are counted by reading all of it, so only if somebody asks. */
static enum store_error
quota_mbox(struct usage *u, int messages)
{
	enum store_error error;
	uint64_t bytes, n = 0;

	error = mbox_usage(u->store->mbox, &bytes, messages ? &n : NULL);
	if (error == STORE_OK) {
		u->bytes = (int64_t)bytes;
		u->messages = (int64_t)n;
	}
	return (error);
}

static int
quota_over(const struct store *st, const struct usage *u, uint64_t bytes,
    uint64_t n)
{
	uint64_t b = u->bytes > 0 ? (uint64_t)u->bytes : 0;
	uint64_t m = u->messages > 0 ? (uint64_t)u->messages : 0;

	return ((st->quota != 0 && (b > st->quota ||
	    bytes > st->quota - b)) || (st->quota_messages != 0 &&
	    (m > st->quota_messages || n > st->quota_messages - m)));
}

int
quota_lock(struct store *st)
{
	return (quota_limited(st) ? lock_file(st->root, QUOTA_LOCK,
	    QUOTA_WAIT) : -1);
}

/* How often something changed; a new file says nothing yet. */
static int
quota_changes(int lock, uint64_t *changes)
{
	*changes = 0;
	return (pread(lock, changes, sizeof(*changes), 0) == -1 ? -1 : 0);
}

/* Whoever is counting has to count again. */
static int
quota_changed(int lock)
{
	uint64_t changes;

	if (quota_changes(lock, &changes) == -1)
		return (-1);
	changes++;
	return (pwrite(lock, &changes, sizeof(changes), 0) ==
	    (ssize_t)sizeof(changes) ? 0 : -1);
}

void
quota_change_locked(struct store *st, int lock, int64_t bytes, int64_t n)
{
	char line[64];
	int fd, len, bad;

	if (!quota_limited(st))
		return;
	bad = lock == -1 || quota_changed(lock) == -1;
	if (!bad && bytes == 0 && n == 0)
		return;		/* it only went elsewhere */
	fd = openat(st->root, QUOTA_FILE, O_WRONLY | O_APPEND | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return;		/* counted when somebody asks */
	len = snprintf(line, sizeof(line), "%" PRId64 " %" PRId64 "\n",
	    bytes, n);
	if (bad || len < 0 || (size_t)len >= sizeof(line) ||
	    os_write_all(fd, line, (size_t)len) == -1)
		(void)unlinkat(st->root, QUOTA_FILE, 0);
	close(fd);
}

void
quota_change(struct store *st, int64_t bytes, int64_t n)
{
	int lock = quota_lock(st);

	quota_change_locked(st, lock, bytes, n);
	if (lock != -1)
		close(lock);
}

enum store_error
quota_take(struct store *st, uint64_t bytes, uint64_t n)
{
	struct usage u = { .store = st };
	enum store_error error = STORE_OK;
	time_t made;
	int lock;

	if (!quota_limited(st))
		return (STORE_OK);
	if ((lock = quota_lock(st)) == -1)
		return (store_errno());
	/* If it was lost since it was asked for, the next one counts. */
	if (quota_read(st, &u, &made) == 0 && quota_over(st, &u, bytes, n))
		error = STORE_QUOTA;
	else
		quota_change_locked(st, lock, (int64_t)bytes, (int64_t)n);
	close(lock);
	return (error);
}

void
quota_forget(struct store *st)
{
	int lock;

	if (!quota_limited(st))
		return;
	if ((lock = quota_lock(st)) != -1)
		(void)quota_changed(lock);
	(void)unlinkat(st->root, QUOTA_FILE, 0);
	if (lock != -1)
		close(lock);
}

static int
quota_spec(const struct store *st, char *buf, size_t len)
{
	int n;

	if (st->quota_messages == 0)
		n = snprintf(buf, len, "%" PRIu64 "S\n", st->quota);
	else if (st->quota == 0)
		n = snprintf(buf, len, "%" PRIu64 "C\n", st->quota_messages);
	else
		n = snprintf(buf, len, "%" PRIu64 "S,%" PRIu64 "C\n",
		    st->quota, st->quota_messages);
	return (n < 0 || (size_t)n >= len ? -1 : n);
}

/* -1: has to be counted. */
static int
quota_read(struct store *st, struct usage *u, time_t *made)
{
	struct stat sb;
	char spec[64], *data, *p, *line;
	size_t len;
	long long bytes, n;
	int speclen, ret = -1;

	if ((speclen = quota_spec(st, spec, sizeof(spec))) == -1 ||
	    fstatat(st->root, QUOTA_FILE, &sb, AT_SYMLINK_NOFOLLOW) == -1 ||
	    (data = file_read(st->root, QUOTA_FILE, QUOTA_SIZE, &len)) == NULL)
		return (-1);
	p = data;
	if (strncmp(p, spec, (size_t)speclen) != 0)
		goto done;
	p += speclen;
	while ((line = strsep(&p, "\n")) != NULL && *line != '\0') {
		if (sscanf(line, "%18lld %18lld", &bytes, &n) != 2)
			goto done;
		u->bytes += bytes;
		u->messages += n;
	}
	*made = sb.st_mtime;
	ret = u->bytes < 0 || u->messages < 0 ? -1 : 0;
done:
	free(data);
	return (ret);
}

static enum store_error
quota_count(struct store *st, struct usage *u)
{
	enum store_error error;
	uint64_t before = 0;
	int i, lock, limited;

	for (i = 0; i < COUNT_TRIES; i++) {
		lock = quota_lock(st);
		limited = lock != -1 && quota_changes(lock, &before) == 0;
		if (lock != -1)
			close(lock);
		u->bytes = u->messages = 0;
		u->partial = 0;
		if ((error = store_list(st, quota_folder, u)) != STORE_OK)
			return (error);
		if (!limited || u->partial || quota_keep(st, u, before) == 0)
			break;
	}
	return (STORE_OK);
}

/* -1: something has changed while it was counted. */
static int
quota_keep(struct store *st, const struct usage *u, uint64_t before)
{
	char text[160], spec[64];
	uint64_t now;
	int n, lock, ret = -1;

	if (quota_spec(st, spec, sizeof(spec)) == -1 ||
	    (lock = quota_lock(st)) == -1)
		return (0);
	if (quota_changes(lock, &now) == 0 && now == before) {
		n = snprintf(text, sizeof(text), "%s%" PRId64 " %" PRId64 "\n",
		    spec, u->bytes, u->messages);
		if (n > 0 && (size_t)n < sizeof(text))
			(void)file_replace(st->root, QUOTA_FILE, text,
			    (size_t)n);
		ret = 0;
	}
	close(lock);
	return (ret);
}

static int
quota_folder(void *arg, const char *name, unsigned int flags)
{
	struct usage *u = arg;
	struct folder *f;
	enum store_error error;

	if (flags & (LIST_NOSELECT | LIST_NOEXIST))
		return (0);
	if ((error = folder_get(u->store, name, &f)) == STORE_OK) {
		if ((error = folder_sync(f, 0)) == STORE_OK) {
			u->bytes += (int64_t)f->ix.hdr.fsize;
			u->messages += f->ix.hdr.messages;
		}
		folder_release(f);
	}
	/*
	 * One that cannot be read cannot be counted; the others are, and are
	 * not taken for all if it is a matter of time.
	 */
	if (error == STORE_BUSY || error == STORE_SYS || error == STORE_FULL)
		u->partial = 1;
	return (0);
}

enum store_error
store_quota(struct store *st, uint64_t *bytes, uint64_t *messages)
{
	struct usage u = { .store = st };
	enum store_error error;
	time_t made;

	*bytes = 0;
	if (messages != NULL)
		*messages = 0;
	if (st->mbox != NULL) {
		if ((error = quota_mbox(&u, messages != NULL)) != STORE_OK)
			return (error);
	} else if (!quota_limited(st) || quota_read(st, &u, &made) == -1) {
		if ((error = quota_count(st, &u)) != STORE_OK)
			return (error);
	}
	*bytes = (uint64_t)u.bytes;
	if (messages != NULL)
		*messages = (uint64_t)u.messages;
	return (STORE_OK);
}

void
store_quota_limits(struct store *st, uint64_t *bytes, uint64_t *messages)
{
	*bytes = st->quota;
	*messages = st->quota_messages;
}
