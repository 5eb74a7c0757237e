/*
 * care: what a user's mailboxes need from time to time, done by the user's own
 * process.
 *
 * Cost: a look at a directory for each special mailbox and one at the file
 * that says when expiry was last done; once a day, the records of the mailboxes
 * that expire.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/folder.h"
#include "store/name.h"
#include "store/view.h"

#define CARE_FILE	"postern.care"
#define CARE_EVERY	(24 * 60 * 60)

static int special_missing(struct store *, const char *);
static enum store_error special_make(struct store *, const char *);
static int care_due(struct store *);

enum store_error
store_special(struct store *st, const char *names)
{
	char name[STORE_NAME_MAX + 1];
	enum store_error error = STORE_OK, first = STORE_OK;
	size_t len;

	if (st->mbox != NULL)
		return (STORE_OK);
	for (; *names != '\0'; names += len + (names[len] == '\n')) {
		len = strcspn(names, "\n");
		if (len == 0 || len >= sizeof(name))
			continue;
		memcpy(name, names, len);
		name[len] = '\0';
		if (special_missing(st, name))
			error = special_make(st, name);
		if (first == STORE_OK)
			first = error;
	}
	return (first);
}

static int
special_missing(struct store *st, const char *name)
{
	char dirname[NAME_MAX + 1];
	struct stat sb;

	return (name_to_dir(name, dirname, sizeof(dirname)) == 0 &&
	    fstatat(st->root, dirname, &sb, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT);
}

static enum store_error
special_make(struct store *st, const char *name)
{
	enum store_error error = store_create(st, name);

	/* Another session may have been first. */
	if (error == STORE_EXISTS)
		return (STORE_OK);
	return (error != STORE_OK ? error : store_subscribe(st, name, 1));
}

/* 1 once a day, and for one process only. */
static int
care_due(struct store *st)
{
	struct stat sb;
	int due = 0, fd;

	fd = openat(st->root, CARE_FILE, O_RDWR | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd == -1)
		return (0);
	if (fstat(fd, &sb) == 0 && (sb.st_size == 0 ||
	    time(NULL) - sb.st_mtime >= CARE_EVERY ||
	    sb.st_mtime > time(NULL)))
		due = pwrite(fd, "1\n", 2, 0) == 2;
	close(fd);
	return (due);
}

enum store_error
store_expire_daily(struct store *st, const char *what, uint64_t *gone)
{
	char name[STORE_NAME_MAX + 1];
	enum store_error error, first = STORE_OK;
	unsigned long long after;
	uint64_t n;
	size_t len;
	char *end;

	*gone = 0;
	if (*what == '\0' || st->mbox != NULL || !care_due(st))
		return (STORE_OK);
	for (; *what != '\0'; what += len + (what[len] == '\n')) {
		len = strcspn(what, "\n");
		after = strtoull(what, &end, 10);
		if (end == what || *end != ' ' || after == 0 ||
		    len - (size_t)(end + 1 - what) >= sizeof(name))
			continue;
		memcpy(name, end + 1, len - (size_t)(end + 1 - what));
		name[len - (size_t)(end + 1 - what)] = '\0';
		error = store_expire(st, name, after, &n);
		*gone += n;
		if (first == STORE_OK && error != STORE_NOENT)
			first = error;
	}
	return (first != STORE_OK ? first : store_flush(st));
}

enum store_error
store_expire(struct store *st, const char *name, uint64_t after,
    uint64_t *gone)
{
	const struct store_message *m;
	struct mailbox *mb;
	enum store_error error;
	time_t now = time(NULL);
	uint32_t seq, count, n = 0, *seqs;

	*gone = 0;
	/* Read-only, so that no message stops being a recent one. */
	if ((error = mailbox_open(st, name, MAILBOX_READONLY, &mb)) !=
	    STORE_OK)
		return (error);
	count = mailbox_count(mb);
	if ((seqs = calloc((size_t)count + 1, sizeof(*seqs))) == NULL)
		error = STORE_SYS;
	for (seq = 1; error == STORE_OK && seq <= count; seq++) {
		m = mailbox_facts(mb, seq, FACT_DATES);
		if (m->saved > 0 && now > m->saved &&
		    (uint64_t)(now - m->saved) > after)
			seqs[n++] = seq;
	}
	mb->flags &= ~(unsigned int)MAILBOX_READONLY;
	if (error == STORE_OK && n > 0 && (error = mailbox_expunge(mb, seqs,
	    n, NULL, NULL)) == STORE_OK)
		*gone = n;
	free(seqs);
	mailbox_close(mb);
	return (error);
}
