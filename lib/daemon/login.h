/*
 * login: what the net processes of imapd and pop3d share: listeners, limits,
 * TLS, the wait for the verdict, and handing a connection over to the user's
 * session.  The protocol itself, up to the login, is a struct login_proto.
 *
 * Runs in a process that strangers talk to: it can open nothing, and it
 * decides nothing about who is who.  It asks auth; a stronger process acts; a
 * descriptor comes back.
 */
#ifndef DAEMON_LOGIN_H
#define DAEMON_LOGIN_H

#include <stddef.h>

#include "conf/conf.h"
#include "privsep/role.h"

struct conn;
struct sasl_server;
struct login;			/* a connection */

/* Why a connection is ended from our side. */
enum login_bye { LOGIN_BYE_TIMEOUT, LOGIN_BYE_DRAIN, LOGIN_BYE_AUTH };

struct login_proto {
	const char	*name;		/* "imap": logs, AUTH_TRY */
	enum conf_proto	 clear;		/* the listeners it serves */
	enum conf_proto	 secure;	/* TLS from the first byte */
	size_t		 in_max;	/* bytes that input() may leave */
	const char	*too_many;	/* line for one client too many */
	/* Greet. Returns the protocol's state, or NULL for no memory. */
	void	*(*begin)(struct login *);
	/* As conn_ops.input. */
	size_t	 (*input)(struct login *, void *, const char *, size_t);
	/* TLS by command is up: forget all that was said before. */
	void	 (*secured)(struct login *, void *);
	/* auth's answer in an exchange; text as it is to be sent, decoded */
	void	 (*challenge)(struct login *, void *, const char *text);
	/* The try was not granted: AUTH_* but AUTH_GRANTED. */
	void	 (*refused)(struct login *, void *, unsigned int result);
	/*
	 * What the session must know, a line with its end; returns its length
	 * (0: it does not fit).
	 */
	size_t	 (*preface)(struct login *, void *, char *, size_t);
	/* Say good-bye; the connection is finished afterwards. */
	void	 (*bye)(struct login *, void *, enum login_bye);
	void	 (*end)(void *);	/* frees (and wipes) the state */
};

/* A net role is these, with its own go() that calls login_go(). */
extern const struct handler login_handlers[];
void	login_warm(void);
void	login_go(const struct login_proto *);
void	login_drain(unsigned int seconds);
void	login_channel_gone(struct peer *);
void	login_stats(void);

/* For the protocol. */
const struct conf *login_conf(void);
struct conn	*login_conn(struct login *);
const char	*login_addr(const struct login *);
unsigned int	 login_id(const struct login *);
/*
 * A command came: may it be run?  Those that cost a stranger nothing would
 * hold up everybody else, some thousand at a time; no client needs many.
 */
int		 login_command(struct login *);
/* May a password be sent on this connection as it is now? */
int		 login_may_auth(const struct login *);
/* Would STARTTLS help?  Then login_starttls() begins it. */
int		 login_may_starttls(const struct login *);
void		 login_starttls(struct login *);
/*
 * Ask auth.  No input is handed over until refused() or the hand-over.  The
 * caller wipes its own copy of the password.  mech is of SASL; NULL: the
 * protocol's own command.
 */
void		 login_try(struct login *, const char *mech,
		    const char *user, const char *pass);
/* Have auth answer the message of an exchange; the same wait. */
void		 login_exchange(struct login *, const struct sasl_server *);
/* The client gave it up. */
void		 login_cancel(struct login *);
/* Are mechanisms of use that need stored keys? */
int		 login_has_keys(void);
/* Close after what was written. */
void		 login_close(struct login *);

#endif
