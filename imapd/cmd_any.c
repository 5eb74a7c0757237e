/*
 * cmd_any: commands without arguments that touch no mailbox: CAPABILITY, NOOP,
 * LOGOUT, NAMESPACE (RFC 2342).
 */
#include "cmd_table.h"
#include "imap/write.h"
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

/* RFC 2342: personal, other users', shared. */
enum cmd_result
cmd_namespace(struct client *c)
{
	const struct store_namespace *v;
	struct buf *out = sio_out(c->io);
	size_t i, n;
	int kind, any;

	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	n = store_namespaces(c->set->store, &v);
	reply_check(c, buf_puts(out, "* NAMESPACE"));
	for (kind = STORE_PERSONAL; kind <= STORE_SHARED; kind++) {
		for (any = 0, i = 0; i < n; i++) {
			if ((int)v[i].kind != kind)
				continue;
			reply_check(c, buf_puts(out, any ? "(" : " (("));
			reply_check(c, imap_write_string(out, v[i].prefix,
			    strlen(v[i].prefix)));
			reply_check(c, buf_puts(out, " \"/\")"));
			any = 1;
		}
		reply_check(c, buf_puts(out, any ? ")" : " NIL"));
	}
	reply_line(c, "%s", "");
	return (cmd_ok(c, "NAMESPACE completed"));
}
