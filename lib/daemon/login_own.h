/*
 * login_own: what login.c and login_ask.c share; for nobody else.
 */
#ifndef DAEMON_LOGIN_OWN_H
#define DAEMON_LOGIN_OWN_H

#include "daemon/counter.h"
#include "daemon/login.h"
#include "os/compat.h"

enum phase {
	PHASE_HANDSHAKE,		/* TLS from the first byte */
	PHASE_OPEN,			/* the protocol reads */
	PHASE_WAIT,			/* auth or the parent was asked */
	PHASE_ORPHAN,			/* the same, but the client has gone */
	PHASE_SESSION,			/* handed over */
	PHASE_BYE			/* last words are being written */
};

struct login {
	TAILQ_ENTRY(login) entry;	/* in waiting, unless PHASE_SESSION */
	LIST_ENTRY(login) byid;
	struct conn	*conn;		/* NULL: gone, or the session's now */
	struct event	*timer;
	void		*state;		/* the protocol's */
	void		*addrkey;
	const struct conf_listen *conf;
	enum phase	 phase;
	unsigned int	 id;
	unsigned int	 tries;
	unsigned int	 commands;
	int		 asked;		/* a verdict is on its way */
	int		 exchange;	/* auth remembers one */
	enum counter_method method;	/* of the login that was tried */
	char		*user;
	char		 addr[C_ADDR];
};

const struct login_proto *login_proto(void);
/* Will an answer of auth still be of use? */
int		 login_stopping(void);
struct tls	*login_context(const struct conf_listen *);
void		 login_set_timer(struct login *, unsigned int seconds);
/* Tell the client and let it try again, or close. */
void		 login_refuse(struct login *, unsigned int result);

#endif
