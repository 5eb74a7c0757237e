/*
 * waiters: who is to be resumed when an answer is there (rules_env.resume).
 */
#ifndef SMTPD_WAITERS_H
#define SMTPD_WAITERS_H

#include <stddef.h>

struct rules_env;
struct waiter;

struct waiters {
	struct waiter	*first;
};

/*
 * -1 without memory, or if WAITERS_MAX wait already, in all lists together.
 * Somebody without a resume() is not added.
 */
#define WAITERS_MAX	20000
int	waiters_add(struct waiters *, const struct rules_env *);
/* Resume all of them; the list may be given up by the first one. */
void	waiters_resume(struct waiters *);
/* Forget them. */
void	waiters_drop(struct waiters *);

#endif
