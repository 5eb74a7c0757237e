/*
 * exchange: logins by SCRAM-SHA-256 (RFC 5802): the server's side, with the
 * stored keys that net must not have.
 *
 * Nobody can tell from the exchange whether there is such a user, or one whose
 * hash is of another kind: whoever has no keys gets a salt that depends on the
 * name and a secret that outlives the daemon, keys that no password has, and
 * the same end.
 */
#ifndef AUTH_EXCHANGE_H
#define AUTH_EXCHANGE_H

#include "auth/sources.h"
#include "privsep/role.h"

#define EXCHANGES_MAX	2048	/* at once; then the oldest makes room */
#define EXCHANGE_TTL	60	/* seconds from its beginning */

/* Once. sources stays the caller's. */
void	exchange_init(struct sources *);
/* The secret of the made-up salts, in hexadecimal. -1 if it is none. */
int	exchange_key(const char *hex);
void	exchange_start(struct peer *net, const struct msg_AUTH_START *);
void	exchange_step(struct peer *net, const struct msg_AUTH_STEP *);
void	exchange_cancel(struct peer *net, uint64_t conn);
/* Nobody waits there any more. */
void	exchange_gone(const struct peer *net);
size_t	exchange_count(void);

#endif
