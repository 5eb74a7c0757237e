/*
 * mapped: files in memory that somebody else may cut.
 */
#ifndef STORE_MAPPED_H
#define STORE_MAPPED_H

#include <stddef.h>

/*
 * As mmap(2), shared and from the beginning; NULL with errno.  What the file
 * has no more reads as zeros, and what is written there goes nowhere.
 */
void	*mapped_file(int fd, size_t len, int prot);
void	 mapped_drop(void *, size_t len);
/* 1 if that has happened. */
int	 mapped_lost(const void *);

#endif
