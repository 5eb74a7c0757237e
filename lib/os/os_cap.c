/*
 * os_cap: the capability bounding set, which only Linux has.
 */
#include <errno.h>

#include "os/os.h"

#ifdef __linux__
#include <sys/prctl.h>

int
os_cap_drop_bounding(void)
{
	int	cap;

	/* EINVAL: the kernel knows no further ones. */
	for (cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return (errno == EINVAL && cap > 0 ? 0 : -1);
	return (0);
}

#else

int
os_cap_drop_bounding(void)
{
	return (0);		/* there is no such set to be emptied */
}

#endif
