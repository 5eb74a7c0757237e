/*
 * cmd_any: commands without arguments that touch no mailbox: CAPABILITY, NOOP,
 * LOGOUT, NAMESPACE (RFC 2342).
 */
#include "cmd_table.h"
#include "session_reply.h"

enum cmd_result
cmd_capability(struct client *c)
{
	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	reply_line(c, "* CAPABILITY %s", SESSION_CAPABILITY);
	return (cmd_ok(c, "CAPABILITY completed"));
}

/* What is new is told at the end of any command. */
enum cmd_result
cmd_noop(struct client *c)
{
	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	return (cmd_ok(c, "NOOP completed"));
}

enum cmd_result
cmd_logout(struct client *c)
{
	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	client_unselect(c);
	c->leaving = 1;
	reply_line(c, "* BYE Logging out");
	sio_finish(c->io);
	return (cmd_ok(c, "LOGOUT completed"));
}

enum cmd_result
cmd_namespace(struct client *c)
{
	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	reply_line(c, "* NAMESPACE ((\"\" \"/\")) NIL NIL");
	return (cmd_ok(c, "NAMESPACE completed"));
}
