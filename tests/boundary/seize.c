/*
 * seize: a user who waits for processes that are started for him.
 *
 *	seize trace PARENT	traces each one, if he may
 *	seize stop PARENT	stops each one at the first moment that he may,
 *				for three seconds
 *
 * Says on a line what it did to which process; ends with its standard input.
 * A process that may not be traced must refuse that from its first moment on,
 * and root's must not wait for one that its user has stopped.
 */
#include <sys/ptrace.h>
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRY_MS		300
#define HOLD_MS		3000

static long
now_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* The youngest process of the system: the last word of /proc/loadavg. */
static pid_t
youngest(int fd)
{
	char	line[128], *p;
	ssize_t	n;

	if ((n = pread(fd, line, sizeof(line) - 1, 0)) <= 0)
		exit(2);
	line[n] = '\0';
	p = strrchr(line, ' ');
	return (p == NULL ? 0 : (pid_t)atol(p));
}

static int
is_child(pid_t pid, pid_t parent)
{
	char	path[64], text[512], *p;
	ssize_t	n;
	int	fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((fd = open(path, O_RDONLY)) == -1)
		return (0);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return (0);
	text[n] = '\0';
	/* "PID (name) S PPID" */
	return ((p = strrchr(text, ')')) != NULL && strlen(p) > 4 &&
	    (pid_t)atol(p + 4) == parent);
}

static void
trace(pid_t pid)
{
	long	end = now_ms() + TRY_MS;

	while (now_ms() < end)
		if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
			printf("traced %d\n", (int)pid);
			return;
		} else if (errno == ESRCH)
			return;
	printf("refused %d\n", (int)pid);
}

static void
stop(pid_t pid)
{
	long	end = now_ms() + TRY_MS;

	while (now_ms() < end)
		if (kill(pid, SIGSTOP) == 0) {
			printf("stopped %d\n", (int)pid);
			fflush(stdout);
			(void)poll(NULL, 0, HOLD_MS);
			(void)kill(pid, SIGCONT);
			return;
		} else if (errno == ESRCH)
			return;
}

int
main(int argc, char **argv)
{
	struct pollfd	in = { .fd = STDIN_FILENO, .events = POLLIN };
	pid_t		last, pid, parent;
	int		fd, i, tracing;

	if (argc != 3 || (fd = open("/proc/loadavg", O_RDONLY)) == -1)
		return (2);
	tracing = strcmp(argv[1], "trace") == 0;
	parent = (pid_t)atol(argv[2]);
	last = youngest(fd);
	printf("ready\n");
	for (i = 0; ; i++) {
		if (i % 1024 == 0) {
			fflush(stdout);
			if (poll(&in, 1, 0) != 0)
				return (0);
		}
		if ((pid = youngest(fd)) < last)
			last = 0;	/* they start anew */
		while (last < pid)
			if (is_child(++last, parent)) {
				if (tracing)
					trace(last);
				else
					stop(last);
			}
	}
}
