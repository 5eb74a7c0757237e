/*
 * pipe: gives mail to a program of the administrator's or the recipient's, as
 * the recipient.
 *
 * A program of its own that links no TLS.  It is the only process beside the
 * parent that may start another, and then only with the recipient's uid: what
 * it starts can do what its owner can do at a shell.  The command is words, not
 * a line for a shell; what came with the message reaches it in the environment
 * and as its input, nowhere else.
 *
 * Messages wait for each other.  A crash between the program's end and our
 * report runs it again for the same message, with the same QUEUEID.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/command.h"
#include "conf/words.h"
#include "log/log.h"
#include "os/compat.h"
#include "os/os.h"
#include "privsep/role.h"
#include "smtpd/contract.h"
#include "smtpd/deliver_head.h"
#include "smtpd/pipe_run.h"
#include "smtpd/roles.h"
#include "store/crlf.h"

#define ENV_MAX		20
#define COPY_SIZE	65536

static struct {
	struct msg_PIPE_BOX	 box;
	char			*argv[COMMAND_WORDS + 1];
	size_t			 argc;
	char			*envp[ENV_MAX + 1];
	size_t			 nenv;
} self;

/* %u and such stand for the account, if it is the domain's command. */
static char *
argument(const char *word)
{
	char	full[C_USER + C_DOMAIN], out[C_PATH];
	int	at = strchr(self.box.user, '@') != NULL;

	if (!self.box.expand)
		return (strdup(word));
	(void)snprintf(full, sizeof(full), "%s%s%s", self.box.user,
	    at || strstr(word, "%d") == NULL ? "" : "@",
	    at || strstr(word, "%d") == NULL ? "" : self.box.domain);
	if (conf_expand(word, full, self.box.home, out, sizeof(out)) == -1)
		return (NULL);
	return (strdup(out));
}

static void
pipe_pipe_box(struct peer *p, struct msg *m)
{
	struct conf_words	words;
	size_t			i;

	self.box = *(const struct msg_PIPE_BOX *)m->body;
	setproctitle("pipe %s", self.box.user);
	if (command_split(self.box.command, &words) == -1) {
		log_warn("user=%s: command", self.box.user);
		return;
	}
	for (i = 0; i < words.n; i++) {
		if ((self.argv[i] = i == 0 ? strdup(words.v[0]) :
		    argument(words.v[i])) == NULL) {
			log_warn("user=%s: argument %zu of the command",
			    self.box.user, i);
			self.argc = 0;
			break;
		}
		self.argc = i + 1;
	}
	words_free(&words);
}

/* What a shell script could trip over becomes '_'. */
static void
env(const char *name, const char *value, int strange)
{
	char	*s, *p;

	if (self.nenv == ENV_MAX ||
	    asprintf(&s, "%s=%s", name, value) == -1)
		return;
	for (p = s + strlen(name) + 1; strange && *p != '\0'; p++)
		if (strchr("1234567890!@%-_=+:,./"
		    "abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ", *p) == NULL)
			*p = '_';
	self.envp[self.nenv++] = s;
}

static void
env_free(void)
{
	while (self.nenv > 0) {
		free(self.envp[--self.nenv]);
		self.envp[self.nenv] = NULL;
	}
}

static void
env_make(const struct msg_DELIVER_MSG *a)
{
	char	 local[C_MAILADDR], *at, *plus;

	env("PATH", "/usr/local/bin:/usr/bin:/bin", 0);
	env("LANG", "C", 0);
	env("SHELL", "/bin/sh", 0);
	env("HOME", self.box.home, 0);
	env("USER", self.box.user, 0);
	env("LOGNAME", self.box.user, 0);
	env("SENDER", strcmp(a->sender, "<>") == 0 ? "" : a->sender, 1);
	env("RECIPIENT", a->rcpt, 1);
	env("ORIGINAL_RECIPIENT", a->orig[0] != '\0' ? a->orig : a->rcpt, 1);
	env("QUEUEID", a->id, 1);
	(void)strlcpy(local, a->rcpt, sizeof(local));
	if ((at = strrchr(local, '@')) != NULL)
		*at++ = '\0';
	env("DOMAIN", at != NULL ? at : "", 1);
	env("LOCAL", local, 1);
	plus = strchr(local, '+');
	env("EXTENSION", plus != NULL ? plus + 1 : "", 1);
}

/* The message with our lines before it, with LF, in a file without a name. */
static int
input(const struct msg_DELIVER_MSG *a, int fd)
{
	static char	buf[COPY_SIZE];
	struct crlf	crlf;
	char		head[DELIVER_HEAD];
	uint64_t	off = 0;
	ssize_t		n;
	int		in, len, failed;

	if ((len = deliver_head(a, head)) == -1 ||
	    (in = os_anonfile("message")) == -1)
		return (-1);
	failed = crlf_init(&crlf, in) == -1 ||
	    crlf_write(&crlf, head, (size_t)len) == -1;
	while (!failed && off < a->size) {
		n = pread(fd, buf, sizeof(buf), (off_t)off);
		if (n == -1 && errno == EINTR)
			continue;
		failed = n <= 0 || crlf_write(&crlf, buf, (size_t)n) == -1;
		if (!failed)
			off += (uint64_t)n;
	}
	if (!failed && crlf_finish(&crlf) == 0 && lseek(in, 0, SEEK_SET) == 0)
		len = 0;
	else
		len = -1;
	crlf_free(&crlf);
	if (len == 0)
		return (in);
	close(in);
	return (-1);
}

static void
deliver(const struct msg_DELIVER_MSG *a, int fd, char reply[C_REPLY])
{
	struct pipe_program	 prog = { .argv = self.argv,
				    .envp = self.envp, .dir = self.box.home,
				    .seconds = PIPE_SECONDS };
	static char		 output[PIPE_OUTPUT];
	int			 status;

	if (self.argc == 0) {
		(void)strlcpy(reply, "451 4.3.5 the command does not fit the "
		    "user", C_REPLY);
		return;
	}
	if ((prog.in = input(a, fd)) == -1) {
		(void)strlcpy(reply, "451 4.3.0 the message cannot be read",
		    C_REPLY);
		return;
	}
	env_make(a);
	status = pipe_run(&prog, output);
	if (status != -1)
		pipe_reply(status, output, reply, C_REPLY);
	else
		(void)snprintf(reply, C_REPLY, "451 4.3.0 the command: %s",
		    strerror(errno));
	env_free();
	close(prog.in);
}

static void
pipe_deliver_msg(struct peer *p, struct msg *m)
{
	const struct msg_DELIVER_MSG	*a = m->body;
	struct msg_DELIVERED		 done = { .ticket = a->ticket };
	const char			*why;

	if ((why = deliver_objection(a, m->fd)) != NULL)
		(void)strlcpy(done.reply, why, sizeof(done.reply));
	else
		deliver(a, m->fd, done.reply);
	peer_send(p, M_DELIVERED, &done, -1);
}

/* What the program made of it is its own business. */
static void
pipe_deliver_sync(struct peer *p, struct msg *m)
{
	const struct msg_DELIVER_SYNC	*a = m->body;
	struct msg_DELIVER_SYNCED	 done = { .ticket = a->ticket };

	peer_send(p, M_DELIVER_SYNCED, &done, -1);
}

static void
pipe_channel_gone(struct peer *p)
{
	role_exit(0);
}

static const struct handler handlers[] = {
	{ M_PIPE_BOX,		pipe_pipe_box },
	{ M_DELIVER_MSG,	pipe_deliver_msg },
	{ M_DELIVER_SYNC,	pipe_deliver_sync },
	{ 0,			NULL }
};

static const struct role_code pipe_code = {
	.handlers = handlers,
	.channel_gone = pipe_channel_gone,
};

static const struct role_def roles[] = {
	PIPE_ROLE(&pipe_code),
	{ ROLE_PARENT, NULL, NULL, NULL, 0, 0, 0, NULL }
};

static const struct daemon_def smtpd = { "smtpd", &smtpd_contract, roles,
	NULL };

int
main(int argc, char **argv)
{
	role_run(&smtpd, &roles[0], argc, argv);
}
