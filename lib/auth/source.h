/*
 * source: where accounts come from: the system, or a user table.
 *
 * A source finds out who somebody is and what the password's hash is; it
 * never sees the password.
 */
#ifndef AUTH_SOURCE_H
#define AUTH_SOURCE_H

#include <sys/types.h>
#include <stdint.h>

#include "auth/verify.h"
#include "conf/conf.h"
#include "privsep/contract.h"

struct conf;
struct conf_table;
struct table_refresh;

struct account {
	int		system;
	uid_t		uid;
	gid_t		gid;
	struct conf_quota quota;		/* of its own */
	char		user[C_USER];		/* as the source writes it */
	char		home[C_PATH];		/* "" if it has none */
	char		hash[VERIFY_HASH_MAX];
};

enum source_result {
	SOURCE_FOUND,
	SOURCE_UNKNOWN,		/* nobody of that name */
	SOURCE_REFUSED,		/* somebody who may not log in: why */
	SOURCE_FAILED		/* cannot be told now: why */
};

/* account is gone (and wiped) when it returns. */
typedef void (*source_cb)(enum source_result, const struct account *,
	    const char *why, void *arg);

/*
 * The name under which the table has, or would have, this login; returns it.
 * Names of the same account give the same.
 */
const char *source_table_name(const struct conf *, const struct conf_table *,
	    const char *login, char *, size_t);
/* Answers at once. */
void	source_system(const struct conf *, const char *login, source_cb,
	    void *arg);
/* May answer later. conf must stay until it did. */
void	source_table(const struct conf *, const struct conf_table *,
	    struct table_refresh *, const char *login, source_cb, void *arg);

#endif
