/*
 * net: a server of lines over lib/net/conn, for the programs of this folder.
 *
 * Each input() takes one line and answers "ok LINE".  Some lines are orders:
 * pause, quit, big, mid, starttls, pump.
 */
#ifndef REGRESS_NET_H
#define REGRESS_NET_H

#include "os/compat.h"
#include <sys/socket.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/conn.h"

#define NET_BIG		100000		/* bytes that "big" answers */
#define NET_MID		30000

static struct {
	struct event_base *base;
	struct conn	*conn;
	int		 raw;		/* the client's end */
	struct tls	*ctx;		/* for starttls */
	int		 pumpfd;	/* for pump */
	const char	*first;		/* what pump gets first */
	char		 seen[65536];
	size_t		 most;		/* of conn_unsent() */
	int		 secured, drained;
	int		 ended;		/* times */
	enum conn_end	 why;
	int		 frees;		/* in ended() */
} net;

static char	net_bytes[NET_BIG];

static size_t
net_input(struct conn *c, void *arg, const char *p, size_t n)
{
	const char	*nl = memchr(p, '\n', n);
	size_t		 len, have = strlen(net.seen);

	if (nl == NULL)
		return (0);
	len = (size_t)(nl - p);
	snprintf(net.seen + have, sizeof(net.seen) - have, "%.*s;", (int)len,
	    p);
	conn_printf(c, "ok %.*s\n", (int)len, p);
	if (len == 5 && memcmp(p, "pause", 5) == 0)
		conn_pause(c);
	else if (len == 4 && memcmp(p, "quit", 4) == 0)
		conn_finish(c);
	else if (len == 3 && memcmp(p, "big", 3) == 0)
		conn_write(c, net_bytes, NET_BIG);
	else if (len == 3 && memcmp(p, "mid", 3) == 0)
		conn_write(c, net_bytes, NET_MID);
	else if (len == 8 && memcmp(p, "starttls", 8) == 0 &&
	    conn_accept_tls(c, net.ctx) == -1)
		exit(2);
	else if (len == 4 && memcmp(p, "pump", 4) == 0 &&
	    conn_pump(c, net.pumpfd, net.first,
	    net.first != NULL ? strlen(net.first) : 0) == -1)
		exit(2);
	if (conn_unsent(c) > net.most)
		net.most = conn_unsent(c);
	return (len + 1);
}

static void
net_secured(struct conn *c, void *arg)
{
	net.secured++;
}

static void
net_drained(struct conn *c, void *arg)
{
	net.drained++;
}

static void
net_ended(struct conn *c, void *arg, enum conn_end why)
{
	net.ended++;
	net.why = why;
	if (net.frees) {
		conn_free(c);
		net.conn = NULL;
	}
}

static const struct conn_ops net_ops = {
	net_input, net_secured, net_drained, net_ended
};

static void
net_nonblock(int fd)
{
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == -1)
		exit(2);
}

static void
net_begin(size_t in_max)
{
	int	sv[2], i, size = 32768;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1)
		exit(2);
	for (i = 0; i < 2; i++) {
		net_nonblock(sv[i]);
		(void)setsockopt(sv[i], SOL_SOCKET, SO_SNDBUF, &size,
		    sizeof(size));
	}
	net.seen[0] = '\0';
	net.most = 0;
	net.secured = net.drained = net.ended = net.frees = 0;
	net.first = NULL;
	net.raw = sv[1];
	if ((net.conn = conn_new(net.base, sv[0], &net_ops, NULL,
	    in_max)) == NULL)
		exit(2);
}

static void
net_run(void)
{
	int	i;

	for (i = 0; i < 4; i++)
		event_base_loop(net.base, EVLOOP_NONBLOCK);
}

static void
net_end(void)
{
	if (net.raw != -1)
		close(net.raw);
	net.raw = -1;
	conn_free(net.conn);
	net.conn = NULL;
	net_run();
}

/* Returns what was taken. */
static size_t
net_send(const char *p, size_t len)
{
	ssize_t	n;

	n = send(net.raw, p, len, MSG_NOSIGNAL);
	return (n > 0 ? (size_t)n : 0);
}

static void
net_say(const char *s)
{
	if (net_send(s, strlen(s)) != strlen(s))
		exit(2);
	net_run();
}

/* What the client can read now, terminated. */
static const char *
net_hear(void)
{
	static char	got[65536];
	size_t		have = 0;
	ssize_t		n;

	net_run();
	while (have < sizeof(got) - 1 && (n = recv(net.raw, got + have,
	    sizeof(got) - 1 - have, 0)) > 0) {
		have += (size_t)n;
		net_run();
	}
	got[have] = '\0';
	return (got);
}

/* Read all that comes until EOF or nothing more does; *eof says which. */
static size_t
net_hear_all(int *eof)
{
	static char	got[65536];
	size_t		have = 0;
	ssize_t		n;
	int		idle = 0;

	*eof = 0;
	while (idle < 10) {
		net_run();
		n = recv(net.raw, got, sizeof(got), 0);
		if (n == 0) {
			*eof = 1;
			break;
		}
		if (n > 0) {
			have += (size_t)n;
			idle = 0;
		} else
			idle++;
	}
	return (have);
}

#endif
