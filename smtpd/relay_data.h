/*
 * relay_data: a message's content on its way out.
 */
#ifndef SMTPD_RELAY_DATA_H
#define SMTPD_RELAY_DATA_H

#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

#include "mime/recode.h"

#define CONTENT_CHUNK	65536
/* The most that a chunk becomes, the end of the content included. */
#define CONTENT_OUT	(2 * CONTENT_CHUNK + 8)

struct content {
	uint64_t	off;
	uint64_t	size;
	int		raw;		/* BDAT: as it is, and no dot */
	int		middle;		/* of a line */
	int		cr;		/* held back: is it bare? */
	/* converted on its way out */
	struct mime_recode *recode;
	char		*map;
	uint64_t	recoded;	/* its size then */
};

/* As it is, from the start.  content_free() frees what recode needs. */
void	content_init(struct content *, uint64_t size);
void	content_free(struct content *);
/* Convert what the server does not take, if there is something. */
enum mime_recode_error content_recode(struct content *, int fd,
	    enum mime_recode_to);
/* What is declared to the server: the size without the stuffing. */
uint64_t content_size(const struct content *);
/*
 * At most CONTENT_CHUNK bytes as they are sent: lines end in CRLF, leading
 * dots are doubled (RFC 5321 4.5.2).  A bare CR becomes a space: as a line
 * end it could make one header field into two.  Returns the bytes in out.
 */
size_t	content_stuff(struct content *, const char *, size_t, char *out);
/* The last line's end, if it has none, and the dot. */
size_t	content_end(struct content *, char *out);
/*
 * Read and stuff the next chunk; *last if the end, with its dot, is in it.  -1
 * with errno if the descriptor holds less than it should.
 */
ssize_t	content_next(struct content *, int fd, char *out, int *last);

#endif
