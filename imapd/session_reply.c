/*
 * session_reply: lines, flags, and the errors of the store in the words of
 * RFC 5530.  Output is bounded by session_io.
 */
#include <stdarg.h>
#include <stdio.h>

#include "imap/flags.h"
#include "imap/write.h"
#include "log/log.h"
#include "session_reply.h"

_Static_assert(IMAP_SEEN == MSG_SEEN && IMAP_ANSWERED == MSG_ANSWERED &&
    IMAP_FLAGGED == MSG_FLAGGED && IMAP_DELETED == MSG_DELETED &&
    IMAP_DRAFT == MSG_DRAFT && IMAP_FORWARDED == MSG_PASSED &&
    IMAP_RECENT == MSG_RECENT, "flags of syntax and store");

void
reply_check(struct client *c, int ret)
{
	if (ret == -1)
		sio_fail(c->io);
}

void
reply_line(struct client *c, const char *fmt, ...)
{
	struct buf *out = sio_out(c->io);
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = buf_vprintf(out, fmt, ap);
	va_end(ap);
	if (ret == 0)
		ret = buf_add(out, "\r\n", 2);
	reply_check(c, ret);
}

void
reply_bytes(struct client *c, const void *p, size_t len)
{
	reply_check(c, buf_add(sio_out(c->io), p, len));
}

int
write_message_flags(struct client *c, const struct store_message *m)
{
	struct buf *out = sio_out(c->io);
	uint32_t known = MSG_SEEN | MSG_ANSWERED | MSG_FLAGGED | MSG_DELETED |
	    MSG_DRAFT | MSG_PASSED | MSG_RECENT;
	uint32_t system, keywords = m->keywords;
	const char *name, *sp;
	unsigned int i;

	if (c->enabled & ENABLED_REV2)	/* RFC 9051 Appendix E */
		known &= ~(uint32_t)MSG_RECENT;
	system = m->flags & known;
	sp = system != 0 ? " " : "";
	if (buf_puts(out, "FLAGS (") == -1 ||
	    imap_write_flags(out, system) == -1)
		return (-1);
	for (i = 0; keywords != 0 && i < STORE_KEYWORDS; i++) {
		if ((keywords & 1u << i) == 0 ||
		    (name = mailbox_keyword(c->mb, i)) == NULL)
			continue;
		if (buf_puts(out, sp) == -1 || buf_puts(out, name) == -1)
			return (-1);
		sp = " ";
	}
	return (buf_puts(out, ")"));
}

void
reply_fetch(struct client *c, uint32_t seq, uint32_t uid)
{
	struct buf *out = sio_out(c->io);

	if (c->enabled & ENABLED_UIDONLY)
		reply_check(c, buf_printf(out, "* %u UIDFETCH (", uid));
	else
		reply_check(c, buf_printf(out, "* %u FETCH (", seq));
}

/* Another process may just have made the ones that are not known yet. */
static void
know_keywords(struct client *c, uint32_t keywords)
{
	unsigned int i;

	keywords &= ~mailbox_keywords(c->mb);
	for (i = 0; keywords != 0 && i < STORE_KEYWORDS; i++)
		if (keywords & 1u << i)
			(void)mailbox_keyword(c->mb, i);
}

void
reply_flags(struct client *c, uint32_t seq, int uid)
{
	const struct store_message *m;
	struct store_message copy;
	struct buf *out = sio_out(c->io);

	if ((m = mailbox_message(c->mb, seq)) == NULL || m->gone)
		return;
	copy = *m;
	know_keywords(c, copy.keywords);
	reply_keywords(c, 0);
	reply_fetch(c, seq, copy.uid);
	/* RFC 7162 3.2.4: with the mod-sequence goes the UID. */
	if ((uid || (c->enabled & ENABLED_CONDSTORE)) &&
	    (c->enabled & ENABLED_UIDONLY) == 0)
		reply_check(c, buf_printf(out, "UID %u ", copy.uid));
	reply_check(c, write_message_flags(c, &copy));
	if ((c->enabled & ENABLED_CONDSTORE) && !c->nomodseq)
		reply_check(c, buf_printf(out, " MODSEQ (%llu)",
		    (unsigned long long)copy.modseq));
	reply_line(c, ")");
}

void
reply_mailbox(struct client *c, const char *name)
{
	reply_check(c, imap_write_mailbox(sio_out(c->io), name,
	    client_utf8(c)));
}

static int
write_set(struct buf *out, const uint32_t *v, size_t n, int descending)
{
	struct imap_set_writer w = { 0 };
	size_t i;

	for (i = 0; i < n; i++)
		if (imap_write_set(out, &w,
		    v[descending ? n - 1 - i : i]) == -1)
			return (-1);
	return (imap_write_set_end(out, &w));
}

void
reply_set(struct client *c, const uint32_t *v, size_t n, int descending)
{
	reply_check(c, write_set(sio_out(c->io), v, n, descending));
}

void
code_printf(struct client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	reply_check(c, buf_vprintf(&c->code, fmt, ap));
	va_end(ap);
}

void
code_set(struct client *c, const uint32_t *v, size_t n)
{
	reply_check(c, write_set(&c->code, v, n, 0));
}

static void
write_flags(struct client *c, uint32_t system, uint32_t keywords)
{
	struct buf *out = sio_out(c->io);
	unsigned int i;

	reply_check(c, imap_write_flags(out, system));
	for (i = 0; i < STORE_KEYWORDS; i++)
		if (keywords & 1u << i)
			reply_check(c, buf_printf(out, " %s",
			    mailbox_keyword(c->mb, i)));
}

void
reply_keywords(struct client *c, int always)
{
	struct buf *out = sio_out(c->io);
	uint32_t system, known = mailbox_keywords(c->mb);
	int more;

	if (known == c->keywords && !always)
		return;
	c->keywords = known;
	reply_check(c, buf_puts(out, "* FLAGS ("));
	write_flags(c, 0x3f, known);
	reply_line(c, ")");
	system = mailbox_permanent(c->mb, &more);
	/* RFC 9051 7.1: again only when there is no room for more. */
	if (!always && more)
		return;
	reply_check(c, buf_puts(out, "* OK [PERMANENTFLAGS ("));
	if (!c->readonly)
		write_flags(c, system, known);
	reply_line(c, "%s)] %s", more && !c->readonly ? " \\*" : "",
	    c->readonly ? "Read-only" : "Kept");
}

__attribute__((__format__(printf, 2, 0)))
static void
set_text(struct client *c, const char *fmt, va_list ap)
{
	/* A text that is cut is still a text. */
	if (vsnprintf(c->text, sizeof(c->text), fmt, ap) < 0)
		c->text[0] = '\0';
}

enum cmd_result
cmd_ok(struct client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_text(c, fmt, ap);
	va_end(ap);
	return (CMD_OK);
}

enum cmd_result
cmd_no(struct client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_text(c, fmt, ap);
	va_end(ap);
	return (CMD_NO);
}

enum cmd_result
cmd_bad(struct client *c, const char *text)
{
	(void)snprintf(c->text, sizeof(c->text), "%s", text);
	return (CMD_BAD);
}

enum cmd_result
cmd_bad_args(struct client *c)
{
	return (cmd_bad(c, c->args.error != NULL ? c->args.error :
	    "Syntax error"));
}

enum cmd_result
cmd_store_error(struct client *c, enum store_error e)
{
	switch (e) {
	case STORE_NOENT:
		return (cmd_no(c, "[NONEXISTENT] No such mailbox"));
	case STORE_EXISTS:
		return (cmd_no(c, "[ALREADYEXISTS] Mailbox exists"));
	case STORE_NAME:
		return (cmd_no(c, "[CANNOT] Not a legal mailbox name"));
	case STORE_QUOTA:
		return (cmd_no(c, "[OVERQUOTA] Quota exceeded"));
	case STORE_FULL:
		return (cmd_no(c, "[UNAVAILABLE] No space left"));
	case STORE_READONLY:
		return (cmd_no(c, "[NOPERM] Mailbox is read-only"));
	case STORE_BUSY:
		return (cmd_no(c, "[INUSE] Mailbox is in use"));
	case STORE_NOTEMPTY:
		return (cmd_no(c, "[HASCHILDREN] Mailbox has children"));
	case STORE_LIMIT:
		return (cmd_no(c, "[LIMIT] Too many"));
	case STORE_GONE:
		return (cmd_no(c, "[EXPUNGEISSUED] Some messages are gone"));
	case STORE_SINGLE:
		return (cmd_no(c, "[CANNOT] An mbox has no other mailboxes"));
	case STORE_TAKEN:
		return (cmd_no(c, "[USEATTR] Another mailbox is for that"));
	case STORE_CORRUPT:
		log_warnx("conn=%llu user=%s: %s", (unsigned long long)c->id,
		    c->set->user, store_strerror(e));
		return (cmd_no(c, "[CORRUPTION] Mailbox is damaged"));
	default:
		log_warnx("conn=%llu user=%s: %s", (unsigned long long)c->id,
		    c->set->user, store_strerror(e));
		return (cmd_no(c, "[SERVERBUG] Internal error"));
	}
}

enum cmd_result
cmd_target_error(struct client *c, enum store_error e)
{
	if (e == STORE_NOENT)
		return (cmd_no(c, "[TRYCREATE] No such mailbox"));
	return (cmd_store_error(c, e));
}
