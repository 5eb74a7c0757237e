/*
 * freeze: a session's view of a mailbox as a few numbers, and back.
 *
 * The index still knows who was expunged when, so that the view is made again
 * from it: what had a UID then and is there, or has gone since.  The number
 * and a sum of the UIDs prove it; an index that was rebuilt or has forgotten
 * too much does not pass.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/hash.h"
#include "store/sync.h"
#include "store/view.h"

static enum store_error thaw_view(struct mailbox *,
    const struct mailbox_frozen *);
static uint64_t	view_hash(const struct mailbox *);

enum store_error
mailbox_freeze(struct mailbox *mb, struct mailbox_frozen *z)
{
	if (mb->mbox != NULL || mb->exclusive != -1 || mb->ngone > 0 ||
	    mailbox_untold(mb) || view_fresh(mb) != STORE_OK)
		return (STORE_LIMIT);
	memcpy(z->index, mb->id, sizeof(z->index));
	z->uidvalidity = mb->uidvalidity;
	z->uidnext = mb->uidnext;
	z->count = mb->n;
	z->modseq = mb->modseq;
	z->hash = view_hash(mb);
	return (STORE_OK);
}

enum store_error
mailbox_thaw(struct store *st, const char *name, unsigned int flags,
    const struct mailbox_frozen *z, struct mailbox **mbp)
{
	struct mailbox *mb;
	enum store_error error;

	if (st->mbox != NULL || (flags & MAILBOX_EXCLUSIVE))
		return (STORE_CORRUPT);
	if ((mb = calloc(1, sizeof(*mb))) == NULL)
		return (STORE_SYS);
	mb->store = st;
	mb->flags = flags;
	mb->exclusive = -1;
	if ((error = folder_get(st, name, &mb->f)) == STORE_OK) {
		LIST_INSERT_HEAD(&mb->f->views, mb, views);
		if ((error = folder_sync(mb->f, 0)) == STORE_OK)
			error = thaw_view(mb, z);
	}
	if (error != STORE_OK) {
		mailbox_close(mb);
		return (error);
	}
	(void)keywords_load(&mb->f->kw, mb->f->dir);
	*mbp = mb;
	return (STORE_OK);
}

static enum store_error
thaw_view(struct mailbox *mb, const struct mailbox_frozen *z)
{
	struct folder *f = mb->f;
	struct index_mut m;
	enum store_error error;
	uint32_t s;

	if (f->ix.hdr.uidvalidity != z->uidvalidity ||
	    z->count > f->ix.hdr.slots || z->modseq > f->ix.hdr.modseq)
		return (STORE_CORRUPT);
	mb->list = calloc((size_t)z->count + 1, sizeof(*mb->list));
	if (mb->list == NULL)
		return (STORE_SYS);
	mb->cap = z->count + 1;
	for (s = 0; s < f->ix.hdr.slots && index_uid(&f->ix, s) < z->uidnext;
	    s = index_next(&f->ix, s)) {
		if ((error = folder_message(f, s, &m)) != STORE_OK)
			return (error);
		if ((m.state & REC_LIVE) == 0 && m.modseq <= z->modseq)
			continue;
		if (mb->n == z->count)
			return (STORE_CORRUPT);
		mb->list[mb->n].uid = index_uid(&f->ix, s);
		mb->list[mb->n++].slot = s;
	}
	mb->slots = s;
	mb->modseq = mb->told = z->modseq;
	mb->uidvalidity = z->uidvalidity;
	mb->uidnext = z->uidnext;
	mb->epoch = f->epoch;
	memcpy(mb->id, z->index, sizeof(mb->id));
	return (mb->n == z->count && view_hash(mb) == z->hash ? STORE_OK :
	    STORE_CORRUPT);
}

enum store_error
mailbox_watch_fds(struct mailbox *mb, int fds[2])
{
	enum store_error error;

	if (mb->mbox != NULL)
		return (STORE_LIMIT);
	fds[0] = openat(mb->f->new, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds[1] = openat(mb->f->cur, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fds[0] != -1 && fds[1] != -1)
		return (STORE_OK);
	error = store_errno();
	if (fds[0] != -1)
		close(fds[0]);
	if (fds[1] != -1)
		close(fds[1]);
	return (error);
}

static uint64_t
view_hash(const struct mailbox *mb)
{
	struct view_entry e;
	uint64_t sum = mb->n;
	uint32_t i;

	for (i = 1; view_at(mb, i, &e) == 0; i++)
		sum = sum * 3 + hash_bytes(&e.uid, sizeof(e.uid));
	return (sum);
}
