/*
 * ctlclient: a daemon that was taken over answers an administrator.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "daemon/ctlclient.h"
#include "imsg/peer.h"
#include "os/compat.h"
#include "privsep/contract.h"
#include "../../smtpd/contract.h"

#define PIECES	4

static const struct {
	const char	*name;
	const char	*says[PIECES];
	const char	*shown;
} cases[] = {
	{ "nothing", { NULL }, "" },
	{ "lines", { "a b\n", "c ~\n" }, "a b\nc ~\n" },
	{ "the screen", { "a\033[2J\033]0;x\007b\n" }, "a?[2J?]0;x?b\n" },
	{ "a line over another", { "bad\rfine\b\n" }, "bad?fine?\n" },
	{ "C1", { "a\302\2332J\2332J\n" }, "a?2J?2J\n" },
	{ "UTF-8", { "\303\274 \342\202\254 \360\237\230\200\n" },
	    "\303\274 \342\202\254 \360\237\230\200\n" },
	{ "in pieces", { "\303", "\274\342", "\202", "\254\n" },
	    "\303\274\342\202\254\n" },
	{ "C1 in pieces", { "a\302", "\2332J" }, "a?2J" },
	{ "cut off", { "a\360\237", "\230" }, "a???" },
	{ "broken off", { "a\360\237", "x\360", "y" }, "a??x?y" },
	{ "turned around", { "a\342\200\256b\n" }, "a?b\n" },
};

static size_t	now;			/* in the child: the case */

static void
answer(struct peer *p, struct msg *m)
{
	struct msg_CTL_TEXT	 t = { 0 };
	struct msg_CTL_DONE	 done = { 0 };
	const char		*s;
	size_t			 i;

	for (i = 0; i < PIECES && (s = cases[now].says[i]) != NULL; i++)
		peer_send_tail(p, M_CTL_TEXT, &t, s, strlen(s), -1);
	peer_send(p, M_CTL_DONE, &done, -1);
	_exit(peer_flush(p) == -1);
}

static void
gone(struct peer *p, const char *why)
{
	_exit(1);
}

static void
serve(int lfd)
{
	static const struct handler	 handlers[] = {
		{ M_CTL_ASK, answer }, { 0, NULL }
	};
	struct peer_ops	 ops = { &smtpd_contract, ROLE_PARENT, handlers,
			     gone };
	struct peer	*p;
	int		 fd;

	if ((fd = accept(lfd, NULL, NULL)) == -1 || (p = peer_new(
	    event_base_new(), &ops, ROLE_CTL, fd)) == NULL)
		_exit(1);
	while (peer_read_one(p) == 1)
		;
	_exit(1);
}

static void
ask(const char *dir, int lfd)
{
	char	*text = NULL;
	size_t	 size;
	int	 r, status = -1;
	pid_t	 pid;
	FILE	*f;

	if ((f = open_memstream(&text, &size)) == NULL)
		exit(1);
	if ((pid = fork()) == 0)
		serve(lfd);
	r = ctl_ask(&smtpd_contract, dir, "smtpd", CTL_STATS, 0, "", f,
	    &status);
	if (fclose(f) == EOF || waitpid(pid, NULL, 0) != pid)
		exit(1);
	TEST_STR(cases[now].name, r == 0 && status == 0 ? text : NULL,
	    cases[now].shown);
	free(text);
}

int
main(void)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	char			dir[] = "/tmp/ctlclient.XXXXXXXXXX";
	int			lfd;

	if (mkdtemp(dir) == NULL)
		return (1);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/smtpd.sock", dir);
	if ((lfd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(lfd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(lfd, 1) == -1)
		return (1);
	for (now = 0; now < sizeof(cases) / sizeof(cases[0]); now++)
		ask(dir, lfd);
	close(lfd);
	if (unlink(sun.sun_path) == -1 || rmdir(dir) == -1)
		return (1);
	TEST_DONE();
}
