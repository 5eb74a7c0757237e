/*
 * envelope: who sent a message, where it goes, and how far it got; in memory,
 * and as bytes for the spool.
 *
 * On disk every string has its length in front and nothing is found by
 * looking for a line end: no byte of an address can become another field.
 */
#ifndef SMTPD_ENVELOPE_H
#define SMTPD_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

struct buf;

#define ENVELOPE_RCPTS	10000		/* a message, expanded */
#define ENVELOPE_MAX	(16 << 20)	/* bytes */

/* Those from RCPT_DELIVERED on have succeeded; their sender has to be told. */
enum rcpt_status {
	RCPT_ACTIVE,		/* to be delivered */
	RCPT_FAILED,		/* for good; its sender has to be told */
	RCPT_DONE,		/* nothing is left to do */
	RCPT_DELIVERED,
	RCPT_RELAYED,		/* to a server that cannot report itself */
	RCPT_EXPANDED		/* its members are recipients of their own */
};
#define RCPT_STATUS_MAX	RCPT_EXPANDED

enum envelope_kind {
	KIND_MAIL,		/* of a client */
	KIND_REPORT,		/* of ours, to a sender */
	KIND_DOUBLE		/* of a report that failed, to postmaster */
};

/* Where a recipient goes; equal places share one dest in the scheduler. */
struct place {
	int		 local;
	unsigned int	 scheme, port, nomx, route;
	char		*user;		/* local: account */
	char		*host;		/* local: domain */
	char		*label;
	char		*source;
};

struct erecipient {
	enum rcpt_status status;
	unsigned int	 tries;
	int64_t		 next;		/* not before this time; 0 at once */
	int64_t		 last;		/* time of the last try; 0 none */
	unsigned int	 notify;	/* NOTIFY_* of the contract */
	char		*rcpt;
	char		*orig;		/* as the client wrote it */
	char		*orcpt;		/* "type;xtext", or "" */
	char		*owner;		/* of the list that he is on, or "" */
	char		*reply;		/* the last one; NULL none yet */
	char		*remote;	/* who said it; "" or NULL we did */
	struct place	 place;
};

struct envelope {
	int64_t		 arrived;
	uint64_t	 size;		/* of the message, octets */
	unsigned int	 body;		/* BODY_* of the contract */
	unsigned int	 utf8;		/* needs SMTPUTF8 */
	unsigned int	 ret;		/* RET_* */
	unsigned int	 spooled;	/* in a file of its own */
	unsigned int	 warned;	/* of the delay */
	unsigned int	 held;		/* by the administrator */
	unsigned int	 kind;		/* enum envelope_kind */
	char		*sender;	/* "" null path */
	char		*user;		/* who logged in, or "" */
	char		*addr;		/* of the client, or "" */
	char		*msgid;
	char		*envid;		/* xtext as given, or "" */
	struct erecipient *rcpts;
	size_t		 nrcpts;
};

/* The return path to a recipient (RFC 5321 3.9.2); "" is the null path. */
const char *envelope_sender(const struct envelope *,
	    const struct erecipient *);

/* -1 with errno: ENOMEM, ENOBUFS. */
int	envelope_encode(const struct envelope *, struct buf *);
/* -1 and nothing allocated if the bytes are no envelope. */
int	envelope_decode(struct envelope *, const void *, size_t);
void	envelope_free(struct envelope *);
/* What one recipient holds, not the struct itself. */
void	erecipient_free(struct erecipient *);

/* How one recipient changed: the payload of a state record. */
#define CHANGE_WARNED	UINT32_MAX	/* index: the message's sender was
					   told of the delay */
#define CHANGE_HELD	(UINT32_MAX - 1)	/* index: status 1 held,
						   0 released */
struct rcpt_change {
	uint32_t	 index;
	uint32_t	 status;
	uint32_t	 tries;
	int64_t		 next;
	int64_t		 last;
	const char	*reply;		/* decoded: points into the bytes */
	size_t		 replylen;
	const char	*remote;	/* likewise */
	size_t		 remotelen;
};
int	rcpt_change_encode(const struct rcpt_change *, struct buf *);
int	rcpt_change_decode(struct rcpt_change *, const void *, size_t);

#endif
