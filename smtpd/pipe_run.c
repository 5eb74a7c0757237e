/*
 * pipe_run: a program with a message as its input, and what its end means.
 *
 * What it writes is a stranger's: a part of it is kept and made printable, the
 * rest is read and forgotten.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "smtpd/pipe_run.h"

#define STEP_MS		100		/* looks whether it has ended */
#define EXEC_FAILED	127
#define REPLY_OUTPUT	300		/* of it, in a reply */

static void
child(const struct pipe_program *p, int out)
{
	sigset_t	none;

	sigemptyset(&none);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid();
	(void)umask(077);
	if (dup2(p->in, 0) == -1 || dup2(out, 1) == -1 || dup2(out, 2) == -1)
		_exit(EXEC_FAILED);
	closefrom(3);
	if (chdir(p->dir) == -1 && chdir("/") == -1)
		_exit(EXEC_FAILED);
	execve(p->argv[0], p->argv, p->envp);
	_exit(EXEC_FAILED);
}

static int64_t
now_ms(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return (0);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* What came, up to size; 0 at the end, -1 nothing now. */
static int
take_output(int fd, char *out, size_t *len, size_t size)
{
	char	rest[1024], *to = rest;
	size_t	room = sizeof(rest);
	ssize_t	n;

	if (*len < size) {
		to = out + *len;
		room = size - *len;
	}
	if ((n = read(fd, to, room)) > 0 && to != rest)
		*len += (size_t)n;
	if (n == -1)
		return (errno == EAGAIN || errno == EINTR ? -1 : 0);
	return (n > 0);
}

/* Its end is the process's, not that of its output, which others may hold. */
static int
watch(pid_t pid, int fd, unsigned int seconds, char *out, size_t size)
{
	struct pollfd	pfd = { .fd = fd, .events = POLLIN };
	int64_t		until = now_ms() + (int64_t)seconds * 1000;
	size_t		len = 0;
	pid_t		got;
	int		status, step = 1;

	for (;;) {
		/* It may go on for long after it has closed its output. */
		if (pfd.fd == -1 && step < STEP_MS)
			step *= 2;
		if (poll(&pfd, 1, pfd.fd == -1 ? step : STEP_MS) > 0 &&
		    take_output(fd, out, &len, size) == 0)
			pfd.fd = -1;		/* closed: the end is near */
		got = waitpid(pid, &status, WNOHANG);
		if (got == pid || (got == -1 && errno != EINTR))
			break;
		if (now_ms() > until) {
			(void)kill(-pid, SIGKILL);
			(void)kill(pid, SIGKILL);
			while (waitpid(pid, &status, 0) == -1 &&
			    errno == EINTR)
				;
			out[len] = '\0';
			errno = ETIMEDOUT;
			return (-1);
		}
	}
	while (pfd.fd != -1 && take_output(fd, out, &len, size) == 1)
		;
	out[len] = '\0';
	return (got == pid ? status : -1);
}

int
pipe_run(const struct pipe_program *p, char out[PIPE_OUTPUT])
{
	int	sp[2], status, save;
	pid_t	pid;

	out[0] = '\0';
	if (pipe2(sp, O_CLOEXEC) == -1)
		return (-1);
	if (fcntl(sp[0], F_SETFL, O_NONBLOCK) == -1 || (pid = fork()) == -1) {
		save = errno;
		close(sp[0]);
		close(sp[1]);
		errno = save;
		return (-1);
	}
	if (pid == 0)
		child(p, sp[1]);
	close(sp[1]);
	status = watch(pid, sp[0], p->seconds, out, PIPE_OUTPUT - 1);
	save = errno;
	close(sp[0]);
	errno = save;
	return (status);
}

/* The length of "5.7.1" of that class at the start, with a blank or the end. */
static size_t
enhanced(char class, const char *s)
{
	size_t	n, d;

	if (s[0] != class || s[1] != '.')
		return (0);
	d = strspn(s + 2, "0123456789");
	n = 2 + d;
	if (d == 0 || d > 3 || s[n] != '.')
		return (0);
	d = strspn(s + n + 1, "0123456789");
	n += 1 + d;
	return (d > 0 && d <= 3 && (s[n] == '\0' || s[n] == ' ' ||
	    s[n] == '\n' || s[n] == '\r') ? n : 0);
}

/* Printable, in one line. */
static void
printable(const char *s, char *out, size_t size)
{
	size_t	n = 0;

	for (s += strspn(s, " \t\r\n"); *s != '\0' && n < size - 1; s++) {
		if (*s == '\n' || *s == '\r' || *s == '\t')
			out[n++] = ' ';
		else
			out[n++] = *s >= ' ' && *s <= '~' ? *s : '?';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

/* sysexits(3) as RFC 3463 codes. */
static const char *
code_of(int status)
{
	static const struct {
		int		 status;
		const char	*code;
	} codes[] = {
		{ EX_DATAERR, "554 5.6.0" }, { EX_NOUSER, "550 5.1.1" },
		{ EX_NOHOST, "550 5.1.2" }, { EX_OSERR, "451 4.3.0" },
		{ EX_CANTCREAT, "554 5.2.0" }, { EX_IOERR, "451 4.3.0" },
		{ EX_TEMPFAIL, "451 4.3.0" }, { EX_PROTOCOL, "554 5.5.0" },
		{ EX_NOPERM, "550 5.7.0" }, { EX_CONFIG, "451 4.3.5" },
		{ EXEC_FAILED, "451 4.3.5" },
	};
	size_t	i;

	if (!WIFEXITED(status))
		return ("451 4.3.0");
	if (WEXITSTATUS(status) == 0)
		return ("250 2.0.0");
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].status == WEXITSTATUS(status))
			return (codes[i].code);
	return ("554 5.3.0");
}

void
pipe_reply(int status, const char *output, char *reply, size_t size)
{
	const char	*code = code_of(status), *what = "the command says: ";
	char		 text[REPLY_OUTPUT], why[64] = "";
	size_t		 n;

	output += strspn(output, " \t\r\n");
	if (code[0] != '2' && ((n = enhanced('4', output)) > 0 ||
	    (n = enhanced('5', output)) > 0)) {
		printable(output, text, sizeof(text));
		(void)snprintf(reply, size, "%s %s",
		    output[0] == '4' ? "451" : "554", text);
		return;
	}
	printable(output, text, sizeof(text));
	if (code[0] == '2') {
		(void)snprintf(reply, size, "%s delivered to the command",
		    code);
		return;
	}
	if (WIFSIGNALED(status))
		(void)snprintf(why, sizeof(why), "was killed by signal %d",
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) == EXEC_FAILED)
		(void)snprintf(why, sizeof(why), "cannot be run");
	else
		(void)snprintf(why, sizeof(why), "failed with status %d",
		    WEXITSTATUS(status));
	if (text[0] != '\0')
		(void)snprintf(reply, size, "%s %s%s", code, what, text);
	else
		(void)snprintf(reply, size, "%s the command %s", code, why);
}
