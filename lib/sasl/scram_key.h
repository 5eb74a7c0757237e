/*
 * scram_key: the keys of RFC 5802 section 3, for the files of this folder.
 */
#ifndef SASL_SCRAM_KEY_H
#define SASL_SCRAM_KEY_H

#include "sasl/scram.h"

/* Each -1 only if libcrypto failed. */
int	scram_salted(const char *pass, const void *salt, size_t saltlen,
	    unsigned int iterations, unsigned char[SCRAM_KEY]);
int	scram_hmac(const unsigned char key[SCRAM_KEY], const char *text,
	    unsigned char[SCRAM_KEY]);
int	scram_hash(const unsigned char[SCRAM_KEY], unsigned char[SCRAM_KEY]);

#endif
