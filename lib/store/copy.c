/*
 * copy: messages from one mailbox of a store to another.
 *
 * A message never changes, so a copy is a second link to the same file; where
 * links cannot be made the bytes are copied.  Move is copy, then expunge: if
 * we are killed in between a message is there twice, never not at all.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "store/file.h"
#include "store/files.h"
#include "store/incoming.h"
#include "store/name.h"
#include "store/sync.h"
#include "store/view.h"

#define COPY_SIZE	65536
#define COPY_YOUNG	120	/* seconds; older ones are on the disk */

static enum store_error copy_one(struct mailbox *, uint32_t,
    struct folder *, struct incoming *);
static void copy_entry(struct mailbox *, const struct view_entry *,
    const struct index_mut *, struct incoming *);
static enum store_error copy_file(struct mailbox *, uint32_t,
    const struct view_entry *, const struct index_mut *, struct folder *,
    struct incoming *);
static enum store_error copy_bytes(struct mailbox *, uint32_t,
    struct folder *, const char *, struct incoming *);
static uint32_t copy_keywords(struct mailbox *, struct folder *, uint32_t);

enum store_error
mailbox_copy(struct mailbox *mb, const uint32_t *seqs, size_t n,
    const char *name, uint32_t *uids, uint32_t *uidvalidity)
{
	struct incoming *in;
	struct folder *to;
	enum store_error error;
	size_t i, made = 0;

	if (mb->mbox != NULL)
		return (name_is_inbox(name) ? STORE_READONLY : STORE_NOENT);
	if ((error = folder_get(mb->store, name, &to)) != STORE_OK)
		return (error);
	if (n == 0 || (in = calloc(n, sizeof(*in))) == NULL) {
		folder_release(to);
		return (n == 0 ? STORE_OK : STORE_SYS);
	}
	for (i = 0; i < n; i++)
		in[i].fd = -1;
	for (; made < n && error == STORE_OK; made++)
		error = copy_one(mb, seqs[made], to, &in[made]);
	if (error == STORE_OK)
		error = incoming_commit(to, in, n, uids, uidvalidity);
	else
		incoming_drop(to, in, made);
	for (i = 0; i < n; i++) {
		if (in[i].fd != -1)
			close(in[i].fd);
		buf_free(&in[i].entry);
	}
	free(in);
	folder_release(to);
	return (error);
}

static enum store_error
copy_one(struct mailbox *mb, uint32_t seq, struct folder *to,
    struct incoming *in)
{
	const struct store_message *msg;
	struct view_entry e;
	struct index_fix fix;
	struct index_mut m;
	enum store_error error;

	files_unique(to, in->base, sizeof(in->base));
	msg = mailbox_facts(mb, seq, FACT_SIZE | FACT_DATES);
	if (msg == NULL)
		return (STORE_NOENT);
	in->size = msg->size;
	in->text = msg->text;
	in->internal = msg->internal;
	if ((error = view_record(mb, seq, &e, &fix, &m)) != STORE_OK)
		return (error);
	in->flags = m.flags;
	in->keywords = m.keywords == 0 ? 0 :
	    copy_keywords(mb, to, m.keywords);
	in->fsize = fix.fsize;
	in->emailid = fix.emailid;
	copy_entry(mb, &e, &m, in);
	error = copy_file(mb, seq, &e, &m, to, in);
	return (error != STORE_OK ? error : incoming_sizes(in));
}

/* What the cache has of it holds for the copy. */
static void
copy_entry(struct mailbox *mb, const struct view_entry *v,
    const struct index_mut *m, struct incoming *in)
{
	const struct cache_entry *e;

	buf_init(&in->entry, CACHE_ENTRY_MAX);
	if ((e = cachefile_get(mb->f, m->cache, v->uid, CACHED_ALL)) != NULL &&
	    buf_add(&in->entry, e, e->len) == -1)
		buf_free(&in->entry);
}

static enum store_error
copy_file(struct mailbox *mb, uint32_t seq, const struct view_entry *e,
    const struct index_mut *m, struct folder *to, struct incoming *in)
{
	struct stat st;
	char name[NAME_MAX + 1], tmp[NAME_MAX + 1];
	int dirfd;

	if (files_path(mb->f, e->slot, m, &dirfd, name) == -1)
		return (STORE_CORRUPT);
	incoming_tmp(in, tmp);
	if (linkat(dirfd, name, to->tmp, tmp, 0) == 0) {
		if (fstatat(to->tmp, tmp, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode)) {
			/* Its delivery may not have been synced yet. */
			if (time(NULL) - m->saved < COPY_YOUNG)
				in->fd = file_open(to->tmp, tmp);
			return (STORE_OK);
		}
		(void)unlinkat(to->tmp, tmp, 0);
		return (STORE_CORRUPT);
	}
	if (errno == ENOSPC || errno == EDQUOT)
		return (STORE_FULL);
	/* Renamed by others, or no links here: both are seen to there. */
	return (copy_bytes(mb, seq, to, tmp, in));
}

static enum store_error
copy_bytes(struct mailbox *mb, uint32_t seq, struct folder *to,
    const char *tmp, struct incoming *in)
{
	struct timespec times[2];
	enum store_error error;
	char *buf;
	ssize_t n;
	int from = -1, fd = -1;

	if ((error = message_open(mb, seq, &from)) != STORE_OK)
		return (error);
	buf = malloc(COPY_SIZE);
	fd = openat(to->tmp, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (buf == NULL || fd == -1) {
		error = store_errno();
		goto done;
	}
	while ((n = read(from, buf, COPY_SIZE)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || os_write_all(fd, buf, (size_t)n) == -1) {
			error = store_errno();
			goto done;
		}
	}
	times[0].tv_sec = times[1].tv_sec = in->internal;
	times[0].tv_nsec = times[1].tv_nsec = 0;
	if (futimens(fd, times) == -1)
		error = store_errno();
done:
	free(buf);
	close(from);
	if (fd != -1 && error != STORE_OK) {
		close(fd);
		(void)unlinkat(to->tmp, tmp, 0);
		fd = -1;
	}
	in->fd = fd;
	return (error);
}

/* The same names have other letters there. */
static uint32_t
copy_keywords(struct mailbox *mb, struct folder *to, uint32_t keywords)
{
	const char *name;
	uint32_t bits = 0;
	unsigned int i;
	int k;

	if (to == mb->f)
		return (keywords);
	if (folder_lock(to, LOCK_LONG) != STORE_OK)
		return (0);
	for (i = 0; i < STORE_KEYWORDS; i++) {
		if ((keywords & 1U << i) == 0 ||
		    (name = mailbox_keyword(mb, i)) == NULL)
			continue;
		if ((k = keywords_add(&to->kw, to->dir, name)) != -1)
			bits |= 1U << k;
	}
	folder_unlock(to);
	return (bits);
}

enum store_error
mailbox_move(struct mailbox *mb, const uint32_t *seqs, size_t n,
    const char *to, uint32_t *uids, uint32_t *uidvalidity,
    const struct mailbox_changes *changes, void *arg)
{
	enum store_error error;

	if (mb->flags & MAILBOX_READONLY)
		return (STORE_READONLY);
	error = mailbox_copy(mb, seqs, n, to, uids, uidvalidity);
	/* It must be there before it may be gone here. */
	if (error == STORE_OK)
		error = store_flush(mb->store);
	if (error != STORE_OK)
		return (error);
	return (mailbox_expunge(mb, seqs, n, changes, arg));
}
