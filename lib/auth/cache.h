/*
 * cache: verdicts of the last minutes, so that a client which logs in for
 * every message costs a microsecond and not a password hash.
 *
 * An entry is found by a keyed digest of the user, the password, the protocol,
 * the address and the stored hash, so that nothing in it can be turned back
 * into a password and a changed hash makes it unreachable.  Verdicts
 * against a password are kept apart, so that guessing pushes no good one out.
 */
#ifndef AUTH_CACHE_H
#define AUTH_CACHE_H

#include <stddef.h>
#include <stdint.h>

#define CACHE_TTL	120		/* seconds */
#define CACHE_GOOD	8192		/* entries */
#define CACHE_BAD	2048

struct cache;

struct cache_login {
	const char	*user;		/* canonical */
	const char	*pass;
	const char	*proto;
	const char	*addr;
	const char	*hash;		/* as it is stored now */
};

enum cache_verdict { CACHE_UNKNOWN, CACHE_RIGHT, CACHE_WRONG };

struct cache	*cache_new(void);	/* NULL on ENOMEM */
void		 cache_free(struct cache *);
/* now is monotonic, in seconds. */
enum cache_verdict cache_get(struct cache *, const struct cache_login *,
		    int64_t now);
void		 cache_put(struct cache *, const struct cache_login *,
		    enum cache_verdict, int64_t now);

#endif
