/*
 * mailbox: an open mailbox, as sessions see it.
 *
 * Each call first asks whether it is an mbox; the rest is about Maildirs.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/files.h"
#include "store/intent.h"
#include "store/name.h"
#include "store/sync.h"
#include "store/tidy.h"
#include "store/view.h"

#define EXCLUSIVE_FILE	"postern.exclusive"

static enum store_error mailbox_exclusive(struct mailbox *);
static enum store_error mailbox_update(struct mailbox *, int);
static uint32_t status_unseen(struct mailbox *);
static void status_count(struct mailbox *, struct mailbox_status *);
static uint32_t uid_at(struct mailbox *, uint32_t);

enum store_error
mailbox_open(struct store *st, const char *name, unsigned int flags,
    struct mailbox **mbp)
{
	struct mailbox *mb;
	enum store_error error;

	if ((mb = calloc(1, sizeof(*mb))) == NULL)
		return (STORE_SYS);
	mb->store = st;
	mb->flags = flags;
	mb->exclusive = -1;
	if (st->mbox != NULL) {
		error = !name_is_inbox(name) ? STORE_NOENT :
		    mbox_view(st->mbox, flags, &mb->mbox);
	} else if ((error = folder_get(st, name, &mb->f)) == STORE_OK) {
		LIST_INSERT_HEAD(&mb->f->views, mb, views);
		if (flags & MAILBOX_EXCLUSIVE)
			error = mailbox_exclusive(mb);
		if (error == STORE_OK)
			error = mailbox_update(mb, 0);
		/* Not before what somebody had begun is finished. */
		if (error == STORE_OK && (flags & MAILBOX_READONLY) == 0)
			folder_tidy(mb->f);
		view_tell(mb, NULL, NULL);
		if (error == STORE_OK && (flags & MAILBOX_EXCLUSIVE))
			error = intent_finish(mb);
	}
	if (error != STORE_OK) {
		mailbox_close(mb);
		return (error);
	}
	*mbp = mb;
	return (STORE_OK);
}

static enum store_error
mailbox_exclusive(struct mailbox *mb)
{
	mb->exclusive = openat(mb->f->dir, EXCLUSIVE_FILE, O_RDWR | O_CREAT |
	    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (mb->exclusive == -1)
		return (store_errno());
	if (flock(mb->exclusive, LOCK_EX | LOCK_NB) == -1)
		return (STORE_BUSY);
	return (STORE_OK);
}

void
mailbox_close(struct mailbox *mb)
{
	if (mb == NULL)
		return;
	if (mb->mbox != NULL)
		mbox_view_close(mb->mbox);
	if (mb->exclusive != -1)
		close(mb->exclusive);
	if (mb->f != NULL) {
		cachefile_write(mb->f);
		LIST_REMOVE(mb, views);
	}
	folder_release(mb->f);
	view_tell(mb, NULL, NULL);
	buf_free(&mb->cached);
	free(mb->list);
	free(mb);
}

enum store_error
mailbox_sync(struct mailbox *mb, int no_expunge,
    const struct mailbox_changes *changes, void *arg)
{
	enum store_error error;

	if (mb->mbox != NULL)
		return (mbox_sync(mb->mbox, no_expunge, changes, arg));
	cachefile_write(mb->f);
	error = mailbox_untold(mb) ? STORE_OK : mailbox_update(mb, no_expunge);
	view_tell(mb, changes, arg);
	return (error);
}

static enum store_error
mailbox_update(struct mailbox *mb, int no_expunge)
{
	struct folder *f = mb->f;
	enum store_error error;
	int claim;

	if ((error = folder_sync(f, 0)) != STORE_OK)
		return (error);
	(void)keywords_load(&f->kw, f->dir);
	/*
	 * A message is recent in one session.  POP3 has no such thing and
	 * leaves new/ as it is.
	 */
	claim = (mb->flags & (MAILBOX_READONLY | MAILBOX_EXCLUSIVE)) == 0 &&
	    f->ix.hdr.newlow < f->ix.hdr.slots;
	if (claim && (error = folder_lock(f, LOCK_LONG)) != STORE_OK)
		return (error);
	error = view_collect(mb, no_expunge);
	if (error == STORE_CORRUPT && !index_sound(&f->ix) &&
	    (error = folder_sync(f, 1)) == STORE_OK)
		error = view_collect(mb, no_expunge);
	if (claim) {
		if (error == STORE_OK)
			error = view_claim(mb);
		folder_unlock(f);
	}
	return (error);
}

int
mailbox_told(struct mailbox *mb, uint64_t *modseq)
{
	*modseq = mb->ngone > 0 ? mb->told : mb->modseq;
	return (mb->ngone == 0);
}

void
mailbox_status(struct mailbox *mb, struct mailbox_status *s)
{
	const struct index_header *h;
	size_t i;

	memset(s, 0, sizeof(*s));
	if (mb->mbox != NULL) {
		mbox_status(mb->mbox, s);
		return;
	}
	(void)view_fresh(mb);
	s->messages = mb->n;
	s->recent = mb->nrecent;
	s->uidnext = mb->uidnext;
	s->uidvalidity = mb->uidvalidity;
	s->highestmodseq = mb->modseq;
	h = &mb->f->ix.hdr;
	if (view_is_index(mb)) {
		s->unseen = h->unseen;
		s->deleted = h->deleted;
		s->first_unseen = h->unseen == 0 ? 0 : status_unseen(mb);
	} else
		status_count(mb, s);
	for (i = 0; i < sizeof(h->id); i++)
		snprintf(s->id + 2 * i, 3, "%02x", h->id[i]);
}

static uint32_t
status_unseen(struct mailbox *mb)
{
	struct index *ix = &mb->f->ix;
	struct index_mut m;
	uint32_t s;

	for (s = ix->hdr.unseenlow; s < ix->hdr.slots; s = index_next(ix, s))
		if (index_get(ix, s, &m) == 0 && (m.state & REC_LIVE) &&
		    (m.flags & MSG_SEEN) == 0)
			return (mailbox_seq_of_uid(mb, index_uid(ix, s)));
	return (0);
}

/* What this session has been told is not what there is now. */
static void
status_count(struct mailbox *mb, struct mailbox_status *s)
{
	struct view_entry e;
	struct index_mut m;
	uint32_t i;

	for (i = 1; view_at(mb, i, &e) == 0; i++) {
		if (e.slot == UINT32_MAX ||
		    index_get(&mb->f->ix, e.slot, &m) == -1)
			continue;
		if ((m.flags & MSG_SEEN) == 0 && s->unseen++ == 0)
			s->first_unseen = i;
		s->deleted += (m.flags & MSG_DELETED) != 0;
	}
}

uint64_t
mailbox_size(struct mailbox *mb)
{
	const struct store_message *m;
	uint64_t size = 0;
	uint32_t i;

	if (mb->mbox == NULL && view_fresh(mb) == STORE_OK &&
	    view_is_index(mb) && mb->f->ix.hdr.unsized == 0)
		return (mb->f->ix.hdr.size);
	for (i = 1; (m = mailbox_facts(mb, i, FACT_SIZE)) != NULL; i++)
		size += m->size;
	return (size);
}

/*
 * Dead records tell, as far back as they go; before that, each UID that is
 * not there counts.
 */
enum store_error
mailbox_vanished(struct mailbox *mb, uint64_t since, vanished_cb cb,
    void *arg)
{
	struct index *ix;
	struct index_mut m;
	enum store_error error;
	uint32_t s, uid, next = 1;
	int all;

	if (mb->mbox != NULL)
		return (STORE_OK);
	ix = &mb->f->ix;
	if ((error = view_fresh(mb)) == STORE_OK && index_verify(ix) == -1 &&
	    (error = folder_sync(mb->f, 1)) == STORE_OK)
		error = view_fresh(mb);
	if (error != STORE_OK)
		return (error);
	all = since < ix->hdr.floor;
	for (s = 0; s < mb->slots; s = index_next(ix, s)) {
		if ((error = folder_message(mb->f, s, &m)) != STORE_OK)
			return (error);
		/* Replaced while we read: what is not there says nothing. */
		if (mb->epoch != mb->f->epoch)
			return (STORE_BUSY);
		uid = index_uid(ix, s);
		if (all && (m.state & REC_LIVE)) {
			if (uid > next)
				cb(arg, next, uid - 1);
			next = uid + 1;
		} else if (!all && (m.state & REC_LIVE) == 0 &&
		    m.modseq > since)
			cb(arg, uid, uid);
	}
	if (all && next < mb->uidnext)
		cb(arg, next, mb->uidnext - 1);
	return (STORE_OK);
}

const char *
mailbox_keyword(struct mailbox *mb, unsigned int i)
{
	if (mb->mbox != NULL)
		return (mbox_keyword(mb->mbox, i));
	if (i >= STORE_KEYWORDS)
		return (NULL);
	/* Another session may just have made it. */
	if (mb->f->kw.name[i] == NULL)
		(void)keywords_load(&mb->f->kw, mb->f->dir);
	return (mb->f->kw.name[i]);
}

uint32_t
mailbox_keywords(struct mailbox *mb)
{
	uint32_t bits = 0;
	unsigned int i;

	for (i = 0; i < STORE_KEYWORDS; i++)
		if ((mb->mbox != NULL ? mbox_keyword(mb->mbox, i) :
		    mb->f->kw.name[i]) != NULL)
			bits |= 1U << i;
	return (bits);
}

uint32_t
mailbox_permanent(struct mailbox *mb, int *more)
{
	uint32_t all = MSG_SEEN | MSG_ANSWERED | MSG_FLAGGED | MSG_DELETED |
	    MSG_DRAFT;

	*more = mb->mbox == NULL &&
	    mailbox_keywords(mb) != (1U << STORE_KEYWORDS) - 1;
	return (mb->mbox == NULL ? all | MSG_PASSED : all);
}

int
mailbox_keyword_find(struct mailbox *mb, const char *name, int create)
{
	struct folder *f = mb->f;
	int i;

	if (mb->mbox != NULL)
		return (mbox_keyword_find(mb->mbox, name, create));
	if (keywords_load(&f->kw, f->dir) == -1)
		return (-1);
	if ((i = keywords_find(&f->kw, name)) != -1 || !create ||
	    (mb->flags & MAILBOX_READONLY))
		return (i);
	if (folder_lock(f, LOCK_LONG) != STORE_OK)
		return (-1);
	i = keywords_add(&f->kw, f->dir, name);
	folder_unlock(f);
	return (i);
}

uint32_t
mailbox_count(struct mailbox *mb)
{
	return (mb->mbox != NULL ? mbox_count(mb->mbox) : mb->n);
}

const struct store_message *
mailbox_message(struct mailbox *mb, uint32_t seq)
{
	return (mailbox_facts(mb, seq, 0));
}

uint32_t
mailbox_seq_from_uid(struct mailbox *mb, uint32_t uid)
{
	uint32_t lo = 0, hi = mailbox_count(mb), n = hi, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (uid_at(mb, mid + 1) < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo < n ? lo + 1 : 0);
}

uint32_t
mailbox_seq_of_uid(struct mailbox *mb, uint32_t uid)
{
	uint32_t seq = mailbox_seq_from_uid(mb, uid);

	return (seq != 0 && uid_at(mb, seq) == uid ? seq : 0);
}

/* There is a message seq. */
static uint32_t
uid_at(struct mailbox *mb, uint32_t seq)
{
	struct view_entry e;

	if (mb->mbox != NULL)
		return (mbox_message(mb->mbox, seq)->uid);
	if (view_at(mb, seq, &e) == -1)
		return (0);
	/* Damaged, it would mislead who searches: a new index, then. */
	if (e.uid == 0 && folder_sync(mb->f, 1) == STORE_OK)
		(void)view_at(mb, seq, &e);
	return (e.uid);
}
