/*
 * queue_add: what the recipients of a client become in an envelope.
 */
#ifndef SMTPD_QUEUE_ADD_H
#define SMTPD_QUEUE_ADD_H

#include <stddef.h>
#include <stdint.h>

#include "smtpd/contract.h"
#include "smtpd/envelope.h"

/* One envelope's; zero at the start. */
struct adding {
	uint32_t		*hashes;	/* of the recipients' places */
	size_t			 nhashes;	/* room for them */
	size_t			 first;		/* recipient of this RCPT */
	/* But for copies for archives: */
	size_t			 n;		/* how many it became, */
	size_t			 nnew;		/*  of them were added, */
	size_t			 plain;		/*  on no list with an owner */
	struct msg_TX_ADD	*success;	/* its sender wants to know */
};

/*
 * A recipient as lookup told of it, for an envelope that has none to tell
 * apart; -1 without memory, and then erecipient_free() takes what there is.
 */
int	place_from_add(struct erecipient *, const struct msg_TX_ADD *);

/* What follows is of another RCPT. */
void	adding_begin(struct adding *, const struct envelope *);
/* 1 there already, 0 added, -1 no memory or too many. */
int	adding_one(struct adding *, struct envelope *,
	    const struct msg_TX_ADD *);
/* Is its place that of another recipient than the one of this index? */
int	adding_has(const struct envelope *, size_t index,
	    const struct msg_TX_ADD *);
/* What is new of this RCPT goes again, but for copies for archives. */
void	adding_undo(struct adding *, struct envelope *);
/* That was all of an RCPT that is accepted. */
void	adding_end(struct adding *, struct envelope *);
void	adding_free(struct adding *);

#endif
