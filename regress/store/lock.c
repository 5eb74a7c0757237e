/*
 * An mbox's dot-lock: kept while its owner lives, gone with one that was
 * killed, and another program's is left alone.
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
	scratch_remove();
	TEST_DONE();
}
