/*
 * cmd_expunge: EXPUNGE and UID EXPUNGE (RFC 4315).
 */
#include "cmd_expunge.h"
#include "cmd_set.h"
#include "cmd_table.h"
#include "session_reply.h"
#include "session_sync.h"

enum store_error
expunge_deleted(struct client *c, const struct imap_seqset *uids,
    const struct mailbox_changes *changes)
{
	const struct store_message *m;
	enum store_error e = STORE_OK;
	uint32_t seq, *seqs, n = 0, count = mailbox_count(c->mb);

	if (count == 0)
		return (STORE_OK);
	if ((seqs = reallocarray(NULL, count, sizeof(*seqs))) == NULL)
		return (STORE_LIMIT);
	for (seq = 1; seq <= count; seq++) {
		if ((m = mailbox_message(c->mb, seq)) != NULL &&
		    (m->flags & MSG_DELETED) &&
		    (uids == NULL || imap_seqset_has(uids, m->uid)))
			seqs[n++] = seq;
	}
	if (n > 0)
		e = mailbox_expunge(c->mb, seqs, n, changes, c);
	if (n > 0)
		client_settle(c);
	free(seqs);
	return (e);
}

static enum cmd_result
expunge(struct client *c, struct imap_seqset *uids)
{
	enum store_error e;

	if (c->uid)
		(void)set_resolve(c, uids);
	e = expunge_deleted(c, c->uid ? uids : NULL, &session_changes);
	session_tell_vanished(c);
	if (e != STORE_OK)
		return (cmd_store_error(c, e));
	return (session_expunged(c, "EXPUNGE"));
}

enum cmd_result
cmd_expunge(struct client *c)
{
	struct imap_seqset set = { NULL, 0, 0 };
	enum cmd_result result;

	if ((c->uid && (imap_sp(&c->args) == -1 ||
	    imap_seqset(&c->args, &set) == -1)) || imap_end(&c->args) == -1)
		result = cmd_bad_args(c);
	else
		result = expunge(c, &set);
	imap_seqset_free(&set);
	return (result);
}
