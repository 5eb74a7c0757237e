/*
 * cmd_mailbox: CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS.
 */
#include "cmd_table.h"
#include "imap/write.h"
#include "session_reply.h"

#define NAME_SIZE	(STORE_NAME_MAX + 1)

#define STATUS_MESSAGES		0x01
#define STATUS_RECENT		0x02
#define STATUS_UIDNEXT		0x04
#define STATUS_UIDVALIDITY	0x08
#define STATUS_UNSEEN		0x10

static const struct {
	const char	*name;
	unsigned int	 bit;
} status_items[] = {
	{ "MESSAGES", STATUS_MESSAGES },
	{ "RECENT", STATUS_RECENT },
	{ "UIDNEXT", STATUS_UIDNEXT },
	{ "UIDVALIDITY", STATUS_UIDVALIDITY },
	{ "UNSEEN", STATUS_UNSEEN }
};

#define NITEMS	(sizeof(status_items) / sizeof(status_items[0]))

static int
one_name(struct client *c, char name[NAME_SIZE])
{
	if (imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, name, NAME_SIZE) == -1)
		return (-1);
	return (imap_end(&c->args));
}

/* The commands that do one thing to one name. */
static enum cmd_result
on_name(struct client *c, enum store_error (*fn)(struct store *, const char *),
    const char *done)
{
	enum store_error e;
	char name[NAME_SIZE];
	size_t len;

	if (one_name(c, name) == -1)
		return (cmd_bad_args(c));
	/* RFC 3501 6.3.3: a trailing separator announces children. */
	len = strlen(name);
	if (len > 1 && name[len - 1] == '/')
		name[len - 1] = '\0';
	if ((e = fn(c->set->store, name)) != STORE_OK)
		return (cmd_store_error(c, e));
	return (cmd_ok(c, "%s completed", done));
}

enum cmd_result
cmd_create(struct client *c)
{
	return (on_name(c, store_create, "CREATE"));
}

enum cmd_result
cmd_delete(struct client *c)
{
	return (on_name(c, store_delete, "DELETE"));
}

static enum store_error
subscribe(struct store *s, const char *name)
{
	return (store_subscribe(s, name, 1));
}

static enum store_error
unsubscribe(struct store *s, const char *name)
{
	return (store_subscribe(s, name, 0));
}

enum cmd_result
cmd_subscribe(struct client *c)
{
	return (on_name(c, subscribe, "SUBSCRIBE"));
}

enum cmd_result
cmd_unsubscribe(struct client *c)
{
	return (on_name(c, unsubscribe, "UNSUBSCRIBE"));
}

enum cmd_result
cmd_rename(struct client *c)
{
	enum store_error e;
	char from[NAME_SIZE], to[NAME_SIZE];

	if (imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, from, sizeof(from)) == -1 ||
	    one_name(c, to) == -1)
		return (cmd_bad_args(c));
	if ((e = store_rename(c->set->store, from, to)) != STORE_OK)
		return (cmd_store_error(c, e));
	return (cmd_ok(c, "RENAME completed"));
}

static int
status_list(struct imap_parser *p, unsigned int *items)
{
	struct imap_str s;
	size_t i;

	*items = 0;
	if (imap_sp(p) == -1 || imap_expect(p, '(') == -1)
		return (-1);
	do {
		if (imap_atom(p, &s) == -1)
			return (-1);
		for (i = 0; i < NITEMS; i++)
			if (imap_str_is(&s, status_items[i].name))
				break;
		if (i == NITEMS)
			return (imap_error(p, "Unknown status item"));
		*items |= status_items[i].bit;
	} while (imap_accept(p, ' '));
	if (imap_expect(p, ')') == -1)
		return (-1);
	return (imap_end(p));
}

static unsigned int
status_value(const struct mailbox_status *st, unsigned int bit)
{
	switch (bit) {
	case STATUS_MESSAGES:
		return (st->messages);
	case STATUS_RECENT:
		return (st->recent);
	case STATUS_UIDNEXT:
		return (st->uidnext);
	case STATUS_UIDVALIDITY:
		return (st->uidvalidity);
	default:
		return (st->unseen);
	}
}

enum cmd_result
cmd_status(struct client *c)
{
	struct mailbox_status st;
	struct buf *out = sio_out(c->io);
	enum store_error e;
	char name[NAME_SIZE];
	const char *sp = "";
	unsigned int items;
	size_t i;

	if (imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, name, sizeof(name)) == -1 ||
	    status_list(&c->args, &items) == -1)
		return (cmd_bad_args(c));
	memset(&st, 0, sizeof(st));
	if ((e = store_status(c->set->store, name, &st)) != STORE_OK)
		return (cmd_store_error(c, e));
	reply_check(c, buf_puts(out, "* STATUS "));
	reply_check(c, imap_write_mailbox(out, name));
	reply_check(c, buf_puts(out, " ("));
	for (i = 0; i < NITEMS; i++) {
		if ((items & status_items[i].bit) == 0)
			continue;
		reply_check(c, buf_printf(out, "%s%s %u", sp,
		    status_items[i].name,
		    status_value(&st, status_items[i].bit)));
		sp = " ";
	}
	reply_line(c, ")");
	return (cmd_ok(c, "STATUS completed"));
}
