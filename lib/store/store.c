/*
 * store: opening a user's mailboxes.
 *
 * The way to the Maildir is walked a component at a time and follows no
 * symbolic link; nothing is opened by a path afterwards.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/folder.h"
#include "store/mbox.h"
#include "store/name.h"

#define PATH_LEVELS	32
#define PATH_LENGTH	1024

static enum store_error store_split(const char *, int, char[PATH_LENGTH],
    const char **);
static enum store_error store_root(int, const char *, int, int *,
    const char **);
static char *store_hostname(const char *);

enum store_error
store_open(struct store **stp, int dirfd, const char *name,
    const struct store_settings *set, unsigned int flags)
{
	char path[PATH_LENGTH];
	const char *last = NULL;
	struct store *st;
	enum store_error error = STORE_SYS;

	if (strlcpy(path, name, sizeof(path)) >= sizeof(path))
		return (STORE_NAME);
	if ((st = calloc(1, sizeof(*st))) == NULL)
		return (STORE_SYS);
	st->root = -1;
	TAILQ_INIT(&st->folders);
	st->quota = set->quota;
	st->quota_messages = set->quota_messages;
	st->user = strdup(set->user != NULL ? set->user : "");
	st->hostname = store_hostname(set->hostname);
	if (st->user == NULL || st->hostname == NULL)
		goto fail;
	error = store_root(dirfd, path, (flags & STORE_CREATE) && !set->mbox,
	    &st->root, set->mbox ? &last : NULL);
	if (error != STORE_OK)
		goto fail;
	if (set->mbox)
		error = mbox_open(&st->mbox, st->root, last, flags);
	else if ((flags & STORE_CREATE) && folder_make(st, ".") == -1)
		error = store_errno();
	if (error != STORE_OK)
		goto fail;
	*stp = st;
	return (STORE_OK);
fail:
	store_close(st);
	return (error);
}

enum store_error
store_open_path(struct store **stp, const char *path,
    const struct store_settings *set, unsigned int flags)
{
	char dir[PATH_LENGTH];
	const char *name;
	enum store_error error;
	int fd;

	if ((error = store_split(path, set->mbox, dir, &name)) != STORE_OK)
		return (error);
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC)) == -1)
		return (STORE_SYS);
	error = store_open(stp, fd, name, set, flags);
	close(fd);
	return (error);
}

/* The directory that becomes the root, and the name in it. */
static enum store_error
store_split(const char *path, int mbox, char dir[PATH_LENGTH],
    const char **name)
{
	char *slash;

	*name = ".";
	if (strlcpy(dir, path, PATH_LENGTH) >= PATH_LENGTH)
		return (STORE_NAME);
	if (!mbox)
		return (STORE_OK);
	if ((slash = strrchr(dir, '/')) == NULL || slash == dir)
		return (STORE_NAME);
	*slash = '\0';
	*name = slash + 1;
	return (STORE_OK);
}

int
store_moved(struct store *st, const char *path)
{
	char dir[PATH_LENGTH];
	const char *name;
	struct stat ours, now;

	if (store_split(path, st->mbox != NULL, dir, &name) != STORE_OK ||
	    fstat(st->root, &ours) == -1)
		return (0);
	if (fstatat(AT_FDCWD, dir, &now, AT_SYMLINK_NOFOLLOW) == -1)
		return (errno == ENOENT || errno == ENOTDIR);
	return (now.st_ino != ours.st_ino || now.st_dev != ours.st_dev);
}

/*
 * The directory at path below dirfd; if last is not NULL, the one that the
 * last component is in.
 */
static enum store_error
store_root(int dirfd, const char *path, int create, int *root,
    const char **last)
{
	char part[NAME_MAX + 1];
	struct stat st;
	const char *p = path, *end;
	enum store_error error;
	int fd, next, i;

	if ((fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
	    -1)
		return (store_errno());
	for (i = 0; i < PATH_LEVELS && *p != '\0'; i++, p = end) {
		end = p + strcspn(p, "/");
		if (last != NULL && *end == '\0') {
			*last = path[0] == '\0' ? NULL : p;
			break;
		}
		if ((size_t)(end - p) >= sizeof(part))
			goto name;
		memcpy(part, p, (size_t)(end - p));
		part[end - p] = '\0';
		while (*end == '/')
			end++;
		if (part[0] == '\0' || strcmp(part, "..") == 0)
			goto name;
		if (strcmp(part, ".") == 0)
			continue;
		if (create && fstat(fd, &st) == 0 && mkdirat(fd, part, 0700 |
		    (st.st_mode & S_ISGID ? st.st_mode & 0070 : 0)) == -1 &&
		    errno != EEXIST) {
			error = store_errno();
			close(fd);
			return (error);
		}
		next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
		    O_CLOEXEC);
		error = next == -1 ? store_errno() : STORE_OK;
		close(fd);
		if (next == -1)
			return (error);
		fd = next;
	}
	if (i == PATH_LEVELS)
		goto name;
	*root = fd;
	return (STORE_OK);
name:
	close(fd);
	return (STORE_NAME);
}

/* As it may stand in a Maildir name. */
static char *
store_hostname(const char *name)
{
	char *host, *p;

	if ((host = strdup(name != NULL && *name != '\0' ? name :
	    "localhost")) == NULL)
		return (NULL);
	for (p = host; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("/:,", *p) != NULL)
			*p = '_';
	return (host);
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	folder_close_idle(st);
	mbox_close(st->mbox);
	if (st->root != -1)
		close(st->root);
	free(st->user);
	free(st->hostname);
	free(st);
}

void
store_rest(struct store *st)
{
	folder_close_idle(st);
}

size_t
store_namespaces(struct store *st, const struct store_namespace **list)
{
	static const struct store_namespace own = { "", STORE_PERSONAL };

	(void)st;
	*list = &own;
	return (1);
}

/* Whatever there is below one's own Maildir is one's own. */
const char *
store_rights(struct store *st, const char *name)
{
	char dirname[NAME_MAX + 1];

	if (name_to_dir(name, dirname, sizeof(dirname)) == -1)
		return ("");
	return (st->mbox != NULL && !name_is_inbox(name) ? "" :
	    "lrswipkxtea");
}

const char *
store_strerror(enum store_error error)
{
	switch (error) {
	case STORE_OK:
		return ("no error");
	case STORE_NOENT:
		return ("no such mailbox or message");
	case STORE_EXISTS:
		return ("it exists already");
	case STORE_NAME:
		return ("not a valid mailbox name");
	case STORE_QUOTA:
		return ("quota exceeded");
	case STORE_FULL:
		return ("disk full");
	case STORE_READONLY:
		return ("read-only");
	case STORE_BUSY:
		return ("locked by another session");
	case STORE_CORRUPT:
		return ("mailbox is damaged");
	case STORE_NOTEMPTY:
		return ("mailbox has children");
	case STORE_LIMIT:
		return ("limit reached");
	case STORE_MODIFIED:
		return ("changed by another session");
	case STORE_GONE:
		return ("removed by another session");
	case STORE_TAKEN:
		return ("another mailbox is for that");
	case STORE_SINGLE:
		return ("an mbox has no other mailboxes");
	case STORE_SYS:
		break;
	}
	return (strerror(errno));
}
