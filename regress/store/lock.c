/*
 * An mbox's dot-lock: kept while its owner lives, gone with one that was
 * killed, and another program's is left alone.  And a lock file of a Maildir
 * that is taken away while somebody waits for it.
 */
#include "store.h"
#include "store/lock.h"

static int
box(void)
{
	return (openat(scratch, "box", O_RDWR | O_CREAT, 0600));
}

/* A process that has the lock; it waits to be killed. */
static pid_t
holder(void)
{
	int sp[2], dot;
	char byte = 'x';
	pid_t pid;

	if (pipe(sp) == -1 || (pid = fork()) == -1)
		exit(2);
	if (pid == 0) {
		if (lock_mbox(scratch, "box", box(), 1000, &dot) == -1 ||
		    dot == -1 || write(sp[1], &byte, 1) != 1)
			_exit(2);
		for (;;)
			pause();
	}
	close(sp[1]);
	if (read(sp[0], &byte, 1) != 1)
		exit(2);
	close(sp[0]);
	return (pid);
}

/* Whether the process has the file open by now. */
static int
has_open(pid_t pid, const struct stat *want)
{
	struct dirent *e;
	struct stat st;
	char path[64];
	DIR *dir;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	if ((dir = opendir(path)) == NULL)
		return (0);
	while (!found && (e = readdir(dir)) != NULL)
		found = fstatat(dirfd(dir), e->d_name, &st, 0) == 0 &&
		    st.st_ino == want->st_ino && st.st_dev == want->st_dev;
	closedir(dir);
	return (found);
}

/* 1 the process waits for the file, 0 it has ended. */
static int
waits_for(pid_t pid, int fd)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	struct stat st;

	if (fstat(fd, &st) == -1)
		exit(2);
	while (!has_open(pid, &st)) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return (0);
		(void)nanosleep(&pause, NULL);
	}
	return (1);
}

static int
lock_again(void)
{
	int fd = openat(scratch, "m/postern.lock", O_RDWR | O_CREAT, 0600);

	if (fd == -1 || lock_take(fd, 1000) == -1)
		exit(2);
	return (fd);
}

/* Who waited for the old file waits for the new one, too. */
static void
test_subscribe(void)
{
	struct store *st = open_store("m");
	struct stat sb;
	int old = lock_again(), new, status = 1;
	pid_t pid;

	if ((pid = fork()) == 0) {
		close(old);	/* or it would be held here, too */
		_exit(store_subscribe(st, "A", 1) == STORE_OK ? 0 : 1);
	}
	TEST("waits", waits_for(pid, old));
	(void)unlinkat(scratch, "m/postern.lock", 0);
	new = lock_again();
	close(old);
	TEST("waits again", waits_for(pid, new) && fstatat(scratch,
	    "m/subscriptions", &sb, 0) == -1);
	close(new);
	TEST("has it", waitpid(pid, &status, 0) == pid && status == 0 &&
	    fstatat(scratch, "m/subscriptions", &sb, 0) == 0);
	store_close(st);
}

int
main(void)
{
	static const struct timespec old[2] = { { 1, 0 }, { 1, 0 } };
	struct stat st;
	pid_t pid;
	int fd, dot = -1, status;

	scratch_make();
	fd = box();
	TEST("free", lock_mbox(scratch, "box", fd, 0, &dot) == 0 &&
	    dot != -1 && fstatat(scratch, "box.lock", &st, 0) == 0);
	lock_mbox_drop(scratch, "box", fd, dot);
	TEST("nothing is left", fstatat(scratch, "box.lock", &st, 0) == -1);

	pid = holder();
	TEST("somebody has it", lock_mbox(scratch, "box", fd, 50, &dot) ==
	    -1 && errno == EWOULDBLOCK &&
	    fstatat(scratch, "box.lock", &st, 0) == 0);
	if (utimensat(scratch, "box.lock", old, 0) == -1)
		exit(2);
	TEST("however long", lock_mbox(scratch, "box", fd, 50, &dot) == -1);
	if (kill(pid, SIGKILL) == -1 || waitpid(pid, &status, 0) == -1)
		exit(2);
	TEST("killed, its lock is left", fstatat(scratch, "box.lock", &st,
	    0) == 0);
	TEST("nobody waits for a dead one", lock_mbox(scratch, "box", fd, 50,
	    &dot) == 0 && dot != -1);
	lock_mbox_drop(scratch, "box", fd, dot);

	put_file("box.lock", "");
	TEST("another program's", lock_mbox(scratch, "box", fd, 50, &dot) ==
	    -1);
	unlinkat(scratch, "box.lock", 0);
	put_file("box.lock", "");
	if (utimensat(scratch, "box.lock", old, 0) == -1)
		exit(2);
	TEST("left over", lock_mbox(scratch, "box", fd, 50, &dot) == 0);
	lock_mbox_drop(scratch, "box", fd, dot);
	put_file("box.lock", "1\nother.host.example\n");
	TEST("another host's", lock_mbox(scratch, "box", fd, 50, &dot) == -1);
	unlinkat(scratch, "box.lock", 0);
	if (symlinkat("box", scratch, "box.lock") == -1)
		exit(2);
	TEST("a link", lock_mbox(scratch, "box", fd, 50, &dot) == -1);
	if (access("/proc/self/fd", F_OK) == 0)
		test_subscribe();
	scratch_remove();
	TEST_DONE();
}
