/*
 * incoming: messages that were written to a folder's tmp/, or are files of
 * another folder, and are to become visible together.
 *
 * One message is a rename or a link, which is atomic.  Several: their records
 * are written behind the index's last, as REC_PENDING, and synced; the
 * header's intent says how far they go, and with it they are decided on.
 * Whoever takes the lock after us finishes or takes back what we began
 * (index_repair(), recover_pending()).
 *
 *	come from	decided on	and if we are killed
 *	tmp/		before renames	those that are left are renamed
 *	links		after links	before: the links are removed
 *	moved		before renames	each is here or there
 *
 * Cost of one: its bytes written out, lock, four looks at times, rename, one
 * write to the cache; its syncs are the flush's.  Several cost two syncs more,
 * whatever their number, and one call each.
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

static uint64_t incoming_bytes(const struct incoming *, size_t);
static int incoming_write(struct folder *, const struct incoming *, size_t,
    const struct source *);
static int incoming_sync(struct folder *, const struct incoming *, size_t,
    const struct source *);
static enum store_error incoming_put(struct folder *, struct incoming *,
    size_t, const struct source *);
static enum store_error incoming_one(struct folder *, struct incoming *,
    const struct source *);
static enum store_error incoming_many(struct folder *, struct incoming *,
    size_t, const struct source *);
static int incoming_pending(struct folder *, const struct incoming *, size_t,
    int, uint32_t *);
static int incoming_decide(struct index *, uint32_t);
static void incoming_record(const struct folder *, const struct incoming *,
    struct index_fix *, struct index_mut *);
static int incoming_place(struct folder *, const struct incoming *,
    const struct source *);
static int source_path(const struct source *, const struct incoming *, int *,
    char *);
static void incoming_undo(struct folder *, struct incoming *, size_t,
    const struct source *);
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
	if (cache_entry_make(&in->entry, text.data, text.len, CACHED_ALL,
	    NULL) == -1)
		buf_free(&in->entry);
	message_text_free(&text);
}

enum store_error
incoming_commit(struct folder *f, struct incoming *in, size_t n,
    const struct source *from, uint32_t *uids, uint32_t *uidvalidity)
{
	enum store_error error = STORE_OK;
	uint32_t first;
	size_t i;
	int moved = from != NULL && from->move;

	if (!moved)
		error = quota_check(f->store, incoming_bytes(in, n), n);
	if (error == STORE_OK && incoming_write(f, in, n, from) == -1)
		error = store_errno();
	if (error == STORE_OK)
		error = folder_lock(f, LOCK_LONG);
	if (error != STORE_OK) {
		incoming_undo(f, in, n, from);
		incoming_close(f, in, n, 0);
		return (error);
	}
	/* It may have been deleted since; what was there has smaller UIDs. */
	error = folder_same(f) ? folder_sync(f, 0) : STORE_NOENT;
	first = f->ix.hdr.uidnext;
	if (error == STORE_OK)
		error = incoming_put(f, in, n, from);
	else
		incoming_undo(f, in, n, from);
	*uidvalidity = f->ix.hdr.uidvalidity;
	folder_unlock(f);
	incoming_close(f, in, n, error == STORE_OK && (n == 1 || moved));
	if (error == STORE_OK) {
		/* Several links were synced before they were decided on. */
		if (from == NULL || n == 1 || moved)
			folder_dirty(f, from != NULL && from->sync_all ?
			    FLUSH_ALL : FLUSH_CUR);
	}
	for (i = 0; error == STORE_OK && i < n; i++)
		uids[i] = first + (uint32_t)i;
	return (error);
}

static uint64_t
incoming_bytes(const struct incoming *in, size_t n)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < n; i++)
		bytes += in[i].fsize;
	return (bytes);
}

/* Locked, and the index knows what is there. */
static enum store_error
incoming_put(struct folder *f, struct incoming *in, size_t n,
    const struct source *from)
{
	struct files_mark mark;
	enum store_error error = STORE_OK;
	uint32_t uid = f->ix.hdr.uidnext;
	uint64_t bytes = incoming_bytes(in, n);
	size_t i;
	int added = from == NULL || !from->move;

	if (n >= INDEX_SLOTS || folder_reserve(f, (uint32_t)n, n > 1 ?
	    RESERVE_LATER : RESERVE_SYNC) == -1)
		error = n >= INDEX_SLOTS ? STORE_LIMIT : store_errno();
	for (i = 0; i < n && error == STORE_OK; i++)
		if (info_uid_add(in[i].base, f->ix.hdr.uidvalidity, uid +
		    (uint32_t)i) == -1)
			error = STORE_NAME;
	if (error != STORE_OK) {
		incoming_undo(f, in, n, from);
		return (error);
	}
	files_mark(f, &mark);
	index_begin(&f->ix);
	/* Neither folder can be counted now; who has one begins again. */
	if (!added)
		quota_change(f->store, 0, 0);
	if (added && (error = quota_take(f->store, bytes, n)) != STORE_OK)
		incoming_undo(f, in, n, from);
	else if ((error = n == 1 ? incoming_one(f, in, from) :
	    incoming_many(f, in, n, from)) != STORE_OK && added)
		quota_change(f->store, -(int64_t)bytes, -(int64_t)n);
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

/*
 * Another's sync may take a name to the disk before our flush: not before the
 * bytes.  Links of which there are several are taken back after a power cut.
 */
static int
incoming_write(struct folder *f, const struct incoming *in, size_t n,
    const struct source *from)
{
	size_t i;

	if (n > 1 && from == NULL)
		return (incoming_sync(f, in, n, NULL));
	if (n > 1 && !from->move)
		return (0);
	if (from != NULL && from->sync_all)
		return (os_syncfs(f->dir));
	for (i = 0; i < n; i++)
		if (in[i].fd != -1 && os_write_out(in[i].fd) == -1)
			return (-1);
	return (0);
}

/* What was written or, with a source, linked. */
static int
incoming_sync(struct folder *f, const struct incoming *in, size_t n,
    const struct source *from)
{
	size_t i, files = 0;

	for (i = 0; i < n; i++)
		files += in[i].fd != -1;
	if ((files > FLUSH_FILES || (from != NULL && from->sync_all)) &&
	    os_syncfs_works())
		return (os_syncfs(f->dir));
	for (i = 0; i < n; i++)
		if (in[i].fd != -1 && fsync(in[i].fd) == -1)
			return (-1);
	/* Another process can finish them: it must find them. */
	return (fsync(from != NULL ? f->cur : f->tmp));
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

/* To where it belongs. */
static int
incoming_place(struct folder *f, const struct incoming *in,
    const struct source *from)
{
	char name[NAME_MAX + 1], to[NAME_MAX + 1];
	int dirfd = f->tmp;

	if (from == NULL)
		incoming_tmp(in, name);
	else if (source_path(from, in, &dirfd, name) == -1)
		return (-1);
	if (info_format(in->base, strlen(in->base), in->flags, in->keywords,
	    "", to) == -1)
		return (-1);
	if (from != NULL && !from->move)
		return (linkat(dirfd, name, f->cur, to, 0));
	return (renameat(dirfd, name, f->cur, to));
}

static int
source_path(const struct source *from, const struct incoming *in, int *dirfd,
    char *name)
{
	struct index_mut m;

	if (from->epoch != from->f->epoch) {
		errno = ENOENT;
		return (-1);
	}
	if (index_get(&from->f->ix, in->slot, &m) == -1)
		return (-1);
	if ((m.state & REC_LIVE) == 0) {
		errno = ENOENT;
		return (-1);
	}
	return (files_path(from->f, in->slot, &m, dirfd, name));
}

static enum store_error
incoming_one(struct folder *f, struct incoming *in, const struct source *from)
{
	struct index_fix fix;
	struct index_mut mut;
	enum store_error error;

	/* Room first: nothing can fail after the rename. */
	if (index_grow(&f->ix, f->ix.hdr.slots + 2) == -1 ||
	    incoming_place(f, in, from) == -1) {
		error = store_errno();
		incoming_undo(f, in, 1, from);
		return (error);
	}
	incoming_record(f, in, &fix, &mut);
	mut.cache = cachefile_put(f, &in->entry, f->ix.hdr.uidnext);
	if (index_add(&f->ix, &fix, in->base, &mut) == -1) {
		error = store_errno();
		incoming_undo(f, in, 1, from);
		return (error);
	}
	return (STORE_OK);
}

static enum store_error
incoming_many(struct folder *f, struct incoming *in, size_t n,
    const struct source *from)
{
	struct index *ix = &f->ix;
	struct index_fix fix;
	struct index_mut mut;
	enum store_error error;
	uint32_t slot = ix->hdr.slots, end = slot;
	size_t i;
	int bad, linked = from != NULL && !from->move;

	bad = incoming_pending(f, in, n, linked, &end);
	for (i = 0; i < n && bad == 0; i++)
		bad = incoming_place(f, &in[i], from);
	if (bad == 0 && linked && (bad = incoming_sync(f, in, n, from)) == 0)
		bad = incoming_decide(ix, end);
	ix->hdr.intent = 0;
	if (bad != 0) {
		error = store_errno();
		index_wipe(ix, slot, end);
		incoming_undo(f, in, n, from);
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

/* Records that say what was begun, up to *end. */
static int
incoming_pending(struct folder *f, const struct incoming *in, size_t n,
    int linked, uint32_t *end)
{
	struct index *ix = &f->ix;
	struct index_fix fix;
	struct index_mut mut;
	size_t i;

	for (i = 0; i < n; i++) {
		incoming_record(f, &in[i], &fix, &mut);
		fix.uid = ix->hdr.uidnext + (uint32_t)i;
		mut.state |= REC_PENDING | (linked ? REC_LINKED : 0);
		if (index_put(ix, end, &fix, in[i].base, &mut) == -1)
			return (-1);
	}
	return (linked ? index_sync(ix) : incoming_decide(ix, *end));
}

static int
incoming_decide(struct index *ix, uint32_t end)
{
	ix->hdr.intent = end;
	index_publish(ix);
	return (index_sync(ix));
}

/* As if nothing had been begun. */
static void
incoming_undo(struct folder *f, struct incoming *in, size_t n,
    const struct source *from)
{
	char name[NAME_MAX + 1], back[NAME_MAX + 1];
	size_t i;
	int dirfd;

	if (from == NULL)
		incoming_drop(f, in, n);
	for (i = 0; i < n; i++) {
		if (info_format(in[i].base, strlen(in[i].base), in[i].flags,
		    in[i].keywords, "", name) == -1)
			continue;
		if (from == NULL || !from->move)
			(void)unlinkat(f->cur, name, 0);
		else if (source_path(from, &in[i], &dirfd, back) == 0)
			(void)renameat(f->cur, name, dirfd, back);
	}
}
