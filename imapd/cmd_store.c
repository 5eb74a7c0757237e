/*
 * cmd_store: STORE and UID STORE (RFC 3501 6.4.6).  Some messages a turn.
 */
#include "cmd_set.h"
#include "cmd_table.h"
#include "imap/flags.h"
#include "session_reply.h"

#define STORES_A_TURN	64		/* each may rename a file */

struct run {
	struct imap_seqset	set;
	struct imap_flags	flags;
	enum flag_op		op;
	int			silent;
	uint32_t		keywords;
	uint32_t		next;
	int			missing;
};

static enum cmd_result	step(struct client *, void *);
static void		run_free(void *);

static const struct cmd_run store_ops = { step, NULL, run_free };

static void
run_free(void *arg)
{
	struct run *run = arg;

	imap_seqset_free(&run->set);
	free(run);
}

static int
operation(struct imap_parser *p, struct run *run)
{
	struct imap_str s;

	run->op = FLAGS_SET;
	if (imap_accept(p, '+'))
		run->op = FLAGS_ADD;
	else if (imap_accept(p, '-'))
		run->op = FLAGS_REMOVE;
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
	    imap_sp(p) == -1 || operation(p, run) == -1 ||
	    imap_sp(p) == -1 || imap_flags(p, &run->flags) == -1)
		return (-1);
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
		    run->op != FLAGS_REMOVE);
		if (n >= 0 && n < STORE_KEYWORDS)
			run->keywords |= 1u << n;
		else if (run->op != FLAGS_REMOVE)
			return (-1);
	}
	return (0);
}

static enum cmd_result
step(struct client *c, void *arg)
{
	struct run *run = arg;
	enum store_error e;
	uint32_t seq;
	int n;

	for (n = 0; n < STORES_A_TURN && !sio_full(c->io); n++) {
		if ((seq = set_next(c, &run->set, run->next)) == 0) {
			if (run->missing)
				return (cmd_no(c, "[EXPUNGEISSUED] Some "
				    "messages are gone"));
			return (cmd_ok(c, "STORE completed"));
		}
		run->next = seq + 1;
		e = mailbox_store(c->mb, seq, run->op, run->flags.system,
		    run->keywords);
		if (e == STORE_NOENT)
			run->missing = 1;
		else if (e != STORE_OK)
			return (cmd_store_error(c, e));
		else if (!run->silent)
			reply_flags(c, seq, c->uid);
	}
	return (CMD_MORE);
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
	if (set_resolve(c, &run->set) == -1)
		return (cmd_bad(c, "No such message"));
	if (c->readonly)
		return (cmd_store_error(c, STORE_READONLY));
	if (keyword_bits(c, run) == -1)
		return (cmd_no(c, "[LIMIT] No room for more keywords"));
	run->next = 1;
	return (step(c, run));
}
