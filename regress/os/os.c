/*
 * os: anonymous files and their seals, peers, synchronous writes, locks, and
 * a directory that another uid watches.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/os.h"
#include "os/sandbox.h"
#include "../test.h"

#define WATCHER		65534
#define DIRS		2
#define EVENTS		20

static char	dir[DIRS][64];

static void
test_anonfile(void)
{
	char b[8];
	int fd, plain, pipefd[2];

	TEST("anonymous file", (fd = os_anonfile("test")) != -1);
	TEST("close on exec", (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	TEST("write", write(fd, "letter", 6) == 6);
	TEST("not sealed yet", os_anonfile_is_sealed(fd) == 0);
#ifdef __linux__
	TEST("seal", os_anonfile_seal(fd) == 0);
	TEST("sealed", os_anonfile_is_sealed(fd) == 1);
	TEST("no write", pwrite(fd, "x", 1, 0) == -1 && errno == EPERM);
	TEST("no append", pwrite(fd, "x", 1, 6) == -1 && errno == EPERM);
	TEST("no truncate", ftruncate(fd, 1) == -1 && errno == EPERM);
	TEST("no writable map", mmap(NULL, 6, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0) == MAP_FAILED);
	close(fd);
	fd = os_anonfile("test");
	TEST("seal against growing only", fd != -1 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0 &&
	    os_anonfile_is_sealed(fd) == 0);
	TEST("future writes only", fcntl(fd, F_ADD_SEALS, 0x10) == 0 &&
	    os_anonfile_is_sealed(fd) == 0);
	close(fd);
	fd = os_anonfile("test");
	TEST("seal of a mapped file", fd != -1 && ftruncate(fd, 6) == 0 &&
	    mmap(NULL, 6, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) !=
	    MAP_FAILED && os_anonfile_seal(fd) == -1 && errno == EBUSY &&
	    os_anonfile_is_sealed(fd) == 0);
#else
	TEST("seal", os_anonfile_seal(fd) == -1 && errno == ENOSYS);
#endif
	TEST("read", pread(fd, b, sizeof(b), 0) >= 0);
	close(fd);
	plain = open("/etc/passwd", O_RDONLY);
	TEST("a plain file is not sealed", os_anonfile_is_sealed(plain) == 0);
	close(plain);
	TEST("a pipe is not sealed", pipe(pipefd) == 0 &&
	    os_anonfile_is_sealed(pipefd[0]) == 0);
	close(pipefd[0]);
	close(pipefd[1]);
	TEST("a closed one is not sealed", os_anonfile_is_sealed(fd) == 0);
}

static void
test_peer(void)
{
	uid_t uid = 1;
	gid_t gid = 1;
	pid_t pid = 1;
	int fds[2], s;

	TEST("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	TEST("peer", os_peer_cred(fds[0], &uid, &gid, &pid) == 0 &&
	    uid == geteuid() && gid == getegid() &&
	    (pid == getpid() || pid == -1));
	close(fds[0]);
	close(fds[1]);
	s = socket(AF_INET, SOCK_STREAM, 0);
	TEST("no peer", os_peer_cred(s, &uid, &gid, &pid) == -1);
	close(s);
}

static void
test_sync_write(void)
{
	char a[] = "one", b[] = "", c[] = "three", got[16] = "", *big;
	struct iovec iov[3] = {
		{ .iov_base = a, .iov_len = 3 },
		{ .iov_base = b, .iov_len = 0 },
		{ .iov_base = c, .iov_len = 5 }
	};
	struct iovec none = { .iov_base = b, .iov_len = 0 };
	struct iovec much[2];
	struct stat st;
	char path[96];
	int fd, pipefd[2];

	snprintf(path, sizeof(path), "%s/journal", dir[0]);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	TEST("journal", fd != -1);
	TEST("write at an offset", os_sync_write(fd, iov, 3, 4) == 0 &&
	    pread(fd, got, sizeof(got), 4) == 8 &&
	    memcmp(got, "onethree", 8) == 0);
	TEST("nothing to write", os_sync_write(fd, &none, 1, 0) == 0 &&
	    os_sync_write(fd, iov, 0, 0) == 0);
	TEST("big", (big = calloc(1, 1 << 20)) != NULL);
	much[0].iov_base = much[1].iov_base = big;
	much[0].iov_len = much[1].iov_len = 1 << 20;
	TEST("big write", os_sync_write(fd, much, 2, 0) == 0 &&
	    fstat(fd, &st) == 0 && st.st_size == 2 << 20);
	free(big);
#ifdef __linux__
	TEST("syncfs", os_syncfs(fd) == 0);
#endif
	close(fd);
	iov[0].iov_len = 3;
	iov[0].iov_base = a;
	TEST("bad descriptor", os_sync_write(fd, iov, 1, 0) == -1);
	TEST("pipe", pipe(pipefd) == 0 &&
	    os_sync_write(pipefd[1], iov, 1, 0) == -1 && errno == ESPIPE);
	close(pipefd[0]);
	close(pipefd[1]);
	unlink(path);
}

static void
test_lock(void)
{
	char path[96];
	int a, b;

	snprintf(path, sizeof(path), "%s/lock", dir[0]);
	a = open(path, O_RDWR | O_CREAT, 0600);
	b = open(path, O_RDWR);
	TEST("lock", os_lock(a) == 0);
	TEST("locked", os_lock(b) == -1 && errno == EWOULDBLOCK);
	close(a);
	TEST("lock after close", os_lock(b) == 0);
	close(b);
	unlink(path);
}

/* The watch process: reports each directory that changed as a letter. */
static int
watcher(const int *fds, int out, const char *root)
{
	struct os_watch *w;
	struct pollfd pfd;
	struct sandbox sb;
	char letter;
	int fd, i, r;

	if (getuid() == 0 && (chroot(root) == -1 || chdir("/") == -1 ||
	    setgroups(0, NULL) == -1 || setresgid(WATCHER, WATCHER,
	    WATCHER) == -1 || setresuid(WATCHER, WATCHER, WATCHER) == -1))
		return (2);
	memset(&sb, 0, sizeof(sb));
	sb.promises = "stdio inotify recvfd";
	if (sandbox_enter(&sb) == -1 || (w = os_watch_new()) == NULL)
		return (3);
	for (i = 0; i < DIRS; i++)
		if (os_watch_add(w, fds[i]) == -1)
			return (4);
	if (write(out, "+", 1) != 1)
		return (5);
	pfd.fd = os_watch_fd(w);
	pfd.events = POLLIN;
	while (poll(&pfd, 1, 10000) == 1) {
		while ((r = os_watch_read(w, &fd)) == 1) {
			letter = fd == fds[0] ? 'a' : fd == fds[1] ? 'b' : '?';
			if (write(out, &letter, 1) != 1)
				return (0);
		}
		if (r == -1)
			return (6);
	}
	os_watch_free(w);
	return (0);
}

/* The next notice within a second, '-' for none; a burst may repeat one. */
static char
notice(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char letter = '-', again;

	if (poll(&pfd, 1, 1000) != 1 || read(fd, &letter, 1) != 1)
		return ('-');
	while (poll(&pfd, 1, 50) == 1 && read(fd, &again, 1) == 1)
		if (again != letter)
			return ('!');
	return (letter);
}

static int
touch(int d, const char *name)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir[d], name);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)) == -1)
		return (-1);
	return (close(fd));
}

static void
test_changes(int in)
{
	char from[96], to[96], name[16];
	int i;

	TEST("watching", notice(in) == '+');
	TEST("created", touch(0, "new") == 0 && notice(in) == 'a');
	TEST("created in the other", touch(1, "new") == 0 &&
	    notice(in) == 'b');
	TEST("again", touch(0, "newer") == 0 && notice(in) == 'a');
	snprintf(from, sizeof(from), "%s/new", dir[0]);
	snprintf(to, sizeof(to), "%s/renamed", dir[0]);
	TEST("renamed", rename(from, to) == 0 && notice(in) == 'a');
	TEST("removed", unlink(to) == 0 && notice(in) == 'a');
	for (i = 0; i < EVENTS; i++) {
		snprintf(name, sizeof(name), "burst%d", i);
		if (touch(1, name) == -1)
			break;
	}
	TEST("a burst", i == EVENTS && notice(in) == 'b');
	TEST("quiet", notice(in) == '-');
}

static void
test_watch(void)
{
	char root[] = "/tmp/os.empty.XXXXXX";
	int fds[DIRS], i, out[2], status;
	pid_t pid;

	TEST("empty root", mkdtemp(root) != NULL && chmod(root, 0755) == 0);
	for (i = 0; i < DIRS; i++)
		fds[i] = open(dir[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	TEST("pipe for notices", pipe(out) == 0);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		close(out[0]);
		_exit(watcher(fds, out[1], root));
	}
	close(out[1]);
	/* Opened by the owner, and nowhere else open from here on. */
	for (i = 0; i < DIRS; i++)
		close(fds[i]);
	test_changes(out[0]);
	close(out[0]);
	TEST("watcher", kill(pid, 0) == 0 && touch(0, "last") == 0 &&
	    waitpid(pid, &status, 0) == pid);
	rmdir(root);
}

int
main(void)
{
	char cmd[160];
	int i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < DIRS; i++) {
		snprintf(dir[i], sizeof(dir[i]), "/tmp/os.%d.XXXXXX", i);
		if (mkdtemp(dir[i]) == NULL) {
			perror("os");
			return (1);
		}
	}
	test_anonfile();
	test_peer();
	test_sync_write();
	test_lock();
	test_watch();
	snprintf(cmd, sizeof(cmd), "rm -rf %s %s", dir[0], dir[1]);
	TEST("remove", system(cmd) == 0);
	TEST_DONE();
}
