/*
 * os_heap: memory that malloc() has and nobody uses.
 */
#include "os/compat.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "os/os.h"

void
os_heap_keep(size_t most)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, (int)most);
	(void)mallopt(M_TRIM_THRESHOLD, (int)most);
#else
	(void)most;
#endif
}

void
os_heap_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}
