/*
 * submit_keep: messages that could not be handed over because smtpd was down.
 *
 * They lie in one directory beside the spool, which belongs to root and has
 * mode 1733 (1777 where a directory that one may not read cannot be opened):
 * everybody can put a file there, nobody sees the names of others, and
 * nobody can remove or replace what is another's.  A file is its user's own
 * (mode 0600), named after his uid and a random number.  The legal states:
 *
 *	locked		sendmail writes it or waits for the disk, or a process
 *			of smtpd's sends it
 *	complete	its size is what its first line says; it was synced
 *			before sendmail ended with 0
 *	short		sendmail was killed, and nobody was told that it is kept
 *
 * What cannot be synced is removed before its lock goes: it is never sent by
 * one and said to have failed by the other.
 *
 * smtpd looks once a minute and has a process of the user's send what is
 * there (smtpd/handover.c), which then removes it.
 */
#ifndef DAEMON_SUBMIT_KEEP_H
#define DAEMON_SUBMIT_KEEP_H

#include <sys/stat.h>
#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/submit.h"
#include "os/os.h"

#define KEEP_MODE	(OS_O_SEARCH != 0 ? 01733 : 01777)
#define KEEP_NAME	40		/* "UID.0123456789abcdef" */
#define KEEP_ACCOUNT	"_mailsub"	/* sends what root has kept */

struct keep {
	struct submit_mail	 mail;		/* text points into bytes */
	char			*origin;
	char			*bytes;
};

/* SPOOL-handover; -1 if it does not fit. */
int	keep_dir(const char *spool, char *, size_t);
/* The directory, if it is one that others cannot have put there. */
int	keep_open(const char *path, uid_t owner);
/* Keep it as this user's; 0 when it is on the disk. -1 with errno. */
int	keep_write(int dir, uid_t uid, gid_t gid, const struct submit_mail *,
	    const char *origin);
/*
 * A kept file of this process's uid, read-only and locked until it is closed;
 * *st is what it is.  -1 with errno: EWOULDBLOCK somebody else is at it, EPERM
 * it is none that sendmail has kept, or above max bytes.
 */
int	keep_take(int dir, const char *name, size_t max, struct stat *st);
/* The uid in a name; -1 if it is none of ours. */
int	keep_name_uid(const char *name, uid_t *uid);

/* What bytes say; they become the keep's. -1: not a whole message. */
int	keep_parse(struct keep *, char *bytes, size_t len);
void	keep_free(struct keep *);

#endif
