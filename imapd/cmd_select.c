/*
 * cmd_select: SELECT, EXAMINE, CHECK, CLOSE, UNSELECT (RFC 3691), EXPUNGE and
 * UID EXPUNGE (RFC 4315).
 */
#include "cmd_table.h"
#include "cmd_set.h"
#include "session_reply.h"
#include "session_sync.h"

static void
tell_state(struct client *c, const struct mailbox_status *st)
{
	reply_keywords(c, 1);
	if (c->readonly)
		reply_line(c, "* OK [PERMANENTFLAGS ()] Read-only");
	else
		reply_line(c, "* OK [PERMANENTFLAGS (\\Answered \\Flagged "
		    "\\Deleted \\Seen \\Draft $Forwarded \\*)] Kept");
	reply_line(c, "* %u EXISTS", st->messages);
	reply_line(c, "* %u RECENT", st->recent);
	if (st->first_unseen != 0)
		reply_line(c, "* OK [UNSEEN %u] First unseen",
		    st->first_unseen);
	reply_line(c, "* OK [UIDVALIDITY %u] UIDs valid", st->uidvalidity);
	reply_line(c, "* OK [UIDNEXT %u] Next UID", st->uidnext);
}

static enum cmd_result
open_mailbox(struct client *c, int readonly)
{
	struct mailbox_status st;
	enum store_error e;
	char name[STORE_NAME_MAX + 1];

	if (imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, name, sizeof(name)) == -1 ||
	    imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	/* RFC 3501 6.3.1: the one before is left even if this fails. */
	client_unselect(c);
	if ((e = mailbox_open(c->set->store, name,
	    readonly ? MAILBOX_READONLY : 0, &c->mb)) != STORE_OK) {
		c->mb = NULL;
		return (cmd_store_error(c, e));
	}
	if ((c->mbname = strdup(name)) == NULL) {
		client_unselect(c);
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	}
	c->readonly = readonly;
	c->state = CLIENT_SELECTED;
	memset(&st, 0, sizeof(st));
	mailbox_status(c->mb, &st);
	tell_state(c, &st);
	return (cmd_ok(c, "[READ-%s] %s completed",
	    readonly ? "ONLY" : "WRITE", readonly ? "EXAMINE" : "SELECT"));
}

enum cmd_result
cmd_select(struct client *c)
{
	return (open_mailbox(c, 0));
}

enum cmd_result
cmd_examine(struct client *c)
{
	return (open_mailbox(c, 1));
}

enum cmd_result
cmd_check(struct client *c)
{
	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	return (cmd_ok(c, "CHECK completed"));
}

enum cmd_result
cmd_unselect(struct client *c)
{
	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	client_unselect(c);
	return (cmd_ok(c, "UNSELECT completed"));
}

/* Messages that are \Deleted, of the set if there is one. */
static enum store_error
expunge(struct client *c, const struct imap_seqset *uids,
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
	free(seqs);
	return (e);
}

enum cmd_result
cmd_close(struct client *c)
{
	enum store_error e = STORE_OK;

	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	if (!c->readonly)
		e = expunge(c, NULL, &session_changes_silent);
	client_unselect(c);
	if (e != STORE_OK)
		return (cmd_store_error(c, e));
	return (cmd_ok(c, "CLOSE completed"));
}

enum cmd_result
cmd_expunge(struct client *c)
{
	struct imap_seqset set = { NULL, 0 };
	enum store_error e;

	if (c->uid && (imap_sp(&c->args) == -1 ||
	    imap_seqset(&c->args, &set) == -1)) {
		imap_seqset_free(&set);
		return (cmd_bad_args(c));
	}
	if (imap_end(&c->args) == -1) {
		imap_seqset_free(&set);
		return (cmd_bad_args(c));
	}
	if (c->readonly) {
		imap_seqset_free(&set);
		return (cmd_store_error(c, STORE_READONLY));
	}
	if (c->uid)
		(void)set_resolve(c, &set);
	e = expunge(c, c->uid ? &set : NULL, &session_changes);
	imap_seqset_free(&set);
	if (e != STORE_OK)
		return (cmd_store_error(c, e));
	return (cmd_ok(c, "EXPUNGE completed"));
}
