/*
 * submission: what a program that hands over a message locally leaves to us:
 * the header completed, and the recipients taken from it.
 *
 * Pure.  The text comes from any local user; lines end in LF or CRLF, and in
 * CRLF when they come out.
 */
#ifndef MIME_SUBMISSION_H
#define MIME_SUBMISSION_H

#include <stddef.h>

#include "buf/buf.h"

#define SUBMISSION_HEADER_MAX	(1024 * 1024)

struct submission {
	const char	*from;		/* the sender's address, maybe bare */
	const char	*fullname;	/* of the sender; "" none */
	const char	*origin;	/* completes bare addresses */
	const char	*date;		/* for a message without Date */
	const char	*msgid;		/* the same, with its brackets */
	int		 take;		/* take recipients from the header */
	/* called for each of them, completed; -1 ends it. */
	int		(*recipient)(void *arg, const char *address);
	void		*arg;
};

/*
 * Offset of the body: behind the empty line, or where a line is no field.  A
 * "From " line at the start belongs to the header.
 */
size_t	submission_body(const char *, size_t);
/*
 * The header of a message, completed, with the empty line that ends it.  Bcc
 * fields are left out.  -1 with errno: ENOBUFS too long, ENOMEM, or what
 * recipient() left there.
 */
int	submission_header(const struct submission *, const char *, size_t,
	    struct buf *out);
/*
 * Append the mailboxes of an address field's value as they stand, bare ones
 * completed with @origin.  -1 as above.
 */
int	submission_complete(const char *value, size_t, const char *origin,
	    struct buf *out);
/* A full name as a phrase (RFC 5322 3.2.5, RFC 2047). -1 as above. */
int	submission_phrase(const char *name, struct buf *out);

#endif
