/*
 * role: a process with one job, started by exec and confined.
 *
 * The parent (supervise.h) starts each role of the daemon's table; the role's
 * program calls role_run(), which takes its settings from the parent over
 * descriptor ROLE_FD, drops privilege, enters the sandbox, and only then
 * calls the role's own code.
 */
#ifndef PRIVSEP_ROLE_H
#define PRIVSEP_ROLE_H

#include <sys/types.h>

#include "imsg/peer.h"
#include "privsep/contract.h"

struct event_base;

#define ROLE_FD		3		/* the channel to the parent */

/* Flags of a role. */
#define ROLE_KEEPS	0x01	/* stays over a reload (the spool's owner) */
#define ROLE_PERUSER	0x02	/* started on demand, program of its own */
#define ROLE_CONFTEXT	0x04	/* is told the configuration */
#define ROLE_NETFACING	0x08	/* reads what strangers write */

#define PEER_BAD_MAX	4	/* complaints a second that are heard */

/* One line of a daemon's role table. */
struct role_def {
	enum role	 role;
	const char	*user;		/* account; NULL: the mailbox's owner */
	const char	*root;		/* chroot; NULL: none */
	const char	*promises;	/* sandbox.h */
	unsigned int	 flags;
	unsigned int	 nofile;	/* RLIMIT_NOFILE */
	uint32_t	 channels;	/* R_*: roles it has a channel to */
	const struct role_code *code;	/* NULL: program of its own */
};

/* What a role's own file provides. */
struct role_code {
	const struct handler	*handlers;	/* its own messages */
	/* before privilege is dropped: warm up libraries, nothing else */
	void			(*warm)(void);
	/* confined; settings so far: START. May be NULL. */
	void			(*init)(void);
	/* all settings are there; the event loop starts next */
	void			(*go)(void);
	/* finish connections, then call role_exit(); NULL: exit at once */
	void			(*drain)(unsigned int seconds);
	/* another channel to a role was opened or has gone. May be NULL. */
	void			(*channel)(struct peer *);
	void			(*channel_gone)(struct peer *);
	/* log one line of statistics. May be NULL. */
	void			(*stats)(void);
};

struct daemon_def {
	const char		*name;		/* "smtpd" */
	const struct contract	*contract;
	const struct role_def	*roles;		/* role == ROLE_PARENT ends */
	/* account_become(); NULL in per-user programs */
	void			(*become)(const char *user, const char *root);
};

/*
 * The whole life of a role.  Never returns.  Handlers for the messages of
 * COMMON_MESSAGES that concern every role are its own; a role registers only
 * those that are its business (CONF, CERT, KEY, TABLE, LISTENER, DRAIN are
 * passed on to role's handlers when it lists them).
 */
void	role_run(const struct daemon_def *, const struct role_def *, int argc,
	    char **argv) __attribute__((__noreturn__));
void	role_exit(int status) __attribute__((__noreturn__));

/* The one state that every role has; valid inside role_run(). */
struct event_base *role_base(void);
struct peer	*role_parent(void);
/* The channel to a role, the newest one; NULL if there is none now. */
struct peer	*role_peer(enum role);
/* The channel to a role of this generation, or NULL. */
struct peer	*role_peer_of(enum role, uint32_t generation);
const struct msg_START *role_settings(void);
int		 role_draining(void);
/* 1 if a directory of the owner's could not be made: it is out of reach. */
int		 role_lacking(void);

/*
 * A further channel that came in a message of the role's own (a deliverer's);
 * pid is the other end's, for the log.  NULL with errno; fd is taken over.
 */
struct peer	*role_peer_new(enum role, int fd, pid_t pid);
/*
 * A descriptor's whole content, terminated, at most max bytes; closes nothing.
 * NULL with errno (EFBIG); the caller frees.
 */
char		*role_slurp(int fd, size_t max, size_t *len);
/* The other end broke the contract in a way that only its user could see. */
void		 role_peer_bad(struct peer *, const char *why);

/* The role table by name and number. */
const struct role_def *role_find(const struct daemon_def *, enum role);

#endif
