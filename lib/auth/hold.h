/*
 * hold: answers that are held back for a while, each with a timer and without
 * a thread.
 */
#ifndef AUTH_HOLD_H
#define AUTH_HOLD_H

#include "privsep/role.h"

#define HOLD_MAX	16384	/* then the oldest is sent early */

/* Answer net after ms milliseconds; at once when the role is to end. */
void	hold_answer(struct peer *net, const struct msg_AUTH_DONE *, int64_t ms);
/* Forget what was for this channel. */
void	hold_gone(const struct peer *);
/* Send all of it now. */
void	hold_flush(void);
size_t	hold_count(void);

#endif
