/*
 * mboxview: what one session has been told of an mbox.
 */
#include <sys/file.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/file.h"
#include "store/crlf.h"
#include "store/mbox.h"
#include "store/mboxview.h"

struct mboxview {
	struct mbox	*mbox;
	unsigned int	 flags;
	int		 exclusive;	/* a descriptor, or -1 */
	struct seen {
		uint32_t	uid;
		uint32_t	flags;
		int		recent;
		int		gone;
	}		*list;
	uint32_t	 n;
	uint32_t	 last;		/* highest UID told */
	uint32_t	 at;		/* flags from there on are not told */
	int		 untold;
	struct store_message msg;
};

static enum store_error view_merge(struct mboxview *, int,
    const struct mailbox_changes *, void *);
static enum store_error view_extend(struct mboxview *, uint32_t *);
static void view_flags(struct mboxview *, const struct mailbox_changes *,
    void *);

enum store_error
mbox_view(struct mbox *m, unsigned int flags, struct mboxview **vp)
{
	struct mboxview *v;
	enum store_error error;

	if ((v = calloc(1, sizeof(*v))) == NULL)
		return (STORE_SYS);
	v->mbox = m;
	v->flags = flags;
	v->exclusive = -1;
	if (flags & MAILBOX_EXCLUSIVE) {
		v->exclusive = file_open(m->dir, m->name);
		if (v->exclusive != -1 &&
		    flock(v->exclusive, LOCK_EX | LOCK_NB) == -1) {
			mbox_view_close(v);
			return (STORE_BUSY);
		}
	}
	if ((error = mbox_sync(v, 0, NULL, NULL)) != STORE_OK) {
		mbox_view_close(v);
		return (error);
	}
	*vp = v;
	return (STORE_OK);
}

void
mbox_view_close(struct mboxview *v)
{
	if (v->mbox->dirty && (v->flags & MAILBOX_READONLY) == 0)
		(void)mbox_refresh(v->mbox, 1);
	if (v->exclusive != -1)
		close(v->exclusive);
	free(v->list);
	free(v);
}

enum store_error
mbox_sync(struct mboxview *v, int no_expunge,
    const struct mailbox_changes *ch, void *arg)
{
	enum store_error error;

	error = mbox_refresh(v->mbox, (v->flags & MAILBOX_READONLY) == 0);
	if (error == STORE_OK)
		error = view_merge(v, no_expunge, ch, arg);
	if (error != STORE_OK)
		v->untold = 0;		/* the next one begins again */
	return (error);
}

/* Bring the view up to the text, and tell. */
static enum store_error
view_merge(struct mboxview *v, int no_expunge,
    const struct mailbox_changes *ch, void *arg)
{
	struct seen *s;
	enum store_error error;
	uint32_t i, n = 0, added = 0, recent = 0;

	for (i = v->n; i > 0; i--) {
		s = &v->list[i - 1];
		s->gone = mbox_find(v->mbox, s->uid) == NULL;
		if (s->gone && !no_expunge && ch != NULL &&
		    ch->expunged != NULL)
			ch->expunged(arg, i, s->uid);
	}
	for (i = 0; i < v->n; i++)
		if (!v->list[i].gone || no_expunge)
			v->list[n++] = v->list[i];
	if (n != v->n || !v->untold)
		v->at = 0;
	v->n = n;
	if ((error = view_extend(v, &added)) != STORE_OK)
		return (error);
	for (i = 0; i < v->n; i++)
		recent += v->list[i].recent != 0;
	if (added > 0 && ch != NULL && ch->exists != NULL)
		ch->exists(arg, v->n, recent);
	view_flags(v, ch, arg);
	return (STORE_OK);
}

/* As many as there is room for; the others go on differing. */
static void
view_flags(struct mboxview *v, const struct mailbox_changes *ch, void *arg)
{
	struct mbox_message *m;
	struct seen *s;

	v->untold = 0;
	for (; v->at < v->n; v->at++) {
		s = &v->list[v->at];
		if ((m = mbox_find(v->mbox, s->uid)) == NULL ||
		    m->flags == s->flags)
			continue;
		if (ch != NULL && ch->full != NULL && ch->full(arg)) {
			v->untold = 1;
			return;
		}
		s->flags = m->flags;
		if (ch != NULL && ch->flags != NULL)
			ch->flags(arg, v->at + 1);
	}
}

int
mbox_untold(const struct mboxview *v)
{
	return (v->untold);
}

static enum store_error
view_extend(struct mboxview *v, uint32_t *added)
{
	struct mbox *mb = v->mbox;
	struct mbox_message *m;
	struct seen *p;
	size_t i;

	p = reallocarray(v->list, (size_t)v->n + mb->text.n + 1, sizeof(*p));
	if (p == NULL)
		return (STORE_SYS);
	v->list = p;
	for (i = 0; i < mb->text.n; i++) {
		m = &mb->text.list[i];
		if (m->hidden || m->uid <= v->last)
			continue;
		p = &v->list[v->n++];
		p->uid = v->last = m->uid;
		p->flags = m->flags;
		p->recent = !m->old;
		p->gone = 0;
		/* Told: from now on it is an old one. */
		if (!m->old && (v->flags & MAILBOX_READONLY) == 0)
			m->old = mb->dirty = 1;
		(*added)++;
	}
	return (STORE_OK);
}

void
mbox_status(struct mboxview *v, struct mailbox_status *s)
{
	struct mbox_message *m;
	uint32_t i;

	memset(s, 0, sizeof(*s));
	s->messages = v->n;
	s->uidvalidity = v->mbox->text.uidvalidity;
	s->uidnext = v->mbox->text.uidnext;
	if (s->uidvalidity == 0) {
		s->uidvalidity = (uint32_t)time(NULL);
		s->uidnext = 1;
	}
	for (i = 0; i < v->n; i++) {
		s->recent += v->list[i].recent != 0;
		if ((m = mbox_find(v->mbox, v->list[i].uid)) == NULL)
			continue;
		s->deleted += (m->flags & MSG_DELETED) != 0;
		if ((m->flags & MSG_SEEN) == 0 && s->unseen++ == 0)
			s->first_unseen = i + 1;
	}
	snprintf(s->id, sizeof(s->id), "mbox%08x",
	    (unsigned int)s->uidvalidity);
}

/* There is no place for keywords that all programs agree on. */
const char *
mbox_keyword(struct mboxview *v, unsigned int i)
{
	(void)v;
	(void)i;
	return (NULL);
}

int
mbox_keyword_find(struct mboxview *v, const char *name, int create)
{
	(void)v;
	(void)name;
	(void)create;
	return (-1);
}

uint32_t
mbox_count(const struct mboxview *v)
{
	return (v->n);
}

const struct store_message *
mbox_message(struct mboxview *v, uint32_t seq)
{
	struct mbox_message *m;
	struct seen *s;

	if (seq == 0 || seq > v->n)
		return (NULL);
	s = &v->list[seq - 1];
	memset(&v->msg, 0, sizeof(v->msg));
	v->msg.uid = s->uid;
	/* This is the only mailbox that there is, so its UIDs will do. */
	v->msg.emailid = (uint64_t)v->mbox->text.uidvalidity << 32 | s->uid;
	v->msg.flags = s->flags | (s->recent ? MSG_RECENT : 0);
	if ((m = mbox_find(v->mbox, s->uid)) != NULL) {
		v->msg.size = m->size;
		v->msg.text = crlf_text(v->mbox->text.data + m->head,
		    m->stop - m->head);
		v->msg.internal = v->msg.saved = m->internal;
	}
	return (&v->msg);
}

enum store_error
mbox_text(struct mboxview *v, uint32_t seq, struct message_text *text)
{
	struct mbox_message *m;

	memset(text, 0, sizeof(*text));
	if (seq == 0 || seq > v->n ||
	    (m = mbox_find(v->mbox, v->list[seq - 1].uid)) == NULL)
		return (STORE_NOENT);
	if ((text->data = malloc(m->size + 1)) == NULL)
		return (STORE_SYS);
	text->len = m->size;
	mboxtext_export(&v->mbox->text, m, text->data);
	return (STORE_OK);
}

enum store_error
mbox_store(struct mboxview *v, uint32_t seq, enum flag_op op, uint32_t flags,
    uint32_t keywords)
{
	struct mbox_message *m;

	(void)keywords;
	if (v->mbox->readonly)
		return (STORE_READONLY);
	if (seq == 0 || seq > v->n ||
	    (m = mbox_find(v->mbox, v->list[seq - 1].uid)) == NULL)
		return (STORE_NOENT);
	flags &= MSG_SEEN | MSG_ANSWERED | MSG_FLAGGED | MSG_DELETED |
	    MSG_DRAFT;
	if (op == FLAGS_ADD)
		flags |= m->flags;
	else if (op == FLAGS_REMOVE)
		flags = m->flags & ~flags;
	if (flags != m->flags)
		v->mbox->dirty = v->mbox->changed = m->dirty = 1;
	m->flags = v->list[seq - 1].flags = flags;
	return (STORE_OK);
}

enum store_error
mbox_expunge(struct mboxview *v, const uint32_t *seqs, size_t n,
    const struct mailbox_changes *ch, void *arg)
{
	enum store_error error;
	uint32_t *uids;
	size_t i, nuids = 0;

	if ((uids = calloc(n + 1, sizeof(*uids))) == NULL)
		return (STORE_SYS);
	for (i = 0; i < n; i++)
		if (seqs[i] > 0 && seqs[i] <= v->n)
			uids[nuids++] = v->list[seqs[i] - 1].uid;
	error = mbox_remove(v->mbox, uids, nuids);
	free(uids);
	return (error != STORE_OK ? error : view_merge(v, 0, ch, arg));
}
