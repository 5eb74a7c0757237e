/*
 * usertable: a file of users, changed as a whole.
 *
 * A new file is written beside the old one, with its owner and mode, synced,
 * and renamed over it: readers see one or the other.  Two of us do not undo
 * each other's work: the file is locked, and whoever waited looks whether it
 * is still the file of that name.
 */
#include <sys/file.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "usertable.h"

#define TABLE_MAX	(64 << 20)
#define LOCK_TRIES	10

static int
fail(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return (-1);
}

static int
lock(struct usertable *t)
{
	struct stat	st;
	int		i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if ((t->fd = open(t->path, O_RDONLY | O_NOFOLLOW |
		    O_NONBLOCK | O_CLOEXEC)) == -1)
			return (-1);
		if (flock(t->fd, LOCK_EX) == -1 || fstat(t->fd, &t->st) == -1)
			return (-1);
		if (!S_ISREG(t->st.st_mode) || t->st.st_size > TABLE_MAX) {
			errno = EINVAL;
			return (-1);
		}
		if (stat(t->path, &st) == 0 && st.st_ino == t->st.st_ino &&
		    st.st_dev == t->st.st_dev)
			return (0);
		close(t->fd);
		t->fd = -1;
	}
	errno = EAGAIN;
	return (-1);
}

int
usertable_open(struct usertable *t, const char *path)
{
	ssize_t	n;

	memset(t, 0, sizeof(*t));
	t->path = path;
	t->fd = -1;
	if (lock(t) == -1 ||
	    (t->text = malloc((size_t)t->st.st_size + 2)) == NULL)
		goto bad;
	while (t->len < (size_t)t->st.st_size) {
		n = read(t->fd, t->text + t->len,
		    (size_t)t->st.st_size - t->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			goto bad;
		if (n == 0)
			break;
		t->len += (size_t)n;
	}
	if (t->len > 0 && t->text[t->len - 1] != '\n')
		t->text[t->len++] = '\n';
	t->text[t->len] = '\0';
	return (0);
bad:
	(void)fail(path);
	usertable_close(t);
	return (-1);
}

void
usertable_close(struct usertable *t)
{
	if (t->text != NULL)
		freezero(t->text, t->len);
	if (t->fd != -1)
		close(t->fd);
	t->text = NULL;
	t->fd = -1;
}

char *
usertable_find(const struct usertable *t, const char *name, size_t *len)
{
	char	*p = t->text, *end = t->text + t->len, *nl;
	size_t	 n = strlen(name);

	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			break;
		if ((size_t)(nl - p) > n && p[n] == ':' &&
		    strncasecmp(p, name, n) == 0) {
			*len = (size_t)(nl - p) + 1;
			return (p);
		}
	}
	return (NULL);
}

/* The directory's entry, too, is on the disk. */
static int
sync_dir(const char *path)
{
	char	 dir[PATH_MAX], *slash;
	int	 fd, rv;

	if (strlcpy(dir, path, sizeof(dir)) >= sizeof(dir))
		return (-1);
	if ((slash = strrchr(dir, '/')) == NULL)
		return (0);
	slash[slash == dir] = '\0';
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	rv = fsync(fd);
	close(fd);
	return (rv);
}

int
usertable_replace(struct usertable *t, const char *at, size_t len,
    const char *line)
{
	char	tmp[PATH_MAX];
	size_t	before = (size_t)(at - t->text);
	int	fd, n;

	n = snprintf(tmp, sizeof(tmp), "%s.XXXXXXXXXX", t->path);
	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return (fail(t->path));
	}
	if ((fd = mkstemp(tmp)) == -1)
		return (fail(tmp));
	if (fchown(fd, t->st.st_uid, t->st.st_gid) == -1 ||
	    fchmod(fd, t->st.st_mode & 07777) == -1 ||
	    os_write_all(fd, t->text, before) == -1 ||
	    (line != NULL && (os_write_all(fd, line, strlen(line)) == -1 ||
	    os_write_all(fd, "\n", 1) == -1)) ||
	    os_write_all(fd, at + len, t->len - before - len) == -1 ||
	    fsync(fd) == -1 || rename(tmp, t->path) == -1) {
		(void)fail(t->path);
		(void)unlink(tmp);
		close(fd);
		return (-1);
	}
	close(fd);
	return (sync_dir(t->path) == -1 ? fail(t->path) : 0);
}
