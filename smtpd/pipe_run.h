/*
 * pipe_run: a program with a message as its input.
 */
#ifndef SMTPD_PIPE_RUN_H
#define SMTPD_PIPE_RUN_H

#include <stddef.h>

#define PIPE_SECONDS	1000		/* until it is killed */
#define PIPE_OUTPUT	4096		/* of what it says is kept */

struct pipe_program {
	char *const	*argv;
	char *const	*envp;
	const char	*dir;		/* to work in; "/" if it is not there */
	int		 in;		/* its standard input */
	unsigned int	 seconds;
};

/*
 * Run it to its end.  The status as of waitpid(2); -1 with errno: it could not
 * be started, or ETIMEDOUT, and then it was killed with its children.  out
 * gets what it wrote, terminated.
 */
int	pipe_run(const struct pipe_program *, char out[PIPE_OUTPUT]);
/*
 * "250 2.0.0 text" for a status and what was written, in the way of
 * sysexits(3): 0 delivered, EX_TEMPFAIL later, the others never.  Output that
 * begins with an enhanced code of the right class decides itself.
 */
void	pipe_reply(int status, const char *output, char *reply, size_t size);

#endif
