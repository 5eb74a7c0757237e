/*
 * client: our side of a login at another server (RFC 4422), for SMTP AUTH.
 *
 * Whether the connection may see a password at all is the caller's business:
 * PLAIN and LOGIN send it.
 */
#ifndef SASL_CLIENT_H
#define SASL_CLIENT_H

#include <stddef.h>

#include "sasl/prep.h"

struct sasl_client;

#define SASL_TOKEN_MAX	4095	/* of an OAuth 2 access token */

/* In the order of preference, for a password or a token; end with NULL. */
extern const char *const sasl_client_mechanisms[];
extern const char *const sasl_client_token_mechanisms[];

/*
 * pass is a password, or for OAUTHBEARER and XOAUTH2 a token.  nonce is
 * printable, random, without a comma.  NULL with errno: ENOTSUP unknown
 * mechanism, EINVAL a name or password that cannot be sent, ENOMEM.
 */
struct sasl_client *sasl_client_new(const char *mech, const char *user,
		    const char *pass, const char *nonce);
/* Wipes the password. */
void		 sasl_client_free(struct sasl_client *);
/* The initial response in base64; NULL: there is none. */
const char	*sasl_client_initial(const struct sasl_client *);
/*
 * Answer a challenge, which is base64: the response in base64 ("" is an empty
 * one), or NULL if the server is not to be talked to; then send "*".
 */
const char	*sasl_client_step(struct sasl_client *, const char *, size_t);
/* The server says it is done: has it proved what it must prove? */
int		 sasl_client_done(const struct sasl_client *);

#endif
