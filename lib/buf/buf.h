/*
 * buf: one growable byte buffer with a hard maximum, consumed from the front.
 *
 * Bytes are added at the end and dropped from the start.  The memory is freed
 * as soon as the buffer is empty, so that an idle connection costs none.
 */
#ifndef BUF_BUF_H
#define BUF_BUF_H

#include <sys/types.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	unsigned char	*mem;
	size_t		 off;	/* first byte not yet consumed */
	size_t		 end;	/* one past the last byte */
	size_t		 cap;
	size_t		 top;	/* bytes of mem that ever held anything */
	size_t		 max;	/* bytes that may be held at once */
	int		 secret; /* zero memory before it is given back */
};

void	 buf_init(struct buf *, size_t max);
void	 buf_free(struct buf *);	/* wipes nothing, keeps max */
void	 buf_wipe(struct buf *);	/* as buf_free, but zeroes first */

/*
 * -1 with ENOBUFS when the maximum would be passed, or ENOMEM; all or
 * nothing.
 */
int	 buf_add(struct buf *, const void *, size_t);
int	 buf_puts(struct buf *, const char *);
int	 buf_number(struct buf *, uint64_t);	/* in decimal */
int	 buf_printf(struct buf *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
int	 buf_vprintf(struct buf *, const char *, va_list)
	    __attribute__((__format__(printf, 2, 0)));
/*
 * Room for n bytes at the end, to be filled and then committed.  What was not
 * committed is not zeroed later.
 */
void	*buf_reserve(struct buf *, size_t n);
void	 buf_commit(struct buf *, size_t n);

size_t	 buf_len(const struct buf *);
void	*buf_data(const struct buf *);
void	 buf_drain(struct buf *, size_t n);

/* A bounds-checked view for reading; a failed read leaves it where it was. */
struct cursor {
	const unsigned char	*p;
	size_t			 left;
};

void	 cursor_init(struct cursor *, const void *, size_t);
int	 cursor_get(struct cursor *, void *, size_t);	/* -1 if too short */
int	 cursor_u32(struct cursor *, unsigned int *);	/* little endian */
int	 cursor_skip(struct cursor *, size_t, const void **start);

#endif
