/*
 * Shared by the store's tests: a scratch directory, a store in it, and files
 * put there as other programs would.
 */
#ifndef REGRESS_STORE_H
#define REGRESS_STORE_H

#include <sys/stat.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/store.h"
#include "../test.h"

static char scratch_path[] = "/tmp/postern-store.XXXXXXXXXX";
static int scratch = -1;

static inline int
scratch_unlink(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return (remove(path));
}

static inline void
scratch_remove(void)
{
	if (scratch != -1)
		(void)nftw(scratch_path, scratch_unlink, 16,
		    FTW_DEPTH | FTW_PHYS);
}

static inline void
scratch_make(void)
{
	if (mkdtemp(scratch_path) == NULL ||
	    (scratch = open(scratch_path, O_RDONLY | O_DIRECTORY)) == -1) {
		perror("mkdtemp");
		exit(1);
	}
}

static inline struct store *
open_store(const char *name)
{
	const struct store_settings set = { .user = "test",
	    .hostname = "host.example" };
	struct store *st;
	enum store_error error;

	error = store_open(&st, scratch, name, &set, STORE_CREATE);
	if (error != STORE_OK) {
		fprintf(stderr, "store_open: %s\n", store_strerror(error));
		scratch_remove();
		exit(1);
	}
	return (st);
}

static inline void
put_file(const char *path, const char *text)
{
	int fd;

	fd = openat(scratch, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || write(fd, text, strlen(text)) !=
	    (ssize_t)strlen(text)) {
		perror(path);
		exit(1);
	}
	close(fd);
}

/* Files of one short message each, in the order of their names. */
static inline void
put_many(const char *dir, unsigned int first, unsigned int n,
    const char *end)
{
	char path[NAME_MAX + 32];
	unsigned int i;

	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/cur/%u%s", dir,
		    1000000000 + first + i, end);
		put_file(path, "a: b\n");
	}
}

static inline void
make_dirs(const char *dir)
{
	char path[64];

	(void)mkdirat(scratch, dir, 0700);
	snprintf(path, sizeof(path), "%s/cur", dir);
	(void)mkdirat(scratch, path, 0700);
}

/* How many entries a directory has. */
static inline int
count_files(const char *path)
{
	struct dirent *e;
	DIR *dir;
	int fd, n = 0;

	if ((fd = openat(scratch, path, O_RDONLY | O_DIRECTORY)) == -1 ||
	    (dir = fdopendir(fd)) == NULL)
		return (-1);
	while ((e = readdir(dir)) != NULL)
		n += e->d_name[0] != '.';
	closedir(dir);
	return (n);
}

/* The name of the first file that contains part. */
static inline const char *
find_file(const char *path, const char *part)
{
	static char name[NAME_MAX + 1];
	struct dirent *e;
	DIR *dir;
	int fd;

	name[0] = '\0';
	if ((fd = openat(scratch, path, O_RDONLY | O_DIRECTORY)) == -1 ||
	    (dir = fdopendir(fd)) == NULL)
		return (name);
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' && strstr(e->d_name, part) != NULL)
			strlcpy(name, e->d_name, sizeof(name));
	closedir(dir);
	return (name);
}

static inline void
move_file(const char *from, const char *to)
{
	if (renameat(scratch, from, scratch, to) == -1)
		perror(from);
}

static inline enum store_error
deliver(struct store *st, const char *mailbox, const char *id,
    const char *text, int again)
{
	struct store_delivery d = { .id = id, .again = again,
	    .head = "Delivered-To: test\r\n", .headlen = 20 };
	char path[32];
	enum store_error error;

	snprintf(path, sizeof(path), "message.%ld", (long)getpid());
	d.fd = openat(scratch, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	(void)unlinkat(scratch, path, 0);
	if (write(d.fd, text, strlen(text)) != (ssize_t)strlen(text))
		return (STORE_SYS);
	d.len = strlen(text);
	d.arrived = 1700000000;
	error = store_deliver(st, mailbox, &d);
	close(d.fd);
	return (error);
}

static inline enum store_error
append_text(struct store *st, const char *mailbox, const char *text,
    uint32_t flags, uint32_t *uid)
{
	struct append *a;
	enum store_error error;
	uint32_t validity;

	error = append_begin(st, mailbox, 1600000000, flags, NULL, &a);
	if (error != STORE_OK)
		return (error);
	if ((error = append_write(a, text, strlen(text))) != STORE_OK) {
		append_abort(a);
		return (error);
	}
	return (append_commit(&a, 1, uid, &validity));
}

/* What mailbox_sync() told, as text: "-2/7 f1 =3". */
struct told {
	char	text[4096];
};

static inline void
told_add(struct told *t, const char *fmt, unsigned int a, unsigned int b)
{
	char one[64];

	/* Every caller's format takes two numbers. */
	if (fmt[0] == '-')
		snprintf(one, sizeof(one), "-%u/%u ", a, b);
	else if (fmt[0] == 'f')
		snprintf(one, sizeof(one), "f%u ", a);
	else
		snprintf(one, sizeof(one), "=%u/%u ", a, b);
	strlcat(t->text, one, sizeof(t->text));
}

static inline void
told_expunged(void *arg, uint32_t seq, uint32_t uid)
{
	told_add(arg, "-", seq, uid);
}

static inline void
told_flags(void *arg, uint32_t seq)
{
	told_add(arg, "f", seq, 0);
}

static inline void
told_exists(void *arg, uint32_t count, uint32_t recent)
{
	told_add(arg, "=", count, recent);
}

static const struct mailbox_changes told_changes = {
	told_expunged, told_flags, told_exists, NULL
};

static inline const char *
sync_told(struct mailbox *mb, int no_expunge, struct told *t)
{
	enum store_error error;

	t->text[0] = '\0';
	error = mailbox_sync(mb, no_expunge, &told_changes, t);
	if (error != STORE_OK)
		snprintf(t->text, sizeof(t->text), "error %d: %s", error,
		    store_strerror(error));
	return (t->text);
}

static inline struct mailbox *
open_box(struct store *st, const char *name, unsigned int flags)
{
	struct mailbox *mb;
	enum store_error error;

	error = mailbox_open(st, name, flags, &mb);
	if (error != STORE_OK) {
		printf("not ok open %s: %s\n", name, store_strerror(error));
		scratch_remove();
		exit(1);
	}
	return (mb);
}

#endif
