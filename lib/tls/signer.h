/*
 * signer: the role that holds the private keys.
 */
#ifndef TLS_SIGNER_H
#define TLS_SIGNER_H

#include <stddef.h>

#include "privsep/role.h"

extern const struct role_code	signer_code;

#define KEY_ID_SIZE	65	/* hex of SHA-256 of the public key, and NUL */

/*
 * The name of a key: SHA-256 over RSA's modulus or the EC point.  Both sides
 * compute it from the public key; -1 if it is neither.
 */
struct evp_pkey_st;
struct rsa_st;
struct ec_key_st;
int	key_id_rsa(const struct rsa_st *, char id[KEY_ID_SIZE]);
int	key_id_ec(const struct ec_key_st *, char id[KEY_ID_SIZE]);

/*
 * Is this what a TLS signature looks like?  A PKCS#1 DigestInfo of SHA-256,
 * 384 or 512 (RFC 8017 9.2), or a PSS block of one of them (9.1) that fits
 * modlen bytes.
 */
int	sign_is_digestinfo(const unsigned char *, size_t);
int	sign_is_pss(const unsigned char *, size_t);

#endif
