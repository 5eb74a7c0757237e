/*
 * queue_pause: what the administrator has stopped for now.
 *
 * On disk an empty file paused.WHAT in the spool, so that it stays stopped
 * over a restart.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "log/log.h"
#include "smtpd/queue.h"

static int	paused[PAUSE_MAX];

static const char *const names[PAUSE_MAX] = { "accept", "relay", "deliver" };

const char *
pause_name(enum pause what)
{
	return (names[what]);
}

int
queue_paused(enum pause what)
{
	return (paused[what]);
}

static void
file_name(int what, char *to, size_t size)
{
	(void)snprintf(to, size, "paused.%s", names[what]);
}

void
pause_load(void)
{
	char	name[32];
	int	i;

	for (i = 0; i < PAUSE_MAX; i++) {
		file_name(i, name, sizeof(name));
		paused[i] = faccessat(queue_spool(), name, F_OK, 0) == 0;
		if (paused[i])
			log_warnx("%s is paused: see \"mailctl resume\"",
			    names[i]);
	}
}

int
pause_set(enum pause what, int on)
{
	char	name[32];
	int	fd;

	file_name(what, name, sizeof(name));
	if (on) {
		if ((fd = openat(queue_spool(), name, O_WRONLY | O_CREAT |
		    O_CLOEXEC | O_NOFOLLOW, 0600)) == -1)
			return (-1);
		close(fd);
	} else if (unlinkat(queue_spool(), name, 0) == -1 && errno != ENOENT)
		return (-1);
	if (fsync(queue_spool()) == -1)
		return (-1);
	if (paused[what] != on)
		log_info("%s is %s", names[what], on ? "paused" : "resumed");
	paused[what] = on;
	if (!on)
		dest_kick_all();
	return (0);
}
