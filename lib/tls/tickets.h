/*
 * tickets: session tickets (RFC 5077, RFC 8446 4.6.1) where libtls's own do
 * not come.
 */
#ifndef TLS_TICKETS_H
#define TLS_TICKETS_H

#define TICKET_LIFETIME	7200		/* seconds */

/* Before the first context is made. -1 if libcrypto refuses. */
int	tickets_init(void);
/* After tls_configure() of a server context. */
int	tickets_apply(void);

#endif
