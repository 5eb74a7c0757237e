/*
 * relay_known: what is known of each address that mail is sent to, whichever
 * domains led there.
 *
 * RFC 5321 4.5.4.1: a list of hosts that cannot be reached, so that mail for
 * them is not tried again and again; and how many connections there may be to
 * an address at a time.  Counts and times only: who connects, and who waits, is
 * the business of relay_share.
 */
#ifndef SMTPD_RELAY_KNOWN_H
#define SMTPD_RELAY_KNOWN_H

#include "os/compat.h"
#include <stdint.h>

#include "smtpd/contract.h"

#define KNOWN_MAX	4096	/* addresses that are remembered */
#define KNOWN_FIRST	2	/* connections to a new one */
#define KNOWN_MOST	20	/* and to any */
#define KNOWN_SLOWLY	10	/* messages a connection, where it had enough */
#define KNOWN_WHY	200

struct session;
LIST_HEAD(session_list, session);
TAILQ_HEAD(session_queue, session);

struct known {
	LIST_ENTRY(known)	 bucket;
	TAILQ_ENTRY(known)	 use;		/* least recently first */
	char			 addr[C_ADDR];
	char			 source[C_ADDR];
	unsigned int		 port;
	unsigned int		 nopen;		/* there, or being made */
	unsigned int		 nready;	/* that got through */
	unsigned int		 window;	/* most of them */
	unsigned int		 enough;	/* from here on slowly */
	unsigned int		 took;		/* messages since it grew */
	int			 down;
	int64_t			 failed;	/* when, if down */
	char			 why[KNOWN_WHY];
	/* relay_share's: */
	struct session_list	 sessions;	/* that have a connection */
	struct session_queue	 waiting;	/* for one */
	unsigned int		 nwaiting;
	uint32_t		 line;		/* its number, for queue */
	unsigned int		 nturned;	/* away, and not called yet */
	unsigned int		 ncalled;	/* and not there yet */
	int64_t			 called;	/* when the last of them were */
};

enum known_may { KNOWN_GO, KNOWN_FULL, KNOWN_DOWN };

/*
 * What is known of this address, reached from source ("" any), perhaps
 * nothing yet.  NULL: no memory.  It stays while connections or waiting are
 * counted in it, else until KNOWN_MAX others were asked for.
 */
struct known	*known_get(const char *addr, unsigned int port,
		    const char *source);
/*
 * May a connection be made?  A failure counts for believe seconds, and for
 * those who ask since before it; after that one connection is made, whose end
 * tells.  Times are monotonic milliseconds.
 */
enum known_may	 known_may(const struct known *, uint64_t believe,
		    int64_t since, int64_t now);
/* Seconds until a failure is no longer believed, at least 1. */
unsigned int	 known_rest(const struct known *, uint64_t believe,
		    int64_t now);
/* It was not reached, or did not let us in. 1: it counts as down now. */
int		 known_failed(struct known *, const char *why, int64_t now);
/* It let us in. */
void		 known_reached(struct known *);
/* It took a message; 1: one more connection may be made than before. */
int		 known_took(struct known *);
size_t		 known_count(void);

#endif
