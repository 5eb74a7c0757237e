/*
 * verify: does a password belong to a stored hash?
 *
 * A hash is any crypt(3) string that the system knows, bare or behind {CRYPT},
 * another {...-CRYPT} or {MD5}; {SCRAM-SHA-256}; one of salted.h, to come from
 * elsewhere with; or {PLAIN}, for tests.
 */
#ifndef AUTH_VERIFY_H
#define AUTH_VERIFY_H

#include <stddef.h>

#define VERIFY_HASH_MAX	512		/* with its terminator */
/*
 * OpenBSD judges system accounts by bsd_auth(3): this with a name behind it
 * stands for "ask about that account".  No table may hold it.
 */
#define VERIFY_BSDAUTH	"{BSDAUTH}"

enum verify_result {
	VERIFY_RIGHT,
	VERIFY_WRONG,
	VERIFY_UNUSABLE,	/* this system knows no such hash */
	VERIFY_FAILED		/* no memory for it now */
};

/* Takes milliseconds, and memory that the hash asks for; thread-safe. */
enum verify_result verify_password(const char *hash, const char *pass);
/* What follows {PLAIN}; NULL for any other hash. */
const char *verify_plain(const char *hash);
/* 1 if a login by SCRAM-SHA-256 can be judged by it. */
int	verify_scrams(const char *hash);
/* 1 if whoever reads it can guess the password at great speed (salted.h). */
int	verify_fast(const char *hash);
/* 1 if no password may open this account: empty, "*", "!...", "x". */
int	verify_locked(const char *hash);
/* 1 if it has the form of a hash that verify_password() can judge. */
int	verify_usable(const char *hash);
/*
 * A hash of the same scheme and cost that belongs to no password that anybody
 * has, for the work on unknown users.  like may be NULL: the system's default.
 * -1 if it does not fit.
 */
int	verify_dummy(const char *like, char *, size_t);

#endif
