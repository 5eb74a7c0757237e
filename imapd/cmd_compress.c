/*
 * cmd_compress: COMPRESS=DEFLATE (RFC 4978).  The session, not net, has the
 * plain text, and so the compressor: what a client sends is inflated in a
 * process that can reach nothing but this user's mailbox.
 */
#include "cmd_table.h"
#include "session_reply.h"

enum cmd_result
cmd_compress(struct client *c)
{
	struct imap_str s;

	if (imap_sp(&c->args) == -1 || imap_atom(&c->args, &s) == -1 ||
	    imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	if (!imap_str_is(&s, "DEFLATE"))
		return (cmd_bad(c, "Unknown compression"));
	if (sio_compressed(c->io))
		return (cmd_no(c, "[COMPRESSIONACTIVE] Already compressed"));
	if (sio_compress(c->io) == -1)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	return (cmd_ok(c, "Compressed from here on"));
}
