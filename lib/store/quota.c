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
#include "store/mbox.h"
#include "store/quota.h"
#include "store/sync.h"

#define QUOTA_FILE	"maildirsize"
#define QUOTA_SIZE	5120		/* bytes; longer is counted again */
#define QUOTA_AGE	(15 * 60)

struct usage {
	struct store	*store;
	int64_t		 bytes, messages;
	int		 partial;	/* a folder could not be counted now */
};

static enum store_error quota_mbox(struct usage *, int);
static int quota_over(const struct store *, const struct usage *, uint64_t,
    uint64_t);
static int quota_spec(const struct store *, char *, size_t);
static int quota_read(struct store *, struct usage *, time_t *);
static enum store_error quota_count(struct store *, struct usage *);
static int quota_folder(void *, const char *, unsigned int);

enum store_error
quota_check(struct store *st, uint64_t bytes, uint64_t n)
{
	struct usage u = { .store = st };
	enum store_error error = STORE_OK;
	time_t made = 0;

	if (st->quota == 0 && st->quota_messages == 0)
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

void
quota_change(struct store *st, int64_t bytes, int64_t n)
{
	char line[64];
	int fd, len;

	if (st->quota == 0 && st->quota_messages == 0)
		return;
	fd = openat(st->root, QUOTA_FILE, O_WRONLY | O_APPEND | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return;		/* counted when somebody asks */
	len = snprintf(line, sizeof(line), "%" PRId64 " %" PRId64 "\n",
	    bytes, n);
	if (len < 0 || (size_t)len >= sizeof(line) ||
	    os_write_all(fd, line, (size_t)len) == -1)
		(void)unlinkat(st->root, QUOTA_FILE, 0);
	close(fd);
}

void
quota_forget(struct store *st)
{
	if (st->quota != 0 || st->quota_messages != 0)
		(void)unlinkat(st->root, QUOTA_FILE, 0);
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
	char text[160], spec[64];
	enum store_error error;
	int n;

	u->bytes = u->messages = 0;
	u->partial = 0;
	if ((error = store_list(st, quota_folder, u)) != STORE_OK)
		return (error);
	if ((st->quota == 0 && st->quota_messages == 0) || u->partial ||
	    quota_spec(st, spec, sizeof(spec)) == -1)
		return (STORE_OK);
	n = snprintf(text, sizeof(text), "%s%" PRId64 " %" PRId64 "\n", spec,
	    u->bytes, u->messages);
	if (n > 0 && (size_t)n < sizeof(text))
		(void)file_replace(st->root, QUOTA_FILE, text, (size_t)n);
	return (STORE_OK);
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
	} else if ((st->quota == 0 && st->quota_messages == 0) ||
	    quota_read(st, &u, &made) == -1) {
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
