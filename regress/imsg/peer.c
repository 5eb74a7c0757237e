/*
 * peer: framing over every split of the stream, descriptors, and what a
 * sender that breaks the rules gets.  This process is auth; net is played by
 * the raw end of a socket pair.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <sys/wait.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "imsg/peer.h"
#include "log/log.h"
#include "../test.h"

#define N_FIELDS(NUM, STR, SECRET)	NUM(n, 1000)
#define ASK_FIELDS(NUM, STR, SECRET)	NUM(n, 1000) STR(name, 16)
#define GIVE_FIELDS	N_FIELDS
#define SLOW_FIELDS	N_FIELDS
#define FREE_FIELDS	N_FIELDS
#define ANSWER_FIELDS	N_FIELDS
#define BULK_FIELDS	N_FIELDS
#define KEEP_FIELDS	N_FIELDS
#define TEST_MESSAGES(MSG)						\
MSG(ASK,	R_NET,	R_AUTH,	100, 0, 0, WHEN_RUN)			\
MSG(GIVE,	R_NET,	R_AUTH,	0, 1, 0, WHEN_RUN)			\
MSG(KEEP,	R_NET,	R_AUTH,	0, 1, 0, WHEN_RUN)			\
MSG(SLOW,	R_NET,	R_AUTH,	0, 0, 3, WHEN_RUN)			\
MSG(FREE,	R_NET,	R_AUTH,	0, 0, 0, WHEN_RUN)			\
MSG(ANSWER,	R_AUTH,	R_NET,	0, 0, 0, WHEN_RUN)			\
MSG(BULK,	R_AUTH,	R_NET,	60000, 0, 0, WHEN_RUN)			\
MSG(HAND,	R_AUTH,	R_NET,	0, 1, 0, WHEN_RUN)
#define HAND_FIELDS	N_FIELDS

enum { TEST_MESSAGES(CONTRACT_ENUM) M_COUNT };
TEST_MESSAGES(CONTRACT_STRUCT)
TEST_MESSAGES(CONTRACT_FIELDS)

static const struct msg_def messages[] = { TEST_MESSAGES(CONTRACT_ROW) };
static const struct contract contract = { "test", messages, M_COUNT };

struct frame {
	uint32_t	type, len, nfds, zero;
};

static struct event_base *base;
static struct peer	*peer;
static int		 raw = -1;	/* the other end */
static char		 seen[65536];
static int		 gone, gone_frees, kept = -1;
static char		 why[64];
static char		 out[65536];
static size_t		 outlen;

/* "name=n+tail " */
static void
note(const char *name, uint64_t n, size_t tail)
{
	size_t	len = strlen(seen);
	char	more[24] = "";

	if (tail > 0)
		snprintf(more, sizeof(more), "+%zu", tail);
	snprintf(seen + len, sizeof(seen) - len, "%s=%u%s ", name,
	    (unsigned int)n, more);
}

static void
on_ask(struct peer *p, struct msg *m)
{
	const struct msg_ASK	*a = m->body;

	note(a->name, a->n, m->taillen);
}

static void
on_give(struct peer *p, struct msg *m)
{
	const struct msg_GIVE	*g = m->body;

	note(write(m->fd, "x", 1) == 1 ? "give" : "bad", g->n, 0);
}

static void
on_keep(struct peer *p, struct msg *m)
{
	kept = m->fd;
	m->fd = -1;
}

static void
on_slow(struct peer *p, struct msg *m)
{
	note("slow", 1, 0);
}

static void
on_free(struct peer *p, struct msg *m)
{
	note("free", 1, 0);
	peer_free(p);
	if (p == peer)
		peer = NULL;
}

static const struct handler handlers[] = {
	{ M_ASK,	on_ask },
	{ M_GIVE,	on_give },
	{ M_KEEP,	on_keep },
	{ M_SLOW,	on_slow },
	{ M_FREE,	on_free },
	{ 0,		NULL }
};

static void
on_gone(struct peer *p, const char *what)
{
	gone++;
	snprintf(why, sizeof(why), "%s", what == NULL ? "EOF" : what);
	if (gone_frees) {
		peer_free(p);
		peer = NULL;
	}
}

static const struct peer_ops ops = {
	&contract, ROLE_AUTH, handlers, on_gone
};

static void
begin(void)
{
	int	sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1 ||
	    (peer = peer_new(base, &ops, ROLE_NET, sv[0])) == NULL)
		exit(2);
	raw = sv[1];
	seen[0] = why[0] = '\0';
	gone = gone_frees = 0;
	outlen = 0;
}

static void
end(void)
{
	if (raw != -1)
		close(raw);
	raw = -1;
	peer_free(peer);
	peer = NULL;
}

static void
run(void)
{
	int	i;

	for (i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
frame(uint32_t type, uint32_t len, uint32_t nfds, const void *body, size_t n)
{
	struct frame	h = { type, len, nfds, 0 };

	memcpy(out + outlen, &h, sizeof(h));
	memcpy(out + outlen + sizeof(h), body, n);
	outlen += sizeof(h) + n;
}

static void
ask(const char *name, unsigned int n, size_t tail)
{
	struct {
		struct msg_ASK	a;
		char		tail[100];
	} m = { .a = { .n = n } };

	strlcpy(m.a.name, name, sizeof(m.a.name));
	frame(M_ASK, (uint32_t)(sizeof(m.a) + tail), 0, &m,
	    sizeof(m.a) + tail);
}

static void
number(uint32_t type, uint32_t nfds, uint64_t n)
{
	frame(type, sizeof(n), nfds, &n, sizeof(n));
}

/* All of out but for the first bytes that went already; nfds copies of fd. */
static void
push(size_t from, size_t len, int fd, size_t nfds)
{
	struct iovec	iov = { out + from, len };
	struct msghdr	mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr	*cm;
	size_t		i;
	union {
		struct cmsghdr	h;
		char		b[CMSG_SPACE(32 * sizeof(int))];
	} ctl;

	memset(&ctl, 0, sizeof(ctl));
	if (nfds > 0) {
		mh.msg_control = ctl.b;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		for (i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(cm) + i * sizeof(int), &fd,
			    sizeof(fd));
	}
	if (sendmsg(raw, &mh, MSG_NOSIGNAL) != (ssize_t)len &&
	    errno != EPIPE)
		exit(2);
}

static void
test_splits(void)
{
	static const char	want[] = "a=1+3 b=2 c=1000+100 slow=1 ";
	size_t			i;
	int			good = 1;

	for (i = 0; i == 0 || i < outlen; i++) {
		begin();
		ask("a", 1, 3);
		ask("b", 2, 0);
		ask("c", 1000, 100);
		number(M_SLOW, 0, 1);
		if (i > 0)
			push(0, i, -1, 0);
		run();
		push(i, outlen - i, -1, 0);
		run();
		good &= strcmp(seen, want) == 0 && gone == 0;
		end();
	}
	TEST("two pieces", good);
	begin();
	ask("a", 1, 3);
	ask("b", 2, 0);
	ask("c", 1000, 100);
	number(M_SLOW, 0, 1);
	for (i = 0; i < outlen; i++) {
		push(i, 1, -1, 0);
		run();
	}
	TEST_STR("byte by byte", seen, want);
	end();
	begin();
	while (outlen < sizeof(out) - 200)
		ask("m", outlen % 10, 0);
	push(0, outlen, -1, 0);
	run();
	TEST("a batch", gone == 0 && strlen(seen) / 4 == outlen / 40);
	end();
}

/* One after the other in one stream, each breaks it in its own way. */
static void
test_bad(void)
{
	static const struct {
		const char	*name;
		uint32_t	 type, len, nfds;
		uint64_t	 n;
		const char	*want;
	} cases[] = {
		{ "unknown type", 77, 8, 0, 0, "unknown type" },
		{ "to the other side", M_ANSWER, 8, 0, 0,
		    "not this sender's message" },
		{ "length", M_SLOW, 7, 0, 0, "wrong length" },
		{ "number", M_SLOW, 8, 0, 1001, "number out of range" },
		{ "greatest length", M_ASK, 65536 - 16, 0, 0, NULL },
		{ "too long", M_ASK, 65536 - 15, 0, 0, "too long" },
		{ "far too long", M_ASK, UINT32_MAX, 0, 0, "too long" },
		{ "no descriptor", M_GIVE, 8, 1, 0, "descriptor missing" },
		{ "none announced", M_GIVE, 8, 0, 0,
		    "wrong number of descriptors" },
		{ "very many announced", M_GIVE, 8, UINT32_MAX, 0,
		    "descriptor missing" },
	};
	size_t	i;
	int	frees;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (frees = 0; frees <= 1; frees++) {
			begin();
			gone_frees = frees;
			ask("before", 1, 0);
			frame(cases[i].type, cases[i].len, cases[i].nfds,
			    &cases[i].n, 8);
			ask("after", 1, 0);
			push(0, outlen, -1, 0);
			run();
			ask("late", 1, 0);
			push(0, outlen, -1, 0);
			run();
			TEST(cases[i].name, strcmp(seen, "before=1 ") == 0 &&
			    (cases[i].want == NULL ? gone == 0 : gone == 1 &&
			    strcmp(why, cases[i].want) == 0));
			end();
		}
}

/* Is no copy of the writing end open any more? */
static int
closed(int fd)
{
	struct pollfd	pfd = { .fd = fd, .events = POLLIN };
	char		c[100];

	while (poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLIN))
		if (read(fd, c, sizeof(c)) <= 0)
			break;
	return (poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP));
}

static void
test_fds(void)
{
	char	got[8];
	int	p[2], i;

	if (pipe(p) == -1)
		exit(2);
	begin();
	ask("a", 1, 0);
	push(0, outlen, -1, 0);
	outlen = 0;
	number(M_GIVE, 1, 5);
	push(0, 10, p[1], 1);
	run();
	push(10, outlen - 10, -1, 0);
	outlen = 0;
	number(M_GIVE, 1, 6);
	ask("b", 1, 0);
	push(0, outlen, p[1], 1);
	outlen = 0;
	number(M_KEEP, 1, 6);
	push(0, outlen, p[1], 1);
	run();
	TEST_STR("descriptors in order", seen, "a=1 give=5 give=6 b=1 ");
	TEST("are those that were sent", read(p[0], got, sizeof(got)) == 2);
	close(p[1]);
	TEST("a kept one is open", kept != -1 && !closed(p[0]) &&
	    (fcntl(kept, F_GETFD) & FD_CLOEXEC) != 0);
	close(kept);
	TEST("the others are closed", closed(p[0]));
	close(p[0]);
	end();

	for (i = 0; i < 2; i++) {
		if (pipe(p) == -1)
			exit(2);
		begin();
		if (i == 0)
			ask("a", 1, 0);
		else
			number(M_GIVE, 1, 1);
		push(0, outlen, p[1], i == 0 ? 1 : 2);
		run();
		close(p[1]);
		TEST(i == 0 ? "unexpected one" : "one too many", gone == 1 &&
		    strcmp(why, "unexpected descriptor") == 0);
		end();
		TEST("closed with the peer", closed(p[0]));
		close(p[0]);
	}
}

static void
test_flood(void)
{
	int	p[2], i;

	if (pipe(p) == -1)
		exit(2);
	begin();
	number(M_GIVE, 17, 1);
	push(0, outlen, p[1], 17);
	run();
	TEST("17 at once", gone == 1 &&
	    strcmp(why, "too many descriptors") == 0 && *seen == '\0');
	end();
	begin();
	ask("a", 1, 100);
	for (i = 0; i < 100 && gone == 0; i++) {
		push((size_t)i, 1, p[1], 1);
		run();
	}
	TEST("one with each byte", gone == 1 && i == 65 &&
	    strcmp(why, "too many descriptors") == 0);
	end();
	close(p[1]);
	TEST("none is left open", closed(p[0]));
	close(p[0]);
}

static void
test_life(void)
{
	int	i;

	begin();
	close(raw);
	raw = -1;
	run();
	TEST_STR("EOF", why, "EOF");
	peer_send(peer, M_ANSWER, &(struct msg_ANSWER){ 1 }, -1);
	run();
	TEST("sending afterwards", gone == 1);
	end();
	begin();
	ask("last", 1, 0);
	push(0, outlen - 1, -1, 0);
	close(raw);
	raw = -1;
	run();
	TEST("EOF in a message", gone == 1 && *seen == '\0');
	end();
	begin();
	number(M_FREE, 0, 1);
	ask("after", 1, 0);
	push(0, outlen, -1, 0);
	run();
	TEST("freed in its handler", strcmp(seen, "free=1 ") == 0 &&
	    peer == NULL);
	end();
	begin();
	peer_phase(peer, WHEN_START);
	ask("a", 1, 0);
	push(0, outlen, -1, 0);
	run();
	TEST_STR("phase", why, "not now");
	end();
	begin();
	for (i = 0; i < 8; i++)
		number(M_SLOW, 0, 1);
	push(0, outlen, -1, 0);
	run();
	TEST_STR("rate", why, "too many a second");
	end();
}

static void
test_blocking(void)
{
	const struct msg_ANSWER	q = { 3 };
	struct frame		h;
	char			got[24];

	begin();
	ask("before", 1, 0);
	number(M_SLOW, 0, 1);
	ask("behind", 1, 0);
	push(0, outlen, -1, 0);
	TEST("call", peer_call(peer, M_ANSWER, &q, NULL, 0, M_SLOW, 1) == 0);
	TEST_STR("handled so far", seen, "before=1 slow=1 ");
	TEST("the question", read(raw, got, sizeof(got)) == sizeof(got));
	memcpy(&h, got, sizeof(h));
	TEST("as it was framed", h.type == M_ANSWER && h.len == 8 &&
	    h.nfds == 0 && got[16] == 3);
	run();
	TEST_STR("what came with the answer", seen,
	    "before=1 slow=1 behind=1 ");
	TEST("no answer", peer_call(peer, M_ANSWER, &q, NULL, 0, M_SLOW, 1) ==
	    -1);
	close(raw);
	raw = -1;
	TEST("call to nobody", peer_call(peer, M_ANSWER, &q, NULL, 0, M_SLOW,
	    1) == -1);
	end();

	begin();
	ask("a", 1, 0);
	ask("b", 2, 0);
	number(M_FREE, 0, 1);
	push(0, outlen, -1, 0);
	TEST("read one", peer_read_one(peer) == 1 &&
	    strcmp(seen, "a=1 ") == 0);
	TEST("read the next", peer_read_one(peer) == 1 &&
	    strcmp(seen, "a=1 b=2 ") == 0);
	TEST("read one that frees", peer_read_one(peer) == -1);
	end();
	begin();
	number(77, 0, 1);
	push(0, outlen, -1, 0);
	TEST("read a bad one", peer_read_one(peer) == -1 && gone == 1);
	end();
	begin();
	close(raw);
	raw = -1;
	TEST("read EOF", peer_read_one(peer) == 0);
	end();
}

/* Much more than a socket holds, descriptors between; all of it arrives. */
static void
test_pressure(void)
{
	static char		 tail[60000];
	const struct msg_BULK	 m = { 7 };
	char			*got;
	size_t			 have = 0, total;
	ssize_t			 n;
	int			 i, fd;

	begin();
	if ((got = malloc(65536)) == NULL ||
	    fcntl(raw, F_SETFL, O_NONBLOCK) == -1)
		exit(2);
	for (i = 0; i < 100; i++) {
		peer_send_tail(peer, M_BULK, &m, tail, sizeof(tail), -1);
		if (i % 10 == 0 && (fd = dup(1)) != -1)
			peer_send(peer, M_HAND, &(struct msg_HAND){ 1 }, fd);
	}
	total = 100 * (16 + 8 + sizeof(tail)) + 10 * (16 + 8);
	TEST("queued", peer_unsent(peer) == total);
	run();
	TEST("some went", peer_unsent(peer) < total && peer_unsent(peer) > 0);
	for (i = 0; i < 2000 && have < total; i++) {
		if ((n = recv(raw, got, 65536, 0)) > 0)
			have += (size_t)n;
		run();
	}
	TEST("all of it came", have == total && peer_unsent(peer) == 0 &&
	    gone == 0);
	for (i = 0; i < 1500; i++)
		peer_send_tail(peer, M_BULK, &m, tail, sizeof(tail), -1);
	TEST("bounded", peer_unsent(peer) <= PEER_OUT_MAX);
	run();
	TEST("a peer that reads nothing is gone", gone == 1);
	free(got);
	end();
}

static int
exits(const struct handler *h)
{
	const struct peer_ops	o = { &contract, ROLE_AUTH, h, on_gone };
	pid_t			pid;
	int			status;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		close(2);
		peer_check_handlers(&o);
		_exit(0);
	}
	return (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 1);
}

static void
test_handlers(void)
{
	struct handler	h[8];
	size_t		n = sizeof(handlers) / sizeof(handlers[0]);

	TEST("all handlers", !exits(handlers));
	memcpy(h, handlers + 1, sizeof(handlers) - sizeof(handlers[0]));
	TEST("one is missing", exits(h));
	memcpy(h + 1, handlers, sizeof(handlers));
	h[0].type = M_ANSWER;
	h[0].fn = on_slow;
	TEST("one too many", exits(h) && n < 8);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if ((base = event_base_new()) == NULL)
		return (2);
	test_splits();
	test_bad();
	test_fds();
	test_flood();
	test_life();
	test_blocking();
	test_pressure();
	test_handlers();
	event_base_free(base);
	TEST_DONE();
}
