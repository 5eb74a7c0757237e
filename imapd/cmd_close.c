/*
 * cmd_close: CLOSE, UNSELECT (RFC 3691), CHECK.
 */
#include "cmd_table.h"
#include "cmd_expunge.h"
#include "session_reply.h"
#include "session_sync.h"

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

enum cmd_result
cmd_close(struct client *c)
{
	enum store_error e = STORE_OK;

	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	if (!c->readonly)
		e = expunge_deleted(c, NULL, &session_changes_silent);
	client_unselect(c);
	if (e != STORE_OK)
		return (cmd_store_error(c, e));
	/* RFC 7162 3.2.8: no HIGHESTMODSEQ, which could hide an expunge. */
	return (cmd_ok(c, "CLOSE completed"));
}
