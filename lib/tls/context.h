/*
 * context: session tickets (RFC 5077, RFC 8446 4.6.1), a strict ALPN (RFC
 * 7301) and wiped buffers for libtls's server contexts.
 */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#define TICKET_LIFETIME	7200		/* seconds */

/* Before the first context is made. -1 if libcrypto refuses. */
int	context_init(void);
/*
 * After tls_configure() of a server context.  alpn, if not NULL, stays the
 * caller's: a client that offers protocols must offer this one.
 */
int	context_apply(const char *alpn);

#endif
