/*
 * dsn: a delivery status notification as a message (RFC 3464 in a report of
 * RFC 6522; RFC 6533 if it is about internationalized mail; RFC 3834).
 *
 * Pure: what happened comes in, the message goes out.
 */
#ifndef SMTP_DSN_H
#define SMTP_DSN_H

#include <stddef.h>
#include <stdint.h>

struct buf;

enum dsn_action {
	DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED
};
#define DSN_ACTIONS	5

struct dsn_rcpt {
	enum dsn_action	 action;
	const char	*orcpt;		/* "type;xtext", or "" */
	const char	*orig;		/* the address that was written to */
	const char	*final;		/* where it came to */
	const char	*reply;		/* "550 5.1.1 text", or "" */
	const char	*remote;	/* host that said it; "": we did */
	int64_t		 last;		/* time of the last try; 0 none */
};

struct dsn {
	const char	*hostname;	/* ours */
	const char	*id;		/* of the report */
	const char	*boundary;	/* nobody can have known it */
	const char	*to;
	const char	*about;		/* Message-ID of the message, or "" */
	const char	*envid;		/* xtext, or "" */
	int64_t		 arrived, now;
	int64_t		 until;		/* delayed: tried until then */
	int		 utf8;		/* about a message of SMTPUTF8 */
	int		 doubled;	/* to the postmaster, of a report */
	const struct dsn_rcpt *rcpts;
	size_t		 nrcpts;
	const char	*text;		/* of the message; what is returned */
	size_t		 textlen;
	int		 full;		/* all of it, not only its header */
};

#define DSN_HEADER_MAX	16384		/* of a header that is returned */

/*
 * Append the message to b, lines ending in CRLF; recipients that would not
 * fit into its maximum next to what is returned are left out.  -1 as
 * buf_add().
 */
int		 dsn_write(const struct dsn *, struct buf *);
/* "failed" and so on, as in Action. */
const char	*dsn_action_name(enum dsn_action);
/* The date of a header field (RFC 5322 3.3), in local time. */
const char *dsn_date(int64_t, char *, size_t);

#endif
