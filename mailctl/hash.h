/*
 * hash: "mailctl hash [-s SCHEME]".
 */
#ifndef MAILCTL_HASH_H
#define MAILCTL_HASH_H

/* argv[0] is "hash". Returns the exit status: 0 done, 1 failed, 2 usage. */
int	hash_main(int argc, char **argv);

#endif
