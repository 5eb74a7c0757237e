/*
 * cmd_quota: GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208).  There is one root,
 * "", for all mailboxes of a user; its limits are the administrator's.
 */
#include "cmd_table.h"
#include "session_reply.h"

#define KB	1024

static enum cmd_result
tell_quota(struct client *c, const char *done)
{
	struct buf *out = sio_out(c->io);
	uint64_t bytes, messages, max_bytes, max_messages;
	const char *sp = "";
	enum store_error e;

	e = store_quota(c->set->store, &bytes, &messages);
	if (e != STORE_OK)
		return (cmd_store_error(c, e));
	store_quota_limits(c->set->store, &max_bytes, &max_messages);
	reply_check(c, buf_puts(out, "* QUOTA \"\" ("));
	if (max_bytes != 0) {
		reply_check(c, buf_printf(out, "STORAGE %llu %llu",
		    (unsigned long long)((bytes + KB - 1) / KB),
		    (unsigned long long)(max_bytes / KB)));
		sp = " ";
	}
	if (max_messages != 0)
		reply_check(c, buf_printf(out, "%sMESSAGE %llu %llu", sp,
		    (unsigned long long)messages,
		    (unsigned long long)max_messages));
	reply_line(c, ")");
	return (cmd_ok(c, "%s completed", done));
}

enum cmd_result
cmd_getquota(struct client *c)
{
	struct imap_str root;

	if (imap_sp(&c->args) == -1 || imap_astring(&c->args, &root) == -1 ||
	    imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	if (root.len != 0)
		return (cmd_no(c, "[NONEXISTENT] No such quota root"));
	return (tell_quota(c, "GETQUOTA"));
}

enum cmd_result
cmd_getquotaroot(struct client *c)
{
	char name[STORE_NAME_MAX + 1];

	if (imap_sp(&c->args) == -1 ||
	    imap_mailbox(&c->args, name, sizeof(name)) == -1 ||
	    imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	/* RFC 9208 4.1.3: the mailbox need not exist. */
	reply_check(c, buf_puts(sio_out(c->io), "* QUOTAROOT "));
	reply_mailbox(c, name);
	reply_line(c, " \"\"");
	return (tell_quota(c, "GETQUOTAROOT"));
}

enum cmd_result
cmd_setquota(struct client *c)
{
	struct imap_str s;
	uint64_t n;

	if (imap_sp(&c->args) == -1 || imap_astring(&c->args, &s) == -1 ||
	    imap_sp(&c->args) == -1 || imap_expect(&c->args, '(') == -1)
		return (cmd_bad_args(c));
	while (!imap_accept(&c->args, ')')) {
		if (imap_atom(&c->args, &s) == -1 ||
		    imap_sp(&c->args) == -1 ||
		    imap_number64(&c->args, &n) == -1 ||
		    (imap_peek(&c->args) != ')' && imap_sp(&c->args) == -1))
			return (cmd_bad_args(c));
	}
	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	return (cmd_no(c, "[NOPERM] Limits are the administrator's"));
}
