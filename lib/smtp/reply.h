/*
 * reply: what an SMTP or LMTP server answers (RFC 5321 4.2), line by line.
 *
 * The server is a stranger.  Whatever it sends, a reply costs a fixed amount
 * of memory, and its text is printable ASCII without a line break: it goes
 * into logs, into bounces and into the queue's records.
 */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include <stddef.h>
#include <stdint.h>

#define REPLY_LINE	2000	/* octets of a line, its end included */
#define REPLY_LINES	100	/* of one reply */
#define REPLY_TOTAL	32768	/* octets of one reply */
#define REPLY_TEXT	480	/* of the text that is kept, terminated */

enum reply_status {
	REPLY_MORE,		/* not the whole reply yet */
	REPLY_DONE,
	REPLY_BAD		/* no reply, or out of bounds: hang up */
};

struct reply {
	unsigned int	code;			/* 200 to 599 */
	char		enh[12];		/* "5.1.1", or "" */
	char		text[REPLY_TEXT];	/* lines joined by a space */
	size_t		textlen;
	unsigned int	lines;
	size_t		total;
};

/* What a server offers in its answer to EHLO or LHLO. */
#define EHLO_PIPELINING	0x01
#define EHLO_8BITMIME	0x02
#define EHLO_SIZE	0x04
#define EHLO_STARTTLS	0x08
#define EHLO_AUTH	0x10	/* words are in auth */
#define EHLO_SMTPUTF8	0x20
#define EHLO_DSN	0x40
#define EHLO_CHUNKING	0x80
#define EHLO_BINARYMIME	0x100

struct ehlo {
	unsigned int	offers;		/* EHLO_* */
	uint64_t	size;		/* 0: no limit was named */
	/* LIMITS, RFC 9422; 0: none was named */
	unsigned int	mailmax;	/* transactions of a session */
	unsigned int	rcptmax;	/* recipients of a transaction */
	unsigned int	rcptdomainmax;	/* domains of a transaction */
	char		auth[256];	/* "PLAIN LOGIN" */
};

void	reply_init(struct reply *);
/*
 * Take whole lines off data until the reply is complete; *used says how many
 * bytes were taken, whatever is returned.  Lines end in LF, with or without a
 * CR before it.  e, if not NULL, collects what the lines after the first
 * offer.
 */
enum reply_status reply_read(struct reply *, struct ehlo *e, const char *data,
	    size_t len, size_t *used);
/* "250 2.0.0 text"; a missing enhanced code is made from the code. */
void	reply_print(const struct reply *, char *, size_t);
/* Does the list that auth holds have this word? */
int	ehlo_has_auth(const struct ehlo *, const char *word);

#endif
