/*
 * cmd_mailbox: DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE.
 */
#include "cmd_table.h"
#include "mime/casemap.h"
#include "session_reply.h"

#define NAME_SIZE	(STORE_NAME_MAX + 1)

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
	if (!mime_is_normal(to))	/* RFC 9051 6.3.6 */
		return (cmd_no(c, "[CANNOT] Name is not in Net-Unicode"));
	if ((e = store_rename(c->set->store, from, to)) != STORE_OK)
		return (cmd_store_error(c, e));
	return (cmd_ok(c, "RENAME completed"));
}
