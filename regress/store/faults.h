/*
 * Faults: system calls that fail, or that we are killed before, and a clock
 * and directories that others change.
 */
#ifndef REGRESS_FAULTS_H
#define REGRESS_FAULTS_H

#include <dlfcn.h>
#include <stdarg.h>

#include "store.h"

#define TEXT1	"Subject: one\n\none\n"

static int entries = -1;	/* of a directory, then it fails; -1 never */
static int written;	/* bytes have gone to the disk since */
static int early;	/* names that came before their bytes */
static const char *busy_name;	/* it cannot be opened now, ... */
static int busy_after;	/* ... after it was so often */
static int hide;	/* the next message is renamed while we read cur/ */
static time_t later;	/* what the clock is ahead of the time */
static int calls;	/* until we are killed, 0 never */
static const char *meet_name;	/* before it is opened, or NULL: before the */
static void (*meet)(void);	/* bytes go, another does this, once */

static void step(void);

static void
meet_now(const char *name)
{
	void (*run)(void) = meet;

	if (run == NULL || (name == NULL) != (meet_name == NULL) ||
	    (name != NULL && meet_name != NULL &&
	    strcmp(name, meet_name) != 0))
		return;
	meet = NULL;
	run();
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int (*real)(clockid_t, struct timespec *);
	int ret;

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	ret = real(id, ts);
	ts->tv_sec += later;
	return (ret);
}

time_t
time(time_t *t)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (t != NULL)
		*t = ts.tv_sec;
	return (ts.tv_sec);
}

int
openat(int dir, const char *name, int flags, ...)
{
	int (*real)(int, const char *, int, mode_t);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	step();
	meet_now(name);
	if (busy_name != NULL && strcmp(name, busy_name) == 0 &&
	    busy_after-- == 0) {
		errno = EMFILE;
		return (-1);
	}
	*(void **)&real = dlsym(RTLD_NEXT, "openat");
	return (real(dir, name, flags, mode));
}

/* The process is killed before one of these calls. */
static void
step(void)
{
	if (calls > 0 && --calls == 0)
		(void)kill(getpid(), SIGKILL);
}

/* In the tick of the clock in which the directory was changed before. */
static void
rename_unseen(int dir, const char *name)
{
	struct stat st;
	struct timespec times[2];
	char to[NAME_MAX + 8];

	snprintf(to, sizeof(to), "%.200sS", name);
	if (fstat(dir, &st) == -1 || renameat(dir, name, dir, to) == -1)
		return;
	times[0] = times[1] = st.st_mtim;
	(void)futimens(dir, times);
}

struct dirent *
readdir(DIR *dir)
{
	struct dirent *(*real)(DIR *), *e;

	*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	if (entries == 0) {
		errno = EIO;
		return (NULL);
	}
	entries -= entries > 0;
	e = real(dir);
	if (hide && e != NULL && strstr(e->d_name, ":2,") != NULL) {
		hide = 0;
		rename_unseen(dirfd(dir), e->d_name);
		e = real(dir);
	}
	return (e);
}

int
sync_file_range(int fd, off_t off, off_t len, unsigned int flags)
{
	int (*real)(int, off_t, off_t, unsigned int);

	*(void **)&real = dlsym(RTLD_NEXT, "sync_file_range");
	meet_now(NULL);
	written++;
	return (real(fd, off, len, flags));
}

int
syncfs(int fd)
{
	int (*real)(int);

	*(void **)&real = dlsym(RTLD_NEXT, "syncfs");
	written++;
	return (real(fd));
}

int
linkat(int a, const char *from, int b, const char *to, int flags)
{
	int (*real)(int, const char *, int, const char *, int);

	*(void **)&real = dlsym(RTLD_NEXT, "linkat");
	early += written == 0;
	return (real(a, from, b, to, flags));
}

int
renameat(int a, const char *from, int b, const char *to)
{
	int (*real)(int, const char *, int, const char *);

	*(void **)&real = dlsym(RTLD_NEXT, "renameat");
	early += written == 0;
	step();
	return (real(a, from, b, to));
}

int
unlinkat(int dir, const char *name, int flags)
{
	int (*real)(int, const char *, int);

	*(void **)&real = dlsym(RTLD_NEXT, "unlinkat");
	step();
	return (real(dir, name, flags));
}

#endif
