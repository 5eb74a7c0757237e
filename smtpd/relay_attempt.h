/*
 * relay_attempt: the addresses of a host.
 */
#ifndef SMTPD_RELAY_ATTEMPT_H
#define SMTPD_RELAY_ATTEMPT_H

struct session;

/*
 * Try the next address of the session's host, beside those that have not
 * answered yet: session_begin() follows, or another's connection, or
 * connect_next_host() when there are no more.
 */
void	attempt_next(struct session *);
/* The same address once more, in place of the connection to it. */
void	attempt_again(struct session *);

#endif
