/*
 * session_sync: the store's changes as untagged responses.
 */
#include "log/log.h"
#include "session_reply.h"
#include "session_sync.h"

#define VANISHED_MAX	4096		/* UIDs in a response */

/*
 * 1 if expunged messages are told by their UIDs (RFC 7162 3.2.10, 9586 3.2).
 */
static int
by_uid(const struct client *c)
{
	return ((c->enabled & ENABLED_UIDONLY) != 0 ||
	    ((c->enabled & ENABLED_QRESYNC) && !c->nomodseq));
}

static void
tell_expunged(void *arg, uint32_t seq, uint32_t uid)
{
	struct client *c = arg;
	uint32_t *v;
	size_t want;

	if (!by_uid(c)) {
		reply_line(c, "* %u EXPUNGE", seq);
		return;
	}
	if (c->nvanished == c->roomvanished) {
		want = c->roomvanished == 0 ? 64 : c->roomvanished * 2;
		if ((v = reallocarray(c->vanished, want,
		    sizeof(*v))) == NULL) {
			sio_fail(c->io);
			return;
		}
		c->vanished = v;
		c->roomvanished = want;
	}
	c->vanished[c->nvanished++] = uid;
}

void
session_tell_vanished(struct client *c)
{
	if (c->nvanished == 0)
		return;
	reply_check(c, buf_puts(sio_out(c->io), "* VANISHED "));
	reply_set(c, c->vanished, c->nvanished, 1);
	reply_line(c, "%s", "");
	free(c->vanished);
	c->vanished = NULL;
	c->nvanished = c->roomvanished = 0;
}

static void
tell_flags(void *arg, uint32_t seq)
{
	session_tell_vanished(arg);
	/* RFC 3501 7.4.2: the UID is not asked for and does no harm. */
	reply_flags(arg, seq, 1);
}

static void
tell_exists(void *arg, uint32_t count, uint32_t recent)
{
	struct client *c = arg;

	session_tell_vanished(c);
	reply_line(c, "* %u EXISTS", count);
	if ((c->enabled & ENABLED_REV2) == 0)
		reply_line(c, "* %u RECENT", recent);
}

static void
silent_expunged(void *arg, uint32_t seq, uint32_t uid)
{
	(void)arg;
	(void)seq;
	(void)uid;
}

static void
silent_flags(void *arg, uint32_t seq)
{
	(void)arg;
	(void)seq;
}

static void
silent_exists(void *arg, uint32_t count, uint32_t recent)
{
	(void)arg;
	(void)count;
	(void)recent;
}

static int
tell_full(void *arg)
{
	struct client *c = arg;

	return (sio_full(c->io) || c->nvanished >= VANISHED_MAX);
}

static int
tell_nothing(void *arg)
{
	(void)arg;
	return (1);
}

const struct mailbox_changes session_changes = {
	tell_expunged, tell_flags, tell_exists, tell_full
};
const struct mailbox_changes session_changes_later = {
	tell_expunged, tell_flags, tell_exists, tell_nothing
};
const struct mailbox_changes session_changes_silent = {
	silent_expunged, silent_flags, silent_exists, NULL
};

/*
 * RFC 7162 3.2 and 6: a client that takes the highest mod-sequence that it was
 * told for what it knows would never hear of an expunge that waits, or came
 * while it was told others.
 */
static void
tell_withheld(struct client *c)
{
	uint64_t modseq;
	int all = mailbox_told(c->mb, &modseq);

	if ((c->enabled & ENABLED_QRESYNC) && (!all || c->withheld ||
	    c->parted) && modseq != 0)
		reply_line(c, "* OK [HIGHESTMODSEQ %llu] %s",
		    (unsigned long long)modseq, all ? "All was told" :
		    "Expunged messages are told later");
	c->withheld = !all;
}

/* RFC 7162 3.1 */
void
session_condstore(struct client *c)
{
	uint64_t modseq;

	if (c->enabled & ENABLED_CONDSTORE)
		return;
	c->enabled |= ENABLED_CONDSTORE;
	if (c->mb == NULL || c->nomodseq)
		return;
	(void)mailbox_told(c->mb, &modseq);
	reply_line(c, "* OK [HIGHESTMODSEQ %llu] Highest",
	    (unsigned long long)modseq);
}

enum cmd_result
session_expunged(struct client *c, const char *command)
{
	struct mailbox_status st = { 0 };

	mailbox_status(c->mb, &st);
	if ((c->enabled & ENABLED_QRESYNC) && st.highestmodseq != 0)
		return (cmd_ok(c, "[HIGHESTMODSEQ %llu] %s completed",
		    (unsigned long long)st.highestmodseq, command));
	return (cmd_ok(c, "%s completed", command));
}

int
session_sync(struct client *c, int no_expunge)
{
	enum store_error e;

	if (c->mb == NULL || c->leaving)
		return (0);
	e = mailbox_sync(c->mb, no_expunge, &session_changes, c);
	session_tell_vanished(c);
	if (mailbox_untold(c->mb)) {
		c->parted = 1;
		return (1);
	}
	tell_withheld(c);
	c->parted = 0;
	if (e == STORE_OK || e == STORE_BUSY)
		return (0);
	log_warnx("conn=%llu user=%s sync: %s", (unsigned long long)c->id,
	    c->set->user, store_strerror(e));
	if (e == STORE_NOENT)
		client_bye(c, "Mailbox was deleted");
	else if (e == STORE_CORRUPT)	/* what was told does not hold */
		client_bye(c, "Mailbox was damaged");
	return (0);
}
