/*
 * cmd_fetch: FETCH and UID FETCH (RFC 9051 6.4.5, 3516, 7162, 8474, 8514,
 * 8970, 9394, 9586).
 *
 * A message's text is in memory while its answer is written, one message at a
 * time, and only if the cache has not what is asked for.  Large sections leave
 * in chunks, a turn each, so that output is bounded by its mark and others get
 * their turns.  Output is sent in pieces of some 64 KB.
 */
#include "cmd_fetch_part.h"
#include "cmd_fetch_run.h"
#include "cmd_set.h"
#include "cmd_table.h"
#include "imap/write.h"
#include "session_reply.h"
#include "session_sync.h"

#define CHUNK		(16 * 1024)
#define MESSAGES_A_TURN	1000
#define BYTES_A_TURN	(4 * 1024 * 1024)	/* read, or made sections of */

static enum cmd_result	step(struct client *, void *);
static void		run_free(void *);

static const struct cmd_run fetch_ops = { step, NULL, run_free };

static void
forget_message(struct fetch_run *run)
{
	buf_free(&run->fields);
	if (run->have_tree)
		mime_tree_free(&run->tree);
	if (run->have_text)
		message_text_free(&run->text);
	run->have_text = run->have_tree = 0;
	run->seq = 0;
}

static void
run_free(void *arg)
{
	struct fetch_run *run = arg;

	forget_message(run);
	free(run->seqs);
	imap_fetch_free(&run->fetch);
	imap_seqset_free(&run->set);
	free(run);
}

enum store_error
fetch_text(struct client *c, struct fetch_run *run, int tree)
{
	enum store_error e;

	if (!run->have_text) {
		e = mailbox_message_text(c->mb, run->seq, &run->text);
		if (e != STORE_OK)
			return (e);
		run->have_text = 1;
		run->read += run->text.len;
		run->tree.text = run->text.data;
		run->tree.len = run->text.len;
	}
	if (tree && !run->have_tree) {
		if (mime_tree_parse(&run->tree, run->text.data,
		    run->text.len) == -1)
			return (STORE_SYS);
		run->have_tree = 1;
	}
	return (STORE_OK);
}

/*
 * STORE_NOENT: it is gone; others hear of that at the end.  *cached is NULL
 * if the cache could not help and the text is there instead.
 */
static enum store_error
load(struct client *c, struct fetch_run *run, struct store_cached *values,
    const struct store_cached **cached)
{
	enum store_error e;

	*cached = values;
	if (run->need_text &&
	    (e = fetch_text(c, run, run->need_tree)) != STORE_OK)
		return (e);
	if (run->cached == 0)
		return (STORE_OK);
	e = mailbox_cached(c->mb, run->seq, run->cached, values);
	if (e != STORE_LIMIT)
		return (e);
	*cached = NULL;
	return (fetch_text(c, run, 1));
}

static enum store_error
mark_seen(struct client *c, uint32_t seq, struct store_message *m)
{
	const struct store_change seen = {
		.op = FLAGS_ADD, .flags = MSG_SEEN,
		.unchangedsince = UINT64_MAX
	};
	struct store_changed done = { .error = STORE_OK };
	enum store_error e;

	e = mailbox_change(c->mb, &seq, 1, &seen, &done);
	if (e != STORE_OK)
		return (e);
	if (done.error == STORE_OK) {
		m->flags |= MSG_SEEN;
		m->modseq = done.modseq;
	}
	return (done.error);
}

static unsigned int
facts_for(uint32_t items)
{
	return ((items & IMAP_FETCH_SIZE ? FACT_SIZE : 0) |
	    (items & (IMAP_FETCH_INTERNALDATE | IMAP_FETCH_SAVEDATE) ?
	    FACT_DATES : 0));
}

static enum store_error
begin_message(struct client *c, struct fetch_run *run, uint32_t seq)
{
	const struct store_cached *cached;
	const struct store_message *p;
	struct store_message m;
	struct store_cached values;
	uint32_t items = run->fetch.items;
	enum store_error e;

	if ((p = mailbox_facts(c->mb, seq, facts_for(items))) == NULL ||
	    p->gone)
		return (STORE_NOENT);
	m = *p;
	run->seq = seq;
	if (run->sets_seen && !c->readonly && (m.flags & MSG_SEEN) == 0 &&
	    mark_seen(c, seq, &m) == STORE_OK) {
		items |= IMAP_FETCH_FLAGS;
		/* RFC 7162 3.2.4 */
		if ((c->enabled & ENABLED_CONDSTORE) && !c->nomodseq)
			items |= IMAP_FETCH_MODSEQ |
			    (c->enabled & ENABLED_UIDONLY ? 0 :
			    IMAP_FETCH_UID);
	}
	if ((e = load(c, run, &values, &cached)) != STORE_OK) {
		forget_message(run);
		return (e);
	}
	run->section = 0;
	reply_fetch(c, seq, m.uid);
	fetch_items(c, run, &m, items, cached);
	if (run->fetch.nsections > 0 && items != 0)
		reply_check(c, buf_puts(sio_out(c->io), " "));
	return (STORE_OK);
}

static enum store_error
begin_section(struct client *c, struct fetch_run *run)
{
	const struct imap_section *s = &run->fetch.sections[run->section];
	struct buf *out = sio_out(c->io);
	enum store_error e = STORE_OK;

	if (run->section++ > 0)
		reply_check(c, buf_puts(out, " "));
	reply_check(c, imap_write_section(out, s));
	switch (fetch_part(c, run, s, &e)) {
	case PART_BYTES:
		break;
	case PART_SIZE:
		reply_check(c, buf_puts(out, " "));
		reply_check(c, buf_number(out, run->left));
		run->left = 0;
		return (STORE_OK);
	case PART_NIL:
		reply_check(c, buf_puts(out, " NIL"));
		run->left = 0;
		return (STORE_OK);
	case PART_ERROR:
		run->left = 0;
		return (e);
	}
	run->binary = s->binary == BINARY_DATA && run->left > 0 &&
	    memchr(run->p, '\0', run->left) != NULL;
	if (run->left == 0)
		reply_check(c, buf_puts(out, " \"\""));
	else {
		reply_check(c, buf_puts(out, run->binary ? " ~{" : " {"));
		reply_check(c, buf_number(out, run->left));
		reply_check(c, buf_puts(out, "}\r\n"));
	}
	return (STORE_OK);
}

/* RFC 3501 9: no NUL in a literal; 0x80 stands for it, of the same length. */
static void
reply_chunk(struct client *c, struct fetch_run *run)
{
	size_t i, n = run->left < CHUNK ? run->left : CHUNK;
	char *room;

	if ((room = buf_reserve(sio_out(c->io), n)) == NULL) {
		sio_fail(c->io);
		run->left = 0;
		return;
	}
	memcpy(room, run->p, n);
	if (!run->binary && memchr(room, '\0', n) != NULL)
		for (i = 0; i < n; i++)
			if (room[i] == '\0')
				room[i] = (char)0x80;
	buf_commit(sio_out(c->io), n);
	run->p += n;
	run->left -= n;
}

static enum cmd_result
all_done(struct client *c, const struct fetch_run *run)
{
	if (run->sets_seen)
		client_settle(c);
	if (run->failed == STORE_NOENT)
		return (cmd_no(c, "[EXPUNGEISSUED] Some messages are gone"));
	if (run->failed != STORE_OK)
		return (cmd_store_error(c, run->failed));
	if (run->unknown_cte)
		return (cmd_no(c, "[UNKNOWN-CTE] Cannot decode all parts"));
	return (cmd_ok(c, "FETCH completed"));
}

/* The next message that is wanted; 0 at the end. */
static uint32_t
next_message(struct client *c, struct fetch_run *run)
{
	const struct store_message *m;
	uint32_t seq;

	if (run->fetch.partial)
		return (run->at < run->nseqs ? run->seqs[run->at++] : 0);
	while ((seq = set_next(c, &run->set, run->next)) != 0) {
		run->next = seq + 1;
		if (!run->fetch.changed ||
		    ((m = mailbox_message(c->mb, seq)) != NULL &&
		    m->modseq > run->fetch.since))
			break;
	}
	return (seq);
}

static enum cmd_result
step(struct client *c, void *arg)
{
	struct fetch_run *run = arg;
	enum store_error e = STORE_OK;
	uint32_t seq;
	int n = 0;

	run->read = 0;
	while (!sio_full(c->io) && n < MESSAGES_A_TURN &&
	    run->read < BYTES_A_TURN) {
		if (run->left > 0)
			reply_chunk(c, run);
		else if (run->seq != 0 &&
		    run->section < run->fetch.nsections)
			e = begin_section(c, run);
		else if (run->seq != 0) {
			reply_bytes(c, ")\r\n", 3);
			forget_message(run);
		} else if ((seq = next_message(c, run)) != 0) {
			n++;
			e = begin_message(c, run, seq);
			if (e != STORE_OK && run->seq == 0) {
				/* The next ones do not suffer for it. */
				run->failed = e;
				e = STORE_OK;
			}
		} else
			return (all_done(c, run));
		if (e != STORE_OK) {
			/* A line that was begun cannot be taken back. */
			sio_fail(c->io);
			return (cmd_store_error(c, e));
		}
	}
	return (CMD_MORE);
}

static int
arguments(struct client *c, struct fetch_run *run)
{
	struct imap_parser *p = &c->args;

	if (imap_sp(p) == -1 || imap_seqset(p, &run->set) == -1 ||
	    imap_sp(p) == -1 || imap_fetch(p, &run->fetch) == -1)
		return (-1);
	/* RFC 7162 3.2.6 */
	if (run->fetch.vanished &&
	    (!c->uid || (c->enabled & ENABLED_QRESYNC) == 0))
		return (imap_error(p, "VANISHED needs UID FETCH and QRESYNC"));
	if (run->fetch.partial && !c->uid)
		return (imap_error(p, "PARTIAL needs UID FETCH"));
	/* RFC 7162 3.1.2.2 */
	if (c->nomodseq && (run->fetch.changed ||
	    (run->fetch.items & IMAP_FETCH_MODSEQ)))
		return (imap_error(p, "No mod-sequences here"));
	return (imap_end(p));
}

/* RFC 9394 3.3: of the messages that are there, those in the range. */
static enum store_error
pick_partial(struct client *c, struct fetch_run *run)
{
	const struct store_message *m;
	int64_t first, last, n = 0;
	size_t i, all;

	if ((run->seqs = set_collect(c, &run->set, &all)) == NULL)
		return (all == 0 ? STORE_OK : STORE_LIMIT);
	for (i = 0; i < all; i++)
		if (!run->fetch.changed ||
		    ((m = mailbox_message(c->mb, run->seqs[i])) != NULL &&
		    m->modseq > run->fetch.since))
			run->seqs[n++] = run->seqs[i];
	set_range(run->fetch.range, n, &first, &last);
	run->at = (size_t)first;
	run->nseqs = (size_t)last;
	return (STORE_OK);
}

/*
 * RFC 7162 3.2.6.  Here '*' is the last UID that there ever was, or those
 * behind the last message would never be told.
 */
static enum store_error
tell_vanished(struct client *c, const struct imap_seqset *asked,
    uint64_t since)
{
	struct mailbox_status st = { 0 };
	struct imap_seqset set = { NULL, 0, 0 };
	enum store_error e;

	if (asked->n == 0)
		return (STORE_OK);
	if ((set.v = reallocarray(NULL, asked->n, sizeof(*set.v))) == NULL)
		return (STORE_LIMIT);
	memcpy(set.v, asked->v, asked->n * sizeof(*set.v));
	set.n = asked->n;
	mailbox_status(c->mb, &st);
	(void)imap_seqset_resolve(&set, st.uidnext > 1 ? st.uidnext - 1 : 1);
	e = set_tell_vanished(c, &set, since);
	imap_seqset_free(&set);
	return (e);
}

static void
prepare(struct client *c, struct fetch_run *run)
{
	const struct imap_section *s;
	size_t i;

	if (c->uid && (c->enabled & ENABLED_UIDONLY) == 0)
		run->fetch.items |= IMAP_FETCH_UID;
	if (run->fetch.changed)
		run->fetch.items |= IMAP_FETCH_MODSEQ;
	if (run->fetch.items & IMAP_FETCH_MODSEQ)
		session_condstore(c);
	run->cached = fetch_items_need(run->fetch.items);
	for (i = 0; i < run->fetch.nsections; i++) {
		s = &run->fetch.sections[i];
		if (fetch_part_cached(s))
			run->cached |= CACHED_BIT(CACHED_FIELDS);
		else
			run->need_text = 1;
		run->need_tree |= s->nparts > 0;
		run->sets_seen |= !s->peek;
	}
	run->next = 1;
}

enum cmd_result
cmd_fetch(struct client *c)
{
	struct fetch_run *run;
	enum store_error e;

	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	(void)client_run(c, &fetch_ops, run, CMD_MORE);
	if (arguments(c, run) == -1)
		return (cmd_bad_args(c));
	if (run->fetch.vanished &&
	    (e = tell_vanished(c, &run->set, run->fetch.since)) != STORE_OK)
		return (cmd_store_error(c, e));
	if (set_resolve(c, &run->set) == -1)
		return (cmd_bad(c, "No such message"));
	prepare(c, run);
	if (run->fetch.partial && (e = pick_partial(c, run)) != STORE_OK)
		return (cmd_store_error(c, e));
	return (step(c, run));
}
