/*
 * incoming: messages that were written to a folder's tmp/ and are to become
 * visible together.
 *
 * One message is a rename, which is atomic.  Several: their records are
 * written behind the index's last, as REC_PENDING, and synced; the header's
 * intent says how far they go, and with it they are decided on.  Whoever
 * takes the lock after us finishes (recover_pending()) or wipes
 * (index_repair()) them.
 *
 * Cost of one: lock, four looks at times, rename, one write to the cache; its
 * syncs are the flush's.  Several cost two syncs more, whatever their number.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "store/files.h"
#include "store/flush.h"
#include "store/incoming.h"
#include "store/index_map.h"
#include "store/quota.h"
#include "store/reserve.h"
#include "store/sync.h"
#include "store/view.h"

#define ENTRY_MESSAGE_MAX (16U << 20)	/* larger ones wait for a reader */

static int incoming_sync(struct folder *, const struct incoming *, size_t);
static enum store_error incoming_put(struct folder *, struct incoming *,
    size_t);
static enum store_error incoming_one(struct folder *, struct incoming *);
static enum store_error incoming_many(struct folder *, struct incoming *,
    size_t);
static void incoming_record(const struct folder *, const struct incoming *,
    struct index_fix *, struct index_mut *);
static int incoming_rename(struct folder *, const struct incoming *);
static void incoming_undo(struct folder *, struct incoming *, size_t);
static void incoming_close(struct folder *, struct incoming *, size_t, int);

void
incoming_tmp(const struct incoming *in, char *name)
{
	size_t len = files_tmplen(in->base, strlen(in->base));

	memcpy(name, in->base, len);
	name[len] = '\0';
}

enum store_error
incoming_sizes(struct incoming *in)
{
	size_t len = strlen(in->base);
	int n;

	n = snprintf(in->base + len, sizeof(in->base) - len, ",S=%" PRIu64,
	    in->fsize);
	/* Whoever loses the index must read a text that is special. */
	if (n > 0 && (size_t)n < sizeof(in->base) - len && in->text == 0) {
		len += (size_t)n;
		n = snprintf(in->base + len, sizeof(in->base) - len,
		    ",W=%" PRIu64, in->size);
	}
	return (n < 0 || (size_t)n >= sizeof(in->base) - len ? STORE_NAME :
	    STORE_OK);
}

void
incoming_entry(struct incoming *in)
{
	struct message_text text;

	buf_init(&in->entry, CACHE_ENTRY_MAX);
	if (in->fd == -1 || in->fsize > ENTRY_MESSAGE_MAX ||
	    message_read(in->fd, &text) != STORE_OK)
		return;
	if (cache_entry_make(&in->entry, text.data, text.len, CACHED_ALL) ==
	    -1)
		buf_free(&in->entry);
	message_text_free(&text);
}

enum store_error
incoming_commit(struct folder *f, struct incoming *in, size_t n,
    uint32_t *uids, uint32_t *uidvalidity)
{
	enum store_error error;
	uint64_t bytes = 0;
	uint32_t first;
	size_t i;

	for (i = 0; i < n; i++)
		bytes += in[i].fsize;
	if ((error = quota_check(f->store, bytes, n)) == STORE_OK && n > 1 &&
	    incoming_sync(f, in, n) == -1)
		error = store_errno();
	if (error == STORE_OK)
		error = folder_lock(f, LOCK_LONG);
	if (error != STORE_OK) {
		incoming_drop(f, in, n);
		incoming_close(f, in, n, 0);
		return (error);
	}
	/* What was there before us has the smaller UIDs. */
	error = folder_sync(f, 0);
	first = f->ix.hdr.uidnext;
	if (error == STORE_OK)
		error = incoming_put(f, in, n);
	else
		incoming_drop(f, in, n);
	*uidvalidity = f->ix.hdr.uidvalidity;
	folder_unlock(f);
	incoming_close(f, in, n, error == STORE_OK && n == 1);
	if (error == STORE_OK) {
		folder_dirty(f, FLUSH_CUR);
		quota_change(f->store, (int64_t)bytes, (int64_t)n);
	}
	for (i = 0; error == STORE_OK && i < n; i++)
		uids[i] = first + (uint32_t)i;
	return (error);
}

/* Locked, and the index knows what is there. */
static enum store_error
incoming_put(struct folder *f, struct incoming *in, size_t n)
{
	struct files_mark mark;
	enum store_error error = STORE_OK;
	uint32_t uid = f->ix.hdr.uidnext;
	size_t i;

	if (n >= INDEX_SLOTS || folder_reserve(f, (uint32_t)n, 0) == -1)
		error = n >= INDEX_SLOTS ? STORE_LIMIT : store_errno();
	for (i = 0; i < n && error == STORE_OK; i++)
		if (info_uid_add(in[i].base, f->ix.hdr.uidvalidity, uid +
		    (uint32_t)i) == -1)
			error = STORE_NAME;
	if (error != STORE_OK) {
		incoming_drop(f, in, n);
		return (error);
	}
	files_mark(f, &mark);
	index_begin(&f->ix);
	error = n == 1 ? incoming_one(f, in) : incoming_many(f, in, n);
	files_unmark(f, &mark);
	index_end(&f->ix);
	return (error);
}

/* Descriptors of files that are where they belong wait for the flush. */
static void
incoming_close(struct folder *f, struct incoming *in, size_t n, int unsynced)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (unsynced)
			folder_dirty_file(f, in[i].fd);
		else if (in[i].fd != -1)
			close(in[i].fd);
		in[i].fd = -1;
		buf_free(&in[i].entry);
	}
}

void
incoming_drop(struct folder *f, struct incoming *in, size_t n)
{
	char name[NAME_MAX + 1];
	size_t i;

	for (i = 0; i < n; i++) {
		incoming_tmp(&in[i], name);
		(void)unlinkat(f->tmp, name, 0);
	}
}

static int
incoming_sync(struct folder *f, const struct incoming *in, size_t n)
{
	size_t i, files = 0;

	for (i = 0; i < n; i++)
		files += in[i].fd != -1;
	if (files > FLUSH_FILES && os_syncfs_works())
		return (os_syncfs(f->dir));
	for (i = 0; i < n; i++)
		if (in[i].fd != -1 && fsync(in[i].fd) == -1)
			return (-1);
	/* Another process can finish them: it must find them. */
	return (fsync(f->tmp));
}

static void
incoming_record(const struct folder *f, const struct incoming *in,
    struct index_fix *fix, struct index_mut *mut)
{
	memset(fix, 0, sizeof(*fix));
	memset(mut, 0, sizeof(*mut));
	fix->uidvalidity = f->ix.hdr.uidvalidity;
	fix->fsize = in->fsize;
	fix->emailid = in->emailid;
	fix->namelen = (uint16_t)strlen(in->base);
	mut->modseq = f->ix.hdr.modseq + 1;
	mut->size = in->size;
	mut->internal = in->internal;
	mut->saved = time(NULL);
	mut->keywords = in->keywords;
	mut->flags = (uint8_t)in->flags;
	mut->text = (uint8_t)in->text;
	mut->state = REC_LIVE | REC_RECENT;
}

static int
incoming_rename(struct folder *f, const struct incoming *in)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];

	incoming_tmp(in, from);
	if (info_format(in->base, strlen(in->base), in->flags, in->keywords,
	    "", to) == -1)
		return (-1);
	return (renameat(f->tmp, from, f->cur, to));
}

static enum store_error
incoming_one(struct folder *f, struct incoming *in)
{
	struct index_fix fix;
	struct index_mut mut;
	enum store_error error;

	/* Room first: nothing can fail after the rename. */
	if (index_grow(&f->ix, f->ix.hdr.slots + 2) == -1 ||
	    incoming_rename(f, in) == -1) {
		error = store_errno();
		incoming_drop(f, in, 1);
		return (error);
	}
	incoming_record(f, in, &fix, &mut);
	mut.cache = cachefile_put(f, &in->entry, f->ix.hdr.uidnext);
	if (index_add(&f->ix, &fix, in->base, &mut) == -1) {
		error = store_errno();
		incoming_undo(f, in, 1);
		return (error);
	}
	return (STORE_OK);
}

static enum store_error
incoming_many(struct folder *f, struct incoming *in, size_t n)
{
	struct index *ix = &f->ix;
	struct index_fix fix;
	struct index_mut mut;
	enum store_error error = STORE_OK;
	uint32_t end = ix->hdr.slots, slot = end;
	size_t i;

	for (i = 0; i < n && error == STORE_OK; i++) {
		incoming_record(f, &in[i], &fix, &mut);
		fix.uid = ix->hdr.uidnext + (uint32_t)i;
		mut.state |= REC_PENDING;
		if (index_put(ix, &end, &fix, in[i].base, &mut) == -1)
			error = store_errno();
	}
	if (error == STORE_OK) {
		ix->hdr.intent = end;
		index_publish(ix);
		if (index_sync(ix) == -1)
			error = store_errno();
	}
	for (i = 0; i < n && error == STORE_OK; i++)
		if (incoming_rename(f, &in[i]) == -1)
			error = store_errno();
	ix->hdr.intent = 0;
	if (error != STORE_OK) {
		index_wipe(ix, slot, end);
		incoming_undo(f, in, n);
		return (error);
	}
	/* Written over, one by one, as what they are now. */
	for (i = 0; i < n; i++) {
		incoming_record(f, &in[i], &fix, &mut);
		if (i > 0)
			mut.modseq = ix->hdr.modseq;
		mut.cache = cachefile_put(f, &in[i].entry, ix->hdr.uidnext);
		if (index_add(ix, &fix, in[i].base, &mut) == -1)
			return (store_errno());
	}
	return (STORE_OK);
}

/* Neither in tmp/ nor in cur/. */
static void
incoming_undo(struct folder *f, struct incoming *in, size_t n)
{
	char name[NAME_MAX + 1];
	size_t i;

	incoming_drop(f, in, n);
	for (i = 0; i < n; i++)
		if (info_format(in[i].base, strlen(in[i].base), in[i].flags,
		    in[i].keywords, "", name) == 0)
			(void)unlinkat(f->cur, name, 0);
}
