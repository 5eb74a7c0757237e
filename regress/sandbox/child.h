/*
 * child: run one operation in a child that entered the sandbox.
 *
 * An operation answers 0 or an errno; as root the child is nobody first, as
 * the roles are somebody.  Built with -DSANDBOX_KILL, what the filter refuses
 * ends the child by SIGSYS instead.
 */
#ifndef SANDBOX_CHILD_H
#define SANDBOX_CHILD_H

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/sandbox.h"
#include "../test.h"

#define NOBODY		65534
#define SECONDS		20	/* one case; a hang is a failure */

/* Results beside 0 and an errno. */
#define FILTERED	1000	/* added: the errno, or killed by SIGSYS */
#define NOT_ENTERED	250	/* exit status: sandbox_enter() failed */

typedef int (*op_fn)(void);

struct op {
	const char	*name;
	const char	*promises;
	op_fn		 warm;		/* before; may be NULL */
	op_fn		 run;
	int		 want;
};

static char		child_dir[64];	/* listed, "rwc" */
static char		child_out[64];	/* its sibling, not listed */
static uint16_t		child_port;	/* may be connected to */
static int		child_bits;	/* what sandbox_enter() answered */

static int
child_main(const struct op *op)
{
	struct sandbox sb;
	int fd, rv;

	(void)alarm(SECONDS);
	if (getuid() == 0 && (setgroups(0, NULL) == -1 ||
	    setresgid(NOBODY, NOBODY, NOBODY) == -1 ||
	    setresuid(NOBODY, NOBODY, NOBODY) == -1))
		return (NOT_ENTERED);
	if (op->warm != NULL && (rv = op->warm()) != 0)
		return (rv);
	/* The line of SIGSYS's handler is for people. */
	if ((fd = open("/dev/null", O_WRONLY | O_CLOEXEC)) == -1 ||
	    (getenv("VERBOSE") == NULL && dup2(fd, STDERR_FILENO) == -1))
		return (NOT_ENTERED);
	memset(&sb, 0, sizeof(sb));
	sb.promises = op->promises;
	sb.paths[0].path = child_dir;
	sb.paths[0].perm = "rwc";
	sb.npaths = 1;
	if (child_port != 0)
		sb.ports[sb.nports++] = child_port;
	if ((child_bits = sandbox_enter(&sb)) == -1)
		return (NOT_ENTERED);
	return (op->run());
}

static void
child_case(const struct op *op)
{
	char got[64];
	int killed = 0, want = op->want, status;
	pid_t pid;

	if (want >= FILTERED) {
		want -= FILTERED;
#ifdef SANDBOX_KILL
		killed = 1;
#endif
	}
	(void)fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(child_main(op));
	if (pid == -1 || waitpid(pid, &status, 0) != pid) {
		TEST(op->name, 0);
		return;
	}
	if (WIFSIGNALED(status))
		(void)snprintf(got, sizeof(got), "signal %d",
		    WTERMSIG(status));
	else
		(void)snprintf(got, sizeof(got), "%d", WEXITSTATUS(status));
	if (killed ? WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS :
	    WIFEXITED(status) && WEXITSTATUS(status) == want) {
		printf("ok %s\n", op->name);
		return;
	}
	printf("not ok %s: got %s, want %s%d (%s)\n", op->name, got,
	    killed ? "SIGSYS for " : "", want, strerror(want));
	test_failed = 1;
}

static int
child_setup(const char *name)
{
	int n, m;

	n = snprintf(child_dir, sizeof(child_dir), "/tmp/%s.%d.in", name,
	    (int)getpid());
	m = snprintf(child_out, sizeof(child_out), "/tmp/%s.%d.out", name,
	    (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(child_dir) || m < 0 ||
	    (size_t)m >= sizeof(child_out))
		return (-1);
	if (mkdir(child_dir, 0700) == -1 || mkdir(child_out, 0700) == -1)
		return (-1);
	if (getuid() == 0 && (chown(child_dir, NOBODY, NOBODY) == -1 ||
	    chown(child_out, NOBODY, NOBODY) == -1))
		return (-1);
	return (0);
}

static void
child_cleanup(void)
{
	char cmd[192];

	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s %s", child_dir, child_out);
	if (system(cmd) != 0)
		fprintf(stderr, "cannot remove %s\n", child_dir);
}

/* A file's path below one of the two folders, for immediate use. */
static inline const char *
below(const char *dir, const char *name)
{
	static char path[4][128];
	static unsigned int next;
	char *p = path[next++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return (p);
}

#endif
