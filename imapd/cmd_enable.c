/*
 * cmd_enable: ENABLE (RFC 5161).  What is not known is passed over.
 */
#include "cmd_table.h"
#include "session_reply.h"

static const struct {
	const char	*name;
	unsigned int	 bits;
} extensions[] = {
	{ "CONDSTORE", ENABLED_CONDSTORE },
	/* RFC 7162 3.2.3 */
	{ "QRESYNC", ENABLED_QRESYNC | ENABLED_CONDSTORE },
	{ "IMAP4rev2", ENABLED_REV2 },
	{ "UTF8=ACCEPT", ENABLED_UTF8 },
	{ "UIDONLY", ENABLED_UIDONLY }
};

#define NEXTENSIONS	(sizeof(extensions) / sizeof(extensions[0]))

enum cmd_result
cmd_enable(struct client *c)
{
	unsigned int asked = 0;
	struct imap_str s;
	size_t i;

	do {
		if (imap_sp(&c->args) == -1 || imap_atom(&c->args, &s) == -1)
			return (cmd_bad_args(c));
		for (i = 0; i < NEXTENSIONS; i++)
			if (imap_str_is(&s, extensions[i].name))
				asked |= 1u << i;
	} while (imap_peek(&c->args) == ' ');
	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	reply_check(c, buf_puts(sio_out(c->io), "* ENABLED"));
	for (i = 0; i < NEXTENSIONS; i++) {
		if ((asked & 1u << i) == 0)
			continue;
		c->enabled |= extensions[i].bits;
		reply_check(c, buf_printf(sio_out(c->io), " %s",
		    extensions[i].name));
	}
	reply_line(c, "%s", "");
	return (cmd_ok(c, "ENABLE completed"));
}
