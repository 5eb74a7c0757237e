/*
 * auth: the role that judges logins, the same in all three daemons.
 *
 * net asks (AUTH_TRY); a failure goes back to net (AUTH_DONE), after a delay.
 * What becomes of a success differs, so each daemon has an auth_granted of its
 * own: that of session.h, or for smtpd one that tells lookup and net.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <sys/types.h>
#include <stdint.h>

#include "conf/conf.h"
#include "privsep/role.h"

struct auth_grant {
	struct peer	*net;			/* who asked */
	unsigned int	 conn;			/* net's number */
	int		 tls;
	int		 system;		/* a Unix account */
	uid_t		 uid;			/* never 0 */
	gid_t		 gid;
	struct conf_quota quota;		/* the user's own */
	char		 proto[16];
	char		 addr[C_ADDR];
	char		 user[C_USER];		/* as the source writes it */
	char		 home[C_PATH];		/* "" if there is none */
};

/*
 * Called once for each login that is granted.  Not defined in auth.c: linking
 * a daemon without one is an error.
 */
extern void (*const auth_granted)(const struct auth_grant *);

extern const struct role_code auth_code;

#endif
