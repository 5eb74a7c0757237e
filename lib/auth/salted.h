/*
 * salted: LDAP's salted digests, as Dovecot and others keep them:
 *
 *	{SSHA}, {SSHA256} or {SSHA512}, and base64 of digest(password salt) salt
 *
 * They are verified, so that whoever comes with a file of them need not give
 * everybody a new password, and never made: who gets the file can try
 * passwords by the billion.
 */
#ifndef AUTH_SALTED_H
#define AUTH_SALTED_H

#include <stddef.h>

#define SALTED_DIGEST	64		/* bytes of the longest */
#define SALTED_SALT	64		/* of a salt; longer ones are none */

struct salted {
	const struct salted_kind *kind;
	unsigned char	 digest[SALTED_DIGEST];
	unsigned char	 salt[SALTED_SALT];
	size_t		 saltlen;
};

/* 1 if the n bytes at name are the name of a scheme of this kind. */
int	salted_scheme(const char *name, size_t n);
/* "{NAME}base64"; -1 if it is none. */
int	salted_parse(struct salted *, const char *hash);
/* 1 it is the password, 0 it is not, -1 there is no memory for it. */
int	salted_check(const struct salted *, const char *pass);
/* As it is parsed; -1 if it does not fit. */
int	salted_print(const struct salted *, char *, size_t);

#endif
