/*
 * os_clock: when this system was started.
 */
#include <time.h>

#include "os/os.h"

#if defined(CLOCK_BOOTTIME)
#define CLOCK_UP	CLOCK_BOOTTIME
#elif defined(CLOCK_UPTIME)
#define CLOCK_UP	CLOCK_UPTIME
#else
#define CLOCK_UP	CLOCK_MONOTONIC
#endif

time_t
os_boot_time(void)
{
	struct timespec now, up;

	if (clock_gettime(CLOCK_REALTIME, &now) == -1 ||
	    clock_gettime(CLOCK_UP, &up) == -1)
		return (0);
	return (now.tv_sec - up.tv_sec);
}
