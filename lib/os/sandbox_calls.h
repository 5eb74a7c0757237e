/*
 * sandbox_calls: the one table of system calls, included by
 * sandbox_seccomp.c alone.
 *
 * A call is allowed if any of its promises was made.  A number that an
 * architecture does not have (aarch64 has no open, stat, dup2, poll, ...) or
 * the headers do not know yet is left out by #ifdef.  Calls whose arguments
 * matter stand here too; check_*() in sandbox_seccomp.c decides them.
 */
#ifndef OS_SANDBOX_CALLS_H
#define OS_SANDBOX_CALLS_H

#include <sys/syscall.h>
#include <errno.h>

#include "os/sandbox_impl.h"

/* Newer than Debian 12's headers; one number on every architecture. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2	452
#endif

#define SB_READS	(SB_RPATH | SB_GETPW | SB_SQLITE)
#define SB_LOCKS	(SB_FLOCK | SB_SQLITE | SB_GETPW)
#define SB_MSGS		(SB_DNS | SB_GETPW)

struct call {
	int		nr;
	uint32_t	promises;
};

/* clang-format off */
static const struct call calls[] = {
	/* data on descriptors */
	{ __NR_read,			SB_STDIO },
	{ __NR_write,			SB_STDIO },
	{ __NR_readv,			SB_STDIO },
	{ __NR_writev,			SB_STDIO },
	{ __NR_pread64,			SB_STDIO },
	{ __NR_pwrite64,		SB_STDIO },
	{ __NR_preadv,			SB_STDIO },
	{ __NR_pwritev,			SB_STDIO },
	{ __NR_preadv2,			SB_STDIO },
	{ __NR_pwritev2,		SB_STDIO },
	{ __NR_lseek,			SB_STDIO },
	{ __NR_fsync,			SB_STDIO },
	{ __NR_fdatasync,		SB_STDIO },
	{ __NR_sync_file_range,		SB_STDIO },
	{ __NR_ftruncate,		SB_STDIO },
	{ __NR_fallocate,		SB_STDIO },
	{ __NR_fadvise64,		SB_STDIO },
	{ __NR_sendfile,		SB_STDIO },
	{ __NR_copy_file_range,		SB_STDIO },
	{ __NR_memfd_create,		SB_STDIO },
	{ __NR_fstat,			SB_STDIO },
	/* descriptors */
	{ __NR_close,			SB_STDIO },
	{ __NR_close_range,		SB_STDIO },
	{ __NR_dup,			SB_STDIO },
	{ __NR_dup3,			SB_STDIO },
	{ __NR_pipe2,			SB_STDIO },
	{ __NR_fcntl,			SB_STDIO },
	{ __NR_ioctl,			SB_STDIO },
	/* waiting */
	{ __NR_ppoll,			SB_STDIO },
	{ __NR_pselect6,		SB_STDIO },
	{ __NR_epoll_create1,		SB_STDIO },
	{ __NR_epoll_ctl,		SB_STDIO },
	{ __NR_epoll_pwait,		SB_STDIO },
	{ __NR_epoll_pwait2,		SB_STDIO },
	{ __NR_eventfd2,		SB_STDIO },
	{ __NR_signalfd4,		SB_STDIO },
	{ __NR_timerfd_create,		SB_STDIO },
	{ __NR_timerfd_settime,		SB_STDIO },
	{ __NR_timerfd_gettime,		SB_STDIO },
	/* memory; never executable */
	{ __NR_brk,			SB_STDIO },
	{ __NR_mmap,			SB_STDIO },
	{ __NR_mprotect,		SB_STDIO },
	{ __NR_munmap,			SB_STDIO },
	{ __NR_mremap,			SB_STDIO },
	{ __NR_madvise,			SB_STDIO },
	{ __NR_msync,			SB_STDIO },
	{ __NR_mlock,			SB_STDIO },
	{ __NR_mlock2,			SB_STDIO },
	{ __NR_munlock,			SB_STDIO },
	/* oneself */
	{ __NR_getpid,			SB_STDIO },
	{ __NR_getppid,			SB_STDIO },
	{ __NR_gettid,			SB_STDIO },
	{ __NR_getuid,			SB_STDIO },
	{ __NR_geteuid,			SB_STDIO },
	{ __NR_getgid,			SB_STDIO },
	{ __NR_getegid,			SB_STDIO },
	{ __NR_getresuid,		SB_STDIO },
	{ __NR_getresgid,		SB_STDIO },
	{ __NR_getgroups,		SB_STDIO },
	{ __NR_getpgid,			SB_STDIO },
	{ __NR_getsid,			SB_STDIO },
	{ __NR_getrusage,		SB_STDIO },
	{ __NR_prlimit64,		SB_STDIO },
	{ __NR_getrlimit,		SB_STDIO },
	{ __NR_prctl,			SB_STDIO },
	{ __NR_umask,			SB_STDIO },
	{ __NR_uname,			SB_STDIO },
	{ __NR_sysinfo,			SB_STDIO },
	{ __NR_times,			SB_STDIO },
	{ __NR_getcpu,			SB_STDIO },
	{ __NR_getrandom,		SB_STDIO },
	{ __NR_exit,			SB_STDIO },
	{ __NR_exit_group,		SB_STDIO },
	/* time */
	{ __NR_clock_gettime,		SB_STDIO },
	{ __NR_clock_getres,		SB_STDIO },
	{ __NR_clock_nanosleep,		SB_STDIO },
	{ __NR_nanosleep,		SB_STDIO },
	{ __NR_gettimeofday,		SB_STDIO },
	{ __NR_setitimer,		SB_STDIO },
	{ __NR_getitimer,		SB_STDIO },
	{ __NR_restart_syscall,		SB_STDIO },
	/* signals, to oneself */
	{ __NR_rt_sigaction,		SB_STDIO },
	{ __NR_rt_sigprocmask,		SB_STDIO },
	{ __NR_rt_sigreturn,		SB_STDIO },
	{ __NR_rt_sigpending,		SB_STDIO },
	{ __NR_rt_sigtimedwait,		SB_STDIO },
	{ __NR_rt_sigsuspend,		SB_STDIO },
	{ __NR_sigaltstack,		SB_STDIO },
	{ __NR_kill,			SB_STDIO },
	{ __NR_tgkill,			SB_STDIO },
#ifndef __GLIBC__
	{ __NR_tkill,			SB_STDIO },	/* musl's raise() */
#endif
	/* what a libc with threads calls anyway */
	{ __NR_futex,			SB_STDIO },
	{ __NR_membarrier,		SB_STDIO },
	{ __NR_sched_yield,		SB_STDIO },
	{ __NR_sched_getaffinity,	SB_STDIO },
	{ __NR_set_robust_list,		SB_STDIO },
	{ __NR_set_tid_address,		SB_STDIO },
	{ __NR_rseq,			SB_STDIO },
	{ __NR_clone,			SB_THREAD | SB_PROC },
	{ __NR_sched_getparam,		SB_THREAD },
	{ __NR_sched_getscheduler,	SB_THREAD },
	/* sockets that are there already */
	{ __NR_socketpair,		SB_STDIO },
	{ __NR_sendto,			SB_STDIO },
	{ __NR_recvfrom,		SB_STDIO },
	{ __NR_shutdown,		SB_STDIO },
	{ __NR_getsockname,		SB_STDIO },
	{ __NR_getpeername,		SB_STDIO },
	{ __NR_getsockopt,		SB_STDIO },
	{ __NR_setsockopt,		SB_STDIO },
	{ __NR_sendmsg,			SB_SENDFD | SB_MSGS },
	{ __NR_sendmmsg,		SB_DNS },
	{ __NR_recvmsg,			SB_RECVFD | SB_MSGS },
	{ __NR_recvmmsg,		SB_DNS },
	{ __NR_accept,			SB_ACCEPT },
	{ __NR_accept4,			SB_ACCEPT },
	/* new sockets */
	{ __NR_socket,			SB_SOCKETS },
	{ __NR_connect,			SB_SOCKETS },
	{ __NR_bind,			SB_DNS | SB_INET },	/* sources */
	/* paths */
	{ __NR_openat,			SB_READS | SB_WPATH | SB_CPATH },
	{ __NR_newfstatat,		SB_STDIO },	/* fstat() is this */
	{ __NR_statx,			SB_STDIO },
	{ __NR_faccessat,		SB_READS },
	{ __NR_faccessat2,		SB_READS },
	{ __NR_readlinkat,		SB_READS },
	{ __NR_getdents64,		SB_RPATH },
	{ __NR_getcwd,			SB_READS },
	{ __NR_chdir,			SB_RPATH },
	{ __NR_fchdir,			SB_RPATH },
	{ __NR_statfs,			SB_RPATH | SB_SQLITE },
	{ __NR_fstatfs,			SB_RPATH | SB_SQLITE },
	{ __NR_truncate,		SB_WPATH },
	{ __NR_syncfs,			SB_WPATH },
	{ __NR_renameat2,		SB_CPATH },
	{ __NR_linkat,			SB_CPATH },
	{ __NR_unlinkat,		SB_CPATH },
	{ __NR_mkdirat,			SB_CPATH },
	{ __NR_fchmod,			SB_FATTR },
	{ __NR_fchmodat,		SB_FATTR },
	{ __NR_fchmodat2,		SB_FATTR },
	{ __NR_utimensat,		SB_FATTR },
	{ __NR_flock,			SB_LOCKS },
	/* other processes */
	{ __NR_wait4,			SB_PROC },
	{ __NR_waitid,			SB_PROC },
	{ __NR_setpgid,			SB_PROC },
	{ __NR_setsid,			SB_PROC },
	{ __NR_setuid,			SB_ID },
	{ __NR_setgid,			SB_ID },
	{ __NR_setreuid,		SB_ID },
	{ __NR_setregid,		SB_ID },
	{ __NR_setresuid,		SB_ID },
	{ __NR_setresgid,		SB_ID },
	{ __NR_setgroups,		SB_ID },
	/* x86_64 keeps the old forms; aarch64 never had most of them */
#ifdef __NR_renameat
	{ __NR_renameat,		SB_CPATH },
#endif
#ifdef __NR_open
	{ __NR_open,			SB_READS | SB_WPATH | SB_CPATH },
	{ __NR_stat,			SB_READS },
	{ __NR_lstat,			SB_READS },
	{ __NR_access,			SB_READS },
	{ __NR_readlink,		SB_READS },
	{ __NR_rename,			SB_CPATH },
	{ __NR_link,			SB_CPATH },
	{ __NR_unlink,			SB_CPATH },
	{ __NR_mkdir,			SB_CPATH },
	{ __NR_rmdir,			SB_CPATH },
	{ __NR_chmod,			SB_FATTR },
	{ __NR_utime,			SB_FATTR },
	{ __NR_utimes,			SB_FATTR },
	{ __NR_futimesat,		SB_FATTR },
	{ __NR_dup2,			SB_STDIO },
	{ __NR_pipe,			SB_STDIO },
	{ __NR_poll,			SB_STDIO },
	{ __NR_select,			SB_STDIO },
	{ __NR_epoll_create,		SB_STDIO },
	{ __NR_epoll_wait,		SB_STDIO },
	{ __NR_eventfd,			SB_STDIO },
	{ __NR_signalfd,		SB_STDIO },
	{ __NR_getpgrp,			SB_STDIO },
	{ __NR_time,			SB_STDIO },
	{ __NR_alarm,			SB_STDIO },
	{ __NR_pause,			SB_STDIO },
	{ __NR_fork,			SB_PROC },
	{ __NR_vfork,			SB_PROC },
#endif
};

/*
 * Refused with an errno even where all else kills: libraries ask and go on
 * without.  Looking at a path without a promise to read is as if it were
 * not there to be seen; the newer calls hide their flags behind a pointer.
 */
static const struct {
	int	nr;
	int	error;
} refused[] = {
	{ __NR_clone3,			ENOSYS },
	{ __NR_openat2,			ENOSYS },
	{ __NR_openat,			EACCES },
	{ __NR_faccessat,		EACCES },
	{ __NR_faccessat2,		EACCES },
	{ __NR_readlinkat,		EACCES },
#ifdef __NR_open
	{ __NR_open,			EACCES },
	{ __NR_stat,			EACCES },
	{ __NR_lstat,			EACCES },
	{ __NR_access,			EACCES },
	{ __NR_readlink,		EACCES },
#endif
};

/*
 * A program that was started inherits the filter, and needs what it needs.
 * With "exec" all is allowed but these, which reach into other processes or
 * into parts of the kernel that no mail filter has any business with.
 */
static const int exec_refused[] = {
	__NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev,
	__NR_pidfd_getfd, __NR_kcmp, __NR_perf_event_open, __NR_bpf,
	__NR_userfaultfd, __NR_keyctl, __NR_add_key, __NR_request_key,
	__NR_io_uring_setup, __NR_io_uring_enter, __NR_io_uring_register,
	__NR_mount, __NR_umount2, __NR_pivot_root, __NR_chroot,
	__NR_move_mount, __NR_open_tree, __NR_fsopen, __NR_fsconfig,
	__NR_fsmount, __NR_fspick, __NR_mount_setattr, __NR_setns,
	__NR_unshare, __NR_open_by_handle_at, __NR_name_to_handle_at,
	__NR_init_module, __NR_finit_module, __NR_delete_module,
	__NR_kexec_load, __NR_kexec_file_load, __NR_reboot, __NR_swapon,
	__NR_swapoff, __NR_acct, __NR_quotactl, __NR_settimeofday,
	__NR_clock_settime, __NR_adjtimex, __NR_clock_adjtime,
	__NR_sethostname, __NR_setdomainname, __NR_personality,
	__NR_fanotify_init, __NR_syslog, __NR_vhangup, __NR_nfsservctl,
	__NR_lookup_dcookie, __NR_clone3
};
/* clang-format on */

#endif
