/*
 * files: paths and what is done to them, under the roles' promises.
 */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "os/os.h"
#include "child.h"

static int	warmfd = -1;

/* 0, or errno as the child's answer. */
static int
answer(long rv)
{
	return (rv == -1 ? errno : 0);
}

static int
warm_file(void)
{
	warmfd = open(below(child_out, "warm"), O_RDWR | O_CREAT, 0600);
	return (answer(warmfd));
}

static int
op_passwd(void)
{
	return (answer(open("/etc/passwd", O_RDONLY)));
}

static int
op_hostname(void)
{
	return (answer(open("/etc/hostname", O_RDONLY)));
}

static int
op_chmod(void)
{
	return (answer(chmod(child_dir, 0700)));
}

static int
op_chmod_setid(void)
{
	return (answer(chmod(child_dir, 04700)));
}

static int
op_create_setid(void)
{
	return (answer(open(below(child_dir, "setid"), O_WRONLY | O_CREAT,
	    04700)));
}

static int
op_chown(void)
{
	return (answer(chown(child_dir, getuid(), getgid())));
}

static int
op_symlink(void)
{
	return (answer(symlink("/etc/passwd", below(child_dir, "sym"))));
}

static int
op_mkfifo(void)
{
	return (answer(mkfifo(below(child_dir, "fifo"), 0600)));
}

static int
op_create(void)
{
	return (answer(open(below(child_dir, "new"), O_RDWR | O_CREAT, 0600)));
}

static int
op_create_outside(void)
{
	return (answer(open(below(child_out, "new"), O_RDWR | O_CREAT, 0600)));
}

static int
op_tmpfile(void)
{
	return (answer(open(child_dir, O_RDWR | O_TMPFILE, 0600)));
}

static int
op_write_only(void)
{
	return (answer(open(below(child_dir, "x"), O_WRONLY)));
}

static int
op_rename_outside(void)
{
	if (op_create() != 0)
		return (0);
	return (answer(rename(below(child_dir, "new"),
	    below(child_out, "new"))));
}

static int
op_link_outside(void)
{
	return (answer(link(below(child_out, "warm"),
	    below(child_dir, "stolen"))));
}

static int
op_truncate_outside(void)
{
	return (answer(truncate(below(child_out, "warm"), 0)));
}

static int
op_unlink_outside(void)
{
	return (answer(unlink(below(child_out, "warm"))));
}

static int
op_stat(void)
{
	struct stat st;

	return (answer(stat("/etc/passwd", &st)));
}

static int
op_fstat(void)
{
	struct stat st;

	return (answer(fstat(STDOUT_FILENO, &st)));
}

static int
op_lock(void)
{
	return (answer(flock(warmfd, LOCK_EX)));
}

static int
op_setlk(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return (answer(fcntl(warmfd, F_SETLK, &fl)));
}

static int
op_getdents(void)
{
	char buf[1024];
	int fd;

	if ((fd = open(child_dir, O_RDONLY | O_DIRECTORY)) == -1)
		return (errno);
	return (answer(syscall(SYS_getdents64, fd, buf, sizeof(buf))));
}

static int
warm_dir(void)
{
	warmfd = open(child_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (answer(warmfd));
}

static int
op_getdents_warm(void)
{
	char buf[1024];

	return (answer(syscall(SYS_getdents64, warmfd, buf, sizeof(buf))));
}

static int
op_files(void)
{
	char *map;
	int fd;

	if ((fd = open(below(child_dir, "f"), O_RDWR | O_CREAT | O_EXCL |
	    O_CLOEXEC, 0600)) == -1 || write(fd, "mail", 4) != 4 ||
	    fsync(fd) == -1 || fdatasync(fd) == -1 || fchmod(fd, 0640) == -1 ||
	    futimens(fd, NULL) == -1 || ftruncate(fd, 4096) == -1)
		return (errno);
	if ((map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0)) == MAP_FAILED)
		return (errno);
	map[0] = 'M';
	if (msync(map, 4096, MS_SYNC) == -1 || os_syncfs(fd) == -1 ||
	    mkdir(below(child_dir, "d"), 0700) == -1 ||
	    link(below(child_dir, "f"), below(child_dir, "d/g")) == -1 ||
	    rename(below(child_dir, "f"), below(child_dir, "d/h")) == -1 ||
	    unlink(below(child_dir, "d/g")) == -1 ||
	    unlink(below(child_dir, "d/h")) == -1 ||
	    rmdir(below(child_dir, "d")) == -1)
		return (errno);
	warmfd = fd;
	if (op_lock() != 0 || op_setlk() != 0)
		return (errno);
	return (op_getdents());
}

static int
op_copy(void)
{
	off_t off = 0;
	int fd;

	if (pwrite(warmfd, "message", 7, 0) != 7 ||
	    (fd = open(below(child_dir, "copy"), O_RDWR | O_CREAT, 0600)) == -1)
		return (errno);
	return (copy_file_range(warmfd, &off, fd, NULL, 7, 0) == 7 ? 0 :
	    errno);
}

static int
op_sync_write(void)
{
	char a[] = "one", b[] = "two";
	struct iovec iov[2] = {
		{ .iov_base = a, .iov_len = 3 },
		{ .iov_base = b, .iov_len = 3 }
	};
	int fd;

	if ((fd = open(below(child_dir, "journal"), O_RDWR | O_CREAT,
	    0600)) == -1)
		return (errno);
	return (answer(os_sync_write(fd, iov, 2, 10)));
}

#define F(e)	(FILTERED + (e))
#define NET	"stdio accept recvfd sendfd"
#define SESSION	"stdio rpath wpath cpath fattr flock recvfd"
#define WATCH	"stdio inotify recvfd"

/* clang-format off */
static const struct op ops[] = {
	{ "net: open",		NET,	NULL,	op_passwd,	EACCES },
	{ "net: open listed",	NET,	NULL,	op_create,	EACCES },
	{ "net: stat",		NET,	NULL,	op_stat,	EACCES },
	{ "net: fstat",		NET,	NULL,	op_fstat,	0 },
	{ "session: open",	SESSION, NULL,	op_passwd,	EACCES },
	{ "session: create outside", SESSION, NULL, op_create_outside, EACCES },
	{ "session: rename outside", SESSION, NULL, op_rename_outside, EACCES },
	{ "session: link from outside", SESSION, warm_file, op_link_outside,
	    EXDEV },
	{ "session: truncate outside", SESSION, warm_file,
	    op_truncate_outside, EACCES },
	{ "session: unlink outside", SESSION, warm_file, op_unlink_outside,
	    EACCES },
	{ "session: symlink",	SESSION, NULL,	op_symlink,	F(EPERM) },
	{ "session: mkfifo",	SESSION, NULL,	op_mkfifo,	F(EPERM) },
	{ "session: chown",	SESSION, NULL,	op_chown,	F(EPERM) },
	{ "session: chmod set-id", SESSION, NULL, op_chmod_setid, EPERM },
	{ "session: create set-id", SESSION, NULL, op_create_setid, EACCES },
	{ "session: files",	SESSION, NULL,	op_files,	0 },
	{ "session: copy from a passed file", SESSION, warm_file, op_copy, 0 },
	{ "rpath: create",	"stdio rpath", NULL, op_create,	EACCES },
	{ "rpath: chmod",	"stdio rpath", NULL, op_chmod,	F(EPERM) },
	{ "rpath: list",	"stdio rpath", NULL, op_getdents, 0 },
	{ "rpath: flock",	"stdio rpath", warm_file, op_lock, F(EPERM) },
	{ "rpath: fcntl lock",	"stdio rpath", warm_file, op_setlk, F(EPERM) },
	{ "rpath wpath: create", "stdio rpath wpath", NULL, op_create,
	    EACCES },
	{ "rpath wpath: O_TMPFILE", "stdio rpath wpath", NULL, op_tmpfile,
	    EACCES },
	{ "wpath: write only",	"stdio wpath", NULL, op_write_only, ENOENT },
	{ "wpath: read-write",	"stdio wpath cpath", NULL, op_create, EACCES },
	{ "getpw: /etc",	"stdio getpw", NULL, op_passwd,	0 },
	{ "getpw: /etc, another file", "stdio rpath getpw", NULL, op_hostname,
	    0 },
	{ "watch: list a passed directory", WATCH, warm_dir,
	    op_getdents_warm, F(EPERM) },
	{ "queue: synchronous write",
	    "stdio rpath wpath cpath fattr flock thread sendfd recvfd",
	    NULL, op_sync_write, 0 },
};
/* clang-format on */

int
main(void)
{
	int available;
	size_t i;

	available = sandbox_available();
	if ((available & SANDBOX_RELAXED) != 0) {
		TEST("relaxed", 1);
		TEST_DONE();
	}
	if (child_setup("sandboxfiles") == -1) {
		perror("files");
		return (1);
	}
	/* Without Landlock nothing is outside. */
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if ((available & SANDBOX_FILES) != 0 ||
		    (strstr(ops[i].name, "outside") == NULL &&
		    strcmp(ops[i].name, "session: open") != 0))
			child_case(&ops[i]);
	child_cleanup();
	TEST_DONE();
}
