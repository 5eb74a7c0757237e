/*
 * cmd_search_run: a SEARCH, SORT or THREAD that is under way: which messages
 * match, and then what to say of them.
 */
#ifndef IMAPD_CMD_SEARCH_RUN_H
#define IMAPD_CMD_SEARCH_RUN_H

#include "cmd_search_text.h"
#include "imap/search.h"
#include "mime/match.h"

struct search;

struct search_kind {
	const char	*name;
	int		(*parse)(struct imap_parser *, struct imap_search *);
	/*
	 * Some turns after the last message was looked at, CMD_MORE until it
	 * is done; more is its own state.
	 */
	enum cmd_result	(*finish)(struct client *, struct search *);
	void		(*free_more)(void *);
};

struct search {
	const struct search_kind *kind;
	struct imap_search	 keys;
	struct mime_needle	*needle;	/* of key i */
	uint32_t		*keyword;	/* bit of key i; 0 unknown */
	signed char		*known;		/* does the text match key i? */
	int			 asked;		/* one of these was */
	int			 uses_modseq;
	unsigned int		 facts;		/* FACT_* of each message */
	time_t			 began;
	uint32_t		 next;		/* message to be looked at */
	struct search_text	 text;		/* of it */
	struct store_message	 m;
	uint32_t		*found;		/* message numbers, ascending */
	size_t			 nfound, room;
	uint64_t		 modseq;	/* highest of those found */
	time_t			 progress;	/* when it was told last */
	size_t			 at;		/* of the answer */
	void			*more;
};

/* Read the arguments and begin. */
enum cmd_result	 search_begin(struct client *, const struct search_kind *);
/* What a message is called in the answer: its UID or its number. */
uint32_t	 search_name(struct client *, uint32_t seq);
/* The order is another one now (SORT). */
void		 search_order(struct search *, uint32_t *seqs);

/* cmd_search_tell.c: the answer; name is SEARCH or SORT. */
enum cmd_result	 search_tell(struct client *, struct search *);
/* Without memory for it; what was saved is no more (RFC 5182 2.1 and 4). */
enum cmd_result	 search_no_memory(struct client *, const struct search *);

#endif
