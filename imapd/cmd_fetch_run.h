/*
 * cmd_fetch_run: a FETCH that is under way.
 */
#ifndef IMAPD_CMD_FETCH_RUN_H
#define IMAPD_CMD_FETCH_RUN_H

#include "imap/fetch.h"
#include "imap/seqset.h"
#include "mime/tree.h"
#include "session_client.h"
#include "store/cached.h"

struct fetch_run {
	struct imap_seqset	 set;
	struct imap_fetch	 fetch;
	unsigned int		 cached;	/* CACHED_BIT()s of items */
	int			 need_text, need_tree;
	int			 sets_seen;
	uint32_t		*seqs;		/* PARTIAL: these of the set */
	size_t			 nseqs, at;
	uint32_t		 next;
	enum store_error	 failed;	/* of a message left out */
	int			 unknown_cte;
	/* The message that is being written; 0 none. */
	uint32_t		 seq;
	struct message_text	 text;
	int			 have_text;
	struct mime_tree	 tree;
	int			 have_tree;
	size_t			 section;	/* next of fetch.sections */
	struct buf		 fields;
	const char		*p;		/* rest of a section */
	size_t			 left;
	int			 binary;	/* it may have NULs */
	size_t			 read;		/* in this turn */
};

/* The message's text, and its parts if tree is set; once a message. */
enum store_error fetch_text(struct client *, struct fetch_run *, int tree);

/* cmd_fetch_items.c: all but sections; what they need of the cache. */
unsigned int	 fetch_items_need(uint32_t items);
/*
 * Write them with a space between two.  cached has what is needed; or NULL,
 * and text and tree are there.
 */
void		 fetch_items(struct client *, struct fetch_run *,
		    const struct store_message *, uint32_t items,
		    const struct store_cached *);

#endif
