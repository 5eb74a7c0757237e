/*
 * sandbox on OpenBSD: unveil(2) for the paths, pledge(2) for the promises,
 * in nearly the same words.
 */
#ifdef __OpenBSD__

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/sandbox_impl.h"

#define PLEDGE_MAX	256

static int	unveil_paths(const struct sandbox *, uint32_t);

/*
 * In the order of the SB_ bits.  pledge has no word for accept alone; kqueue,
 * threads and SQLite's locks need none or are other words.
 */
static const char *const pledges[] = {
	"stdio", "sendfd", "recvfd", "rpath", "wpath", "cpath", "fattr",
	"flock", "inet", "inet", "inet dns", "unix", "getpw", "", "", "proc",
	"exec", "id", "flock"
};

int
sandbox_sys_enter(const struct sandbox *sb, uint32_t mask)
{
#ifdef SANDBOX_TEST_RELAX
	(void)sb;
	(void)mask;
	return (SANDBOX_RELAXED);
#else
	char words[PLEDGE_MAX] = "";
	int bits = SANDBOX_SYSCALLS;
	size_t i;

	for (i = 0; i < sizeof(pledges) / sizeof(pledges[0]); i++) {
		if ((mask & (1U << i)) == 0 || pledges[i][0] == '\0')
			continue;
		if (strlcat(words, pledges[i], sizeof(words)) >=
		    sizeof(words) ||
		    strlcat(words, " ", sizeof(words)) >= sizeof(words)) {
			errno = EINVAL;
			return (-1);
		}
	}
	if ((mask & SB_EXEC) == 0 || sb->npaths > 0) {
		if (unveil_paths(sb, mask) == -1)
			return (-1);
		bits |= SANDBOX_FILES;
	}
	if (pledge(words, NULL) == -1)
		return (-1);
	/* "inet" knows no ports and allows bind. */
	if ((mask & (SB_INET | SB_ACCEPT | SB_DNS)) == 0)
		bits |= SANDBOX_NETWORK;
	return (bits);
#endif
}

#ifndef SANDBOX_TEST_RELAX
/* pledge's "getpw" and "dns" open their own files past unveil. */
static int
unveil_paths(const struct sandbox *sb, uint32_t mask)
{
	size_t i;

	/* With no rule at all unveil would hide nothing. */
	if (sb->npaths == 0 && (mask & SB_PATHS) != 0 &&
	    unveil("/", "") == -1)
		return (-1);
	for (i = 0; i < sb->npaths; i++)
		if (unveil(sb->paths[i].path, sb->paths[i].perm) == -1)
			return (-1);
	return (unveil(NULL, NULL));
}
#endif

int
sandbox_available(void)
{
#ifdef SANDBOX_TEST_RELAX
	return (SANDBOX_RELAXED);
#else
	return (SANDBOX_SYSCALLS | SANDBOX_FILES);
#endif
}

const char *
sandbox_describe(void)
{
#ifdef SANDBOX_TEST_RELAX
	return ("relaxed for tests, nothing is confined");
#else
	return ("pledge, unveil");
#endif
}

int
sandbox_full(void)
{
	return (SANDBOX_SYSCALLS | SANDBOX_FILES);
}

#endif
