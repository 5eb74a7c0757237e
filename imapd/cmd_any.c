/*
 * cmd_any: commands that touch no mailbox: CAPABILITY, NOOP, LOGOUT, ID
 * (RFC 2971), ENABLE (RFC 5161), NAMESPACE (RFC 2342).
 */
#include "cmd_table.h"
#include "session_reply.h"

#define ID_PAIRS_MAX	30		/* RFC 2971 3.3 */

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

static int
id_arguments(struct imap_parser *p)
{
	struct imap_str s;
	int n;

	if (imap_sp(p) == -1)
		return (-1);
	if (!imap_accept(p, '(')) {
		if (imap_nstring(p, &s) == -1)
			return (-1);
		return (s.s == NULL ? 0 :
		    imap_error(p, "Expected a list or NIL"));
	}
	if (imap_accept(p, ')'))
		return (0);
	for (n = 0; n < ID_PAIRS_MAX; n++) {
		if (imap_string(p, &s) == -1 || imap_sp(p) == -1 ||
		    imap_nstring(p, &s) == -1)
			return (-1);
		if (!imap_accept(p, ' '))
			return (imap_expect(p, ')'));
	}
	return (imap_error(p, "Too many fields"));
}

enum cmd_result
cmd_id(struct client *c)
{
	if (id_arguments(&c->args) == -1 || imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	reply_line(c, "* ID (\"name\" \"Postern\")");
	return (cmd_ok(c, "ID completed"));
}

/* There is nothing yet that could be enabled; that is no error. */
enum cmd_result
cmd_enable(struct client *c)
{
	struct imap_str s;

	do {
		if (imap_sp(&c->args) == -1 || imap_atom(&c->args, &s) == -1)
			return (cmd_bad_args(c));
	} while (imap_peek(&c->args) == ' ');
	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	reply_line(c, "* ENABLED");
	return (cmd_ok(c, "ENABLE completed"));
}

enum cmd_result
cmd_namespace(struct client *c)
{
	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	reply_line(c, "* NAMESPACE ((\"\" \"/\")) NIL NIL");
	return (cmd_ok(c, "NAMESPACE completed"));
}
