/*
 * utf8: characters in and out of UTF-8 (RFC 3629).
 */
#ifndef BUF_UTF8_H
#define BUF_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX	4		/* bytes of one character */
#define UTF8_REPLACE	0xfffd		/* stands for what cannot be read */

/* The length of the first character, 0 if there is no valid one. */
unsigned int	 utf8_decode(const char *, size_t, uint32_t *);
/* 1 if the bytes are the beginning of a character that goes on. */
int		 utf8_partial(const char *, size_t);
/* Writes at most UTF8_MAX bytes; returns how many. */
unsigned int	 utf8_encode(uint32_t, char *);
int		 utf8_valid(const char *, size_t);

#endif
