/*
 * pump: all bytes both ways, in order, whichever side is slow, and the two
 * ways a side can end.
 */
#include "net.h"
#include "../test.h"

#define BYTES	(2 << 20)

static int	proc = -1;	/* the process's end */

static void
begin(const char *first)
{
	int	sv[2], i, size = 16384;

	net_begin(1000);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1)
		exit(2);
	for (i = 0; i < 2; i++) {
		net_nonblock(sv[i]);
		(void)setsockopt(sv[i], SOL_SOCKET, SO_SNDBUF, &size,
		    sizeof(size));
	}
	net.pumpfd = sv[0];
	net.first = first;
	proc = sv[1];
}

static void
end(void)
{
	if (proc != -1)
		close(proc);
	proc = -1;
	net_end();
}

/* The byte at a place of the stream. */
static char
at(size_t i)
{
	return ((char)((i * 7 + i / 251) & 0xff));
}

static size_t
fill(int fd, size_t done, size_t most)
{
	char	piece[5000];
	size_t	i, n = BYTES - done < most ? BYTES - done : most;
	ssize_t	w;

	for (i = 0; i < n; i++)
		piece[i] = at(done + i);
	w = send(fd, piece, n, MSG_NOSIGNAL);
	return (done + (w > 0 ? (size_t)w : 0));
}

static size_t
check(int fd, size_t done, size_t most, int *good)
{
	char	piece[5000];
	ssize_t	n, i;

	if ((n = recv(fd, piece, most, 0)) <= 0)
		return (done);
	for (i = 0; i < n; i++)
		*good &= piece[i] == at(done + (size_t)i);
	return (done + (size_t)n);
}

/* in and out: bytes a turn that the process reads and writes. */
static void
test_both(const char *name, size_t cl_out, size_t cl_in, size_t pr_out,
    size_t pr_in)
{
	size_t	up = 0, up_got = 0, down = 0, down_got = 0;
	int	good = 1, turn;

	begin(NULL);
	net_say("pump\n");
	(void)net_hear();
	for (turn = 0; turn < 400000 && (up_got < BYTES ||
	    down_got < BYTES); turn++) {
		up = fill(net.raw, up, cl_out);
		down = fill(proc, down, pr_out);
		event_base_loop(net.base, EVLOOP_NONBLOCK);
		up_got = check(proc, up_got, pr_in, &good);
		down_got = check(net.raw, down_got, cl_in, &good);
		if (conn_unsent(net.conn) > net.most)
			net.most = conn_unsent(net.conn);
	}
	TEST(name, good && up_got == BYTES && down_got == BYTES &&
	    net.ended == 0 && net.most <= CONN_OUT_HIGH + 65536);
	end();
}

static void
test_order(void)
{
	char	got[64] = "";

	begin("first ");
	net_say("a\npump\nsecond");
	net_say(" third\n");
	TEST("first, then what was buffered, then the rest",
	    recv(proc, got, sizeof(got) - 1, 0) == 19 &&
	    strcmp(got, "first second third\n") == 0);
	TEST_STR("no line is taken any more", net.seen, "a;pump;");
	TEST("down", send(proc, "answer", 6, 0) == 6);
	TEST_STR("after our own words", net_hear(), "ok a\nok pump\nanswer");
	end();
}

/* What the process had no room for, and the client's end behind it. */
static void
test_end_behind(void)
{
	size_t	sent = 0, got = 0, before;
	int	i, good = 1;

	begin(NULL);
	net_say("pump\n");
	for (i = 0; i < 8; i++)
		sent = fill(net.raw, sent, 5000);
	net_run();
	do {
		before = got;
		got = check(proc, got, 5000, &good);
	} while (got > before);
	TEST("some waits", got < sent);
	shutdown(net.raw, SHUT_WR);
	for (i = 0; i < 20; i++) {
		net_run();
		got = check(proc, got, 5000, &good);
	}
	TEST("all comes before the end", good && got == sent &&
	    recv(proc, &i, 1, 0) == 0);
	end();
}

static void
test_ends(void)
{
	char	got[64] = "";
	size_t	n, have;
	int	eof, i;

	begin("f");
	net_say("pump\nlast words");
	shutdown(net.raw, SHUT_WR);
	net_run();
	TEST("the client's last words", recv(proc, got, sizeof(got), 0) == 11
	    && recv(proc, got, sizeof(got), 0) == 0 && net.ended == 0);
	TEST("are answered", send(proc, "good", 4, 0) == 4);
	TEST_STR("at once", net_hear(), "ok pump\ngood");
	TEST("and that is not all", net.ended == 0 &&
	    send(proc, "bye", 3, 0) == 3);
	close(proc);
	proc = -1;
	TEST_STR("to the end", net_hear(), "bye");
	TEST("once", net.ended == 1 && net.why == CONN_EOF);
	end();

	begin(NULL);
	net_say("pump\n");
	(void)net_hear();
	shutdown(net.raw, SHUT_WR);
	for (have = 0, i = 0; i < 100; i++) {
		have += fill(proc, BYTES - 5000, 5000) - (BYTES - 5000);
		net_run();
	}
	n = net_hear_all(&eof);
	TEST("a slow client that says no more gets all", have > 65536 &&
	    n == have && net.ended == 0);
	end();

	begin(NULL);
	net_say("pump\n");
	(void)net_hear();
	for (have = 0, i = 0; i < 100; i++) {
		have += fill(proc, BYTES - 5000, 5000) - (BYTES - 5000);
		net_run();
	}
	close(proc);
	proc = -1;
	net_run();
	TEST("not over while the client is slow", net.ended == 0);
	n = net_hear_all(&eof);
	TEST("the process's last words", have > 65536 && n == have && eof);
	TEST("over", net.ended == 1);
	end();

	begin(NULL);
	net.frees = 1;
	net_say("pump\n");
	close(proc);
	proc = -1;
	net_say("to nobody\n");
	net_run();
	TEST("process gone, freed", net.ended == 1 && net.conn == NULL);
	end();

	begin(NULL);
	net_say("pump\n");
	conn_free(net.conn);
	net.conn = NULL;
	TEST("freed by its owner", recv(proc, got, sizeof(got), 0) == 0);
	end();
}

/* The start does not fit at once, and the client has already gone. */
static void
test_slow_start(void)
{
	static char	first[60001];
	char		got[4096];
	size_t		have = 0;
	ssize_t		n = -1;
	int		i;

	memset(first, 'f', sizeof(first) - 1);
	begin(first);
	net_say("pump\nrest");
	shutdown(net.raw, SHUT_WR);
	for (i = 0; i < 1000 && n != 0; i++) {
		net_run();
		if ((n = recv(proc, got, sizeof(got), 0)) > 0)
			have += (size_t)n;
	}
	TEST("a long start and EOF", n == 0 && have == 60004);
	end();
	begin(first);
	net_say("pump\n");
	shutdown(net.raw, SHUT_WR);
	for (n = -1, have = 0, i = 0; i < 1000 && n != 0; i++) {
		net_run();
		if ((n = recv(proc, got, sizeof(got), 0)) > 0)
			have += (size_t)n;
	}
	TEST("a long start, nothing more and EOF", n == 0 && have == 60000);
	end();
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if ((net.base = event_base_new()) == NULL)
		return (2);
	test_order();
	test_both("equal sides", 5000, 5000, 5000, 5000);
	test_both("slow client", 5000, 500, 5000, 5000);
	test_both("slow process", 5000, 5000, 5000, 500);
	test_both("a process that dawdles", 3000, 5000, 400, 700);
	test_ends();
	test_end_behind();
	test_slow_start();
	event_base_free(net.base);
	TEST_DONE();
}
