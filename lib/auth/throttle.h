/*
 * throttle: how long a failure is held back, and when guessing has to stop.
 *
 * Failures are counted for the address (of IPv6 its /64) and for the user, in
 * windows of WINDOW seconds.  After LIMIT of them a login is refused
 * unseen.  Whoever logged in from this address before is not concerned by
 * what others guess: then only the failures of that user from that address
 * count.  The same wrong password again is no guess and counts once: it is a
 * client that was not told of a change.  Loopback is many people (a webmail):
 * it has no limit of its own, the users' remain.
 *
 * Memory is bounded; a flood of addresses pushes out old addresses, and not
 * users or known pairs.
 */
#ifndef AUTH_THROTTLE_H
#define AUTH_THROTTLE_H

#include <stdint.h>

#define THROTTLE_LIMIT		10
#define THROTTLE_WINDOW		600		/* seconds */
#define THROTTLE_KNOWN		(30 * 86400)	/* a login is remembered */
#define THROTTLE_ADDRS		16384
#define THROTTLE_USERS		16384
#define THROTTLE_PAIRS		32768
#define THROTTLE_DELAY_MAX	15		/* seconds */

struct throttle;

struct throttle	*throttle_new(void);	/* NULL on ENOMEM */
void		 throttle_free(struct throttle *);
/* 1 if this login is to be refused without looking. now: monotonic seconds. */
int		 throttle_refuses(struct throttle *, const char *addr,
		    const char *user, int64_t now);
/* Count a failure. Returns the seconds by which to hold back its answer. */
unsigned int	 throttle_failed(struct throttle *, const char *addr,
		    const char *user, const char *pass, int64_t now);
/* The same without counting, for a login that was refused. */
unsigned int	 throttle_delay(struct throttle *, const char *addr,
		    int64_t now);
void		 throttle_succeeded(struct throttle *, const char *addr,
		    const char *user, int64_t now);
/* The address as it is counted: IPv6 as its /64, v4-mapped as v4. */
#define THROTTLE_ADDR	64
void		 throttle_addr(const char *addr, char[THROTTLE_ADDR]);

#endif
