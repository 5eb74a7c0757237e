/*
 * cmd_select: SELECT and EXAMINE (RFC 9051 6.3.2, CONDSTORE and QRESYNC of RFC
 * 7162, MAILBOXID of RFC 8474).
 */
#include "cmd_list.h"
#include "cmd_set.h"
#include "cmd_table.h"
#include "session_reply.h"

#define MESSAGES_A_TURN	5000

struct run {
	char			name[STORE_NAME_MAX + 1];
	int			readonly;
	int			qresync;
	uint32_t		uidvalidity;
	uint64_t		modseq;
	struct imap_seqset	known;		/* UIDs; n == 0: all */
	struct imap_seqset	seqs, uids;	/* read and of no use */
	uint32_t		next;
};

static enum cmd_result	step(struct client *, void *);
static void		run_free(void *);

static const struct cmd_run select_ops = { step, NULL, run_free };

static void
run_free(void *arg)
{
	struct run *run = arg;

	imap_seqset_free(&run->known);
	imap_seqset_free(&run->seqs);
	imap_seqset_free(&run->uids);
	free(run);
}

/*
 * RFC 7162 3.2.5: (uidvalidity modseq [known-uids] [(numbers uids)]).  The
 * numbers would save a server without a log of expunges some work.
 */
static int
qresync(struct client *c, struct run *run)
{
	struct imap_parser *p = &c->args;

	run->qresync = 1;
	if (imap_sp(p) == -1 || imap_expect(p, '(') == -1 ||
	    imap_nznumber(p, &run->uidvalidity) == -1 || imap_sp(p) == -1 ||
	    imap_number64(p, &run->modseq) == -1)
		return (-1);
	if (imap_accept(p, ' ')) {
		if (imap_peek(p) != '(') {
			if (imap_seqset(p, &run->known) == -1)
				return (-1);
			if (imap_accept(p, ')'))
				return (0);
			if (imap_sp(p) == -1)
				return (-1);
		}
		/* RFC 9586 3: no message numbers. */
		if (c->enabled & ENABLED_UIDONLY)
			return (imap_error(p, "[UIDREQUIRED] Message numbers "
			    "are not used"));
		if (imap_expect(p, '(') == -1 ||
		    imap_seqset(p, &run->seqs) == -1 || imap_sp(p) == -1 ||
		    imap_seqset(p, &run->uids) == -1 ||
		    imap_expect(p, ')') == -1)
			return (-1);
	}
	return (imap_expect(p, ')'));
}

static int
parameters(struct client *c, struct run *run)
{
	struct imap_parser *p = &c->args;
	struct imap_str s;

	if (!imap_accept(p, ' '))
		return (0);
	if (imap_expect(p, '(') == -1)
		return (-1);
	do {
		if (imap_atom(p, &s) == -1)
			return (-1);
		if (imap_str_is(&s, "CONDSTORE"))
			c->enabled |= ENABLED_CONDSTORE;
		else if (!imap_str_is(&s, "QRESYNC"))
			return (imap_error(p, "Unknown parameter"));
		else if ((c->enabled & ENABLED_QRESYNC) == 0)
			return (imap_error(p, "QRESYNC is not enabled"));
		else if (qresync(c, run) == -1)
			return (-1);
	} while (imap_accept(p, ' '));
	return (imap_expect(p, ')'));
}

static void
tell_state(struct client *c, const struct mailbox_status *st)
{
	int rev2 = (c->enabled & ENABLED_REV2) != 0;

	reply_keywords(c, 1);
	reply_line(c, "* %u EXISTS", st->messages);
	if (!rev2)
		reply_line(c, "* %u RECENT", st->recent);
	if (!rev2 && st->first_unseen != 0 &&
	    (c->enabled & ENABLED_UIDONLY) == 0)
		reply_line(c, "* OK [UNSEEN %u] First unseen",
		    st->first_unseen);
	reply_line(c, "* OK [UIDVALIDITY %u] UIDs valid", st->uidvalidity);
	reply_line(c, "* OK [UIDNEXT %u] Next UID", st->uidnext);
	if (st->highestmodseq != 0)
		reply_line(c, "* OK [HIGHESTMODSEQ %llu] Highest",
		    (unsigned long long)st->highestmodseq);
	else
		reply_line(c, "* OK [NOMODSEQ] No mod-sequences");
	if (st->id[0] != '\0')
		reply_line(c, "* OK [MAILBOXID (%s)] Its name for good",
		    st->id);
	if (rev2)
		list_tell_one(c, c->mbname);	/* RFC 9051 6.3.2 */
}

static enum cmd_result
done(struct client *c)
{
	return (cmd_ok(c, "[READ-%s] %s completed",
	    c->readonly ? "ONLY" : "WRITE", c->readonly ? "EXAMINE" :
	    "SELECT"));
}

/* QRESYNC: which messages have changed since then. */
static enum cmd_result
step(struct client *c, void *arg)
{
	const struct store_message *m;
	struct run *run = arg;
	int n;

	for (n = 0; n < MESSAGES_A_TURN && !sio_full(c->io);
	    n++, run->next++) {
		if ((m = mailbox_message(c->mb, run->next)) == NULL)
			return (done(c));
		if (m->modseq <= run->modseq ||
		    (run->known.n > 0 && !imap_seqset_has(&run->known, m->uid)))
			continue;
		reply_flags(c, run->next, 1);
	}
	return (CMD_MORE);
}

/* RFC 7162 3.2.5: expunges first, then changes. */
static enum cmd_result
resync(struct client *c, struct run *run, const struct mailbox_status *st)
{
	struct imap_range all = { 1, UINT32_MAX };
	struct imap_seqset set = { &all, 1, 0 };
	enum store_error e;

	if (!run->qresync || run->uidvalidity != st->uidvalidity ||
	    run->modseq >= st->highestmodseq)
		return (done(c));
	if (st->uidnext > 1)
		all.last = st->uidnext - 1;
	if (run->known.n > 0)
		(void)imap_seqset_resolve(&run->known, all.last);
	e = set_tell_vanished(c, run->known.n > 0 ? &run->known : &set,
	    run->modseq);
	if (e != STORE_OK)
		return (cmd_store_error(c, e));
	run->next = 1;
	return (step(c, run));
}

static enum cmd_result
open_mailbox(struct client *c, struct run *run)
{
	struct mailbox_status st = { 0 };
	enum store_error e;
	int was_open = c->mb != NULL;

	/* RFC 3501 6.3.1: the one before is left even if this fails. */
	client_unselect(c);
	/* RFC 7162 3.2.11: to every client. */
	if (was_open)
		reply_line(c, "* OK [CLOSED] Previous mailbox closed");
	if ((e = mailbox_open(c->set->store, run->name,
	    run->readonly ? MAILBOX_READONLY : 0, &c->mb)) != STORE_OK) {
		c->mb = NULL;
		return (cmd_store_error(c, e));
	}
	if ((c->mbname = strdup(run->name)) == NULL) {
		client_unselect(c);
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	}
	c->readonly = run->readonly;
	c->state = CLIENT_SELECTED;
	mailbox_status(c->mb, &st);
	c->nomodseq = st.highestmodseq == 0;
	tell_state(c, &st);
	return (resync(c, run, &st));
}

static enum cmd_result
select_or_examine(struct client *c, int readonly)
{
	struct run *run;

	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	(void)client_run(c, &select_ops, run, CMD_MORE);
	run->readonly = readonly;
	if (imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, run->name, sizeof(run->name)) == -1 ||
	    parameters(c, run) == -1 || imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	return (open_mailbox(c, run));
}

enum cmd_result
cmd_select(struct client *c)
{
	return (select_or_examine(c, 0));
}

enum cmd_result
cmd_examine(struct client *c)
{
	return (select_or_examine(c, 1));
}
