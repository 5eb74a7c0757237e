/*
 * session_sync: the store's changes as untagged responses.
 */
#include "log/log.h"
#include "session_reply.h"
#include "session_sync.h"

static void
tell_expunged(void *arg, uint32_t seq, uint32_t uid)
{
	(void)uid;
	reply_line(arg, "* %u EXPUNGE", seq);
}

static void
tell_flags(void *arg, uint32_t seq)
{
	/* RFC 3501 7.4.2: the UID is not asked for and does no harm. */
	reply_flags(arg, seq, 1);
}

static void
tell_exists(void *arg, uint32_t count, uint32_t recent)
{
	reply_line(arg, "* %u EXISTS", count);
	reply_line(arg, "* %u RECENT", recent);
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

const struct mailbox_changes session_changes = {
	tell_expunged, tell_flags, tell_exists
};
const struct mailbox_changes session_changes_silent = {
	silent_expunged, silent_flags, silent_exists
};

void
session_sync(struct client *c, int no_expunge)
{
	enum store_error e;

	if (c->mb == NULL || c->leaving)
		return;
	e = mailbox_sync(c->mb, no_expunge, &session_changes, c);
	if (e == STORE_OK || e == STORE_BUSY)
		return;
	log_warnx("conn=%llu user=%s sync: %s", (unsigned long long)c->id,
	    c->set->user, store_strerror(e));
	if (e == STORE_NOENT)
		client_bye(c, "Mailbox was deleted");
}
