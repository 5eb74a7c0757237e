/*
 * sandbox_seccomp: a filter program made from the promises.
 *
 * First come the calls whose arguments matter, each a small block that ends in
 * a verdict; then the allowed numbers as ascending ranges.  The kernel works
 * out beforehand which calls are always allowed, so that the length costs
 * only at entry.  A filter sees registers, never what a pointer points to:
 * that is why sendmsg is all or nothing, and why paths are Landlock's work.
 *
 * What no promise covers fails with EPERM (ENOSYS for calls of newer kernels,
 * so that a libc falls back).  Built with -DSANDBOX_KILL, it ends the process
 * by SIGSYS after its number was written to stderr; our tests run that way.
 */
#ifdef __linux__

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <netinet/in.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "os/sandbox_calls.h"

#if defined(__x86_64__)
#define ARCH		AUDIT_ARCH_X86_64
#define X32_BIT		0x40000000U
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCH		AUDIT_ARCH_AARCH64
#else
#error "sandbox: this architecture has no table of system calls"
#endif

#define PROG_MAX	1024	/* instructions; some 300 are used */
#define NR_MAX		512	/* numbers above are never allowed */
#define RANGES_MAX	160
#define NR_NEW		424	/* from here on Linux 5.1 and later */
#define PROT_EXEC_BIT	0x4U
#define TMPFILE_BIT	((uint32_t)(O_TMPFILE & ~O_DIRECTORY))
#define SETID_BITS	((uint32_t)(S_ISUID | S_ISGID))

#ifndef PR_SET_VMA
#define PR_SET_VMA	0x53564d41	/* glibc names its mappings */
#endif

#ifdef SANDBOX_KILL
#define DENY		SECCOMP_RET_TRAP
#define DENY_NEW	SECCOMP_RET_TRAP
#else
#define DENY		(SECCOMP_RET_ERRNO | EPERM)
#define DENY_NEW	(SECCOMP_RET_ERRNO | ENOSYS)
#endif
#define ALLOW		SECCOMP_RET_ALLOW
#define ERRNO(e)	(SECCOMP_RET_ERRNO | (uint32_t)(e))

#define THREAD_MUST	((uint32_t)(CLONE_VM | CLONE_FS | CLONE_FILES |	\
			    CLONE_SIGHAND | CLONE_THREAD))
#define CLONE_NAMESPACES ((uint32_t)(CLONE_NEWNS | CLONE_NEWCGROUP |	\
			    CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
			    CLONE_NEWPID | CLONE_NEWNET))

struct range {
	uint32_t		 lo, hi;
};

struct prog {
	struct sock_filter	 f[PROG_MAX];
	size_t			 n;
	int			 full;
	uint32_t		 mask;
};

static void	build(struct prog *);
static void	build_exec(struct prog *);
static void	check_memory(struct prog *);
static void	check_ioctl(struct prog *);
static void	check_fcntl(struct prog *);
static void	check_process(struct prog *);
static void	check_clone(struct prog *);
static void	check_socket(struct prog *);
static void	check_setsockopt(struct prog *);
static void	check_open(struct prog *, int, unsigned int);
static void	check_stat(struct prog *, int, unsigned int);
static void	check_chmod(struct prog *, int, unsigned int);
static void	ranges(struct prog *);
static void	search(struct prog *, const struct range *, size_t, uint32_t);
static int	promised(const struct prog *, int);
static size_t	call_begin(struct prog *, int);
static void	call_end(struct prog *, size_t, uint32_t);
static void	load_arg(struct prog *, unsigned int, int);
static void	if_equal(struct prog *, uint32_t, uint32_t);
static void	if_any_bit(struct prog *, uint32_t, uint32_t);
static void	emit(struct prog *, unsigned int, uint32_t, unsigned int,
		    unsigned int);
#ifdef SANDBOX_KILL
static void	on_sigsys(int, siginfo_t *, void *);
#endif

int
sandbox_seccomp(uint32_t mask)
{
	struct sock_fprog fprog;
	struct prog p;
#ifdef SANDBOX_KILL
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = on_sigsys;
	sa.sa_flags = SA_SIGINFO | (int)SA_RESETHAND | SA_NODEFER;
	(void)sigemptyset(&sa.sa_mask);
	if (sigaction(SIGSYS, &sa, NULL) == -1)
		return (-1);
#endif
	memset(&p, 0, sizeof(p));
	p.mask = mask;
	build(&p);
	if (p.full) {
		errno = E2BIG;
		return (-1);
	}
	fprog.len = (unsigned short)p.n;
	fprog.filter = p.f;
	/* A positive value is a thread that could not be brought along. */
	switch (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_TSYNC, &fprog)) {
	case 0:
		return (0);
	case -1:
		return (-1);
	default:
		errno = EBUSY;
		return (-1);
	}
}

int
sandbox_seccomp_available(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	return (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0,
	    &action) == 0);
}

#ifdef SANDBOX_KILL
/* The handler was reset on entry: the second SIGSYS is the end. */
static void
on_sigsys(int sig, siginfo_t *si, void *ctx)
{
	char line[64];
	size_t n = 0;
	unsigned int nr, div;
	static const char text[] = "sandbox: system call ";

	(void)ctx;
	memcpy(line, text, sizeof(text) - 1);
	n = sizeof(text) - 1;
	nr = (unsigned int)si->si_syscall;
	for (div = 1; nr / div >= 10; div *= 10)
		;
	for (; div > 0; div /= 10)
		line[n++] = (char)('0' + nr / div % 10);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) == -1)
		line[0] = '\0';
	(void)raise(sig);
	_exit(127);
}
#endif

static void
build(struct prog *p)
{
	size_t i, at;

	/* Another architecture's numbers mean other calls. */
	emit(p, BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, arch), 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	emit(p, BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, nr), 0, 0);
#ifdef X32_BIT
	emit(p, BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 1);
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
#endif
	if ((p->mask & SB_EXEC) != 0) {
		build_exec(p);
		return;
	}
	check_memory(p);
	check_ioctl(p);
	check_fcntl(p);
	check_process(p);
	check_clone(p);
	check_socket(p);
	check_setsockopt(p);
	check_open(p, __NR_openat, 2);
	check_stat(p, __NR_newfstatat, 3);
	check_stat(p, __NR_statx, 2);
	check_chmod(p, __NR_fchmod, 1);
	check_chmod(p, __NR_fchmodat, 2);
	check_chmod(p, __NR_fchmodat2, 2);
#ifdef __NR_open
	check_open(p, __NR_open, 1);
	check_chmod(p, __NR_chmod, 1);
#endif
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (promised(p, refused[i].nr))
			continue;
		at = call_begin(p, refused[i].nr);
		call_end(p, at, ERRNO(refused[i].error));
	}
	ranges(p);
}

static void
build_exec(struct prog *p)
{
	size_t i, at;

	for (i = 0; i < sizeof(exec_refused) / sizeof(exec_refused[0]); i++) {
		at = call_begin(p, exec_refused[i]);
		/* libc makes clone3 into clone, whose flags can be seen */
		call_end(p, at, ERRNO(exec_refused[i] == __NR_clone3 ?
		    ENOSYS : EPERM));
	}
	at = call_begin(p, __NR_clone);
	load_arg(p, 0, 0);
	if_any_bit(p, CLONE_NAMESPACES, ERRNO(EPERM));
	call_end(p, at, ALLOW);
	at = call_begin(p, __NR_ioctl);
	load_arg(p, 1, 0);
	if_equal(p, TIOCSTI, ERRNO(EPERM));
	call_end(p, at, ALLOW);
	emit(p, BPF_RET | BPF_K, ALLOW, 0, 0);
}

/* No page is ever made executable. */
static void
check_memory(struct prog *p)
{
	static const int nrs[] = { __NR_mmap, __NR_mprotect };
	size_t i, at;

	for (i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++) {
		at = call_begin(p, nrs[i]);
		load_arg(p, 2, 0);
		if_any_bit(p, PROT_EXEC_BIT, DENY);
		call_end(p, at, ALLOW);
	}
}

/* isatty() and stdio ask what a terminal is like: there is none. */
static void
check_ioctl(struct prog *p)
{
	size_t at;

	at = call_begin(p, __NR_ioctl);
	load_arg(p, 1, 0);
	if_equal(p, FIONREAD, ALLOW);
	if_equal(p, FIONBIO, ALLOW);
	if_equal(p, TCGETS, ERRNO(ENOTTY));
	if_equal(p, TIOCGWINSZ, ERRNO(ENOTTY));
	if_equal(p, 0x802c542aU, ERRNO(ENOTTY));	/* TCGETS2 */
	call_end(p, at, DENY);
}

/*
 * F_SETOWN and F_SETSIG aim signals; only the watch process may, at itself.
 */
static void
check_fcntl(struct prog *p)
{
	static const uint32_t always[] = {
		F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
		F_ADD_SEALS, F_GET_SEALS, F_GETPIPE_SZ, F_SETPIPE_SZ
	};
	static const uint32_t locks[] = {
		F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK,
		F_OFD_SETLKW
	};
	size_t i, at;

	at = call_begin(p, __NR_fcntl);
	load_arg(p, 1, 0);
	for (i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if_equal(p, always[i], ALLOW);
	for (i = 0; (p->mask & SB_LOCKS) != 0 &&
	    i < sizeof(locks) / sizeof(locks[0]); i++)
		if_equal(p, locks[i], ALLOW);
	if ((p->mask & SB_INOTIFY) != 0) {
		if_equal(p, F_NOTIFY, ALLOW);
		if_equal(p, F_SETSIG, ALLOW);
	}
	call_end(p, at, DENY);
}

/* Signals reach this process, limits are read, prctl names threads. */
static void
check_process(struct prog *p)
{
	static const int nrs[] = { __NR_kill, __NR_tgkill };
	uint32_t self = (uint32_t)getpid();
	size_t i, at;

	for (i = 0; (p->mask & SB_PROC) == 0 &&
	    i < sizeof(nrs) / sizeof(nrs[0]); i++) {
		at = call_begin(p, nrs[i]);
		load_arg(p, 0, 0);
		if_equal(p, self, ALLOW);
		call_end(p, at, DENY);
	}
	at = call_begin(p, __NR_prlimit64);
	load_arg(p, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	emit(p, BPF_RET | BPF_K, ERRNO(EPERM), 0, 0);
	load_arg(p, 2, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	emit(p, BPF_RET | BPF_K, ERRNO(EPERM), 0, 0);
	load_arg(p, 2, 1);
	if_equal(p, 0, ALLOW);
	call_end(p, at, ERRNO(EPERM));

	at = call_begin(p, __NR_prctl);
	load_arg(p, 0, 0);
	if_equal(p, PR_SET_NAME, ALLOW);
	if_equal(p, PR_GET_NAME, ALLOW);
	if_equal(p, PR_GET_DUMPABLE, ALLOW);
	if_equal(p, PR_SET_VMA, ERRNO(EINVAL));
	call_end(p, at, DENY);
}

static void
check_clone(struct prog *p)
{
	size_t at;

	if (!promised(p, __NR_clone))
		return;
	at = call_begin(p, __NR_clone);
	load_arg(p, 0, 0);
	if_any_bit(p, CLONE_NAMESPACES, DENY);
	if ((p->mask & SB_PROC) == 0) {
		emit(p, BPF_ALU | BPF_AND | BPF_K, THREAD_MUST, 0, 0);
		if_equal(p, THREAD_MUST, ALLOW);
		call_end(p, at, DENY);
	} else
		call_end(p, at, ALLOW);
}

/*
 * socket: family, then stream or datagram of the plain protocols.  sendto
 * names an address only where a socket could have been made.
 */
static void
check_socket(struct prog *p)
{
	size_t at;

	if (promised(p, __NR_socket)) {
		at = call_begin(p, __NR_socket);
		load_arg(p, 2, 0);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 2, 0);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0);
		emit(p, BPF_RET | BPF_K, ERRNO(EPROTONOSUPPORT), 0, 0);
		load_arg(p, 1, 0);
		emit(p, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 2, 0);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 1, 0);
		emit(p, BPF_RET | BPF_K, DENY, 0, 0);
		load_arg(p, 0, 0);
		if ((p->mask & (SB_INET | SB_DNS)) != 0) {
			if_equal(p, AF_INET, ALLOW);
			if_equal(p, AF_INET6, ALLOW);
		}
		if ((p->mask & (SB_UNIX | SB_GETPW)) != 0)
			if_equal(p, AF_UNIX, ALLOW);
		/* getaddrinfo() would like to see the interfaces */
		if_equal(p, AF_NETLINK, ERRNO(EAFNOSUPPORT));
		call_end(p, at, DENY);
	}
	if ((p->mask & (SB_INET | SB_DNS | SB_UNIX)) == 0) {
		at = call_begin(p, __NR_sendto);
		load_arg(p, 4, 0);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
		emit(p, BPF_RET | BPF_K, DENY, 0, 0);
		load_arg(p, 4, 1);
		if_equal(p, 0, ALLOW);
		call_end(p, at, DENY);
	}
	at = call_begin(p, __NR_socketpair);
	load_arg(p, 0, 0);
	if_equal(p, AF_UNIX, ALLOW);
	call_end(p, at, DENY);
}

/* Options of sockets and TCP; no program is attached to a socket. */
static void
check_setsockopt(struct prog *p)
{
	static const uint32_t attach[] = {
		SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF,
		SO_ATTACH_REUSEPORT_EBPF
	};
	size_t i, at;

	at = call_begin(p, __NR_setsockopt);
	load_arg(p, 1, 0);
	if_equal(p, IPPROTO_TCP, ALLOW);
	if ((p->mask & (SB_INET | SB_DNS | SB_ACCEPT)) != 0) {
		if_equal(p, IPPROTO_IP, ALLOW);
		if_equal(p, IPPROTO_IPV6, ALLOW);
	}
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, SOL_SOCKET, 1, 0);
	emit(p, BPF_RET | BPF_K, DENY, 0, 0);
	load_arg(p, 2, 0);
	for (i = 0; i < sizeof(attach) / sizeof(attach[0]); i++)
		if_equal(p, attach[i], DENY);
	call_end(p, at, ALLOW);
}

/* The flags hold to the promises; a new file is never set-id. */
static void
check_open(struct prog *p, int nr, unsigned int arg)
{
	uint32_t never = 0;
	size_t at;

	if (!promised(p, nr))
		return;
	if ((p->mask & SB_WPATH) == 0)
		never |= O_TRUNC;
	if ((p->mask & SB_CPATH) == 0)
		never |= O_CREAT | TMPFILE_BIT;
	at = call_begin(p, nr);
	load_arg(p, arg, 0);
	if (never != 0)
		if_any_bit(p, never, ERRNO(EACCES));
	if ((p->mask & SB_CPATH) != 0) {
		emit(p, BPF_JMP | BPF_JSET | BPF_K, O_CREAT | TMPFILE_BIT,
		    0, 4);
		load_arg(p, arg + 1, 0);
		if_any_bit(p, SETID_BITS, ERRNO(EACCES));
		load_arg(p, arg, 0);
	}
	emit(p, BPF_ALU | BPF_AND | BPF_K, O_ACCMODE, 0, 0);
	if ((p->mask & SB_READS) != 0)
		if_equal(p, O_RDONLY, ALLOW);
	if ((p->mask & SB_WPATH) != 0)
		if_equal(p, O_WRONLY, ALLOW);
	if ((p->mask & SB_WPATH) != 0 && (p->mask & SB_READS) != 0)
		if_equal(p, O_RDWR, ALLOW);
	call_end(p, at, ERRNO(EACCES));
}

/*
 * fstat() is fstatat() with AT_EMPTY_PATH in glibc.  A path can still come
 * with that flag: what can be learnt is a file's metadata, below the chroot.
 */
static void
check_stat(struct prog *p, int nr, unsigned int arg)
{
	size_t at;

	if ((p->mask & SB_READS) != 0)
		return;
	at = call_begin(p, nr);
	load_arg(p, arg, 0);
	if_any_bit(p, AT_EMPTY_PATH, ALLOW);
	call_end(p, at, ERRNO(EACCES));
}

static void
check_chmod(struct prog *p, int nr, unsigned int arg)
{
	size_t at;

	if (!promised(p, nr))
		return;
	at = call_begin(p, nr);
	load_arg(p, arg, 0);
	if_any_bit(p, SETID_BITS, ERRNO(EPERM));
	call_end(p, at, ALLOW);
}

/*
 * The allowed numbers, searched by halves: the kernel runs the filter once for
 * every number when it is installed.
 */
static void
ranges(struct prog *p)
{
	unsigned char allowed[NR_MAX + 1];
	struct range list[RANGES_MAX];
	size_t i, n = 0;
	uint32_t nr;

	memset(allowed, 0, sizeof(allowed));
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].nr < NR_MAX &&
		    (calls[i].promises & p->mask) != 0)
			allowed[calls[i].nr] = 1;
	for (nr = 0; nr < NR_MAX; nr++) {
		if (!allowed[nr])
			continue;
		if (n > 0 && list[n - 1].hi + 1 == nr) {
			list[n - 1].hi = nr;
			continue;
		}
		if (n == RANGES_MAX) {
			p->full = 1;
			return;
		}
		list[n].lo = list[n].hi = nr;
		n++;
	}
	if (n > 0) {
		emit(p, BPF_JMP | BPF_JGE | BPF_K, list[0].lo, 1, 0);
		emit(p, BPF_RET | BPF_K, DENY, 0, 0);
		search(p, list, n, UINT32_MAX);
	} else
		emit(p, BPF_RET | BPF_K, DENY, 0, 0);
}

/* Numbers from list[0].lo up to before next. */
static void
search(struct prog *p, const struct range *list, size_t n, uint32_t next)
{
	size_t at, half = n / 2;

	if (n > 1) {
		emit(p, BPF_JMP | BPF_JGE | BPF_K, list[half].lo, 0, 0);
		at = p->n;
		search(p, list, half, list[half].lo);
		if (p->n - at > UINT8_MAX)
			p->full = 1;
		if (!p->full)
			p->f[at - 1].jt = (uint8_t)(p->n - at);
		search(p, list + half, n - half, next);
		return;
	}
	emit(p, BPF_JMP | BPF_JGT | BPF_K, list[0].hi, 1, 0);
	emit(p, BPF_RET | BPF_K, ALLOW, 0, 0);
	if (next > NR_NEW) {
		emit(p, BPF_JMP | BPF_JGE | BPF_K, NR_NEW, 0, 1);
		emit(p, BPF_RET | BPF_K, DENY_NEW, 0, 0);
	}
	emit(p, BPF_RET | BPF_K, DENY, 0, 0);
}

static int
promised(const struct prog *p, int nr)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].nr == nr)
			return ((calls[i].promises & p->mask) != 0);
	return (0);
}

/*
 * A block for one call: skipped for every other, so the number stays loaded
 * for what follows; every way through it ends in a verdict.
 */
static size_t
call_begin(struct prog *p, int nr)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 0);
	return (p->n);
}

static void
call_end(struct prog *p, size_t start, uint32_t verdict)
{
	size_t len;

	emit(p, BPF_RET | BPF_K, verdict, 0, 0);
	if (p->full)
		return;
	if ((len = p->n - start) > UINT8_MAX)
		p->full = 1;
	else
		p->f[start - 1].jf = (uint8_t)len;
}

/* Half an argument; both architectures are little endian. */
static void
load_arg(struct prog *p, unsigned int arg, int high)
{
	size_t off;

	off = offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t);
	if (high)
		off += sizeof(uint32_t);
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)off, 0, 0);
}

static void
if_equal(struct prog *p, uint32_t value, uint32_t verdict)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	emit(p, BPF_RET | BPF_K, verdict, 0, 0);
}

static void
if_any_bit(struct prog *p, uint32_t bits, uint32_t verdict)
{
	emit(p, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
	emit(p, BPF_RET | BPF_K, verdict, 0, 0);
}

static void
emit(struct prog *p, unsigned int code, uint32_t k, unsigned int jt,
    unsigned int jf)
{
	struct sock_filter *f;

	if (p->n == PROG_MAX) {
		p->full = 1;
		return;
	}
	f = &p->f[p->n++];
	f->code = (uint16_t)code;
	f->jt = (uint8_t)jt;
	f->jf = (uint8_t)jf;
	f->k = k;
}

#endif
