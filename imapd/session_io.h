/*
 * session_io: the bytes of one connection, from and to net.
 *
 * Input is handed over while the owner takes it and the output is below
 * SIO_OUT_HIGH; input that waits is bounded by SIO_IN_MAX, output by
 * SIO_OUT_MAX, beyond which the connection fails.  Every step runs in a turn of
 * the event loop of its own, so that nobody keeps the others waiting.
 */
#ifndef IMAPD_SESSION_IO_H
#define IMAPD_SESSION_IO_H

#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"

#define SIO_IN_MAX	(16 * 1024)
#define SIO_OUT_HIGH	(64 * 1024)
#define SIO_OUT_MAX	(32 * 1024 * 1024)

struct event_base;
struct sio;

enum sio_end { SIO_EOF, SIO_ERROR, SIO_TIMEOUT };

struct sio_ops {
	/* Returns how many bytes it took; 0 until sio_again(). */
	size_t	(*input)(void *, const char *, size_t);
	/* A turn that was asked for with sio_again(), when output is low. */
	void	(*turn)(void *);
	/* It is over: call sio_free(). */
	void	(*ended)(void *, enum sio_end);
};

/* Takes fd over. NULL with errno, and fd closed. */
struct sio	*sio_new(struct event_base *, int fd, const struct sio_ops *,
		    void *, unsigned int idle_seconds);
void		 sio_free(struct sio *);
/*
 * Where to append output; it leaves at the end of the turn.  If appending
 * failed, call sio_fail().
 */
struct buf	*sio_out(struct sio *);
void		 sio_fail(struct sio *);
/* More output should wait for another turn. */
int		 sio_full(const struct sio *);
/* Ask for a turn. */
void		 sio_again(struct sio *);
/* Send what was written (from outside a turn). */
void		 sio_flush(struct sio *);
/* Keep all output back, until it may leave. */
void		 sio_hold(struct sio *, int on);
int		 sio_held(const struct sio *);
/* SIO_TIMEOUT in so many seconds, whatever happens until then. */
void		 sio_hurry(struct sio *, unsigned int seconds);
/* Send what was written, then end with SIO_EOF. */
void		 sio_finish(struct sio *);
/*
 * From the end of this turn on both directions are compressed; -1 if there is
 * no memory.  Once a connection.
 */
int		 sio_compress(struct sio *);
int		 sio_compressed(const struct sio *);
/*
 * Seconds since the last byte either way; -1 if something is still to be done
 * here, so that the descriptor alone is not the whole connection.
 */
long		 sio_quiet(const struct sio *);
/* Seconds until SIO_TIMEOUT if nothing happens. */
unsigned int	 sio_left(const struct sio *);
/* The descriptor, which is not closed; then call sio_free(). */
int		 sio_release(struct sio *);
uint64_t	 sio_bytes_in(const struct sio *);
uint64_t	 sio_bytes_out(const struct sio *);

#endif
