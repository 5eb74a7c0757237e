/*
 * cmd_store: STORE and UID STORE (RFC 9051 6.4.6, RFC 7162 3.1.3).
 *
 * Some messages a turn under one lock; one sync for all, before the answer.
 */
#include "cmd_set.h"
#include "cmd_table.h"
#include "imap/flags.h"
#include "session_reply.h"
#include "session_sync.h"

#define STORES_A_TURN	256		/* each may rename a file */

struct run {
	struct imap_seqset	set;
	struct imap_flags	flags;
	struct store_change	change;
	int			conditional;
	int			silent;
	uint32_t		next;
	int			missing;
	int			ended;
	uint32_t	       *modified;	/* numbers, or UIDs */
	size_t			nmodified, room;
};

static enum cmd_result	step(struct client *, void *);
static void		run_free(void *);

static const struct cmd_run store_ops = { step, NULL, run_free };

static void
run_free(void *arg)
{
	struct run *run = arg;

	imap_seqset_free(&run->set);
	free(run->modified);
	free(run);
}

/* " (UNCHANGEDSINCE n)" where it is. */
static int
modifiers(struct imap_parser *p, struct run *run)
{
	struct imap_str s;

	run->change.unchangedsince = UINT64_MAX;
	if (!imap_accept(p, '('))
		return (0);
	if (imap_atom(p, &s) == -1 || imap_sp(p) == -1)
		return (-1);
	if (!imap_str_is(&s, "UNCHANGEDSINCE"))
		return (imap_error(p, "Unknown modifier"));
	run->conditional = 1;
	if (imap_number64(p, &run->change.unchangedsince) == -1 ||
	    imap_expect(p, ')') == -1)
		return (-1);
	return (imap_sp(p));
}

static int
operation(struct imap_parser *p, struct run *run)
{
	struct imap_str s;

	run->change.op = FLAGS_SET;
	if (imap_accept(p, '+'))
		run->change.op = FLAGS_ADD;
	else if (imap_accept(p, '-'))
		run->change.op = FLAGS_REMOVE;
	if (imap_atom(p, &s) == -1)
		return (-1);
	run->silent = imap_str_is(&s, "FLAGS.SILENT");
	if (!run->silent && !imap_str_is(&s, "FLAGS"))
		return (imap_error(p, "Expected FLAGS"));
	return (0);
}

static int
arguments(struct imap_parser *p, struct run *run)
{
	if (imap_sp(p) == -1 || imap_seqset(p, &run->set) == -1 ||
	    imap_sp(p) == -1 || modifiers(p, run) == -1 ||
	    operation(p, run) == -1 || imap_sp(p) == -1 ||
	    imap_flags(p, &run->flags) == -1)
		return (-1);
	run->change.flags = run->flags.system;
	return (imap_end(p));
}

/* The bits of keywords; one that is not there yet is made, unless removed. */
static int
keyword_bits(struct client *c, struct run *run)
{
	char word[IMAP_KEYWORD_LEN + 1];
	size_t i;
	int n;

	for (i = 0; i < run->flags.n; i++) {
		if (imap_str_copy(&run->flags.keyword[i], word,
		    sizeof(word)) == -1)
			return (-1);
		n = mailbox_keyword_find(c->mb, word,
		    run->change.op != FLAGS_REMOVE);
		if (n >= 0 && n < STORE_KEYWORDS)
			run->change.keywords |= 1u << n;
		else if (run->change.op != FLAGS_REMOVE)
			return (-1);
	}
	return (0);
}

/* RFC 7162 3.1.3: the client is told the new mod-sequence in any case. */
static void
tell_modseq(struct client *c, uint32_t seq, uint64_t modseq)
{
	const struct store_message *m = mailbox_message(c->mb, seq);
	uint32_t uid;

	if (m == NULL)
		return;
	uid = m->uid;
	reply_fetch(c, seq, uid);
	if ((c->enabled & ENABLED_UIDONLY) == 0)
		reply_check(c, buf_printf(sio_out(c->io), "UID %u ", uid));
	reply_line(c, "MODSEQ (%llu))", (unsigned long long)modseq);
}

static int
add_modified(struct client *c, struct run *run, uint32_t seq)
{
	const struct store_message *m = mailbox_message(c->mb, seq);
	uint32_t *v;
	size_t want;

	if (m == NULL)
		return (0);
	if (run->nmodified == run->room) {
		want = run->room == 0 ? 64 : run->room * 2;
		if ((v = reallocarray(run->modified, want,
		    sizeof(*v))) == NULL)
			return (-1);
		run->modified = v;
		run->room = want;
	}
	run->modified[run->nmodified++] = c->uid ? m->uid : seq;
	return (0);
}

static enum store_error
result(struct client *c, struct run *run, uint32_t seq,
    const struct store_changed *done)
{
	switch (done->error) {
	case STORE_OK:
		if (!run->silent)
			reply_flags(c, seq, c->uid);
		else if ((c->enabled & ENABLED_CONDSTORE) && !c->nomodseq)
			tell_modseq(c, seq, done->modseq);
		return (STORE_OK);
	case STORE_NOENT:
		run->missing = 1;
		return (STORE_OK);
	case STORE_MODIFIED:
		return (add_modified(c, run, seq) == -1 ? STORE_SYS :
		    STORE_OK);
	default:
		return (done->error);
	}
}

static enum cmd_result
all_done(struct client *c, const struct run *run)
{
	client_settle(c);
	/* RFC 7162 3.1.3: whatever else there is to say. */
	if (run->nmodified > 0) {
		code_printf(c, "MODIFIED ");
		code_set(c, run->modified, run->nmodified);
	}
	if (run->missing)
		return (cmd_no(c, "%sSome messages are gone",
		    run->nmodified > 0 ? "" : "[EXPUNGEISSUED] "));
	if (run->nmodified > 0)
		return (cmd_ok(c, "Some messages had been changed"));
	return (cmd_ok(c, "STORE completed"));
}

static enum cmd_result
step(struct client *c, void *arg)
{
	struct store_changed done[STORES_A_TURN];
	struct run *run = arg;
	enum store_error e;
	uint32_t seqs[STORES_A_TURN], seq;
	size_t n, i;

	for (n = 0; n < STORES_A_TURN; n++) {
		if ((seq = set_next(c, &run->set, run->next)) == 0) {
			run->ended = 1;
			break;
		}
		seqs[n] = seq;
		run->next = seq + 1;
	}
	memset(done, 0, sizeof(done));
	if (n > 0 && (e = mailbox_change(c->mb, seqs, n, &run->change,
	    done)) != STORE_OK)
		return (cmd_store_error(c, e));
	for (i = 0; i < n; i++)
		if ((e = result(c, run, seqs[i], &done[i])) != STORE_OK)
			return (cmd_store_error(c, e));
	return (run->ended ? all_done(c, run) : CMD_MORE);
}

enum cmd_result
cmd_store(struct client *c)
{
	struct run *run;

	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	(void)client_run(c, &store_ops, run, CMD_MORE);
	if (arguments(&c->args, run) == -1)
		return (cmd_bad_args(c));
	if (run->conditional && c->nomodseq)	/* RFC 7162 3.1.2.2 */
		return (cmd_bad(c, "No mod-sequences here"));
	if (set_resolve(c, &run->set) == -1)
		return (cmd_bad(c, "No such message"));
	if (keyword_bits(c, run) == -1)
		return (cmd_no(c, "[LIMIT] No room for more keywords"));
	reply_keywords(c, 0);
	if (run->conditional)
		session_condstore(c);
	run->next = 1;
	return (step(c, run));
}
