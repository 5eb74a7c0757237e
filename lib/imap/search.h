/*
 * search: what a SEARCH looks for (RFC 9051 6.4.4, 5032, 7162, 8474, 8514),
 * as a tree of keys, and what it is to return (RFC 4731, 5182, 5267, 9394).
 * SORT and THREAD (RFC 5256, 5957) begin differently and end alike.
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
	SEARCH_SEQ,		/* set */
	SEARCH_SAVED,		/* "$" */
	SEARCH_YOUNGER,		/* number: seconds */
	SEARCH_OLDER,
	SEARCH_MODSEQ,		/* number */
	SEARCH_EMAILID,		/* text */
	SEARCH_THREADID,
	SEARCH_SAVEDBEFORE,	/* days */
	SEARCH_SAVEDON,
	SEARCH_SAVEDSINCE,
	SEARCH_SAVEDATE		/* there are save dates */
};

/* What is to be returned. */
#define RETURN_GIVEN	0x01		/* RETURN (...) was there */
#define RETURN_MIN	0x02
#define RETURN_MAX	0x04
#define RETURN_ALL	0x08
#define RETURN_COUNT	0x10
#define RETURN_SAVE	0x20
#define RETURN_PARTIAL	0x40

enum imap_sort_key {
	SORT_ARRIVAL,
	SORT_CC,
	SORT_DATE,
	SORT_FROM,
	SORT_SIZE,
	SORT_SUBJECT,
	SORT_TO,
	SORT_DISPLAYFROM,
	SORT_DISPLAYTO
};

#define IMAP_SORT_MAX	16		/* criteria of one SORT */

struct imap_sort {
	enum imap_sort_key	key;
	int			reverse;
};

enum imap_thread { THREAD_ORDEREDSUBJECT, THREAD_REFERENCES };

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
	unsigned int		 returns;	/* RETURN_* */
	int64_t			 partial[2];	/* below 0: from the end */
	struct imap_sort	 sort[IMAP_SORT_MAX];
	size_t			 nsort;
	enum imap_thread	 thread;
};

/* "1:100" or "-1:-100" (RFC 9394 4), the smaller distance first. */
int	imap_partial(struct imap_parser *, int64_t [2]);
/*
 * From behind SEARCH, SORT or THREAD to the end.  Free it in any case.
 */
int	imap_search(struct imap_parser *, struct imap_search *);
int	imap_sort(struct imap_parser *, struct imap_search *);
int	imap_thread(struct imap_parser *, struct imap_search *);
void	imap_search_free(struct imap_search *);

#endif
