/*
 * base64: RFC 4648 section 4, strictly: no white space, no missing padding,
 * no bits set that the padding leaves over.
 */
#ifndef SASL_BASE64_H
#define SASL_BASE64_H

#include <stddef.h>

/* Characters, without the terminator, and the most bytes they decode to. */
#define BASE64_ENCODED(n)	(((n) + 2) / 3 * 4)
#define BASE64_DECODED(n)	((n) / 4 * 3)

/* 0 and *outlen, or -1: no base64, or more than outmax bytes. */
int	base64_decode(const char *, size_t, void *out, size_t outmax,
	    size_t *outlen);
/* 0 and a terminated string, or -1 if outsize is too small. */
int	base64_encode(const void *, size_t, char *out, size_t outsize);

#endif
