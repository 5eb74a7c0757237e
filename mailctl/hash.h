/*
 * hash: "mailctl hash [-s SCHEME]".
 */
#ifndef MAILCTL_HASH_H
#define MAILCTL_HASH_H

#include <stddef.h>

/* argv[0] is "hash". Returns the exit status: 0 done, 1 failed, 2 usage. */
int	hash_main(int argc, char **argv);
/*
 * Read a password and make its hash, of at most VERIFY_HASH_MAX bytes; scheme
 * NULL is the default.  -1: it has been told why not.
 */
int	hash_ask(const char *scheme, char *out, size_t size);

#endif
