/*
 * cmd_set: the messages that a command names.
 */
#ifndef IMAPD_CMD_SET_H
#define IMAPD_CMD_SET_H

#include "imap/seqset.h"
#include "session_client.h"

/*
 * Order the set and put the last message in the place of '*', and the saved
 * result in that of '$', as UIDs.  -1 if it names
 * a message number that there is not (never for UIDs, RFC 3501 6.4.8).
 */
int	set_resolve(struct client *, struct imap_seqset *);
/*
 * The next message of the set from *seq on, as its number; 0 at the end.
 * Start with *seq = 1 and go on with the result plus 1.
 */
uint32_t set_next(struct client *, const struct imap_seqset *, uint32_t seq);
/* All of them, ascending; malloc'ed. NULL with *n == 0: none, or no memory. */
uint32_t *set_collect(struct client *, const struct imap_seqset *, size_t *n);
/*
 * A range of PARTIAL (RFC 9394) over n results: from index *first to before
 * *last.
 */
void	set_range(const int64_t range[2], int64_t n, int64_t *first,
	    int64_t *last);
/*
 * "* VANISHED (EARLIER) ..." of those UIDs of the set that were expunged after
 * the mod-sequence.
 */
enum store_error set_tell_vanished(struct client *,
	    const struct imap_seqset *, uint64_t since);

#endif
