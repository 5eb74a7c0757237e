/*
 * cmd_copy: COPY and MOVE, with and without UID (RFC 3501 6.4.7, RFC 6851,
 * UIDPLUS RFC 4315).
 */
#include "cmd_set.h"
#include "cmd_table.h"
#include "session_reply.h"
#include "session_sync.h"

struct copy {
	struct client	*c;
	uint32_t	*seqs;
	uint32_t	*from;		/* their UIDs */
	uint32_t	*to;		/* and those of the copies */
	size_t		 n;
	uint32_t	 uidvalidity;
};

static void
copy_free(struct copy *copy)
{
	free(copy->seqs);
	free(copy->from);
	free(copy->to);
}

static int
copy_collect(struct copy *copy, const struct imap_seqset *set)
{
	const struct store_message *m;
	size_t i;

	if ((copy->seqs = set_collect(copy->c, set, &copy->n)) == NULL)
		return (0);
	copy->from = reallocarray(NULL, copy->n, sizeof(*copy->from));
	copy->to = calloc(copy->n, sizeof(*copy->to));
	if (copy->from == NULL || copy->to == NULL)
		return (-1);
	for (i = 0; i < copy->n; i++) {
		m = mailbox_message(copy->c->mb, copy->seqs[i]);
		copy->from[i] = m != NULL ? m->uid : 0;
	}
	return (0);
}

static void
tell_copyuid(struct client *c, const struct copy *copy)
{
	reply_check(c, buf_printf(sio_out(c->io), "* OK [COPYUID %u ",
	    copy->uidvalidity));
	reply_set(c, copy->from, copy->n, 0);
	reply_bytes(c, " ", 1);
	reply_set(c, copy->to, copy->n, 0);
	reply_line(c, "] Done");
}

static enum cmd_result
copy_or_move(struct copy *copy, const char *to, int move)
{
	struct client *c = copy->c;
	enum store_error e;

	if (copy->n == 0)
		return (cmd_ok(c, "No messages"));
	if (move)
		e = mailbox_move(c->mb, copy->seqs, copy->n, to, copy->to,
		    &copy->uidvalidity, &session_changes_later, c);
	else
		e = mailbox_copy(c->mb, copy->seqs, copy->n, to, copy->to,
		    &copy->uidvalidity);
	client_settle(c);
	/* RFC 6851 4.3: COPYUID stands before the EXPUNGEs. */
	if (move && copy->to[0] != 0)
		tell_copyuid(c, copy);
	if (e != STORE_OK)
		return (cmd_target_error(c, e));
	if (move)
		return (session_expunged(c, "MOVE"));
	if (copy->to[0] != 0) {
		code_printf(c, "COPYUID %u ", copy->uidvalidity);
		code_set(c, copy->from, copy->n);
		code_printf(c, " ");
		code_set(c, copy->to, copy->n);
	}
	return (cmd_ok(c, "COPY completed"));
}

static enum cmd_result
run(struct client *c, int move)
{
	struct imap_seqset set = { NULL, 0, 0 };
	struct copy copy = { .c = c };
	enum cmd_result result;
	char name[STORE_NAME_MAX + 1];

	if (imap_sp(&c->args) == -1 || imap_seqset(&c->args, &set) == -1 ||
	    imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, name, sizeof(name)) == -1 ||
	    imap_end(&c->args) == -1)
		result = cmd_bad_args(c);
	else if (set_resolve(c, &set) == -1)
		result = cmd_bad(c, "No such message");
	else if (copy_collect(&copy, &set) == -1)
		result = cmd_no(c, "[SERVERBUG] Out of memory");
	else
		result = copy_or_move(&copy, name, move);
	imap_seqset_free(&set);
	copy_free(&copy);
	return (result);
}

enum cmd_result
cmd_copy(struct client *c)
{
	return (run(c, 0));
}

enum cmd_result
cmd_move(struct client *c)
{
	return (run(c, 1));
}
