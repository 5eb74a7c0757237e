/*
 * cmd_set: sets of numbers or UIDs against the selected mailbox.  Walking a
 * set costs the messages that are in it, not those that are named.
 */
#include "cmd_set.h"
#include "imap/write.h"
#include "session_reply.h"

int
set_resolve(struct client *c, struct imap_seqset *set)
{
	const struct store_message *m;
	uint32_t count = mailbox_count(c->mb), last;

	if (set->saved) {
		/* RFC 5182 2.1: those of it that are gone are not named. */
		if (c->saved.n == 0)
			return (0);
		if ((set->v = reallocarray(NULL, c->saved.n,
		    sizeof(*set->v))) == NULL)
			return (-1);
		memcpy(set->v, c->saved.v, c->saved.n * sizeof(*set->v));
		set->n = c->saved.n;
		return (0);
	}
	if (!c->uid) {
		last = imap_seqset_resolve(set, count);
		return (last > count || set->n == 0 || set->v[0].first == 0 ?
		    -1 : 0);
	}
	m = count > 0 ? mailbox_message(c->mb, count) : NULL;
	(void)imap_seqset_resolve(set, m != NULL ? m->uid : 1);
	return (0);
}

uint32_t
set_next(struct client *c, const struct imap_seqset *set, uint32_t seq)
{
	const struct store_message *m;
	uint32_t uid, count = mailbox_count(c->mb);

	if (!c->uid && !set->saved) {
		seq = imap_seqset_next(set, seq);
		return (seq <= count ? seq : 0);
	}
	while (seq <= count && (m = mailbox_message(c->mb, seq)) != NULL) {
		uid = m->uid;
		if (imap_seqset_has(set, uid))
			return (seq);
		/* The next UID of the set, and the message that has it. */
		if ((uid = imap_seqset_next(set, uid)) == 0 ||
		    (seq = mailbox_seq_from_uid(c->mb, uid)) == 0)
			break;
	}
	return (0);
}

uint32_t *
set_collect(struct client *c, const struct imap_seqset *set, size_t *n)
{
	uint32_t *seqs, seq, count = mailbox_count(c->mb);

	*n = 0;
	if (count == 0 ||
	    (seqs = reallocarray(NULL, count, sizeof(*seqs))) == NULL)
		return (NULL);
	for (seq = set_next(c, set, 1); seq != 0 && *n < count;
	    seq = set_next(c, set, seq + 1))
		seqs[(*n)++] = seq;
	if (*n == 0) {
		free(seqs);
		return (NULL);
	}
	return (seqs);
}

void
set_range(const int64_t range[2], int64_t n, int64_t *first, int64_t *last)
{
	if (range[0] > 0) {
		*first = range[0] - 1;
		*last = range[1];
	} else {
		*first = n + range[1];
		*last = n + range[0] + 1;
	}
	if (*first < 0)
		*first = 0;
	if (*last > n)
		*last = n;
	if (*first > *last)
		*first = *last = 0;
}

/* Ranges that are told, as far as they are in the set. */
struct vanished {
	struct client			*c;
	const struct imap_seqset	*set;
	struct imap_range		 held;	/* last of it: 0 none */
	int				 any;
};

static void
tell_held(struct vanished *v)
{
	struct buf *out = sio_out(v->c->io);

	if (v->held.last == 0)
		return;
	reply_check(v->c, buf_puts(out, v->any ? "," :
	    "* VANISHED (EARLIER) "));
	reply_check(v->c, buf_number(out, v->held.first));
	if (v->held.first != v->held.last) {
		reply_check(v->c, buf_puts(out, ":"));
		reply_check(v->c, buf_number(out, v->held.last));
	}
	v->any = 1;
	v->held.last = 0;
}

static void
vanished_range(void *arg, uint32_t first, uint32_t last)
{
	struct vanished *v = arg;
	uint32_t from, to;
	size_t i;

	while (first != 0 && first <= last &&
	    (from = imap_seqset_next(v->set, first)) != 0 && from <= last) {
		i = imap_seqset_find(v->set, from);
		to = v->set->v[i].last < last ? v->set->v[i].last : last;
		if (v->held.last != 0 && from == v->held.last + 1)
			v->held.last = to;
		else {
			tell_held(v);
			v->held.first = from;
			v->held.last = to;
		}
		first = to + 1;
	}
}

enum store_error
set_tell_vanished(struct client *c, const struct imap_seqset *set,
    uint64_t since)
{
	struct vanished v = { .c = c, .set = set };
	enum store_error e;

	e = mailbox_vanished(c->mb, since, vanished_range, &v);
	tell_held(&v);
	if (v.any)
		reply_bytes(c, "\r\n", 2);
	return (e);
}
