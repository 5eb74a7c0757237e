/*
 * conn: a connection to a client or a server, with or without TLS.
 *
 * The protocol sees bytes in and writes bytes out; limits, timeouts, back-
 * pressure and the handshake are here.  Reading stops while more than
 * CONN_OUT_HIGH bytes wait to be written, so a client that never reads costs
 * a bounded amount of memory.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <sys/types.h>
#include <stdint.h>

struct event_base;
struct tls;
struct conn;

#define CONN_OUT_HIGH	(64 * 1024)

enum conn_end {
	CONN_EOF,		/* the other side closed */
	CONN_ERROR,		/* conn_error() says what */
	CONN_TIMEOUT,
	CONN_TLS_FAILED		/* no handshake; conn_error() says why */
};

struct conn_ops {
	/*
	 * Bytes that came in and were not consumed yet.  Returns how many it
	 * consumed; is called again when more have come or after
	 * conn_resume().  Holding more than in_max unconsumed bytes ends the
	 * connection with CONN_ERROR, so consume or answer before.
	 */
	size_t	(*input)(struct conn *, void *arg, const char *, size_t);
	/* TLS is up. May be NULL. */
	void	(*secured)(struct conn *, void *arg);
	/* All output was written (called once each time). May be NULL. */
	void	(*drained)(struct conn *, void *arg);
	/* The connection is over; call conn_free() now or later. */
	void	(*ended)(struct conn *, void *arg, enum conn_end);
};

/* Takes fd (non-blocking, connected or connecting) over. NULL with errno. */
struct conn	*conn_new(struct event_base *, int fd, const struct conn_ops *,
		    void *arg, size_t in_max);
void		 conn_free(struct conn *);
int		 conn_fd(const struct conn *);
/* From now on it is this one that the operations are called with. */
void		 conn_give(struct conn *, void *arg);
const char	*conn_error(const struct conn *);
/* Seconds without progress until CONN_TIMEOUT; 0 none. */
void		 conn_timeout(struct conn *, unsigned int seconds);
/* Seconds since anything came in. */
unsigned int	 conn_silence(const struct conn *);

/* Queue output; sent at the end of this turn of the loop, as one write. */
void		 conn_write(struct conn *, const void *, size_t);
/* Likewise, but at once if nothing waits before it and it is taken. */
void		 conn_send(struct conn *, const void *, size_t);
void		 conn_printf(struct conn *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));
size_t		 conn_unsent(const struct conn *);
/* Stop and restart handing input over (a reply is being waited for). */
void		 conn_pause(struct conn *);
void		 conn_resume(struct conn *);
/* Write what is queued, then close and call ended(CONN_EOF). */
void		 conn_finish(struct conn *);

/*
 * Begin TLS as a server (ctx from tls_server()) or client.  Whatever came in
 * in the clear and was not consumed is thrown away (RFC 3207 4.2); queued
 * output is written first.
 */
int		 conn_accept_tls(struct conn *, struct tls *server);
int		 conn_connect_tls(struct conn *, struct tls *client,
		    const char *name);
int		 conn_is_tls(const struct conn *);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384", or "" in the clear. */
const char	*conn_cipher(const struct conn *);
const char	*conn_alpn(const struct conn *);
struct tls	*conn_tls(struct conn *);

/*
 * From now on copy bytes both ways between this connection and fd (which is
 * taken over), starting with first; input() is not called any more.  Ends
 * with ended(CONN_EOF) when either side closed and all was written.
 */
int		 conn_pump(struct conn *, int fd, const void *first, size_t);
/* Bytes that came in and were not consumed. */
const char	*conn_pending(struct conn *, size_t *len);

#endif
