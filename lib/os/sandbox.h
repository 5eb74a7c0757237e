/*
 * sandbox: what a process may still do, in pledge(2)'s words.
 *
 * OpenBSD: pledge and unveil.  Linux: no_new_privs, a seccomp filter made from
 * the promises, Landlock rules made from the paths (files and network, at the
 * highest ABI that the running kernel has).  FreeBSD: Capsicum where the
 * promises allow it.  Nothing here returns success for what it did not do:
 * sandbox_enter() reports the level that it reached.
 */
#ifndef OS_SANDBOX_H
#define OS_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#define SANDBOX_PATHS	16

/* What was reached; READY carries it to the parent, -C prints it. */
#define SANDBOX_SYSCALLS	0x01	/* seccomp, pledge, capability mode */
#define SANDBOX_FILES		0x02	/* Landlock, unveil, capability mode */
#define SANDBOX_NETWORK		0x04	/* connect/bind bound by the kernel */
#define SANDBOX_CHROOT		0x08	/* filled in by lib/privsep */
#define SANDBOX_UID		0x10	/* filled in by lib/privsep */
#define SANDBOX_RELAXED		0x80	/* built with -DSANDBOX_TEST_RELAX */

struct sandbox_path {
	const char	*path;
	const char	*perm;	/* of "rwxc", as in unveil(2) */
};

struct sandbox {
	const char		*promises;	/* see below */
	struct sandbox_path	 paths[SANDBOX_PATHS];
	size_t			 npaths;
	/*
	 * TCP ports that may be connected to; none listed and promise "inet":
	 * any.  bind is allowed with "inet" only, and to no port of its own
	 * (a source address): listeners are handed over bound.
	 */
	uint16_t		 ports[8];
	size_t			 nports;
};

/*
 * Promises, a list of words:
 *	stdio	read, write, memory (never executable), time, poll, anonymous
 *		files, signals to oneself, locks between threads
 *	sendfd recvfd	sendmsg and recvmsg, which alone carry descriptors
 *	rpath wpath cpath fattr flock	files, below the paths
 *	inet	connect to the network (TCP, UDP)
 *	accept	accept connections on sockets that were handed over
 *	dns	what libunbound needs, once it has made its first query
 *	unix	connect to a local socket
 *	getpw	what the password database needs, NSS modules included; they
 *		are loaded before (one getpwnam()), for nothing is mapped
 *		executable later.  Adds /etc and the name services' folders
 *		to the readable paths
 *	inotify	watch directories (os.h)
 *	thread	start threads after the sandbox was entered
 *	proc exec id	start programs (parent and pipe delivery only)
 *	sqlite	what SQLite needs on the paths, beside rpath wpath cpath flock
 *
 * On Linux a started program keeps the filter: with "exec" it only refuses
 * what no program needs (ptrace, mounts, namespaces, bpf, ...), which is not
 * what was promised, so SANDBOX_SYSCALLS is not among the bits.  Without
 * paths, "exec" leaves files alone as well.  With a path list, list what the
 * program needs.
 *
 * A path must exist.  A rule holds for the file that is there now: one that is
 * replaced by rename (/etc/shadow, an aliases database) is listed by its
 * directory.  The network bit means: no TCP but to the ports, no bind.
 *
 * Sets no_new_privs, makes the process non-dumpable and drops every
 * capability.  To be called before the first thread is started.  Returns the
 * SANDBOX_* bits reached, or -1 with errno if something that this system has
 * could not be entered.  Built with -DSANDBOX_TEST_RELAX (sanitizers, gcov)
 * it does nothing and returns SANDBOX_RELAXED; with -DSANDBOX_KILL a call
 * outside the promises ends the process instead of failing.
 */
int	sandbox_enter(const struct sandbox *);
/* What sandbox_enter() could reach on this machine: bits, for -C. */
int	sandbox_available(void);
/* "seccomp, Landlock 7" */
const char *sandbox_describe(void);
/* All bits that "sandbox require full" wants on this system. */
int	sandbox_full(void);

#endif
