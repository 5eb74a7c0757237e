/*
 * include: reads a file with the rights of the process that it runs in and no
 * others: lookup's account for an alias, the user himself for a forward file.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "rules/include.h"

static const char *
judge(const struct stat *st, uid_t owner, size_t max)
{
	errno = EPERM;
	if (!S_ISREG(st->st_mode))
		return ("is no regular file");
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return ("may be written by others than its owner");
	if (owner != (uid_t)-1 && st->st_uid != owner && st->st_uid != 0)
		return ("belongs to somebody else");
	if ((uintmax_t)st->st_size > max)
		return ("is too large");
	return (NULL);
}

static char *
slurp(int fd, size_t size)
{
	char	*text;
	size_t	 got = 0;
	ssize_t	 n;

	if ((text = malloc(size + 1)) == NULL)
		return (NULL);
	while (got < size) {
		n = read(fd, text + got, size - got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			free(text);
			return (NULL);
		}
		if (n == 0)
			break;		/* it became shorter */
		got += n;
	}
	text[got] = '\0';
	return (text);
}

char *
include_read(const char *path, uid_t owner, size_t max, const char **why)
{
	struct stat	 st;
	char		*text = NULL;
	int		 fd, error;

	/* O_NONBLOCK: a fifo must not hold us up */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK)) == -1) {
		if (errno == ELOOP)
			errno = EPERM;
		*why = strerror(errno);
		return (NULL);
	}
	if (fstat(fd, &st) == -1)
		*why = strerror(errno);
	else if ((*why = judge(&st, owner, max)) == NULL &&
	    (text = slurp(fd, st.st_size)) == NULL)
		*why = strerror(errno);
	else if (text != NULL && strlen(text) != (size_t)st.st_size) {
		errno = EAGAIN;
		*why = "was being written to, or holds a NUL";
		free(text);
		text = NULL;
	}
	error = errno;
	close(fd);
	errno = error;
	return (text);
}
