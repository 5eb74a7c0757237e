/*
 * search: what a SEARCH looks for (RFC 3501 6.4.4), as a tree of keys.
 */
#ifndef IMAP_SEARCH_H
#define IMAP_SEARCH_H

#include "imap/seqset.h"

#define IMAP_SEARCH_KEYS	1024	/* of one SEARCH */
#define IMAP_SEARCH_DEPTH	32	/* of parentheses, NOT and OR */

enum imap_search_op {
	SEARCH_ALL,
	SEARCH_AND,		/* child and its siblings */
	SEARCH_OR,		/* child or its sibling */
	SEARCH_NOT,		/* not child */
	SEARCH_FLAG,		/* flag is set */
	SEARCH_KEYWORD,		/* text is set */
	SEARCH_BEFORE,		/* days */
	SEARCH_ON,
	SEARCH_SINCE,
	SEARCH_SENTBEFORE,
	SEARCH_SENTON,
	SEARCH_SENTSINCE,
	SEARCH_LARGER,		/* number */
	SEARCH_SMALLER,
	SEARCH_HEADER,		/* name, text */
	SEARCH_BODY,		/* text */
	SEARCH_TEXT,		/* text */
	SEARCH_UID,		/* set */
	SEARCH_SEQ		/* set */
};

struct imap_search_key {
	enum imap_search_op	 op;
	uint32_t		 flag;		/* IMAP_SEEN ... */
	uint64_t		 number;
	int64_t			 days;
	struct imap_str		 name;
	struct imap_str		 text;
	struct imap_seqset	 set;
	size_t			 child;		/* index; 0 none */
	size_t			 next;		/* sibling; 0 none */
};

struct imap_search {
	struct imap_search_key	*key;		/* key[0] is the whole */
	size_t			 n;
	struct imap_str		 charset;	/* s == NULL: none given */
};

/* From behind SEARCH to the end. Free it in any case. */
int	imap_search(struct imap_parser *, struct imap_search *);
void	imap_search_free(struct imap_search *);

#endif
