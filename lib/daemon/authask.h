/*
 * authask: what a net role asks of auth, the same for every protocol.
 */
#ifndef DAEMON_AUTHASK_H
#define DAEMON_AUTHASK_H

#include <stdint.h>

struct peer;
struct sasl_server;

struct authask {
	uint32_t	 conn;		/* net's number */
	int		 tls;
	const char	*proto;
	const char	*addr;
};

/* -1: nobody has such a name or password, and nothing was asked. */
int	authask_try(struct peer *auth, const struct authask *,
	    const char *user, const char *pass);
/* The message of an exchange: AUTH_START or AUTH_STEP. */
void	authask_exchange(struct peer *auth, const struct authask *,
	    const struct sasl_server *);
void	authask_cancel(struct peer *auth, uint32_t conn);

#endif
