/*
 * change: flags and expunges.
 *
 * What these cost does not depend on how many messages there are: our own
 * renames do not make anybody read a directory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/change.h"
#include "store/flush.h"
#include "store/quota.h"
#include "store/sync.h"

#define FLAGS_ALL	(MSG_SEEN | MSG_ANSWERED | MSG_FLAGGED | \
			    MSG_DELETED | MSG_DRAFT | MSG_PASSED)

static enum store_error change_locked(struct mailbox *, const uint32_t *,
    size_t, const struct store_change *, struct store_changed *);
static enum store_error change_one(struct mailbox *, uint32_t,
    const struct store_change *, struct store_changed *, struct batch *);
static int change_apply(struct index_mut *, const struct store_change *);

static enum store_error expunge_locked(struct mailbox *, const uint32_t *,
    size_t);
static size_t expunge_files(struct mailbox *, const uint32_t *, size_t);
static int expunge_slot(struct mailbox *, uint32_t, uint32_t *,
    struct index_mut *);
static void expunge_record(struct folder *, uint32_t, struct index_mut *,
    uint64_t);

enum store_error
mailbox_store(struct mailbox *mb, uint32_t seq, enum flag_op op,
    uint32_t flags, uint32_t keywords)
{
	struct store_change change = { op, flags, keywords, UINT64_MAX };
	struct store_changed result;
	enum store_error error;

	error = mailbox_change(mb, &seq, 1, &change, &result);
	return (error != STORE_OK ? error : result.error);
}

enum store_error
mailbox_change(struct mailbox *mb, const uint32_t *seqs, size_t n,
    const struct store_change *change, struct store_changed *result)
{
	struct folder *f = mb->f;
	enum store_error error;
	size_t i;

	if (mb->flags & MAILBOX_READONLY)
		return (STORE_READONLY);
	if (mb->mbox != NULL) {
		for (i = 0; i < n; i++) {
			result[i].modseq = 0;
			result[i].error = mbox_store(mb->mbox, seqs[i],
			    change->op, change->flags, change->keywords);
		}
		return (STORE_OK);
	}
	if ((error = folder_lock(f, LOCK_LONG)) != STORE_OK)
		return (error);
	error = change_locked(mb, seqs, n, change, result);
	folder_unlock(f);
	return (error);
}

static enum store_error
change_locked(struct mailbox *mb, const uint32_t *seqs, size_t n,
    const struct store_change *change, struct store_changed *result)
{
	struct folder *f = mb->f;
	struct batch batch = { .open = 0 };
	struct view_entry e;
	enum store_error error;
	uint64_t before;
	unsigned int epoch;
	size_t i;
	int forced = 0;

	if ((error = folder_sync(f, 0)) != STORE_OK)
		return (error);
	before = f->ix.hdr.modseq;
	epoch = f->epoch;
	for (i = 0; i < n; i++) {
		memset(&result[i], 0, sizeof(result[i]));
		error = change_one(mb, seqs[i], change, &result[i], &batch);
		if (error == STORE_NOENT && !forced) {
			/* Not where it was: look everywhere, once. */
			forced = 1;
			batch_end(f, &batch);
			if (view_at(mb, seqs[i], &e) == 0 &&
			    (error = folder_sync(f, 1)) == STORE_OK)
				error = change_one(mb, seqs[i], change,
				    &result[i], &batch);
		}
		result[i].error = error;
	}
	batch_end(f, &batch);
	/* Who asked for it need not be told. */
	if (!forced && mb->modseq == before && f->epoch == epoch)
		mb->modseq = f->ix.hdr.modseq;
	return (STORE_OK);
}

static enum store_error
change_one(struct mailbox *mb, uint32_t seq, const struct store_change *change,
    struct store_changed *result, struct batch *batch)
{
	struct folder *f = mb->f;
	struct view_entry e;
	struct index_fix fix;
	struct index_mut m;
	enum store_error error;

	if (mb->epoch != f->epoch || view_at(mb, seq, &e) == -1 ||
	    e.slot == UINT32_MAX || index_fixed(&f->ix, e.slot, &fix) == -1 ||
	    index_get(&f->ix, e.slot, &m) == -1) {
		/* What mends it reads the directories. */
		batch_end(f, batch);
		error = view_record(mb, seq, &e, NULL, &m);
		if (error != STORE_OK)
			return (error);
	}
	if ((m.state & REC_LIVE) == 0)
		return (STORE_NOENT);
	result->modseq = m.modseq;
	if (m.modseq > change->unchangedsince)
		return (STORE_MODIFIED);
	if (!change_apply(&m, change))
		return (STORE_OK);
	m.modseq = f->ix.hdr.modseq + 1;
	m.state &= ~REC_NEW;		/* flags are for files in cur/ */
	batch_begin(f, batch);
	error = files_rename(f, e.slot, &m);
	if (error == STORE_OK)
		result->modseq = m.modseq;
	folder_dirty(f, FLUSH_CUR);
	return (error);
}

void
batch_begin(struct folder *f, struct batch *b)
{
	if (b->open)
		return;
	files_mark(f, &b->mark);
	index_begin(&f->ix);
	b->open = 1;
}

void
batch_end(struct folder *f, struct batch *b)
{
	if (!b->open)
		return;
	files_unmark(f, &b->mark);
	index_end(&f->ix);
	b->open = 0;
}

/* 1 if that changes anything. */
static int
change_apply(struct index_mut *m, const struct store_change *change)
{
	struct index_mut old = *m;
	uint32_t flags = change->flags & FLAGS_ALL;
	uint32_t keywords = change->keywords & ((1U << STORE_KEYWORDS) - 1);

	switch (change->op) {
	case FLAGS_SET:
		m->flags = (uint8_t)flags;
		m->keywords = keywords;
		break;
	case FLAGS_ADD:
		m->flags |= (uint8_t)flags;
		m->keywords |= keywords;
		break;
	case FLAGS_REMOVE:
		m->flags &= (uint8_t)~flags;
		m->keywords &= ~keywords;
		break;
	}
	return (m->flags != old.flags || m->keywords != old.keywords);
}

enum store_error
mailbox_expunge(struct mailbox *mb, const uint32_t *seqs, size_t n,
    const struct mailbox_changes *changes, void *arg)
{
	struct folder *f = mb->f;
	enum store_error error;

	if (mb->flags & MAILBOX_READONLY)
		return (STORE_READONLY);
	if (mailbox_untold(mb))
		return (STORE_BUSY);
	if (mb->mbox != NULL)
		return (mbox_expunge(mb->mbox, seqs, n, changes, arg));
	if ((error = folder_lock(f, LOCK_LONG)) != STORE_OK)
		return (error);
	/* The index is compacted by whoever syncs next under the lock. */
	if ((error = expunge_locked(mb, seqs, n)) == STORE_OK)
		error = view_collect(mb, 0);
	folder_unlock(f);
	view_tell(mb, changes, arg);
	return (error);
}

enum store_error
change_expunge(struct mailbox *mb, const uint32_t *seqs, size_t n)
{
	enum store_error error;

	if ((error = folder_lock(mb->f, LOCK_LONG)) != STORE_OK)
		return (error);
	error = expunge_locked(mb, seqs, n);
	folder_unlock(mb->f);
	return (error);
}

static enum store_error
expunge_locked(struct mailbox *mb, const uint32_t *seqs, size_t n)
{
	struct folder *f = mb->f;
	enum store_error error;

	if ((error = folder_sync(f, 0)) != STORE_OK ||
	    (error = view_fresh(mb)) != STORE_OK)
		return (error);
	/* Some were not where they should be: look, and again. */
	if (expunge_files(mb, seqs, n) > 0 &&
	    (error = folder_sync(f, 1)) == STORE_OK &&
	    (error = view_fresh(mb)) == STORE_OK &&
	    expunge_files(mb, seqs, n) > 0)
		/* They are there, and do not go. */
		error = STORE_READONLY;
	return (error);
}

/* How many files were elsewhere. */
static size_t
expunge_files(struct mailbox *mb, const uint32_t *seqs, size_t n)
{
	struct folder *f = mb->f;
	struct batch batch = { .open = 0 };
	struct index_fix fix;
	struct index_mut m;
	char name[NAME_MAX + 1];
	uint64_t modseq = f->ix.hdr.modseq + 1;
	int64_t bytes = 0, messages = 0;
	uint32_t slot;
	size_t i, missed = 0;
	int dirfd;

	batch_begin(f, &batch);
	for (i = 0; i < n; i++) {
		if (!expunge_slot(mb, seqs[i], &slot, &m))
			continue;
		if (index_fixed(&f->ix, slot, &fix) == -1 ||
		    files_path(f, slot, &m, &dirfd, name) == -1 ||
		    unlinkat(dirfd, name, 0) == -1) {
			missed++;
			continue;
		}
		expunge_record(f, slot, &m, modseq);
		bytes += (int64_t)fix.fsize;
		messages++;
	}
	if (messages > 0)
		quota_change(mb->store, -bytes, -messages);
	batch_end(f, &batch);
	return (missed);
}

/* The record of a message that is still there. */
static int
expunge_slot(struct mailbox *mb, uint32_t seq, uint32_t *slot,
    struct index_mut *m)
{
	struct view_entry e;

	if (view_at(mb, seq, &e) == -1 || e.slot == UINT32_MAX ||
	    index_get(&mb->f->ix, e.slot, m) == -1 ||
	    (m->state & REC_LIVE) == 0)
		return (0);
	*slot = e.slot;
	return (1);
}

void
change_moved(struct mailbox *mb, const uint32_t *seqs, size_t n)
{
	struct index_mut m;
	uint64_t modseq = mb->f->ix.hdr.modseq + 1;
	uint32_t slot;
	size_t i;

	for (i = 0; i < n; i++)
		if (expunge_slot(mb, seqs[i], &slot, &m))
			expunge_record(mb->f, slot, &m, modseq);
}

/* Its file has gone from where it was. */
static void
expunge_record(struct folder *f, uint32_t slot, struct index_mut *m,
    uint64_t modseq)
{
	folder_dirty(f, m->state & REC_NEW ? FLUSH_NEW : FLUSH_CUR);
	m->state = 0;
	m->modseq = modseq;
	index_set(&f->ix, slot, m);
}
