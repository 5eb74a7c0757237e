/*
 * counter: what happened since a daemon started, for "mailctl stats".
 *
 * The process in which something happens counts it and tells the parent once
 * a second at most what has been added, so that a reload or a restarted role
 * does not begin anew.  The parent takes of each role only what is that
 * role's to count, and makes nothing of it but a table.
 *
 * Cost where one counts: an addition, and a message a second for each counter
 * that changed.
 */
#ifndef DAEMON_COUNTER_H
#define DAEMON_COUNTER_H

#include <stdint.h>

#include "imsg/peer.h"

/* How somebody logs in: COUNTER_LOGIN and COUNTER_LOGIN_BAD each. */
enum counter_method {
	METHOD_PLAIN, METHOD_LOGIN, METHOD_SCRAM, METHOD_COMMAND, METHOD_COUNT
};

/* The subject of an enhanced status code (RFC 3463 section 3). */
#define COUNTER_SUBJECTS	8

enum counter_id {
	COUNTER_CONNECTIONS,
	COUNTER_TURNED_AWAY,
	COUNTER_TLS,
	COUNTER_TLS_FAILED,
	COUNTER_LOGIN,
	COUNTER_LOGIN_BAD = COUNTER_LOGIN + METHOD_COUNT,
	COUNTER_LOGIN_SLOWED = COUNTER_LOGIN_BAD + METHOD_COUNT,
	COUNTER_LOGIN_LATER,
	COUNTER_LIMITS,
	COUNTER_MESSAGES,
	COUNTER_REFUSED,
	COUNTER_DELAYED = COUNTER_REFUSED + COUNTER_SUBJECTS,
	COUNTER_RULES = COUNTER_DELAYED + COUNTER_SUBJECTS,
	COUNTER_PROCESSES,
	COUNTER_PARKED,
	COUNTER_COUNT
};

void	 counter_add(enum counter_id, unsigned int n);
/* How many there are at this moment. */
void	 counter_now(enum counter_id, unsigned int n);
/* mech: of SASL, or NULL for the protocol's own command. */
enum counter_method counter_method(const char *mech);
/* A login was answered with this result (AUTH_*). */
void	 counter_login(enum counter_method, uint64_t result);
/* An SMTP reply; counts if it refuses, as often as it is said. */
void	 counter_reply(const char *reply, unsigned int times);

/* In the parent: the handler of COUNTED, and what mailctl is told. */
void	 parent_counted(struct peer *, struct msg *);
/* malloc'ed; NULL on ENOMEM. */
char	*counter_print(const char *daemon, int json);

#endif
