/*
 * conn: lines over every split of the stream, pausing, bounds, half-closed
 * sockets and timeouts, in the clear.
 */
#include "net.h"
#include "../test.h"

static void
test_splits(void)
{
	static const char	in[] = "one\ntwo\n\nfour\n";
	size_t			i;
	int			good = 1;

	for (i = 1; i < sizeof(in) - 1; i++) {
		net_begin(1000);
		(void)net_send(in, i);
		net_run();
		net_say(in + i);
		good &= strcmp(net.seen, "one;two;;four;") == 0 &&
		    strcmp(net_hear(), "ok one\nok two\nok \nok four\n") == 0;
		net_end();
	}
	TEST("two pieces", good);
	net_begin(1000);
	for (i = 0; i < sizeof(in) - 1; i++) {
		(void)net_send(in + i, 1);
		net_run();
	}
	TEST_STR("byte by byte", net.seen, "one;two;;four;");
	TEST("drained is told", net.drained == 4);
	net_end();
}

static void
test_pause(void)
{
	net_begin(1000);
	net_say("a\npause\nb\nc");
	TEST_STR("paused", net.seen, "a;pause;");
	net_say("\nd\n");
	TEST_STR("still paused", net.seen, "a;pause;");
	conn_resume(net.conn);
	net_run();
	TEST_STR("resumed", net.seen, "a;pause;b;c;d;");
	conn_resume(net.conn);
	net_run();
	TEST_STR("resumed again", net.seen, "a;pause;b;c;d;");
	net_say("pause\npause\ne\n");
	conn_resume(net.conn);
	net_run();
	conn_resume(net.conn);
	net_run();
	TEST_STR("paused twice", net.seen, "a;pause;b;c;d;pause;pause;e;");
	net_end();
}

static void
test_input_max(void)
{
	char	line[2001];
	size_t	n;

	memset(line, 'x', sizeof(line));
	for (n = 998; n <= 1002; n++) {
		net_begin(1000);
		(void)net_send(line, n);
		net_run();
		if (n <= 1000)
			TEST("up to the maximum", net.ended == 0);
		else
			TEST("too much", net.ended == 1 &&
			    net.why == CONN_ERROR &&
			    strcmp(conn_error(net.conn),
			    "too much input") == 0);
		net_end();
	}
	net_begin(1000);
	net.frees = 1;
	for (n = 0; n < 1500 && net.conn != NULL; n++) {
		(void)net_send(line, 1);
		net_run();
	}
	TEST("too much in single bytes, freed", n == 1001 && net.ended == 1);
	net_end();
}

/* A client that asks and asks and never reads. */
static void
test_never_reads(void)
{
	int	i;

	net_begin(1000);
	for (i = 0; i < 3000; i++) {
		(void)net_send("big\n", 4);
		net_run();
	}
	TEST("bounded", net.most < CONN_OUT_HIGH + 2 * NET_BIG &&
	    net.ended == 0);
	net_end();
	net_begin(1000);
	for (i = 0; i < 60; i++)
		conn_write(net.conn, net_bytes, NET_BIG);
	net_run();
	TEST("too much unread is the end", net.ended == 1);
	net_end();
}

static void
resume(evutil_socket_t fd, short ev, void *arg)
{
	char	c;

	if (read(fd, &c, 1) == 1)
		conn_resume(net.conn);
}

/* Somebody's answer lets it go on in the turn in which the end shows. */
static void
test_eof_resumed(void)
{
	struct event	*ev;
	int		 p[2];

	if (pipe(p) == -1 || (ev = event_new(net.base, p[0], EV_READ, resume,
	    NULL)) == NULL || event_add(ev, NULL) == -1)
		exit(2);
	net_begin(1000);
	net_say("pause\nlate\n");
	(void)net_hear();
	if (write(p[1], "", 1) != 1)
		exit(2);
	shutdown(net.raw, SHUT_WR);
	TEST_STR("resumed at the end", net_hear(), "ok late\n");
	TEST("and it is over", net.ended == 1 && net.why == CONN_EOF);
	net_end();
	event_free(ev);
	close(p[0]);
	close(p[1]);
}

static void
test_eof(void)
{
	size_t	n;
	int	eof, i;

	net_begin(1000);
	net_say("a\nb");
	shutdown(net.raw, SHUT_WR);
	TEST_STR("answered before the end", net_hear(), "ok a\n");
	TEST("EOF", net.ended == 1 && net.why == CONN_EOF &&
	    strcmp(net.seen, "a;") == 0);
	net_end();

	net_begin(1000);
	(void)net_send("big\nbig\nbig\n", 12);
	shutdown(net.raw, SHUT_WR);
	net_run();
	TEST("not over while it writes", net.ended == 0);
	n = net_hear_all(&eof);
	TEST("a long answer after EOF", n == 3 * (NET_BIG + 7));
	TEST("then it is over", net.ended == 1 && net.why == CONN_EOF);
	net_end();

	net_begin(1000);
	i = 4096;
	(void)setsockopt(conn_fd(net.conn), SOL_SOCKET, SO_SNDBUF, &i,
	    sizeof(i));
	(void)net_send("mid\n", 4);
	shutdown(net.raw, SHUT_WR);
	net_run();
	TEST("nor while little is left", net.ended == 0 &&
	    conn_unsent(net.conn) > 0);
	TEST("an answer after EOF", net_hear_all(&eof) == NET_MID + 7);
	TEST("and over", net.ended == 1 && net.why == CONN_EOF);
	net_end();

	net_begin(1000);
	(void)net_send("pause\nlate\n", 11);
	shutdown(net.raw, SHUT_WR);
	net_run();
	TEST("not over while it waits", net.ended == 0);
	conn_printf(net.conn, "answer\n");
	conn_resume(net.conn);
	TEST_STR("a late answer", net_hear(), "ok pause\nanswer\nok late\n");
	TEST("over at last", net.ended == 1);
	net_end();

	net_begin(1000);
	net.frees = 1;
	close(net.raw);
	net.raw = -1;
	net_run();
	TEST("closed at once, freed", net.ended == 1 && net.conn == NULL);
	net_end();
}

static void
test_finish(void)
{
	size_t	n;
	int	eof;

	net_begin(1000);
	net_say("a\nquit\nafter\n");
	TEST_STR("nothing after quit", net.seen, "a;quit;");
	TEST_STR("all was said", net_hear(), "ok a\nok quit\n");
	TEST("ended once", net.ended == 1 && net.why == CONN_EOF);
	net_end();

	net_begin(1000);
	net_say("a\nqu");
	net_say("it\nafter\nmore");
	TEST_STR("nothing after quit in pieces", net.seen, "a;quit;");
	net_end();

	net_begin(1000);
	net_say("pause\nquit\nafter\n");
	conn_resume(net.conn);
	net_run();
	TEST_STR("nothing after quit and pause", net.seen, "pause;quit;");
	net_end();

	net_begin(1000);
	net.frees = 1;
	(void)net_send("big\nbig\nquit\n", 13);
	n = net_hear_all(&eof);
	TEST("finished after a long answer", eof && net.ended == 1 &&
	    n == 2 * (NET_BIG + 7) + 8);
	net_end();
}

static void
wait_seconds(unsigned int tenths)
{
	struct timeval	tv = { 0, 100000 };

	while (tenths-- > 0) {
		event_base_loopexit(net.base, &tv);
		event_base_loop(net.base, 0);
	}
}

static void
test_timeout(void)
{
	int	i;

	net_begin(1000);
	conn_timeout(net.conn, 2);
	wait_seconds(12);
	net_say("a\n");
	wait_seconds(12);
	TEST("progress counts", net.ended == 0);
	for (i = 0; i < 50 && net.ended == 0; i++)
		wait_seconds(1);
	TEST("timed out", net.ended == 1 && net.why == CONN_TIMEOUT);
	net_end();
	net_begin(1000);
	conn_timeout(net.conn, 1);
	conn_timeout(net.conn, 0);
	wait_seconds(12);
	TEST("switched off", net.ended == 0);
	net_end();
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if ((net.base = event_base_new()) == NULL)
		return (2);
	memset(net_bytes, 'b', sizeof(net_bytes));
	test_splits();
	test_pause();
	test_input_max();
	test_never_reads();
	test_eof();
	test_eof_resumed();
	test_finish();
	test_timeout();
	event_base_free(net.base);
	TEST_DONE();
}
