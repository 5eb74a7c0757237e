/*
 * os_file: anonymous files and writes that are on the disk when they return.
 *
 * os_sync_write() is on the hot path of every message that is accepted: one
 * system call and one flush for a whole batch.
 */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/os.h"

int
os_write_all(int fd, const void *data, size_t len)
{
	const char	*p = data;
	ssize_t		 n;

	while (len > 0) {
		if ((n = write(fd, p, len)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		p += n;
		len -= (size_t)n;
	}
	return (0);
}

#ifdef __linux__
#define SEALS	(F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)
#endif

static ssize_t	write_synced(int, const struct iovec *, int, off_t, int *);
static int	used_up(struct iovec **, int *, size_t);

#ifdef __linux__
int
os_anonfile(const char *name)
{
	return (memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

int
os_anonfile_seal(int fd)
{
	return (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) == -1 ? -1 : 0);
}

/* Only files in memory have seals; for all others the question fails. */
int
os_anonfile_is_sealed(int fd)
{
	int seals;

	if ((seals = fcntl(fd, F_GET_SEALS)) == -1)
		return (0);
	return ((seals & SEALS) == SEALS);
}
#else
int
os_anonfile(const char *name)
{
#ifdef SHM_ANON
	(void)name;
	return (shm_open(SHM_ANON, O_RDWR | O_CLOEXEC, 0600));
#else
	char path[] = "/tmp/postern.XXXXXXXXXX";
	int error, fd;

	(void)name;
	if ((fd = mkstemp(path)) == -1)
		return (-1);
	if (unlink(path) == -1 || fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
		error = errno;
		(void)close(fd);
		errno = error;
		return (-1);
	}
	return (fd);
#endif
}

int
os_anonfile_seal(int fd)
{
	(void)fd;
	errno = ENOSYS;
	return (-1);
}

int
os_anonfile_is_sealed(int fd)
{
	(void)fd;
	return (0);
}
#endif

int
os_sync_write(int fd, struct iovec *iov, int n, off_t offset)
{
	ssize_t done;
	int synced = 1, each;

	if (used_up(&iov, &n, 0))
		return (0);
	for (;;) {
		if ((done = write_synced(fd, iov, n, offset, &each)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		if (done == 0) {
			errno = EIO;
			return (-1);
		}
		synced &= each;
		offset += done;
		if (used_up(&iov, &n, (size_t)done))
			break;
	}
	return (synced ? 0 : fdatasync(fd));
}

/* One write; *synced says whether it has reached the disk by itself. */
static ssize_t
write_synced(int fd, const struct iovec *iov, int n, off_t offset,
    int *synced)
{
#ifdef RWF_DSYNC
	ssize_t done;

	*synced = 1;
	done = pwritev2(fd, iov, n, offset, RWF_DSYNC);
	if (done != -1 || (errno != EOPNOTSUPP && errno != ENOSYS))
		return (done);
#endif
	*synced = 0;
	return (pwritev(fd, iov, n, offset));
}

/* Step over what was written; 1 if nothing is left. */
static int
used_up(struct iovec **iov, int *n, size_t done)
{
	struct iovec *v = *iov;
	int left = *n;

	while (left > 0 && done >= v->iov_len) {
		done -= v->iov_len;
		v++;
		left--;
	}
	if (left > 0 && done > 0) {
		v->iov_base = (char *)v->iov_base + done;
		v->iov_len -= done;
	}
	*iov = v;
	*n = left;
	return (left <= 0);
}

int
os_lock(int fd)
{
	return (flock(fd, LOCK_EX | LOCK_NB));
}

int
os_syncfs(int fd)
{
#ifdef __linux__
	return (syncfs(fd));
#else
	(void)fd;
	errno = ENOSYS;
	return (-1);
#endif
}

int
os_syncfs_works(void)
{
#ifdef __linux__
	return (1);
#else
	return (0);
#endif
}

int
os_write_out(int fd)
{
#ifdef __linux__
	return (sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE |
	    SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
#else
	return (fsync(fd));
#endif
}

int
os_fill(int fd, off_t len)
{
#ifdef __linux__
	if (fallocate(fd, 0, 0, len) == -1 &&
	    (errno == ENOSPC || errno == EDQUOT))
		return (-1);
#else
	(void)fd;
	(void)len;
#endif
	return (0);
}

void
os_start_write(int fd)
{
#ifdef __linux__
	/* If it fails, fsync() does it. */
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#else
	(void)fd;
#endif
}
