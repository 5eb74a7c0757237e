/*
 * relay_share: one connection for all domains that have the same host.
 */
#ifndef SMTPD_RELAY_SHARE_H
#define SMTPD_RELAY_SHARE_H

#include <stddef.h>

#define SHARE_BUSY_SECONDS 10	/* who is not called before comes again */
#define SHARE_REFUSED_SECONDS 2	/* whom the host refused; nobody calls him */

/* Between two messages. */
enum share_turn {
	TURN_KEEP,		/* the connection, for the next message */
	TURN_PASS,		/* it on: share_pass() */
	TURN_CLOSE		/* it: who is next cannot share it */
};

struct known;
struct session;

enum share {
	SHARE_CONNECT,		/* make a connection */
	SHARE_TAKEN,		/* it has another's: queue was told */
	SHARE_WAIT,		/* for another's, or to make one */
	SHARE_DOWN,		/* known to be down: known.why */
	SHARE_BUSY		/* too many wait already */
};

/*
 * Before a connection to the session's address of this index is made.  *k is
 * what is known of it; NULL without memory, and then it is not limited.
 * fn(session) is called when one that waits is to try its addresses again.
 */
enum share share_begin(struct session *, size_t addr, struct known **k,
	    void (*fn)(struct session *));
/*
 * May mail of s go over the connection of an idle session to the same address?
 * Only if that is what s would have made itself: the same protocol, protection,
 * proven name, login and source.
 */
int	share_same(const struct session *idle, const struct session *s);

/* A connection is being made to k, or is over; k may be NULL. */
void	share_open(struct known *k);
void	share_close(struct known *k);
/* The session has a connection to k, which share_open() was told of. */
void	share_connected(struct session *, struct known *k);
/* It has it no more, and waits for none. */
void	share_leave(struct session *);
/* Seconds until an address that is down may be tried by this session. */
unsigned int share_rest(const struct session *, const struct known *);
/* The server let us in; it took a message. */
void	share_reached(struct session *);
void	share_took(struct session *);
/*
 * The address was not reached, or did not let us in, whoever we are.  0: as it
 * serves others of ours it only has enough of us.
 */
int	share_failed(struct known *k, const char *why);
/*
 * Those that wait take turns, in their order.  One at a time gives up its
 * connection for somebody who needs one of his own.
 */
enum share_turn share_turn(struct session *);
/*
 * Queue has nothing for an idle session.  Until that is said its next message
 * is on the way, and its connection nobody else's.
 */
void	share_spare(struct session *);
/* Give it away, for good: queue was told that the session is over. */
void	share_pass(struct session *);

#endif
