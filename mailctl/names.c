/*
 * names: see names.h.  The process is that of the dns role: the same account,
 * an empty root, the same promises, the same code that reads the answers.
 *
 * Question and answer are each one message of a fixed size over a socket.
 * mailctl believes the process nothing: names_take.c checks whether an answer
 * is to a question of its own, and each name in it; nor does it wait for a
 * process that reads nothing, says too much, or does not end.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dns/resolver.h"
#include "dns/wire.h"
#include "os/compat.h"
#include "os/sandbox.h"
#include "privsep/account.h"
#include "names.h"
#include "names_take.h"

#define ACCOUNT		"_maildns"
#define ROOT		"/var/empty"
#define PROMISES	"stdio dns"
#define WINDOW		32		/* questions under way */
#define CHILD_FD	3
#define ASK_MS		20000		/* for one that stands alone */

struct question {
	uint32_t	 number;
	uint32_t	 type;
	char		 name[DNS_NAME];
};

/* The process. */

static struct {
	struct ub_ctx	*ctx;
	int		 fd;
} child;

struct ask {
	uint32_t	 number;
	uint32_t	 type;
};

static void
probed(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int limited)
{
}

static void
send_answer(uint32_t number, enum rules_result result,
    const struct dns_answer *ans)
{
	static struct names_answer a;
	size_t			   i;

	memset(&a, 0, sizeof(a));
	a.number = number;
	a.result = result;
	for (i = 0; result == RULES_OK && i < ans->n && a.n < RULES_NAMES; i++)
		strlcpy(a.v[a.n++], ans->rec[i].name, DNS_NAME);
	if (send(child.fd, &a, sizeof(a), MSG_NOSIGNAL) != sizeof(a))
		_exit(1);
}

static void
resolved(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int limited)
{
	static struct dns_answer ans;
	struct ask		*ask = arg;
	enum rules_result	 r = RULES_TEMPFAIL;

	memset(&ans, 0, sizeof(ans));
	if (rcode == 3)
		r = RULES_NO;
	else if (rcode == 0 && packet != NULL && len > 0 &&
	    dns_wire_parse(packet, (size_t)len, ask->type, &ans) == 0) {
		if (ans.rcode == 3 || (ans.rcode == 0 && ans.found == 0))
			r = RULES_NO;
		else if (ans.rcode == 0)
			r = RULES_OK;
	}
	send_answer(ask->number, r, &ans);
	free(ask);
}

static void
on_question(evutil_socket_t fd, short ev, void *arg)
{
	struct question	 q;
	struct ask	*ask;
	char		 name[DNS_NAME];
	ssize_t		 n;
	int		 ok;

	if ((n = recv(fd, &q, sizeof(q), 0)) != sizeof(q))
		_exit(n == 0 ? 0 : 1);
	q.name[sizeof(q.name) - 1] = '\0';
	if (q.type == DNS_WIRE_PTR)
		ok = dns_reverse_name(q.name, name, sizeof(name)) == 0;
	else {
		strlcpy(name, q.name, sizeof(name));
		ok = dns_name_ok(name);
	}
	if (!ok || (ask = malloc(sizeof(*ask))) == NULL) {
		send_answer(q.number, ok ? RULES_TEMPFAIL : RULES_NO, NULL);
		return;
	}
	ask->number = q.number;
	ask->type = q.type;
	if (ub_resolve_event(child.ctx, name, (int)q.type, RESOLVER_IN, ask,
	    resolved, NULL) != 0) {
		send_answer(q.number, RULES_TEMPFAIL, NULL);
		free(ask);
	}
}

/* Says first, in one message, why it cannot work: "" if it can. */
static void
run(int fd)
{
	struct sandbox		 box = { .promises = PROMISES };
	struct event_base	*base;
	struct event		*ev = NULL;
	const char		*why = "";
	int			 null;

	if ((null = open("/dev/null", O_RDWR)) == -1 ||
	    dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1 || dup2(fd, CHILD_FD) == -1)
		_exit(1);
	closefrom(CHILD_FD + 1);
	child.fd = fd = CHILD_FD;
	if ((base = event_base_new()) == NULL || (ev = event_new(base, fd,
	    EV_READ | EV_PERSIST, on_question, NULL)) == NULL ||
	    event_add(ev, NULL) == -1)
		why = "no event loop";
	else
		child.ctx = resolver_new(base, NULL, probed, &why);
	if (child.ctx != NULL) {
		if (geteuid() == 0)
			account_become(ACCOUNT, ROOT);
		if (sandbox_enter(&box) == -1) {
			why = "the sandbox cannot be entered";
			child.ctx = NULL;
		}
	}
	if (send(fd, why, strlen(why) + 1, MSG_NOSIGNAL) == -1 ||
	    child.ctx == NULL)
		_exit(1);
	_exit(event_base_dispatch(base) == -1);
}

/* mailctl. */

static struct {
	int		 fd;
	pid_t		 pid;
	uint32_t	 last;		/* number of a question */
	const char	*why;		/* there is no answer */
} self = { .fd = -1 };

static int64_t
now_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

void
names_open(void)
{
	static char	said[128];
	ssize_t		n;
	int		sp[2];

	self.why = "the process that asks was not started";
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sp) == -1)
		return;
	if ((self.pid = fork()) == 0)
		run(sp[1]);
	close(sp[1]);
	self.fd = sp[0];
	n = self.pid == -1 ? -1 : recv(self.fd, said, sizeof(said) - 1, 0);
	if (n == 1 && *said == '\0') {
		self.why = "no answer came";
		return;
	}
	if (n > 1) {
		said[n] = '\0';
		self.why = said;
	}
	names_close();
}

/* 0, or -1: there will be no more answers now. */
static int
receive(struct names_question *q, size_t asked, uint32_t first, int64_t until)
{
	static struct names_answer a;
	struct pollfd		pfd = { .fd = self.fd, .events = POLLIN };
	int64_t			left = until - now_ms();

	if (left <= 0 || poll(&pfd, 1, (int)left) != 1)
		return (-1);
	if (recv(self.fd, &a, sizeof(a), 0) != sizeof(a)) {
		names_close();
		return (-1);
	}
	names_take(q, asked, first, &a);
	return (0);
}

/* There is room for WINDOW of them, unless nobody takes them out. */
static int
ask(const struct names_question *q, uint32_t number)
{
	struct question	m = { .number = number, .type = q->type };

	strlcpy(m.name, q->name, sizeof(m.name));
	return (send(self.fd, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT) ==
	    sizeof(m) ? 0 : -1);
}

const char *
names_why(void)
{
	return (self.why);
}

void
names_ask_all(struct names_question *q, size_t n, int ms)
{
	int64_t		until = now_ms() + ms;
	uint32_t	first;
	size_t		i, sent = 0, open;

	for (i = 0; i < n; i++) {
		q[i].result = RULES_PENDING;
		q[i].names.n = 0;
	}
	if (self.fd == -1)
		return;
	first = self.last;
	self.last += (uint32_t)n;
	for (;;) {
		for (open = i = 0; i < sent; i++)
			open += q[i].result == RULES_PENDING;
		while (sent < n && open < WINDOW) {
			if (ask(&q[sent], first + (uint32_t)sent) == -1)
				return;
			sent++;
			open++;
		}
		if (open == 0 || receive(q, sent, first, until) == -1)
			return;
	}
}

enum rules_result
names_ask(const struct rules_env *env, unsigned int type, const char *name,
    struct rules_names *names)
{
	static struct names_question	 q;

	q.type = type;
	if (strlcpy(q.name, name, sizeof(q.name)) >= sizeof(q.name)) {
		names->n = 0;
		return (RULES_NO);
	}
	names_ask_all(&q, 1, ASK_MS);
	if (q.result == RULES_PENDING)
		q.result = RULES_TEMPFAIL;
	if (q.result == RULES_TEMPFAIL)
		fprintf(stderr, "%s: not to be found out: %s\n", name,
		    names_why());
	*names = q.names;
	return (q.result);
}

void
names_close(void)
{
	if (self.fd != -1)
		close(self.fd);
	self.fd = -1;
	/* It has nothing to finish, and could have been made not to end. */
	if (self.pid > 0 && kill(self.pid, SIGKILL) == 0)
		(void)waitpid(self.pid, NULL, 0);
	self.pid = 0;
}
