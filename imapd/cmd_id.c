/*
 * cmd_id: ID (RFC 2971).  What the client says of itself is of no use to us.
 */
#include "cmd_table.h"
#include "session_reply.h"

#define ID_PAIRS_MAX	30		/* RFC 2971 3.3 */

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
