/*
 * reader: commands out of a stream of bytes.
 *
 * A command is one line, or several with literals between them.  Feed bytes
 * until IMAP_MORE; every other event wants something done first:
 *
 *	IMAP_COMMAND	text holds the whole command without its last line
 *			end (literals stand in it as they came); then next()
 *	IMAP_LITERAL	text ends in {n} and its line end: take(), stream()
 *			or refuse(); where literal_sync is set, a taken literal
 *			needs a continuation line first
 *	IMAP_DATA	data and datalen are bytes of a streamed literal
 *	IMAP_REFUSED	a refused command is over; then next()
 *	IMAP_OVERFLOW	more than the limits allow: answer, then close
 *
 * Memory held: at most limits->command bytes; none between two commands.
 */
#ifndef IMAP_READER_H
#define IMAP_READER_H

#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"

#define IMAP_LINE_BEFORE	8192		/* of a line before login */
#define IMAP_LINE_AFTER		65536		/* RFC 7162 4: 8192 at least */
#define IMAP_LITERAL_BEFORE	4096		/* RFC 7888 5 */
#define IMAP_LITERAL_AFTER	65536
#define IMAP_LITERALS_MAX	256		/* of one command */
#define IMAP_REFUSED_MAX	(256u << 20)	/* skipped, not kept */

struct imap_limits {
	size_t		 line;		/* bytes of one line */
	size_t		 literal;	/* bytes of a literal to fit */
	size_t		 command;	/* bytes of all */
	unsigned int	 literals;	/* of one command */
};

extern const struct imap_limits imap_limits_before, imap_limits_after;

enum imap_event {
	IMAP_MORE,
	IMAP_COMMAND,
	IMAP_LITERAL,
	IMAP_DATA,
	IMAP_REFUSED,
	IMAP_OVERFLOW
};

struct imap_reader {
	const struct imap_limits *limits;
	struct buf	 text;
	int		 state;
	int		 refused;
	size_t		 line;		/* bytes of this line so far */
	unsigned int	 literals;
	uint64_t	 left;		/* bytes of the literal to come */
	uint64_t	 literal_size;
	int		 literal_sync;	/* the client waits for "+" */
	const char	*data;
	size_t		 datalen;
};

void		 imap_reader_init(struct imap_reader *,
		    const struct imap_limits *);
void		 imap_reader_free(struct imap_reader *);
/* *used says how many bytes were consumed; call again with the rest. */
enum imap_event	 imap_reader_feed(struct imap_reader *, const char *, size_t,
		    size_t *used);
char		*imap_reader_text(const struct imap_reader *, size_t *len);
/* Nothing of a command has come, nor is anything of one still to be skipped. */
int		 imap_reader_between(const struct imap_reader *);
/* Forget the command; the next one may begin. */
void		 imap_reader_next(struct imap_reader *);

/* Whether the announced literal is within the limits. */
int		 imap_reader_fits(const struct imap_reader *);
void		 imap_reader_take(struct imap_reader *);
/* The text so far is dropped; what follows the literal comes as text. */
void		 imap_reader_stream(struct imap_reader *);
void		 imap_reader_refuse(struct imap_reader *);

#endif
