/*
 * file: small files, read whole and replaced whole.
 *
 * Names come from us; what they name may have been put there by anybody with
 * the user's rights, so only regular files are opened and links not followed.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "store/file.h"

char *
file_read(int dirfd, const char *name, size_t max, size_t *len)
{
	struct stat st;
	char *data = NULL;
	size_t done = 0, size;
	ssize_t n;
	int fd;

	if ((fd = file_open(dirfd, name)) == -1)
		return (NULL);
	if (fstat(fd, &st) == -1)
		goto fail;
	if ((uintmax_t)st.st_size > max) {
		errno = EFBIG;
		goto fail;
	}
	size = (size_t)st.st_size;
	if ((data = malloc(size + 1)) == NULL)
		goto fail;
	while (done < size) {
		if ((n = read(fd, data + done, size - done)) == -1) {
			if (errno == EINTR)
				continue;
			goto fail;
		}
		if (n == 0)
			break;
		done += (size_t)n;
	}
	close(fd);
	data[done] = '\0';
	*len = done;
	return (data);
fail:
	free(data);
	close(fd);
	return (NULL);
}

int
file_replace(int dirfd, const char *name, const void *data, size_t len)
{
	char tmp[NAME_MAX + 1];
	int fd, n, save;

	n = snprintf(tmp, sizeof(tmp), "%s.%ld.tmp", name, (long)getpid());
	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	(void)unlinkat(dirfd, tmp, 0);
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return (-1);
	if (os_write_all(fd, data, len) == -1 || fsync(fd) == -1 ||
	    renameat(dirfd, tmp, dirfd, name) == -1) {
		save = errno;
		close(fd);
		(void)unlinkat(dirfd, tmp, 0);
		errno = save;
		return (-1);
	}
	close(fd);
	return (0);
}

int
file_open(int dirfd, const char *name)
{
	struct stat st;
	int fd;

	if ((fd = file_open_unseen(dirfd, name)) == -1)
		return (-1);
	if (file_stat(fd, &st) == -1) {
		close(fd);
		errno = ELOOP;
		return (-1);
	}
	return (fd);
}

int
file_open_unseen(int dirfd, const char *name)
{
	/* O_NONBLOCK: a FIFO must not stop us before it is found out. */
	return (openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC));
}

int
file_stat(int fd, struct stat *st)
{
	if (fstat(fd, st) == -1)
		return (-1);
	if (S_ISREG(st->st_mode))
		return (0);
	errno = ELOOP;
	return (-1);
}

struct dirent *
file_next(DIR *dir)
{
	errno = 0;
	return (readdir(dir));
}
