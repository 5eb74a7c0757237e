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
	struct gone {
		uint32_t seq, uid;
	}		*gone;		/* in the order told; by others, too */
	size_t		 ngone, room;
	uint32_t	*flags;		/* the numbers behind those */
	size_t		 nflags;
	int		 exists;	/* counts were told */
	uint32_t	 count, recent;
};

/*
 * RFC 6851 4.3: COPYUID stands before the EXPUNGEs, so these wait for it.
 */
static void
hold_expunged(void *arg, uint32_t seq, uint32_t uid)
{
	struct copy *copy = arg;

	if (copy->ngone == copy->room)
		return;
	copy->gone[copy->ngone].seq = seq;
	copy->gone[copy->ngone++].uid = uid;
}

static void
hold_flags(void *arg, uint32_t seq)
{
	struct copy *copy = arg;

	/* The numbers are those that hold when the EXPUNGEs were told. */
	if (copy->nflags < copy->room)
		copy->flags[copy->nflags++] = seq;
}

static void
hold_exists(void *arg, uint32_t count, uint32_t recent)
{
	struct copy *copy = arg;

	copy->exists = 1;
	copy->count = count;
	copy->recent = recent;
}

static const struct mailbox_changes hold = {
	hold_expunged, hold_flags, hold_exists
};

static void
copy_free(struct copy *copy)
{
	free(copy->seqs);
	free(copy->from);
	free(copy->to);
	free(copy->gone);
	free(copy->flags);
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
	copy->room = mailbox_count(copy->c->mb);
	copy->gone = reallocarray(NULL, copy->room, sizeof(*copy->gone));
	copy->flags = reallocarray(NULL, copy->room, sizeof(*copy->flags));
	if (copy->from == NULL || copy->to == NULL || copy->gone == NULL ||
	    copy->flags == NULL)
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

static void
tell_moved(struct client *c, const struct copy *copy)
{
	size_t i;

	if (copy->to[0] != 0)
		tell_copyuid(c, copy);
	for (i = 0; i < copy->ngone; i++)
		session_changes.expunged(c, copy->gone[i].seq,
		    copy->gone[i].uid);
	session_tell_vanished(c);
	for (i = 0; i < copy->nflags; i++)
		session_changes.flags(c, copy->flags[i]);
	if (copy->exists)
		session_changes.exists(c, copy->count, copy->recent);
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
		    &copy->uidvalidity, &hold, copy);
	else
		e = mailbox_copy(c->mb, copy->seqs, copy->n, to, copy->to,
		    &copy->uidvalidity);
	client_settle(c);
	if (e != STORE_OK) {
		if (move && (copy->ngone > 0 || copy->nflags > 0 ||
		    copy->exists))
			tell_moved(c, copy);
		return (cmd_target_error(c, e));
	}
	if (move) {
		tell_moved(c, copy);
		return (cmd_ok(c, "MOVE completed"));
	}
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
