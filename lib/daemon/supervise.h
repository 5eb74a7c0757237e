/*
 * supervise: the parent's part that all daemons share: options, starting and
 * restarting roles, generations, reload, stop, the control socket.
 *
 * Everything here runs as root.  It reads mail.conf and keys, which are the
 * administrator's, and messages of fixed size from its roles.
 */
#ifndef DAEMON_SUPERVISE_H
#define DAEMON_SUPERVISE_H

#include <sys/types.h>

#include "conf/conf.h"
#include "os/sandbox.h"
#include "privsep/role.h"

/* What a daemon's parent.c adds. */
struct parent_ops {
	/* messages to the parent that only this daemon has */
	const struct handler	*handlers;
	/* does this daemon serve the listener? */
	int			(*serves)(const struct conf_listen *);
	/*
	 * Paths that a role may see: fills in at most max and returns how
	 * many.  May be NULL.
	 */
	size_t			(*paths)(enum role, const struct conf *,
				    struct sandbox_path *, size_t max);
	/*
	 * A role was confined and told the common settings (configuration,
	 * channels, listeners, certificates, keys, tables); send it the rest.
	 * May be NULL.
	 */
	void			(*tell)(struct peer *, enum role,
				    const struct conf *);
	/* A per-user process has gone; arg as given to supervise_peruser(). */
	void			(*peruser_gone)(struct peer *, void *arg);
	/*
	 * What mailctl asks of this daemon only: 0 if it is or will be
	 * answered (control_answer()), -1 if it is no question for it; and
	 * who asked does not wait any more.  May be NULL.
	 */
	int			(*asked)(struct peer *,
				    const struct msg_CTL_ASK *);
	void			(*asker_gone)(struct peer *);
	/* Once a second. May be NULL. */
	void			(*tick)(void);
	/* Before the first generation starts, as root. May be NULL. */
	int			(*prepare)(const struct conf *);
	/* More checks for -n and each reload: -1 if it must not be used. */
	int			(*check)(const struct conf *, conf_report,
				    void *);
};

/* main() of a daemon: parses options, becomes the parent or a role. */
int	supervise_main(const struct daemon_def *, const struct parent_ops *,
	    int argc, char **argv);

/* The configuration in force, and its generation. */
const struct conf *supervise_conf(void);
uint32_t	supervise_generation(void);
/* Generation that a peer of the parent belongs to, and its configuration. */
uint32_t	supervise_peer_generation(struct peer *);
const struct conf *supervise_peer_conf(struct peer *);
int		supervise_unprivileged(void);

/*
 * Start a program of its own for one user: it drops privilege before anything
 * else; then START, PATH and ENTER are sent.  uid 0 is refused unless the
 * suite runs unprivileged as that uid.  NULL with errno (logged).  The caller
 * sends what the program needs and then supervise_go().
 */
struct peer	*supervise_peruser(enum role, const char *program, uid_t, gid_t,
		    const char *user, const struct sandbox_path *, size_t,
		    void *arg);
void		 supervise_go(struct peer *);
/* Ask it to finish (DRAIN); it is killed if it does not within a minute. */
void		 supervise_end(struct peer *);
/* A per-user process that is killed if it still runs after so long. */
void		 supervise_lifetime(struct peer *, unsigned int seconds);
/* A bad message or worse: log why, kill the role; it is started again. */
void		 supervise_kill(struct peer *, const char *why);
/* The channel to a role of the newest (or the given) generation, or NULL. */
struct peer	*supervise_role(enum role);
struct peer	*supervise_role_of(enum role, uint32_t generation);
size_t		 supervise_peruser_count(void);
/* Log statistics, here and in every role. */
void		 supervise_stats(void);

#endif
