/*
 * session_reply: what the server says.
 */
#ifndef IMAPD_SESSION_REPLY_H
#define IMAPD_SESSION_REPLY_H

#include "session_client.h"

/* One line, whole; the line end is added. */
void		reply_line(struct client *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));
/* Any bytes. */
void		reply_bytes(struct client *, const void *, size_t);
/* The result of a writer that appended to sio_out(). */
void		reply_check(struct client *, int);
/* "* n FETCH (", or what the client has instead of it (RFC 9586). */
void		reply_fetch(struct client *, uint32_t seq, uint32_t uid);
/* The whole, with FLAGS and what else goes with a change of flags. */
void		reply_flags(struct client *, uint32_t seq, int uid);
/* "FLAGS (...)" of a message, without the rest. */
int		write_message_flags(struct client *,
		    const struct store_message *);
/* A mailbox's name as this client reads it. */
void		reply_mailbox(struct client *, const char *);
/* "1:3,5" of UIDs or numbers; descending: they are in that order. */
void		reply_set(struct client *, const uint32_t *, size_t n,
		    int descending);
/* Untagged FLAGS, if there are keywords not told yet. */
void		reply_keywords(struct client *, int always);

/* Add to the response code of the tagged answer, without brackets. */
void		code_printf(struct client *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));
void		code_set(struct client *, const uint32_t *, size_t n);
/* The text of the tagged answer, with its response code. */
enum cmd_result	cmd_ok(struct client *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));
enum cmd_result	cmd_no(struct client *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));
enum cmd_result	cmd_bad(struct client *, const char *);
/* The arguments could not be read: what was wrong with them. */
enum cmd_result	cmd_bad_args(struct client *);
/* What the store said (RFC 5530). */
enum cmd_result	cmd_store_error(struct client *, enum store_error);
/* The same where the target of COPY or APPEND may be missing. */
enum cmd_result	cmd_target_error(struct client *, enum store_error);

#endif
