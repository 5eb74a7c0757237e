/*
 * cmd_set: sets of numbers or UIDs against the selected mailbox.  Walking a
 * set costs the messages that are in it, not those that are named.
 */
#include "cmd_set.h"

int
set_resolve(struct client *c, struct imap_seqset *set)
{
	const struct store_message *m;
	uint32_t count = mailbox_count(c->mb), last;

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

	if (!c->uid) {
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
