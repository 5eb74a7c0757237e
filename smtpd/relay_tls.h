/*
 * relay_tls: TLS as a client.
 */
#ifndef SMTPD_RELAY_TLS_H
#define SMTPD_RELAY_TLS_H

#include <stddef.h>

struct tls;

/* The certificates that may sign a server's; -1 with a logged reason. */
int		 relay_tls_ca(const char *pem, size_t);
/*
 * A context for one connection.  With verify the certificate must be valid
 * for the name; without, it is encryption for whoever answers.  NULL: no
 * certificates to verify with, or no memory; *why says so.
 */
struct tls	*relay_tls_new(int verify, const char **why);
void		 relay_tls_free(struct tls *);

#endif
