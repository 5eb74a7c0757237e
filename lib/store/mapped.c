/*
 * mapped: files in memory that somebody else may cut.
 *
 * Nobody but us should touch them, but they are the user's: a restore, or an
 * editor, must not end all of the user's sessions with a SIGBUS.  The signal
 * comes from the access itself, in the thread that made it, so its handler may
 * read the list.  Any other SIGBUS ends the process as ever.
 */
#include <sys/mman.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/mapped.h"

struct mapped {
	LIST_ENTRY(mapped)	 entry;
	char			*map;
	size_t			 len;
	volatile sig_atomic_t	 lost;
};

static LIST_HEAD(, mapped) files = LIST_HEAD_INITIALIZER(files);
static uintptr_t page;
static volatile sig_atomic_t any;	/* was ever lost */

/* From the page on, the file has nothing. */
static int
fill(struct mapped *m, uintptr_t at)
{
	char *from = m->map + ((at & ~(page - 1)) - (uintptr_t)m->map);
	size_t len = m->len - (size_t)(from - m->map);

	if (mmap(from, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON |
	    MAP_FIXED, -1, 0) == MAP_FAILED)
		return (-1);
	m->lost = any = 1;
	return (0);
}

static void
on_sigbus(int sig, siginfo_t *si, void *context)
{
	uintptr_t at = (uintptr_t)si->si_addr;
	struct mapped *m;
	int save = errno;

	(void)context;
	LIST_FOREACH(m, &files, entry)
		if (at >= (uintptr_t)m->map &&
		    at - (uintptr_t)m->map < m->len && fill(m, at) == 0) {
			errno = save;
			return;
		}
	(void)signal(sig, SIG_DFL);
}

static int
catch(void)
{
	struct sigaction sa;

	if (page != 0)
		return (0);
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = on_sigbus;
	sa.sa_flags = SA_SIGINFO;
	(void)sigemptyset(&sa.sa_mask);
	if (sigaction(SIGBUS, &sa, NULL) == -1)
		return (-1);
	page = (uintptr_t)sysconf(_SC_PAGESIZE);
	return (0);
}

void *
mapped_file(int fd, size_t len, int prot)
{
	struct mapped *m;
	void *map;

	if (catch() == -1 || (m = calloc(1, sizeof(*m))) == NULL)
		return (NULL);
	map = mmap(NULL, len, prot, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		free(m);
		return (NULL);
	}
	m->map = map;
	m->len = len;
	LIST_INSERT_HEAD(&files, m, entry);
	return (map);
}

void
mapped_drop(void *map, size_t len)
{
	struct mapped *m;

	if (map == NULL)
		return;
	LIST_FOREACH(m, &files, entry)
		if (m->map == map)
			break;
	if (m != NULL)
		LIST_REMOVE(m, entry);
	free(m);
	(void)munmap(map, len);
}

int
mapped_lost(const void *map)
{
	const struct mapped *m;

	if (!any)
		return (0);	/* asked for each entry of a cache */
	LIST_FOREACH(m, &files, entry)
		if (m->map == map)
			return (m->lost != 0);
	return (0);
}
