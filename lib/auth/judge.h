/*
 * judge: one login from the question to the verdict.
 *
 *	throttle	refused unseen?		-> SLOWDOWN, held back
 *	sources		who is it?  all of them, in order
 *	cache		judged a moment ago?
 *	workers		the hashes, or a dummy when nobody is of that name
 *	verdict		granted at once; a failure is logged at once, counted,
 *			and answered later: the time until then is counted from
 *			the question, so that it does not tell what was done
 */
#ifndef AUTH_JUDGE_H
#define AUTH_JUDGE_H

#include "auth/sources.h"
#include "privsep/role.h"

#define JUDGE_MAX	4096	/* logins at once; more are told TEMPFAIL */

/* Once, confined. -1 with errno. sources stays the caller's. */
int	judge_init(struct sources *, unsigned int threads);
void	judge_login(struct peer *net, const struct msg_AUTH_TRY *);
/* Nobody waits there any more: what is under way ends without effect. */
void	judge_gone(const struct peer *);
size_t	judge_count(void);
/* One line for the log. */
void	judge_stats(char *, size_t);

#endif
