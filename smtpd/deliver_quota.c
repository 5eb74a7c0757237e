/*
 * deliver_quota: how full the mailbox is, and telling its owner.
 *
 * The owner is told once each time that a threshold is passed upwards.  Which
 * one he was told of last stands in a file of the Maildir, so that it is once
 * over all processes; without a limit there is no file and nothing is read.
 * An mbox has no place for one: its owner is not told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "os/compat.h"
#include "smtp/dsn.h"
#include "smtpd/deliver_quota.h"
#include "store/store.h"

#define WARNED_FILE	"quotawarned"
#define WARNING		2048		/* bytes of the message */

static const unsigned int	thresholds[] = { 95, 80 };	/* percent */

static int
warned_path(const struct msg_DELIVER_BOX *box, char path[C_PATH])
{
	int	n = snprintf(path, C_PATH, "%s/%s", box->path, WARNED_FILE);

	return (n < 0 || n >= C_PATH ? -1 : 0);
}

/* The threshold that the owner was told of; 0 none. */
static unsigned int
warned_read(const struct msg_DELIVER_BOX *box)
{
	char	path[C_PATH], text[16];
	ssize_t	n;
	int	fd;

	if (warned_path(box, path) == -1 || (fd = open(path, O_RDONLY |
	    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) == -1)
		return (0);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return (0);
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	return ((unsigned int)strtonum(text, 0, 100, NULL));
}

static int
warned_write(const struct msg_DELIVER_BOX *box, unsigned int level)
{
	char	path[C_PATH], text[16];
	int	fd, n;

	if (warned_path(box, path) == -1)
		return (-1);
	if (level == 0)
		return (unlink(path) == -1 && errno != ENOENT ? -1 : 0);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd == -1)
		return (-1);
	n = snprintf(text, sizeof(text), "%u\n", level);
	if (write(fd, text, (size_t)n) != n) {
		close(fd);
		return (-1);
	}
	return (close(fd));
}

/* The percentage of a limit that is passed; 0 none. */
static unsigned int
level_of(uint64_t used, uint64_t limit)
{
	size_t		i;
	unsigned int	t;

	for (i = 0; limit > 0 && i < sizeof(thresholds) /
	    sizeof(thresholds[0]); i++) {
		t = thresholds[i];
		if (used >= limit / 100 * t + (limit % 100 * t + 99) / 100)
			return (t);
	}
	return (0);
}

/* "13 of 16 megabytes", of what is nearer to its limit; never "0 of 0". */
static void
holds(const struct deliver_fill *f, char *to, size_t size)
{
	unsigned int	unit = f->limit < 10 << 20 ? 10 : 20;

	if (level_of(f->used, f->limit) >= level_of(f->messages,
	    f->max_messages))
		(void)snprintf(to, size, "%llu of %llu %sbytes",
		    (unsigned long long)(f->used >> unit),
		    (unsigned long long)(f->limit >> unit),
		    unit == 10 ? "kilo" : "mega");
	else
		(void)snprintf(to, size, "%llu of %llu messages",
		    (unsigned long long)f->messages,
		    (unsigned long long)f->max_messages);
}

static void
warn_owner(struct store *st, const struct msg_DELIVER_BOX *box,
    const char *hostname, const struct deliver_fill *f, unsigned int level)
{
	struct store_delivery	d = { .fd = -1, .arrived = time(NULL) };
	char			text[WARNING], id[64], date[64], much[64];
	enum store_error	e;
	int			n;

	dsn_date(d.arrived, date, sizeof(date));
	holds(f, much, sizeof(much));
	(void)snprintf(id, sizeof(id), "quota%u_%d", level, (int)getpid());
	n = snprintf(text, sizeof(text),
	    "Return-Path: <>\r\n"
	    "Date: %s\r\n"
	    "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <%s%s%s>\r\n"
	    "Subject: Your mailbox is more than %u %% full\r\n"
	    "Message-ID: <%lld.%s@%s>\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
	    "This is the mail system of %s.\r\n\r\n"
	    "Your mailbox holds %s.  When it is full, mail for\r\n"
	    "you is returned to its senders.  Please delete what you need no "
	    "more.\r\n", date, hostname, box->user,
	    strchr(box->user, '@') != NULL ? "" : "@",
	    strchr(box->user, '@') != NULL ? "" : hostname, level,
	    (long long)d.arrived, id, hostname, hostname, much);
	if (n < 0 || (size_t)n >= sizeof(text))
		return;
	d.id = id;
	d.head = text;
	d.headlen = (size_t)n;
	if ((e = store_deliver(st, "INBOX", &d)) != STORE_OK)
		log_warnx("user=%s: quota warning: %s", box->user,
		    store_strerror(e));
	else
		log_info("user=%s: told that the mailbox is more than %u%% "
		    "full", box->user, level);
}

/* Tell the owner if there is something new to tell; 1 if he was told. */
static int
warn_once(struct store *st, const struct msg_DELIVER_BOX *box,
    const char *hostname, const struct deliver_fill *f)
{
	static int	warned = -1;
	int		level, other, told = 0;

	if (warned == -1)
		warned = (int)warned_read(box);
	level = (int)level_of(f->used, f->limit);
	other = (int)level_of(f->messages, f->max_messages);
	if (other > level)
		level = other;
	if (level == warned)
		return (0);
	if (warned_write(box, (unsigned int)level) == -1)
		log_warn("user=%s: %s", box->user, WARNED_FILE);
	/* Told only if it can be remembered, or it would be each time. */
	else if (level > warned) {
		warn_owner(st, box, hostname, f, (unsigned int)level);
		told = 1;
	}
	warned = level;
	return (told);
}

static int
usage(struct store *st, struct deliver_fill *f)
{
	return (store_quota(st, &f->used, f->max_messages > 0 ?
	    &f->messages : NULL) == STORE_OK ? 0 : -1);
}

struct deliver_fill
deliver_quota(struct store *st, const struct msg_DELIVER_BOX *box,
    const char *hostname)
{
	struct deliver_fill	f = { .limit = box->quota,
				    .max_messages = box->quota_messages };
	const struct deliver_fill none = { 0 };

	if ((f.limit == 0 && f.max_messages == 0) || usage(st, &f) == -1)
		return (none);
	/* What he is told takes room, too. */
	if (!box->mbox && warn_once(st, box, hostname, &f) &&
	    usage(st, &f) == -1)
		return (none);
	return (f);
}

void
deliver_quota_missed(struct deliver_fill *f, uint64_t size)
{
	if (f->max_messages > 0 && f->messages >= f->max_messages)
		return;
	if (f->limit == 0)
		f->messages = f->max_messages;
	else if (size <= f->limit && f->limit - size >= f->used)
		f->used = f->limit - size + 1;
}
