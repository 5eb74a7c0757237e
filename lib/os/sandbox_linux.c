/*
 * sandbox on Linux: no capability, no new privilege, no ptrace; then Landlock
 * for paths and ports and seccomp for system calls.
 *
 * The caller has changed root and uid already.  Landlock and the capabilities
 * bind the calling thread and what it starts later, so a process enters before
 * its first thread (from Landlock 8 on the kernel takes the others along;
 * seccomp always does).  Costs some 200 us, most of it the kernel compiling
 * the filter.
 */
#ifdef __linux__

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/capability.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/sandbox_impl.h"

#define CAP_LIMIT	64		/* capability sets are 64 bits wide */

#ifndef SANDBOX_TEST_RELAX
static int	drop_capabilities(void);
#endif

int
sandbox_sys_enter(const struct sandbox *sb, uint32_t mask)
{
#ifdef SANDBOX_TEST_RELAX
	/* Sanitizers and gcov need what every filter forbids. */
	(void)sb;
	(void)mask;
	return (SANDBOX_RELAXED);
#else
	int bits;

	if (drop_capabilities() == -1)
		return (-1);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return (-1);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	if ((bits = sandbox_landlock(sb, mask)) == -1)
		return (-1);
	if (!sandbox_seccomp_available())
		return (bits);
	if (sandbox_seccomp(mask) == -1)
		return (-1);
	/* What is started inherits the filter, so exec makes it a wide one. */
	if ((mask & SB_EXEC) != 0)
		return (bits);
	/*
	 * The filter alone bounds files where no path can be named, and the
	 * network where no socket can be made, or made but not bound.
	 */
	bits |= SANDBOX_SYSCALLS;
	if ((mask & SB_PATHS) == 0)
		bits |= SANDBOX_FILES;
	if ((mask & SB_DNS) == 0 &&
	    ((mask & SB_INET) == 0 || sb->nports == 0))
		bits |= SANDBOX_NETWORK;
	return (bits);
#endif
}

#ifndef SANDBOX_TEST_RELAX
/*
 * The bounding set can be emptied only with CAP_SETPCAP, which is gone after a
 * change of uid; under no_new_privs no exec can gain from it either.
 */
static int
drop_capabilities(void)
{
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct none[2];
	unsigned long cap;

	for (cap = 0; cap < CAP_LIMIT; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL || errno == EPERM)
			break;
		return (-1);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 &&
	    errno != EINVAL)
		return (-1);
	memset(&head, 0, sizeof(head));
	memset(none, 0, sizeof(none));
	head.version = _LINUX_CAPABILITY_VERSION_3;
	return (syscall(SYS_capset, &head, none) == -1 ? -1 : 0);
}
#endif

int
sandbox_available(void)
{
#ifdef SANDBOX_TEST_RELAX
	return (SANDBOX_RELAXED);
#else
	int abi, bits = 0;

	if (sandbox_seccomp_available())
		bits |= SANDBOX_SYSCALLS;
	/* ABI 1 cannot allow a rename from tmp to new. */
	if ((abi = sandbox_landlock_abi()) >= 2)
		bits |= SANDBOX_FILES;
	if (abi >= 4)
		bits |= SANDBOX_NETWORK;
	return (bits);
#endif
}

const char *
sandbox_describe(void)
{
#ifdef SANDBOX_TEST_RELAX
	return ("relaxed for tests, nothing is confined");
#else
	static char buf[64];
	const char *calls;
	int abi, n;

	calls = sandbox_seccomp_available() ? "seccomp" : "no seccomp";
	if ((abi = sandbox_landlock_abi()) > 0)
		n = snprintf(buf, sizeof(buf), "%s, Landlock %d", calls, abi);
	else
		n = snprintf(buf, sizeof(buf), "%s, no Landlock", calls);
	return (n < 0 || (size_t)n >= sizeof(buf) ? calls : buf);
#endif
}

int
sandbox_full(void)
{
	return (SANDBOX_SYSCALLS | SANDBOX_FILES | SANDBOX_NETWORK);
}

#endif
