/*
 * prep: which names and passwords may be used at all.
 *
 * RFC 4013 (SASLprep) asks for control characters to be refused and for
 * Unicode to be normalised.  ASCII, which is unchanged by that, is taken as it
 * is.  Beyond ASCII we refuse what is not UTF-8 (overlong forms, surrogates
 * and C1 controls included) and otherwise compare byte by byte, without
 * normalising: a client that sends another normal form than the one that was
 * hashed fails to log in, and none is ever let in by it.
 */
#ifndef SASL_PREP_H
#define SASL_PREP_H

#include <stddef.h>

#define SASL_USER_MAX	255
#define SASL_PASS_MAX	255

/* 0 if the bytes are usable, -1 if not: bad UTF-8, a control, a NUL. */
int	sasl_prep(const void *, size_t);
/* The same, and neither empty nor too long for the contract. */
int	sasl_prep_user(const void *, size_t);
int	sasl_prep_pass(const void *, size_t);

#endif
