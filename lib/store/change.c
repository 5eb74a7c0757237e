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
#include "store/files.h"
#include "store/quota.h"
#include "store/recover.h"
#include "store/sync.h"
#include "store/view.h"

#define FLAGS_ALL	(MSG_SEEN | MSG_ANSWERED | MSG_FLAGGED | \
			    MSG_DELETED | MSG_DRAFT | MSG_PASSED)

static enum store_error change_one(struct mailbox *, uint32_t, enum flag_op,
    uint32_t, uint32_t);
static int change_apply(struct index_mut *, enum flag_op, uint32_t, uint32_t);

/* What expunge_files() did. */
struct expunged {
	uint64_t	 bytes;
	uint64_t	 messages;
	size_t		 missed;	/* files that were elsewhere */
};

static void expunge_files(struct mailbox *, const uint32_t *, size_t,
    struct expunged *);

enum store_error
mailbox_store(struct mailbox *mb, uint32_t seq, enum flag_op op,
    uint32_t flags, uint32_t keywords)
{
	struct folder *f = mb->f;
	enum store_error error;

	if (mb->flags & MAILBOX_READONLY)
		return (STORE_READONLY);
	if (mb->mbox != NULL)
		return (mbox_store(mb->mbox, seq, op, flags, keywords));
	if (view_entry(mb, seq) == NULL)
		return (STORE_NOENT);
	if ((error = folder_lock(f, LOCK_LONG)) != STORE_OK)
		return (error);
	if ((error = folder_sync(f, 0)) == STORE_OK)
		error = change_one(mb, seq, op, flags, keywords);
	if (error == STORE_NOENT) {
		/* Not where it was: look everywhere, once. */
		if ((error = folder_sync(f, 1)) == STORE_OK)
			error = change_one(mb, seq, op, flags, keywords);
	}
	folder_unlock(f);
	return (error);
}

static enum store_error
change_one(struct mailbox *mb, uint32_t seq, enum flag_op op, uint32_t flags,
    uint32_t keywords)
{
	struct folder *f = mb->f;
	struct files_mark mark;
	struct view_entry *e;
	struct index_mut m;
	enum store_error error;
	uint64_t before;

	if ((error = view_fresh(mb)) != STORE_OK)
		return (error);
	e = view_entry(mb, seq);
	if (e->slot == UINT32_MAX)
		return (STORE_NOENT);
	if ((error = folder_message(f, e->slot, &m)) != STORE_OK)
		return (error);
	if ((m.state & REC_LIVE) == 0)
		return (STORE_NOENT);
	if (!change_apply(&m, op, flags, keywords))
		return (STORE_OK);
	before = f->ix.hdr.modseq;
	m.modseq = before + 1;
	m.state &= ~REC_NEW;		/* flags are for files in cur/ */
	files_mark(f, &mark);
	index_begin(&f->ix);
	error = files_rename(f, e->slot, &m);
	files_unmark(f, &mark);
	index_end(&f->ix);
	/* Who asked for it need not be told. */
	if (error == STORE_OK && mb->modseq == before)
		mb->modseq = f->ix.hdr.modseq;
	return (error);
}

/* 1 if that changes anything. */
static int
change_apply(struct index_mut *m, enum flag_op op, uint32_t flags,
    uint32_t keywords)
{
	struct index_mut old = *m;

	flags &= FLAGS_ALL;
	keywords &= (1U << STORE_KEYWORDS) - 1;
	switch (op) {
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
	struct view_delta delta = { 0 };
	struct folder *f = mb->f;
	enum store_error error;
	struct expunged out = { 0 };

	if (mb->flags & MAILBOX_READONLY)
		return (STORE_READONLY);
	if (mb->mbox != NULL)
		return (mbox_expunge(mb->mbox, seqs, n, changes, arg));
	if ((error = folder_lock(f, LOCK_LONG)) != STORE_OK)
		return (error);
	if ((error = folder_sync(f, 0)) == STORE_OK)
		error = view_fresh(mb);
	if (error == STORE_OK) {
		expunge_files(mb, seqs, n, &out);
		/* Some were not where they should be: look, and again. */
		if (out.missed > 0 &&
		    (error = folder_sync(f, 1)) == STORE_OK &&
		    (error = view_fresh(mb)) == STORE_OK)
			expunge_files(mb, seqs, n, &out);
		quota_change(mb->store, -(int64_t)out.bytes,
		    -(int64_t)out.messages);
	}
	if (error == STORE_OK)
		error = recover_compact(f);
	if (error == STORE_OK)
		error = view_collect(mb, 0, &delta);
	folder_unlock(f);
	view_tell(mb, &delta, changes, arg);
	return (error);
}

static void
expunge_files(struct mailbox *mb, const uint32_t *seqs, size_t n,
    struct expunged *out)
{
	struct folder *f = mb->f;
	struct files_mark mark;
	struct view_entry *e;
	struct index_fix fix;
	struct index_mut m;
	char name[NAME_MAX + 1];
	uint64_t modseq = f->ix.hdr.modseq + 1;
	size_t i;
	int dirfd;

	files_mark(f, &mark);
	index_begin(&f->ix);
	for (i = 0; i < n; i++) {
		e = view_entry(mb, seqs[i]);
		if (e == NULL || e->slot == UINT32_MAX ||
		    index_get(&f->ix, e->slot, &m) == -1 ||
		    (m.state & REC_LIVE) == 0 ||
		    index_fixed(&f->ix, e->slot, &fix) == -1 ||
		    files_path(f, e->slot, &m, &dirfd, name) == -1)
			continue;
		if (unlinkat(dirfd, name, 0) == -1) {
			out->missed++;
			continue;
		}
		m.state = 0;
		m.modseq = modseq;
		index_set(&f->ix, e->slot, &m);
		out->bytes += fix.fsize;
		out->messages++;
	}
	files_unmark(f, &mark);
	index_end(&f->ix);
}
