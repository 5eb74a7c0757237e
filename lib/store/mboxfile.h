/*
 * mboxfile: the text of an mbox file: reading it into messages, and writing
 * messages into it.  No descriptor; memory to memory.
 */
#ifndef STORE_MBOXFILE_H
#define STORE_MBOXFILE_H

#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "store/store.h"

#define MBOX_MESSAGES	(1U << 20)

/* A message to be added: head, then len bytes of fd if that is not -1. */
struct mbox_new {
	const char	*id;		/* of the delivery, or NULL */
	const void	*head;
	size_t		 headlen;
	int		 fd;
	off_t		 off;
	size_t		 len;
	time_t		 internal;
	uint32_t	 flags;
	/* Of an export; uid 0: no UIDs and keywords are written. */
	uint32_t	 uid;
	uint32_t	 uidvalidity, uidnext;	/* in the first message; or 0 */
	const char	*keywords;	/* with blanks between */
};

struct mbox_message {
	size_t		 start;		/* of its From_ line */
	size_t		 head;		/* of its header */
	size_t		 body;		/* the empty line after it */
	size_t		 stop;		/* the end of its last line */
	uint32_t	 uid;		/* 0: has none yet */
	uint32_t	 flags;
	uint64_t	 size;		/* as sent, with CRLF */
	time_t		 internal;
	int		 hidden;	/* other programs' folder data */
	int		 old;		/* somebody has seen it: Status O */
	int		 dirty;		/* flags are not in the file yet */
};

struct mbox_text {
	char			*data;
	size_t			 len;
	struct mbox_message	*list;
	size_t			 n, cap;
	uint32_t		 uidvalidity, uidnext;	/* 0: none yet */
};

void	mboxtext_free(struct mbox_text *);
/* Find the messages of data; -1 with EBADMSG if it is no mbox, or ENOMEM. */
int	mboxtext_parse(struct mbox_text *);
/* Give a UID to each that has none; the number of those. */
size_t	mboxtext_number(struct mbox_text *, uint32_t now);
/*
 * t is old with messages added at its end: what is known of the others goes on,
 * and the new ones get UIDs.  How many those are.
 */
size_t	mboxtext_follow(struct mbox_text *t, const struct mbox_text *old);
/* What has to stand between a text that ends there and a next message. */
const char *mboxtext_gap(const char *end, size_t len);
/* Its keywords with blanks between; "" if there are none or too many. */
void	mboxtext_keywords(const struct mbox_text *,
	    const struct mbox_message *, char *buf, size_t size);
/* The message as clients see it, with CRLF: size bytes. */
void	mboxtext_export(const struct mbox_text *, const struct mbox_message *,
	    char *out);
/*
 * The whole file with flags and UIDs as they are in the list, without the
 * messages whose uid is 0; freed by the caller.
 */
char	*mboxtext_rewrite(const struct mbox_text *, size_t *len);
/*
 * A new message as it belongs at the end of a file; freed by the caller.  Its
 * lines end in LF or CRLF.
 */
char	*mboxtext_new(const struct mbox_new *, const char *text, size_t textlen,
	    size_t *len);

#endif
