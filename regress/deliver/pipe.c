/*
 * A command with a message: its end, its output, its time, and what they mean.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "os/os.h"
#include "regress/test.h"
#include "smtpd/pipe_run.h"

#define EXIT(n)		((n) << 8)

static const struct {
	const char	*name;
	int		 status;
	const char	*output, *want;
} replies[] = {
	{ "done", 0, "hello\n", "250 2.0.0 delivered to the command" },
	{ "later", EXIT(EX_TEMPFAIL), "",
	    "451 4.3.0 the command failed with status 75" },
	{ "no user", EXIT(EX_NOUSER), "no such one\n",
	    "550 5.1.1 the command says: no such one" },
	{ "unknown status", EXIT(1), "a\nb\n\n",
	    "554 5.3.0 the command says: a b" },
	{ "its own code", EXIT(EX_UNAVAILABLE), " 5.7.1 not\nthis\n",
	    "554 5.7.1 not this" },
	{ "its own code, later", EXIT(1), "4.2.2 full", "451 4.2.2 full" },
	{ "a code alone", EXIT(1), "5.2.0", "554 5.2.0" },
	{ "no code", EXIT(1), "5.7 x", "554 5.3.0 the command says: 5.7 x" },
	{ "success has no code", 0, "5.7.1 x",
	    "250 2.0.0 delivered to the command" },
	{ "killed", SIGSEGV, "", "451 4.3.0 the command was killed by "
	    "signal 11" },
	{ "not there", EXIT(127), "", "451 4.3.5 the command cannot be run" },
	{ "control characters", EXIT(1), "a\033[2Jb\001\377c",
	    "554 5.3.0 the command says: a?[2Jb??c" },
};

static int
text(const char *s)
{
	int	fd = os_anonfile("message");

	if (fd == -1 || write(fd, s, strlen(s)) != (ssize_t)strlen(s) ||
	    lseek(fd, 0, SEEK_SET) == -1)
		exit(2);
	return (fd);
}

static int
shell(const char *script, unsigned int seconds, char *out)
{
	char			 sh[] = "/bin/sh", c[] = "-c", *line;
	char			 path[] = "PATH=/bin:/usr/bin";
	char			 sender[] = "SENDER=$(id);x";
	char			*argv[] = { sh, c, NULL, NULL };
	char			*envp[] = { path, sender, NULL };
	struct pipe_program	 p = { argv, envp, "/nonexistent", -1,
				    seconds };
	int			 status;

	if ((line = strdup(script)) == NULL)
		exit(2);
	argv[2] = line;
	p.in = text("Subject: x\n\nbody\n");
	status = pipe_run(&p, out);
	close(p.in);
	free(line);
	return (status);
}

static void
runs(void)
{
	static char	 out[PIPE_OUTPUT];
	char		 no[] = "/nonexistent/program", *argv[] = { no, NULL };
	char		*envp[] = { NULL };
	struct pipe_program p = { argv, envp, "/", -1, 5 };
	int		 status;

	TEST("input and output", shell("cat", 5, out) == 0);
	TEST_STR("output", out, "Subject: x\n\nbody\n");
	TEST("environment", shell("printf %s \"$SENDER\"", 5, out) == 0);
	TEST_STR("nothing is run", out, "$(id);x");
	TEST("directory", shell("pwd", 5, out) == 0);
	TEST_STR("not there: /", out, "/\n");
	status = shell("exit 75", 5, out);
	TEST("status", WIFEXITED(status) && WEXITSTATUS(status) == 75);
	status = shell("kill -9 $$", 5, out);
	TEST("signal", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	TEST("does not read", shell("exec 0<&-; exit 0", 5, out) == 0);
	TEST("no more than that", shell("yes | head -c 3000000", 20, out) ==
	    0 && strlen(out) == PIPE_OUTPUT - 1);
	TEST("descriptors", shell("ls /proc/self/fd | tr '\\n' ' '", 5, out) ==
	    0);
	TEST("no other descriptor", strncmp(out, "0 1 2 ", 6) == 0 &&
	    strlen(out) <= 8);
	errno = 0;
	status = shell("echo begun; sleep 30 & sleep 30", 1, out);
	TEST("time", status == -1 && errno == ETIMEDOUT);
	TEST_STR("what it said before", out, "begun\n");
	TEST("a child that stays", shell("sleep 2 & echo x", 5, out) == 0);
	p.in = text("");
	status = pipe_run(&p, out);
	TEST("no program", WIFEXITED(status) && WEXITSTATUS(status) == 127);
	close(p.in);
}

int
main(void)
{
	char	reply[512];
	size_t	i;

	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		pipe_reply(replies[i].status, replies[i].output, reply,
		    sizeof(reply));
		TEST_STR(replies[i].name, reply, replies[i].want);
	}
	runs();
	TEST_DONE();
}
