/*
 * limit: every limit on what clients may cause, in one table that all code
 * asks and "mailctl limits" prints.
 *
 * A process that enforces one notes its use; the notes go to the parent once
 * a second at most, as numbers, for mailctl.
 */
#ifndef DAEMON_LIMIT_H
#define DAEMON_LIMIT_H

#include <stdint.h>

#include "conf/conf.h"
#include "imsg/peer.h"

enum limit_id {
	LIMIT_SESSIONS, LIMIT_SESSIONS_ADDRESS, LIMIT_SESSIONS_NETWORK,
	LIMIT_RATE_ADDRESS, LIMIT_RATE_NETWORK, LIMIT_RATE_USER,
	LIMIT_MESSAGE, LIMIT_RECIPIENTS, LIMIT_RECIPIENTS_TRIED,
	LIMIT_HOPS, LIMIT_MESSAGES, LIMIT_ERRORS, LIMIT_UNKNOWN,
	LIMIT_IDLE, LIMIT_LOGINS, LIMIT_LINE, LIMIT_AUTH_LINE,
	LIMIT_PARAMETERS, LIMIT_PIPELINE, LIMIT_TIME_COMMAND,
	LIMIT_TIME_MESSAGE, LIMIT_TIME_SESSION, LIMIT_DELIVERERS,
	LIMIT_COMMANDS, LIMIT_COMMANDS_USER, LIMIT_READERS,
	LIMIT_REPORTS, LIMIT_REPORTS_SENDER, LIMIT_MEMORY,
	LIMIT_COUNT
};

/* Its value; 0: none. */
uint64_t limit_of(const struct conf *, enum limit_id);
/* So much of it is in use now. */
void	 limit_use(enum limit_id, uint64_t now);
/* Somebody came up against it. */
void	 limit_reached(enum limit_id);

/* In the parent: the handler of LIMIT_USE, and what mailctl is told. */
void	 parent_limit_use(struct peer *, struct msg *);
/* malloc'ed; NULL on ENOMEM. */
char	*limit_print(const struct conf *, const char *daemon, int json);

#endif
