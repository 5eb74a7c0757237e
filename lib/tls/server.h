/*
 * server: TLS contexts of the network processes, which hold certificates but
 * no keys.
 */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include <stddef.h>

struct msg;
struct peer;
struct tls;

/*
 * Hook the private-key operations of libcrypto, before any certificate is
 * loaded: they are asked of the signer.  -1 with a logged reason.
 */
int		 tls_serve_init(void);
/* net's handler of SIGNED. */
void		 tls_serve_signed(struct peer *, struct msg *);
/* A CERT message: reads the PEM chain from fd, closes nothing. -1 logged. */
int		 tls_serve_cert(unsigned int index, const char *name, int fd);
/*
 * The context of a listener: certificate index first, all others by SNI, ALPN
 * protocols as tls_config_set_alpn(3) wants them or NULL.  Made once for each
 * pair and kept.  NULL: logged.
 */
struct tls	*tls_serve_context(unsigned int index, const char *alpn);

#endif
