/*
 * incoming: messages that were written to a folder's tmp/ and are to become
 * visible together.
 *
 * One message is a rename, which is atomic.  Several: their records are
 * written behind the index's last, as REC_PENDING, and synced; the header's
 * intent says how far they go, and with it they are decided on.  Whoever
 * takes the lock after us finishes (recover_pending()) or wipes
 * (index_repair()) them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/files.h"
#include "store/incoming.h"
#include "store/index_map.h"
#include "store/quota.h"
#include "store/sync.h"

#define SYNC_EACH	4	/* files; above, the whole file system */

static int incoming_sync(struct folder *, const struct incoming *, size_t);
static enum store_error incoming_one(struct folder *, struct incoming *);
static enum store_error incoming_many(struct folder *, struct incoming *,
    size_t);
static void incoming_record(const struct folder *, const struct incoming *,
    struct index_fix *, struct index_mut *);
static int incoming_rename(struct folder *, const struct incoming *);
static void incoming_undo(struct folder *, struct incoming *, size_t);

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

enum store_error
incoming_commit(struct folder *f, struct incoming *in, size_t n,
    uint32_t *uids, uint32_t *uidvalidity)
{
	enum store_error error;
	struct files_mark mark;
	uint64_t bytes = 0;
	uint32_t first;
	size_t i;

	for (i = 0; i < n; i++)
		bytes += in[i].fsize;
	if ((error = quota_check(f->store, bytes, n)) == STORE_OK &&
	    incoming_sync(f, in, n) == -1)
		error = store_errno();
	if (error == STORE_OK)
		error = folder_lock(f, LOCK_LONG);
	if (error != STORE_OK) {
		incoming_drop(f, in, n);
		return (error);
	}
	/* What was there before us has the smaller UIDs. */
	error = folder_sync(f, 0);
	first = f->ix.hdr.uidnext;
	if (error == STORE_OK && (n >= INDEX_SLOTS || UINT32_MAX - first < n))
		error = STORE_LIMIT;
	if (error == STORE_OK) {
		files_mark(f, &mark);
		index_begin(&f->ix);
		error = n == 1 ? incoming_one(f, in) : incoming_many(f, in, n);
		files_unmark(f, &mark);
		index_end(&f->ix);
	} else
		incoming_drop(f, in, n);
	if (error == STORE_OK && (fsync(f->cur) == -1 ||
	    index_sync(&f->ix) == -1))
		error = store_errno();
	*uidvalidity = f->ix.hdr.uidvalidity;
	folder_unlock(f);
	if (error == STORE_OK)
		quota_change(f->store, (int64_t)bytes, (int64_t)n);
	for (i = 0; error == STORE_OK && i < n; i++)
		uids[i] = first + (uint32_t)i;
	return (error);
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
	size_t i;

#ifdef __linux__
	if (n > SYNC_EACH)
		return (syncfs(f->dir));
#endif
	for (i = 0; i < n; i++)
		if (in[i].fd != -1 && fsync(in[i].fd) == -1)
			return (-1);
	/* Several can be finished by another process: it must find them. */
	return (n > 1 ? fsync(f->tmp) : 0);
}

static void
incoming_record(const struct folder *f, const struct incoming *in,
    struct index_fix *fix, struct index_mut *mut)
{
	memset(fix, 0, sizeof(*fix));
	memset(mut, 0, sizeof(*mut));
	fix->uidvalidity = f->ix.hdr.uidvalidity;
	fix->fsize = in->fsize;
	fix->internal = in->internal;
	fix->saved = time(NULL);
	fix->namelen = (uint16_t)strlen(in->base);
	mut->modseq = f->ix.hdr.modseq + 1;
	mut->size = in->size;
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
