/*
 * tidy: what processes that were killed left of files that they wrote.
 *
 * Messages in tmp/, and beside it the small files of file_replace() and the
 * copies of an index and its cache, under names that only we give.
 *
 * Cost: two directories, once an hour for each folder that is opened.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/tidy.h"

#define TMP_AGE		(36 * 60 * 60)	/* as maildir(5) has it */
#define TMP_FILES	10000		/* looked at, at most */
#define TMP_EVERY	(60 * 60)	/* seconds between two looks */

static void tidy_dir(int, const char *, int (*)(const char *), time_t);
static int is_message(const char *);
static int is_copy(const char *);

void
folder_tidy(struct folder *f)
{
	time_t now = time(NULL);

	if (f->tidied != 0 && now - f->tidied < TMP_EVERY && now >= f->tidied)
		return;
	f->tidied = now;
	tidy_dir(f->dir, "tmp", is_message, now);
	tidy_dir(f->dir, ".", is_copy, now);
}

static void
tidy_dir(int dirfd, const char *name, int (*is_ours)(const char *),
    time_t now)
{
	struct dirent *e;
	struct stat st;
	DIR *dir;
	int fd, n;

	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	for (n = 0; n < TMP_FILES && (e = readdir(dir)) != NULL; n++) {
		/* mtime is the message's; ctime is when it was written. */
		if (is_ours(e->d_name) && fstatat(fd, e->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    now - st.st_ctime > TMP_AGE)
			(void)unlinkat(fd, e->d_name, 0);
	}
	closedir(dir);
}

static int
is_message(const char *name)
{
	return (name[0] != '.');
}

/* "NAME.tmp" or "NAME.PID.tmp" of a file that is replaced as a whole. */
static int
is_copy(const char *name)
{
	static const char *const names[] = {
		"dovecot-keywords", "maildirsize", "postern.cache",
		"postern.expunge", "postern.index", "postern.use",
		"subscriptions"
	};
	size_t i, len;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = strlen(names[i]);
		if (strncmp(name, names[i], len) != 0 || name[len] != '.')
			continue;
		name += len + 1;
		if ((len = strspn(name, "0123456789")) > 0 &&
		    name[len] == '.')
			name += len + 1;
		return (strcmp(name, "tmp") == 0);
	}
	return (0);
}
