/*
 * file: tables that are files, and those that stand in the configuration.
 *
 * A role never opens the file: the parent did, and checked who may read it.
 * The descriptor is believed in nothing: it must be a regular file, its size
 * has a limit, and what was read counts only if the file was the same before
 * and after.  The contents hold hashes and are wiped when they go.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "os/compat.h"
#include "table/backend.h"
#include "table/map.h"
#include "table/user.h"

#ifdef __APPLE__
#define st_mtim	st_mtimespec
#define st_ctim	st_ctimespec
#endif

struct file {
	struct table_map	*map;		/* NULL: nothing loaded */
	struct stat		 st;		/* of what is loaded */
	char			 why[128];	/* nothing is */
};

static int
file_open(const struct conf_table *ct, enum table_form form, void **state)
{
	struct file	*f;

	(void)ct;
	(void)form;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return (-1);
	strlcpy(f->why, "the file was not read yet", sizeof(f->why));
	*state = f;
	return (0);
}

static int
inline_open(const struct conf_table *ct, enum table_form form, void **state)
{
	struct file	*f;

	(void)form;
	if (ct->keys.n != ct->values.n) {
		errno = EINVAL;
		return (-1);
	}
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return (-1);
	if ((f->map = table_map_words(ct->keys.v, ct->values.v,
	    ct->keys.n)) == NULL) {
		free(f);
		return (-1);
	}
	*state = f;
	return (0);
}

static void
file_close(void *state)
{
	struct file	*f = state;

	table_map_free(f->map);
	free(f);
}

static void
file_each(void *state, table_entry_cb cb, void *arg)
{
	const struct file	*f = state;

	if (f->map != NULL)
		table_map_each(f->map, cb, arg);
}

static void
file_unload(void *state, const char *why)
{
	struct file	*f = state;

	table_map_free(f->map);
	f->map = NULL;
	if (strlcpy(f->why, why, sizeof(f->why)) >= sizeof(f->why))
		f->why[sizeof(f->why) - 2] = '>';	/* visibly cut */
}

static int
same_file(const struct stat *a, const struct stat *b)
{
	return (a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec);
}

/* size bytes from the start, with room for a terminator. */
static char *
read_all(int fd, size_t size)
{
	char	*text;
	size_t	 done = 0;
	ssize_t	 n;

	if ((text = malloc(size + 1)) == NULL)
		return (NULL);
	while (done < size) {
		n = pread(fd, text + done, size - done, (off_t)done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			freezero(text, size + 1);
			if (n == 0)
				errno = EAGAIN;		/* it shrank */
			return (NULL);
		}
		done += (size_t)n;
	}
	return (text);
}

static int
file_load(void *state, enum table_form form, int fd,
    struct table_report *report)
{
	struct file		*f = state;
	struct table_map	*map;
	struct stat		 st, after;
	char			*text;

	if (fstat(fd, &st) == -1)
		return (-1);
	if (!S_ISREG(st.st_mode) || st.st_size < 0) {
		errno = EINVAL;
		return (-1);
	}
	if (f->map != NULL && same_file(&st, &f->st))
		return (0);
	if (st.st_size > TABLE_FILE_MAX) {
		errno = EFBIG;
		return (-1);
	}
	if ((text = read_all(fd, (size_t)st.st_size)) == NULL)
		return (-1);
	if (fstat(fd, &after) == -1 || !same_file(&st, &after)) {
		freezero(text, (size_t)st.st_size + 1);
		errno = EAGAIN;
		return (-1);
	}
	if ((map = table_map_parse(text, (size_t)st.st_size, form, report)) ==
	    NULL)
		return (-1);
	table_map_free(f->map);
	f->map = map;
	f->st = st;
	return (1);
}

/* Split a copy of the fields, answer, and wipe it. */
static void
answer_user(struct table_answer *a, const char *value, table_cb cb, void *arg)
{
	struct table_user	 user;
	char			*copy;
	size_t			 size = strlen(value) + 1;

	if ((copy = malloc(size)) == NULL) {
		table_fail(cb, arg, a->key, "out of memory");
		return;
	}
	memcpy(copy, value, size);
	if ((a->why = table_user_parse(&user, a->key, copy)) == NULL) {
		a->user = &user;
		a->result = TABLE_FOUND;
	}
	cb(a, arg);
	freezero(copy, size);
}

static void
file_lookup(void *state, enum table_form form, const char *key, table_cb cb,
    void *arg)
{
	struct file		*f = state;
	struct table_answer	 a = { .result = TABLE_NONE };
	const char		*value;

	a.key = key;
	if (f->map == NULL) {
		table_fail(cb, arg, key, f->why);
		return;
	}
	if ((value = table_map_find(f->map, key, &a.key)) == NULL) {
		cb(&a, arg);
		return;
	}
	if (form == TABLE_USERS) {
		a.result = TABLE_FAILED;
		answer_user(&a, value, cb, arg);
		return;
	}
	a.result = TABLE_FOUND;
	a.value = value;
	cb(&a, arg);
}

const struct table_backend table_backend_inline = {
	inline_open, file_lookup, file_close, file_each, NULL, NULL
};

const struct table_backend table_backend_file = {
	file_open, file_lookup, file_close, file_each, file_load, file_unload
};
