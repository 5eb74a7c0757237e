/*
 * cmd_status: STATUS (RFC 9051 6.3.11, 7162, 7889, 8438, 8474, 9208).  The
 * answer is in the mailbox's index; no message is looked at, but for
 * DELETED-STORAGE, which asks for the records of those that are deleted.
 */
#include "cmd_status.h"
#include "cmd_table.h"
#include "session_reply.h"
#include "session_sync.h"

#define NAME_SIZE	(STORE_NAME_MAX + 1)

enum {
	ITEM_MESSAGES, ITEM_RECENT, ITEM_UIDNEXT, ITEM_UIDVALIDITY,
	ITEM_UNSEEN, ITEM_DELETED, ITEM_SIZE, ITEM_HIGHESTMODSEQ,
	ITEM_APPENDLIMIT, ITEM_MAILBOXID, ITEM_DELETED_STORAGE, NITEMS
};

static const char *const names[NITEMS] = {
	[ITEM_MESSAGES] = "MESSAGES",
	[ITEM_RECENT] = "RECENT",
	[ITEM_UIDNEXT] = "UIDNEXT",
	[ITEM_UIDVALIDITY] = "UIDVALIDITY",
	[ITEM_UNSEEN] = "UNSEEN",
	[ITEM_DELETED] = "DELETED",
	[ITEM_SIZE] = "SIZE",
	[ITEM_HIGHESTMODSEQ] = "HIGHESTMODSEQ",
	[ITEM_APPENDLIMIT] = "APPENDLIMIT",
	[ITEM_MAILBOXID] = "MAILBOXID",
	[ITEM_DELETED_STORAGE] = "DELETED-STORAGE"
};

int
status_items_parse(struct imap_parser *p, unsigned int *items)
{
	struct imap_str s;
	int i;

	*items = 0;
	if (imap_expect(p, '(') == -1)
		return (-1);
	do {
		if (imap_atom(p, &s) == -1)
			return (-1);
		for (i = 0; i < NITEMS; i++)
			if (imap_str_is(&s, names[i]))
				break;
		if (i == NITEMS)
			return (imap_error(p, "Unknown status item"));
		*items |= 1u << i;
	} while (imap_accept(p, ' '));
	return (imap_expect(p, ')'));
}

void
status_enables(struct client *c, unsigned int items)
{
	if (items & 1u << ITEM_HIGHESTMODSEQ)
		session_condstore(c);
}

static unsigned long long
value(const struct mailbox_status *st, int item)
{
	switch (item) {
	case ITEM_MESSAGES:
		return (st->messages);
	case ITEM_RECENT:
		return (st->recent);
	case ITEM_UIDNEXT:
		return (st->uidnext);
	case ITEM_UIDVALIDITY:
		return (st->uidvalidity);
	case ITEM_UNSEEN:
		return (st->unseen);
	case ITEM_DELETED:
		return (st->deleted);
	case ITEM_HIGHESTMODSEQ:
		return (st->highestmodseq);
	default:
		return (SESSION_APPEND_MAX);
	}
}

/* RFC 9208 4.1.4: what an EXPUNGE would free. */
static enum store_error
deleted_storage(struct client *c, const char *name, uint64_t *bytes)
{
	const struct store_message *m;
	struct mailbox *mb;
	enum store_error e;
	uint32_t seq;

	*bytes = 0;
	e = mailbox_open(c->set->store, name, MAILBOX_READONLY, &mb);
	if (e != STORE_OK)
		return (e);
	for (seq = 1; (m = mailbox_message(mb, seq)) != NULL; seq++)
		if ((m->flags & MSG_DELETED) &&
		    (m = mailbox_facts(mb, seq, FACT_SIZE)) != NULL)
			*bytes += m->size;
	mailbox_close(mb);
	return (STORE_OK);
}

enum store_error
status_tell(struct client *c, const char *name, unsigned int items)
{
	struct mailbox_status st;
	struct buf *out = sio_out(c->io);
	enum store_error e;
	const char *sp = "";
	uint64_t freed = 0, size = 0;
	int i;

	memset(&st, 0, sizeof(st));
	e = store_status(c->set->store, name, &st,
	    items & 1u << ITEM_SIZE ? &size : NULL);
	if (e != STORE_OK)
		return (e);
	if ((items & 1u << ITEM_DELETED_STORAGE) && st.deleted > 0 &&
	    (e = deleted_storage(c, name, &freed)) != STORE_OK)
		return (e);
	reply_check(c, buf_puts(out, "* STATUS "));
	reply_mailbox(c, name);
	reply_check(c, buf_puts(out, " ("));
	for (i = 0; i < NITEMS; i++) {
		if ((items & 1u << i) == 0)
			continue;
		if (i == ITEM_MAILBOXID)
			reply_check(c, buf_printf(out, "%s%s (%s)", sp,
			    names[i], st.id));
		else if (i == ITEM_DELETED_STORAGE || i == ITEM_SIZE)
			reply_check(c, buf_printf(out, "%s%s %llu", sp,
			    names[i], (unsigned long long)(i == ITEM_SIZE ?
			    size : freed)));
		else
			reply_check(c, buf_printf(out, "%s%s %llu", sp,
			    names[i], value(&st, i)));
		sp = " ";
	}
	reply_line(c, ")");
	return (STORE_OK);
}

enum cmd_result
cmd_status(struct client *c)
{
	enum store_error e;
	char name[NAME_SIZE];
	unsigned int items;

	if (imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, name, sizeof(name)) == -1 ||
	    imap_sp(&c->args) == -1 ||
	    status_items_parse(&c->args, &items) == -1 ||
	    imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	status_enables(c, items);
	if ((e = status_tell(c, name, items)) != STORE_OK)
		return (cmd_store_error(c, e));
	return (cmd_ok(c, "STATUS completed"));
}
