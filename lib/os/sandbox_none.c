/*
 * sandbox elsewhere: there is none, and nothing pretends that there was.
 */
#if !defined(__linux__) && !defined(__OpenBSD__) && !defined(__FreeBSD__)

#include <errno.h>

#include "os/sandbox_impl.h"

int
sandbox_sys_enter(const struct sandbox *sb, uint32_t mask)
{
	(void)sb;
	(void)mask;
#ifdef SANDBOX_TEST_RELAX
	return (SANDBOX_RELAXED);
#else
	errno = ENOSYS;
	return (-1);
#endif
}

int
sandbox_available(void)
{
#ifdef SANDBOX_TEST_RELAX
	return (SANDBOX_RELAXED);
#else
	return (0);
#endif
}

const char *
sandbox_describe(void)
{
	return ("no sandbox on this system");
}

int
sandbox_full(void)
{
	return (SANDBOX_SYSCALLS | SANDBOX_FILES | SANDBOX_NETWORK);
}

#endif
