/*
 * relay_data: a message's content on its way out.
 */
#ifndef SMTPD_RELAY_DATA_H
#define SMTPD_RELAY_DATA_H

#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

#define CONTENT_CHUNK	65536
/* The most that a chunk becomes, the end of the content included. */
#define CONTENT_OUT	(2 * CONTENT_CHUNK + 8)

struct content {
	uint64_t	off;
	uint64_t	size;
	int		middle;		/* of a line */
	int		cr;		/* held back: is it bare? */
};

void	content_init(struct content *, uint64_t size);
/*
 * At most CONTENT_CHUNK bytes as they are sent: lines end in CRLF, leading
 * dots are doubled (RFC 5321 4.5.2).  A bare CR becomes a space: as a line
 * end it could make one header field into two.  Returns the bytes in out.
 */
size_t	content_stuff(struct content *, const char *, size_t, char *out);
/* The last line's end, if it has none, and the dot. */
size_t	content_end(struct content *, char *out);
/*
 * Read and stuff the next chunk; *last if the dot is in it.  -1 with errno if
 * the descriptor holds less than it should.
 */
ssize_t	content_next(struct content *, int fd, char *out, int *last);

#endif
