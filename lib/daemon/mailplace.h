/*
 * mailplace: as whom a mailbox may be opened, and where it is.  Used by every
 * parent that starts a process for a user.
 */
#ifndef DAEMON_MAILPLACE_H
#define DAEMON_MAILPLACE_H

#include <sys/types.h>

#include "conf/conf.h"
#include "privsep/contract.h"

struct mailplace {
	int		mbox;		/* an mbox file, else a Maildir */
	struct conf_quota quota;
	char		path[C_PATH];	/* of the mailbox */
	char		dir[C_PATH];	/* what its process may see */
	char		special[C_SPECIAL];	/* to be made */
	char		expire[C_EXPIRE];
};

/* Look our own accounts up, once, before anything is opened. */
void	mailplace_prepare(void);
/*
 * Root owns no mailbox, nor does a system account or a role of ours; started
 * by an ordinary user, everything is that user's.  1 or 0.
 */
int	mailplace_owner_ok(uid_t, gid_t);
/*
 * The mailbox of user in a domain; home as the user's source says, quota the
 * user's own.  NULL, or why there is none.
 */
const char *mailplace_find(const struct conf_domain *, const char *user,
	    const char *home, const struct conf_quota *,
	    struct mailplace *);
/* The same by another configuration than the parent's. */
const char *mailplace_of(const struct conf *, const struct conf_domain *,
	    const char *user, const char *home, const struct conf_quota *,
	    struct mailplace *);

#endif
