/*
 * deliver: puts mail into one user's mailbox, as that user.
 *
 * Or, started for that, tells lookup what stands in the user's forward file,
 * and ends.
 *
 * A program of its own that links no TLS.  It believes queue about the
 * envelope and trusts nothing in the message, which it copies without reading
 * beyond the Delivered-To fields of the header.  It may touch the mailbox and
 * nothing else; it stays for the next message.
 *
 * Cost of a message of 4 KB: pread, open, write, rename, and two to see that
 * the mailbox is where it was; syncs are batched by queue (DELIVER_SYNC).
 */
#include <sys/stat.h>

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "os/compat.h"
#include "privsep/role.h"
#include "rules/include.h"
#include "smtpd/contract.h"
#include "smtpd/deliver_head.h"
#include "smtpd/deliver_quota.h"
#include "smtpd/roles.h"
#include "store/store.h"

static struct {
	struct msg_DELIVER_BOX	 box;
	struct msg_FORWARD_FILE	 forward;
	struct store		*store;
	int			 moved;		/* store is not the mailbox */
	int			 ending;
} self;

static void
deliver_box(struct peer *p, struct msg *m)
{
	self.box = *(const struct msg_DELIVER_BOX *)m->body;
	setproctitle("deliver %s", self.box.user);
}

static void
deliver_forward_file(struct peer *p, struct msg *m)
{
	self.forward = *(const struct msg_FORWARD_FILE *)m->body;
	setproctitle("forward %s", self.forward.user);
}

/*
 * What keeps the file from being used is no reason to hold up the mail: then
 * it goes to the mailbox.
 */
static void
deliver_go(void)
{
	struct msg_FORWARD_TEXT	 t = { 0 };
	struct peer		*lookup = role_peer(ROLE_LOOKUP);
	const char		*why = NULL;
	char			*text;

	if (self.forward.path[0] == '\0' || lookup == NULL)
		return;
	text = include_read(self.forward.path, self.forward.uid, FORWARD_MAX,
	    &why);
	t.found = text != NULL;
	if (text == NULL && errno != ENOENT && errno != ENOTDIR) {
		t.tempfail = errno != EPERM && errno != EACCES;
		strlcpy(t.why, why, sizeof(t.why));
	}
	peer_send_tail(lookup, M_FORWARD_TEXT, &t, text, text != NULL ?
	    strlen(text) : 0, -1);
	(void)peer_flush(lookup);	/* it sees our end in any case */
	free(text);
	role_exit(0);
}

static enum store_error
open_store(void)
{
	struct store_settings	 set = { .user = self.box.user,
				    .hostname = role_settings()->hostname,
				    .mbox = self.box.mbox,
				    .quota = self.box.quota,
				    .quota_messages =
				    self.box.quota_messages };
	enum store_error	 e;
	uint64_t		 gone;

	if (self.store != NULL)
		return (STORE_OK);
	e = store_open_path(&self.store, self.box.path, &set, STORE_CREATE);
	if (e == STORE_OK && store_expire_daily(self.store, self.box.expire,
	    &gone) == STORE_OK && gone > 0)
		log_info("user=%s expired=%llu", self.box.user,
		    (unsigned long long)gone);
	if (e == STORE_SYS && !role_lacking())
		log_warn("user=%s: %s", self.box.user, self.box.path);
	return (e);
}

static void
on_end(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(void)arg;
	role_exit(0);
}

/*
 * A process that is confined to what it cannot use, or should not, can never
 * reach the mailbox; another one can, now or when that is mended.
 */
static void
end_if_useless(void)
{
	const struct timeval	tv = { .tv_sec = 1 };

	if (self.ending || (!role_lacking() && !self.moved))
		return;
	self.ending = 1;
	if (event_base_once(role_base(), -1, EV_TIMEOUT, on_end, NULL, &tv) ==
	    -1)
		role_exit(0);
}

static void
result(enum store_error e, char *to, size_t size)
{
	switch (e) {
	case STORE_OK:
		strlcpy(to, "250 2.0.0 delivered to the mailbox", size);
		break;
	case STORE_QUOTA:
		strlcpy(to, "552 5.2.2 the mailbox is full", size);
		break;
	case STORE_FULL:
		strlcpy(to, "452 4.3.1 the mailbox's disk is full", size);
		break;
	case STORE_BUSY:
		strlcpy(to, "450 4.2.0 the mailbox is locked", size);
		break;
	default:
		if (self.moved)
			strlcpy(to, "451 4.3.0 another mailbox is there now",
			    size);
		else if (role_lacking())
			strlcpy(to, "451 4.3.0 the mailbox cannot be made",
			    size);
		else
			snprintf(to, size, "451 4.3.0 mailbox: %s",
			    store_strerror(e));
	}
}

static enum store_error
deliver(const struct msg_DELIVER_MSG *a, int fd)
{
	struct store_delivery	d = { .id = a->id, .again = a->again,
				    .fd = fd, .arrived = a->arrived };
	enum store_error	e;
	char			head[DELIVER_HEAD];
	int			n;

	if ((e = open_store()) != STORE_OK)
		return (e);
	/* Restored by somebody, say: what is put into the old one is lost. */
	if (store_moved(self.store, self.box.path)) {
		self.moved = 1;
		return (STORE_GONE);
	}
	if ((n = deliver_head(a, head)) == -1)
		return (STORE_NAME);
	d.head = head;
	d.headlen = n;
	d.len = a->size;
	e = store_deliver(self.store, "INBOX", &d);
	/* The sender is not told where it is; who can mend it is. */
	if (e == STORE_READONLY || e == STORE_CORRUPT)
		log_warnx("user=%s: %s: %s", self.box.user, self.box.path,
		    store_strerror(e));
	return (e);
}

static void
deliver_deliver_msg(struct peer *p, struct msg *m)
{
	const struct msg_DELIVER_MSG	*a = m->body;
	struct msg_DELIVERED		 done = { .ticket = a->ticket };
	struct deliver_fill		 fill;
	const char			*why;
	enum store_error		 e;

	if ((why = deliver_objection(a, m->fd)) != NULL)
		strlcpy(done.reply, why, sizeof(done.reply));
	else if ((e = deliver(a, m->fd)) == STORE_QUOTA) {
		result(e, done.reply, sizeof(done.reply));
		fill = deliver_quota(self.store, &self.box,
		    role_settings()->hostname);
		deliver_quota_missed(&fill, a->size);
		done.used = fill.used;
		done.limit = fill.limit;
		done.messages = fill.messages;
		done.max_messages = fill.max_messages;
	} else
		result(e, done.reply, sizeof(done.reply));
	peer_send(p, M_DELIVERED, &done, -1);
	end_if_useless();
}

static void
deliver_deliver_sync(struct peer *p, struct msg *m)
{
	const struct msg_DELIVER_SYNC	*a = m->body;
	struct msg_DELIVER_SYNCED	 done = { .ticket = a->ticket };
	struct deliver_fill		 fill;

	if (open_store() == STORE_OK) {
		fill = deliver_quota(self.store, &self.box,
		    role_settings()->hostname);
		done.used = fill.used;
		done.limit = fill.limit;
		done.messages = fill.messages;
		done.max_messages = fill.max_messages;
	}
	done.failed = self.store == NULL ||
	    store_deliver_sync(self.store) != STORE_OK;
	peer_send(p, M_DELIVER_SYNCED, &done, -1);
	end_if_useless();
}

/* queue has no use for this process any more. */
static void
deliver_channel_gone(struct peer *p)
{
	if (self.store != NULL)
		store_close(self.store);
	role_exit(0);
}

static const struct handler handlers[] = {
	{ M_FORWARD_FILE,	deliver_forward_file },
	{ M_DELIVER_BOX,	deliver_box },
	{ M_DELIVER_MSG,	deliver_deliver_msg },
	{ M_DELIVER_SYNC,	deliver_deliver_sync },
	{ 0,			NULL }
};

static const struct role_code deliver_code = {
	.handlers = handlers,
	.go = deliver_go,
	.channel_gone = deliver_channel_gone,
};

static const struct role_def roles[] = {
	DELIVER_ROLE(&deliver_code),
	{ ROLE_PARENT, NULL, NULL, NULL, 0, 0, 0, NULL }
};

static const struct daemon_def smtpd = { "smtpd", &smtpd_contract, roles,
	NULL };

int
main(int argc, char **argv)
{
	role_run(&smtpd, &roles[0], argc, argv);
}
