/*
 * cmd_search_text: what searching, sorting and threading read of a message,
 * from the cache where that can be, and no more of it than is asked for.
 */
#ifndef IMAPD_CMD_SEARCH_TEXT_H
#define IMAPD_CMD_SEARCH_TEXT_H

#include "mime/header.h"
#include "mime/tree.h"
#include "session_client.h"
#include "store/cached.h"

struct search_text {
	struct client		*c;
	uint32_t		 seq;		/* whose */
	struct store_cached	 cached;
	int			 have_cached;	/* 1 yes, -1 it has it not */
	unsigned int		 checked;	/* CACHED_BIT()s asked for */
	char			*raw;		/* the message, lines as they */
	size_t			 rawlen, rawroom;	/* are on disk */
	int			 have_raw;
	int			 nomem;		/* for one of them */
	struct mime_tree	 tree;
	int			 have_tree;
	size_t			 read;		/* bytes, and compared */
};

/* Go on to another message; keeps memory for it. */
void	search_text_next(struct search_text *, uint32_t seq);
void	search_text_free(struct search_text *);
/* Several items of the cache will be asked for: take them together. */
void	search_want(struct search_text *, unsigned int cached_bits);
/*
 * The next three are 0 if the message is gone or cannot be read.  A header
 * that has all fields of this name; NULL: all fields.
 */
int	search_header(struct search_text *, const struct imap_str *name,
	    const char **, size_t *);
int	search_tree(struct search_text *);
/* The Date as UTC, and its zone in minutes; 0 also if there is none. */
int	search_sent(struct search_text *, int64_t *, int *zone);
/* The base subject, folded; 0 if the cache has none. */
int	search_subject(struct search_text *, const char **, size_t *);

#endif
