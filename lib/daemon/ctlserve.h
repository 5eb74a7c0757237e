/*
 * ctlserve: the serving end of a control socket, in the parent and in queue.
 *
 * Whoever connects must be root or the user that runs the suite, told by the
 * kernel and not by him.  A malformed request closes that connection and
 * nothing else.
 */
#ifndef DAEMON_CTLSERVE_H
#define DAEMON_CTLSERVE_H

#include "imsg/peer.h"

struct ctlserve;
struct event_base;

#define CTLSERVE_CLIENTS	32	/* at once */

/*
 * Serve a listening socket, which is taken over; ask is the handler of
 * CTL_ASK, gone is told of a client that goes, if it is not NULL.  NULL with
 * errno.
 */
struct ctlserve	*ctlserve_new(struct event_base *, int fd,
		    const struct contract *, enum role self, peer_handler ask,
		    void (*gone)(struct peer *));
/* The socket is closed; clients that are there are still answered. */
void		 ctlserve_close(struct ctlserve *);

#endif
