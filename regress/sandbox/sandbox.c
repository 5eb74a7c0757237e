/*
 * sandbox: sockets, processes, memory: what each promise opens, and that
 * nothing else is open.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sched.h>

#include "os/os.h"
#include "child.h"

#define EXEC_ARGS	((char *const[]){ NULL })

static int	pair[2];
static int	warmfd = -1;
static int	available;	/* asked before a filter refuses the question */

/* 0, or errno as the child's answer. */
static int
answer(long rv)
{
	return (rv == -1 ? errno : 0);
}

static int
connect_to(uint16_t port)
{
	struct sockaddr_in sin;
	int fd;

	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return (errno);
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(port);
	return (answer(connect(fd, (struct sockaddr *)&sin, sizeof(sin))));
}

/* A few descriptors that are there before. */

static int
warm_pair(void)
{
	return (answer(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)));
}

static int
warm_listen(void)
{
	struct sockaddr_in sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((warmfd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) == -1 ||
	    bind(warmfd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		return (errno);
	return (answer(listen(warmfd, 1)));
}

/* Refused. */

static int
op_socket(void)
{
	return (answer(socket(AF_INET, SOCK_STREAM, 0)));
}

static int
op_socket_unix(void)
{
	return (answer(socket(AF_UNIX, SOCK_STREAM, 0)));
}

static int
op_socket_raw(void)
{
	return (answer(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)));
}

static int
op_socket_netlink(void)
{
	return (answer(socket(AF_NETLINK, SOCK_DGRAM, 0)));
}

static int
op_connect_other(void)
{
	return (connect_to((uint16_t)(child_port ^ 1)));
}

static int
op_connect_listed(void)
{
	return (connect_to(child_port));
}

static int
bind_to(unsigned int port)
{
	struct sockaddr_in sin;
	int fd;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		return (errno);
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(port);
	return (answer(bind(fd, (struct sockaddr *)&sin, sizeof(sin))));
}

static int
op_bind(void)
{
	return (bind_to(0));
}

static int
op_bind_port(void)
{
	return (bind_to(40025));
}

static int
op_listen(void)
{
	return (answer(listen(warmfd, 5)));
}

static int
op_accept(void)
{
	return (answer(accept4(warmfd, NULL, NULL, SOCK_CLOEXEC)));
}

static int
op_execve(void)
{
	return (answer(execve("/bin/true", EXEC_ARGS, EXEC_ARGS)));
}

static int
op_fork(void)
{
	return (answer(fork()));
}

static int
op_ptrace(void)
{
	return (answer(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)));
}

static int
op_kill_other(void)
{
	return (answer(kill(getppid(), 0)));
}

static int
op_kill_group(void)
{
	return (answer(kill(0, 0)));
}

static int
op_kill_self(void)
{
	(void)signal(SIGUSR1, SIG_IGN);
	if (kill(getpid(), SIGUSR1) == -1)
		return (errno);
	return (raise(SIGUSR1) == 0 ? 0 : errno);
}

static int
op_mmap_exec(void)
{
	return (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0);
}

static int
op_mprotect_exec(void)
{
	void *p;

	if ((p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
		return (errno);
	return (answer(mprotect(p, 4096, PROT_READ | PROT_EXEC)));
}

static int
op_unshare(void)
{
	return (answer(unshare(CLONE_NEWUSER)));
}

static int
op_clone_user(void)
{
	return (answer(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL,
	    NULL, NULL)));
}

static int
op_io_uring(void)
{
	return (answer(syscall(SYS_io_uring_setup, 1, NULL)));
}

static int
op_unknown(void)
{
	return (answer(syscall(511)));
}

static int
op_setown(void)
{
	return (answer(fcntl(STDIN_FILENO, F_SETOWN, getppid())));
}

static int
op_setsig(void)
{
	return (answer(fcntl(STDIN_FILENO, F_SETSIG, SIGKILL)));
}

static int
op_attach_filter(void)
{
	struct sock_filter f = { BPF_RET | BPF_K, 0, 0, 0 };
	struct sock_fprog p = { 1, &f };

	return (answer(setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_FILTER, &p,
	    sizeof(p))));
}

static int
op_sendto_addr(void)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };

	return (answer(sendto(pair[0], "x", 1, 0, &sa, sizeof(sa))));
}

static int
op_send(void)
{
	return (answer(send(pair[0], "x", 1, MSG_NOSIGNAL)));
}

static int
op_socketpair(void)
{
	return (answer(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)));
}

static int
op_sti(void)
{
	return (answer(ioctl(STDIN_FILENO, TIOCSTI, "x")));
}

static int
op_isatty(void)
{
	return (isatty(STDIN_FILENO) ? 0 : errno);
}

static int
op_dumpable(void)
{
	return (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : EINVAL);
}

static int
op_setuid(void)
{
	return (answer(setuid(getuid())));
}

/* Allowed. */

static int
op_memfd(void)
{
	int fd;

	if ((fd = os_anonfile("test")) == -1 || write(fd, "x", 1) != 1 ||
	    os_anonfile_seal(fd) == -1)
		return (errno);
	if (!os_anonfile_is_sealed(fd))
		return (EINVAL);
	return (pwrite(fd, "y", 1, 0) == -1 && errno == EPERM ? 0 : EINVAL);
}

static int
pass_fd(void)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	} u;
	struct iovec iov = { .iov_base = pair, .iov_len = 1 };
	struct msghdr mh;

	memset(&mh, 0, sizeof(mh));
	memset(&u, 0, sizeof(u));
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_control = u.buf;
	mh.msg_controllen = sizeof(u.buf);
	u.hdr.cmsg_len = CMSG_LEN(sizeof(int));
	u.hdr.cmsg_level = SOL_SOCKET;
	u.hdr.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&u.hdr), &pair[0], sizeof(int));
	return (answer(sendmsg(pair[0], &mh, MSG_NOSIGNAL)));
}

static int
take_fd(void)
{
	char b, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = &b, .iov_len = 1 };
	struct msghdr mh;

	memset(&mh, 0, sizeof(mh));
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_control = control;
	mh.msg_controllen = sizeof(control);
	return (answer(recvmsg(pair[1], &mh, MSG_CMSG_CLOEXEC |
	    MSG_DONTWAIT)));
}

static int
op_pass_fd(void)
{
	int rv;

	return ((rv = pass_fd()) != 0 ? rv : take_fd());
}

static int
op_child(void)
{
	int status;
	pid_t pid;

	if ((pid = fork()) == 0)
		_exit(7);
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return (errno);
	return (WEXITSTATUS(status) == 7 ? 0 : EINVAL);
}

/* What the role's parent is told must be what was reached. */
static int
op_level_full(void)
{
	return (child_bits == available ? 0 : child_bits);
}

static int
op_level_exec(void)
{
	return ((child_bits & SANDBOX_SYSCALLS) == 0 ? 0 : child_bits);
}

#define F(e)	(FILTERED + (e))
#define NET	"stdio accept recvfd sendfd"
#define SESSION	"stdio rpath wpath cpath fattr flock recvfd"
#define RELAY	"stdio inet recvfd"

/* clang-format off */
static const struct op ops[] = {
	/* the network */
	{ "net: socket",	NET,	NULL,	op_socket,	F(EPERM) },
	{ "net: socket unix",	NET,	NULL,	op_socket_unix,	F(EPERM) },
	{ "net: listen",	NET,	warm_listen, op_listen,	F(EPERM) },
	{ "net: accept",	NET,	warm_listen, op_accept,	EAGAIN },
	{ "session: accept",	SESSION, warm_listen, op_accept, F(EPERM) },
	{ "net: socketpair",	NET,	NULL,	op_socketpair,	0 },
	{ "net: attach filter",	NET,	warm_pair, op_attach_filter,
	    F(EPERM) },
	{ "net: send to an address", NET, warm_pair, op_sendto_addr,
	    F(EPERM) },
	{ "net: send",		NET,	warm_pair, op_send,	0 },
	{ "net: pass descriptors", NET,	warm_pair, op_pass_fd,	0 },
	{ "stdio: sendmsg",	"stdio recvfd", warm_pair, pass_fd, F(EPERM) },
	{ "stdio: recvmsg",	"stdio sendfd", warm_pair, take_fd, F(EPERM) },
	{ "relay: connect to another port", RELAY, NULL, op_connect_other,
	    EACCES },
	{ "relay: connect to a listed port", RELAY, NULL, op_connect_listed,
	    ECONNREFUSED },
	{ "relay: bind",	RELAY,	NULL,	op_bind_port,	EACCES },
	{ "relay: bind source",	RELAY,	NULL,	op_bind,	0 },
	{ "relay: socket unix",	RELAY,	NULL,	op_socket_unix,	F(EPERM) },
	{ "relay: socket raw",	RELAY,	NULL,	op_socket_raw,
	    EPROTONOSUPPORT },
	{ "relay: socket netlink", RELAY, NULL,	op_socket_netlink,
	    EAFNOSUPPORT },
	{ "dns: bind TCP",	"stdio dns", NULL, op_bind,	EACCES },
	{ "unix: socket",	"stdio unix", NULL, op_socket_unix, 0 },
	{ "unix: inet socket",	"stdio unix", NULL, op_socket,	F(EPERM) },
	/* processes */
	{ "net: execve",	NET,	NULL,	op_execve,	F(EPERM) },
	{ "net: fork",		NET,	NULL,	op_fork,	F(EPERM) },
	{ "thread: fork",	"stdio thread", NULL, op_fork,	F(EPERM) },
	{ "thread: clone user",	"stdio thread", NULL, op_clone_user,
	    F(EPERM) },
	{ "proc: clone user",	"stdio proc", NULL, op_clone_user, F(EPERM) },
	{ "proc: fork, wait",	"stdio proc", NULL, op_child,	0 },
	{ "exec: ptrace",	"stdio proc exec", NULL, op_ptrace, EPERM },
	{ "exec: unshare",	"stdio proc exec", NULL, op_unshare, EPERM },
	{ "exec: fork, wait",	"stdio proc exec", NULL, op_child, 0 },
	{ "net: ptrace",	NET,	NULL,	op_ptrace,	F(EPERM) },
	{ "net: kill",		NET,	NULL,	op_kill_other,	F(EPERM) },
	{ "net: kill group",	NET,	NULL,	op_kill_group,	F(EPERM) },
	{ "net: kill oneself",	NET,	NULL,	op_kill_self,	0 },
	{ "net: setuid",	NET,	NULL,	op_setuid,	F(EPERM) },
	{ "net: unshare",	NET,	NULL,	op_unshare,	F(EPERM) },
	{ "net: F_SETOWN",	NET,	NULL,	op_setown,	F(EPERM) },
	{ "session: F_SETSIG",	SESSION, NULL,	op_setsig,	F(EPERM) },
	{ "net: dumpable",	NET,	NULL,	op_dumpable,	0 },
	/* the rest */
	{ "net: executable map", NET,	NULL,	op_mmap_exec,	F(EPERM) },
	{ "net: executable later", NET,	NULL,	op_mprotect_exec, F(EPERM) },
	{ "net: io_uring",	NET,	NULL,	op_io_uring,	F(ENOSYS) },
	{ "net: call of the future", NET, NULL,	op_unknown,	F(ENOSYS) },
	{ "net: TIOCSTI",	NET,	NULL,	op_sti,		F(EPERM) },
	{ "net: isatty",	NET,	NULL,	op_isatty,	ENOTTY },
	{ "net: sealed file",	NET,	NULL,	op_memfd,	0 },
	/* what sandbox_enter() answers */
	{ "session: level",	SESSION, NULL,	op_level_full,	0 },
	{ "relay: level",	RELAY,	NULL,	op_level_full,	0 },
	{ "dns: level",		"stdio dns recvfd", NULL, op_level_full, 0 },
	{ "exec: level",	"stdio proc exec", NULL, op_level_exec,	0 },
	/* mistakes in a role's table */
	{ "unknown word",	"stdio tty", NULL, op_memfd,	NOT_ENTERED },
	{ "no stdio",		"rpath", NULL,	op_memfd,	NOT_ENTERED },
};
/* clang-format on */

/* Landlock's part of a refusal is there only if the kernel has it. */
static int
expected_here(const struct op *op)
{
	if ((available & SANDBOX_NETWORK) == 0 &&
	    (op->run == op_connect_other || op->run == op_bind_port ||
	    strcmp(op->name, "dns: bind TCP") == 0))
		return (0);
	if (op->run == op_level_full && available != sandbox_full())
		return (0);
	return (1);
}

int
main(void)
{
	size_t i;

	TEST("describe", sandbox_describe()[0] != '\0');
	available = sandbox_available();
	if ((available & SANDBOX_RELAXED) != 0) {
		struct sandbox sb = { .promises = "stdio" };

		TEST("relaxed", sandbox_enter(&sb) == SANDBOX_RELAXED);
		TEST_DONE();
	}
	if (child_setup("sandbox") == -1) {
		perror("sandbox");
		return (1);
	}
	child_port = 4;		/* nobody listens there */
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (expected_here(&ops[i]))
			child_case(&ops[i]);
	child_cleanup();
	TEST_DONE();
}
