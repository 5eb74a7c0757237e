/*
 * crlf: line ends, on the way to disk and back.
 *
 * Files have LF, protocols CRLF.  What went in as CRLF comes out as the same
 * bytes: a CR that does not belong to one CRLF is kept where it is, and a LF
 * after a CR gets no second one.
 */
#ifndef STORE_CRLF_H
#define STORE_CRLF_H

#include <stddef.h>
#include <stdint.h>

#define CRLF_BUFFER	65536

/* How far in a header we are. */
struct crlf_head {
	int		 over;
	int		 filled;	/* the line has more than CR so far */
};

struct crlf {
	int		 fd;
	int		 held;		/* a CR was read and not yet written */
	char		 last;		/* the byte written before it */
	uint64_t	 size;		/* octets with CRLF line ends */
	uint64_t	 fsize;		/* octets in the file */
	unsigned int	 text;		/* TEXT_*, after crlf_finish() */
	struct crlf_head head;
	size_t		 n;
	char		*buf;
};

int	crlf_init(struct crlf *, int fd);
int	crlf_write(struct crlf *, const void *, size_t);	/* any bytes */
int	crlf_finish(struct crlf *);	/* flush */
void	crlf_free(struct crlf *);	/* not the descriptor */

/* How many CRs expand() would add. */
size_t	crlf_count(const char *, size_t);
/* TEXT_* of a whole message. */
unsigned int crlf_text(const char *, size_t);
/* The size with CRLF line ends and the TEXT_* of a file. */
int	crlf_measure(int fd, uint64_t *size, unsigned int *text);
/*
 * Expand len bytes that lie at the end of a buffer of len + crlf_count()
 * bytes, to fill it.
 */
void	crlf_expand(char *buf, size_t buflen, size_t len);

#endif
