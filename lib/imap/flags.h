/*
 * flags: system flags and keywords (RFC 3501 2.3.2).
 */
#ifndef IMAP_FLAGS_H
#define IMAP_FLAGS_H

#include "buf/buf.h"
#include "imap/parse.h"

#define IMAP_SEEN	0x01
#define IMAP_ANSWERED	0x02
#define IMAP_FLAGGED	0x04
#define IMAP_DELETED	0x08
#define IMAP_DRAFT	0x10
#define IMAP_FORWARDED	0x20		/* $Forwarded */
#define IMAP_RECENT	0x80		/* only the server sets it */

#define IMAP_KEYWORDS_MAX	64	/* in one command */
#define IMAP_KEYWORD_LEN	100	/* bytes of one */

struct imap_flags {
	uint32_t	system;
	struct imap_str	keyword[IMAP_KEYWORDS_MAX];
	size_t		n;
};

/* "(...)" */
int	imap_flag_list(struct imap_parser *, struct imap_flags *);
/* The same, or flags without parentheses up to the end (STORE). */
int	imap_flags(struct imap_parser *, struct imap_flags *);
/* The system flags with a space between two: "\Seen \Draft". */
int	imap_write_flags(struct buf *, uint32_t system);

#endif
