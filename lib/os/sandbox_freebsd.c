/*
 * sandbox on FreeBSD: Capsicum's capability mode, for roles that live on
 * descriptors alone.  In it no path can be opened and nothing connected or
 * bound, so a role that needs either is not confined, and the bits say so.
 */
#ifdef __FreeBSD__

#include <sys/param.h>
#include <sys/capsicum.h>
#include <sys/procctl.h>
#include <errno.h>
#include <unistd.h>

#include "os/sandbox_impl.h"

/* What capability mode takes away. */
#define SB_OUTSIDE	(SB_PATHS | SB_SOCKETS | SB_EXEC)

#ifndef SANDBOX_TEST_RELAX
static int	set_procctl(int, int);
#endif

int
sandbox_sys_enter(const struct sandbox *sb, uint32_t mask)
{
	(void)sb;
#ifdef SANDBOX_TEST_RELAX
	(void)mask;
	return (SANDBOX_RELAXED);
#else
	/* No ptrace and no core dump; no set-id program gains anything. */
	if (set_procctl(PROC_TRACE_CTL, PROC_TRACE_CTL_DISABLE) == -1)
		return (-1);
#ifdef PROC_NO_NEW_PRIVS_CTL
	if (set_procctl(PROC_NO_NEW_PRIVS_CTL, PROC_NO_NEW_PRIVS_ENABLE) == -1)
		return (-1);
#endif
	if ((mask & SB_OUTSIDE) != 0)
		return (0);
	if (cap_enter() == -1)
		return (errno == ENOSYS ? 0 : -1);
	return (SANDBOX_SYSCALLS | SANDBOX_FILES | SANDBOX_NETWORK);
#endif
}

#ifndef SANDBOX_TEST_RELAX
static int
set_procctl(int what, int value)
{
	return (procctl(P_PID, getpid(), what, &value));
}
#endif

int
sandbox_available(void)
{
#ifdef SANDBOX_TEST_RELAX
	return (SANDBOX_RELAXED);
#else
	unsigned int mode;

	if (cap_getmode(&mode) == -1)
		return (0);
	return (SANDBOX_SYSCALLS | SANDBOX_FILES | SANDBOX_NETWORK);
#endif
}

const char *
sandbox_describe(void)
{
#ifdef SANDBOX_TEST_RELAX
	return ("relaxed for tests, nothing is confined");
#else
	return (sandbox_available() != 0 ?
	    "Capsicum, for roles without paths or connections" :
	    "no Capsicum");
#endif
}

int
sandbox_full(void)
{
	return (SANDBOX_SYSCALLS | SANDBOX_FILES | SANDBOX_NETWORK);
}

#endif
