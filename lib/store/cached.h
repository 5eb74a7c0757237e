/*
 * cached: what lists of messages show, ready to be sent.
 *
 * It is made once, when a message comes in or the first time that somebody
 * asks, and kept in a file beside the index (cachefile.c).  What cannot be had
 * from there is made from the message again, with the same result.
 */
#ifndef STORE_CACHED_H
#define STORE_CACHED_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* As they lie in the file: what is sorted by is beside the dates. */
enum cached_item {
	CACHED_SUBJECT,		/* base subject, as mime_base_subject() */
	CACHED_FIELDS,		/* header fields as they stand, CRLF, in their
				 * order: all of those of cached_field() */
	CACHED_ENVELOPE,	/* as mime_write_envelope() */
	CACHED_PREVIEW,		/* RFC 8970, UTF-8 */
	CACHED_STRUCTURE,	/* BODYSTRUCTURE, mime_write_structure() */
	CACHED_BODY,		/* BODY, likewise */
	CACHED_ITEMS
};
#define CACHED_BIT(item)	(1U << (item))
/* Those that need no more of the message than its header. */
#define CACHED_HEADER	(CACHED_BIT(CACHED_ENVELOPE) | \
			    CACHED_BIT(CACHED_FIELDS) | \
			    CACHED_BIT(CACHED_SUBJECT))
#define CACHED_ALL	((1U << CACHED_ITEMS) - 1)

struct store_cached {
	unsigned int	 has;		/* CACHED_BIT()s; may be more */
	struct cached_value {
		const char	*p;	/* NULL if it is not there */
		size_t		 len;
	}		 item[CACHED_ITEMS];
	int64_t		 sent;		/* Date as UTC, 0 if there is none */
	int16_t		 zone;		/* Date's, minutes east */
	size_t		 header;	/* octets, the empty line included */
	uint64_t	 others[2];	/* for cached_lacks() */
};

/*
 * Items of a message, at least those in what.  The pointers are good until
 * the next call for this mailbox.  STORE_LIMIT: there is an item that is too
 * large to be kept (an envelope of megabytes); see to it with its text.
 */
enum store_error mailbox_cached(struct mailbox *, uint32_t seq,
		    unsigned int what, struct store_cached *);
/* Whether CACHED_FIELDS has all fields of that name that there are. */
int		 cached_field(const char *name, size_t len);
/*
 * 1 if a message that has CACHED_FIELDS has no field of that name, which
 * cached_field() does not know; 0 if it may have one.
 */
int		 cached_lacks(const struct store_cached *, const char *name,
		    size_t len);

#endif
