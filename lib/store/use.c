/*
 * use: what mailboxes are for (RFC 6154).
 *
 * One that was made for a use has a file in its folder, which goes where the
 * folder goes: a line a use.  Others are for what their names say, as long as
 * none was made for that.
 *
 * Cost: an open(2) a folder that is listed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf/buf.h"
#include "os/compat.h"
#include "store/file.h"
#include "store/name.h"
#include "store/use.h"

#define USE_SIZE	256		/* bytes of a sane file */

static const char *const uses[] = {
	"Archive", "Drafts", "Junk", "Sent", "Trash"
};

#define NUSES	(sizeof(uses) / sizeof(uses[0]))

struct wanted {
	const char	*name;
	unsigned int	 taken;		/* LIST_USE << i */
	int		 exists;
};

static int use_path(const char *, char *, size_t);
static int use_taken(void *, const char *, unsigned int);
static enum store_error use_write(struct store *, const char *,
    unsigned int);

const char *
store_use(unsigned int i)
{
	return (i < NUSES ? uses[i] : NULL);
}

unsigned int
use_of_name(const char *name)
{
	unsigned int i;

	for (i = 0; i < NUSES; i++)
		if (strcmp(name, uses[i]) == 0)
			return (LIST_USE << i);
	return (0);
}

static int
use_path(const char *dirname, char *path, size_t len)
{
	int n = snprintf(path, len, "%s/%s", dirname, USE_FILE);

	return (n > 0 && (size_t)n < len ? 0 : -1);
}

unsigned int
use_read(int rootfd, const char *dirname)
{
	char path[NAME_MAX + sizeof(USE_FILE) + 1], *data, *p, *line;
	unsigned int found = 0;
	size_t len;

	if (use_path(dirname, path, sizeof(path)) == -1 || (data =
	    file_read(rootfd, path, USE_SIZE, &len)) == NULL)
		return (0);
	for (p = data; (line = strsep(&p, "\n")) != NULL;)
		found |= use_of_name(line);
	free(data);
	return (found);
}

unsigned int
store_uses(struct store *st, const char *name)
{
	char dirname[NAME_MAX + 1];

	return (st->mbox != NULL || name_to_dir(name, dirname,
	    sizeof(dirname)) == -1 ? 0 : use_read(st->root, dirname));
}

static enum store_error
use_write(struct store *st, const char *name, unsigned int use)
{
	char dirname[NAME_MAX + 1];
	struct buf text;
	enum store_error error = STORE_OK;
	unsigned int i;
	int fd = -1, ret = 0;

	buf_init(&text, USE_SIZE);
	for (i = 0; i < NUSES; i++)
		if (use & LIST_USE << i)
			ret |= buf_printf(&text, "%s\n", uses[i]);
	if (ret != 0 || name_to_dir(name, dirname, sizeof(dirname)) == -1 ||
	    (fd = openat(st->root, dirname, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1 || file_replace(fd, USE_FILE,
	    buf_data(&text), buf_len(&text)) == -1)
		error = store_errno();
	if (error == STORE_OK && fsync(fd) == -1)
		error = store_errno();
	if (fd != -1)
		close(fd);
	buf_free(&text);
	return (error);
}

static int
use_taken(void *arg, const char *name, unsigned int flags)
{
	struct wanted *w = arg;

	w->taken |= flags;
	if (strcmp(name, w->name) == 0 &&
	    (flags & (LIST_NOSELECT | LIST_NOEXIST)) == 0)
		w->exists = 1;
	return (0);
}

enum store_error
store_create_for(struct store *st, const char *name, unsigned int use)
{
	struct wanted w = { .name = name };
	enum store_error error;

	if (use == 0 || st->mbox != NULL)
		return (store_create(st, name));
	if ((error = store_list(st, use_taken, &w)) != STORE_OK)
		return (error);
	if (!w.exists && (w.taken & use))
		return (STORE_TAKEN);
	if ((error = store_create(st, name)) != STORE_OK)
		return (error);
	/* Without it, it is not what was asked for. */
	if ((error = use_write(st, name, use)) != STORE_OK)
		(void)store_delete(st, name);
	return (error);
}
