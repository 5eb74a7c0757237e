/*
 * file: small files, read whole and replaced whole.
 */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include <sys/types.h>
#include <dirent.h>
#include <stddef.h>

struct stat;

/*
 * A regular file as a string (a NUL follows), freed by the caller; NULL with
 * errno, EFBIG if it is larger than max.
 */
char	*file_read(int dirfd, const char *name, size_t max, size_t *len);
/* Write a new one beside it, sync it and rename it over the old one. */
int	 file_replace(int dirfd, const char *name, const void *, size_t);
/* Open for reading what is a regular file and no symbolic link. */
int	 file_open(int dirfd, const char *name);
/*
 * The same without a look at what it is, for who looks himself or reads it with
 * pread(), which fails on all else.
 */
int	 file_open_unseen(int dirfd, const char *name);
/* fstat(); ELOOP if it is no regular file. */
int	 file_stat(int fd, struct stat *);
/* As readdir(3); NULL with errno 0 at the end, else it could not be read. */
struct dirent *file_next(DIR *);

#endif
