/*
 * server: a server that follows a script, in a process of its own.
 *
 *	A accept a connection	S send the text	E a line that begins so
 *	D content up to the dot, stuffed	T handshake	C close
 *	M send the text 200,000 times, or until the other side has gone
 *	W wait for the other side to close	P pause for 50 ms
 *	B exactly these bytes
 */
#ifndef REGRESS_SERVER_H
#define REGRESS_SERVER_H

#include <sys/socket.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tls.h>
#include <unistd.h>

struct step {
	char		 op;
	const char	*text;
};

struct server {
	int		 lfd, fd;
	struct tls	*context, *tls;
	char		 in[1 << 20];
	size_t		 len;
};

static int
server_listen(unsigned int *port)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	socklen_t		len = sizeof(sin);
	int			fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sin, len) == -1 ||
	    listen(fd, 5) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		exit(2);
	*port = ntohs(sin.sin_port);
	return (fd);
}

static ssize_t
server_some(struct server *s, void *data, size_t len, int out)
{
	struct pollfd	pfd = { .fd = s->fd, .events = POLLIN };
	ssize_t		n;

	if (s->tls != NULL) {
		do {
			n = out ? tls_write(s->tls, data, len) :
			    tls_read(s->tls, data, len);
		} while (n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT);
		return (n);
	}
	if (out)
		return (send(s->fd, data, len, MSG_NOSIGNAL));
	if (poll(&pfd, 1, 4000) != 1)
		return (-1);
	return (recv(s->fd, data, len, 0));
}

static int
server_send(struct server *s, const char *text, size_t len)
{
	char	copy[4096];
	ssize_t	n;

	while (len > 0) {
		size_t	k = len < sizeof(copy) ? len : sizeof(copy);

		memcpy(copy, text, k);
		if ((n = server_some(s, copy, k, 1)) <= 0)
			return (-1);
		text += n;
		len -= (size_t)n;
	}
	return (0);
}

/* Up to and with end; the bytes stay in s->in until the next call. */
static char *
server_until(struct server *s, const char *end)
{
	static char	out[1 << 20];
	char		*p;
	ssize_t		 n;

	for (;;) {
		s->in[s->len] = '\0';
		if ((p = strstr(s->in, end)) != NULL)
			break;
		if (s->len + 4096 > sizeof(s->in) || (n = server_some(s,
		    s->in + s->len, 4096, 0)) <= 0)
			return (NULL);
		s->len += (size_t)n;
	}
	p += strlen(end);
	memcpy(out, s->in, (size_t)(p - s->in));
	out[p - s->in] = '\0';
	s->len -= (size_t)(p - s->in);
	memmove(s->in, p, s->len);
	return (out);
}

static int
server_many(struct server *s, const char *text)
{
	size_t	i;

	for (i = 0; i < 200000; i++)
		if (server_send(s, text, strlen(text)) == -1)
			break;
	return (0);
}

static int
server_accept(struct server *s)
{
	struct pollfd	pfd = { .fd = s->lfd, .events = POLLIN };

	if (s->fd != -1)
		close(s->fd);
	s->tls = NULL;
	s->len = 0;
	if (poll(&pfd, 1, 4000) != 1)
		return (-1);
	return ((s->fd = accept(s->lfd, NULL, NULL)) == -1 ? -1 : 0);
}

static int
server_step(struct server *s, const struct step *st)
{
	char	*p, byte;

	switch (st->op) {
	case 'A':
		return (server_accept(s));
	case 'S':
		return (server_send(s, st->text, strlen(st->text)));
	case 'M':
		return (server_many(s, st->text));
	case 'E':
		if ((p = server_until(s, "\r\n")) != NULL &&
		    strncmp(p, st->text, strlen(st->text)) == 0)
			return (0);
		fprintf(stderr, "server: got \"%s\"\n", p != NULL ? p : "");
		return (-1);
	case 'D':
		if ((p = server_until(s, "\r\n.\r\n")) != NULL &&
		    (st->text == NULL || strcmp(p, st->text) == 0))
			return (0);
		fprintf(stderr, "server: content \"%s\"\n",
		    p != NULL ? p : "");
		return (-1);
	case 'B':
		if ((p = server_until(s, st->text)) != NULL &&
		    strcmp(p, st->text) == 0)
			return (0);
		fprintf(stderr, "server: bytes \"%s\"\n", p != NULL ? p : "");
		return (-1);
	case 'T':
		if (tls_accept_socket(s->context, &s->tls, s->fd) == -1)
			return (-1);
		(void)tls_handshake(s->tls);
		return (0);
	case 'C':
		if (s->tls != NULL)
			(void)tls_close(s->tls);
		close(s->fd);
		s->fd = -1;
		return (0);
	case 'W':
		while (server_some(s, &byte, 1, 0) == 1)
			;
		return (0);
	default:
		usleep(50000);
		return (0);
	}
}

/* Exits 0 if all went as the script says. */
static pid_t
server_start(int lfd, struct tls *context, const struct step *script)
{
	static struct server	s;
	const struct step	*st;
	pid_t			 pid = fork();

	if (pid != 0)
		return (pid);
	signal(SIGPIPE, SIG_IGN);
	s.lfd = lfd;
	s.fd = -1;
	s.context = context;
	for (st = script; st->op != 0; st++)
		if (server_step(&s, st) == -1) {
			fprintf(stderr, "server: step %td %c \"%.60s\"\n",
			    st - script, st->op,
			    st->text != NULL ? st->text : "");
			_exit(1);
		}
	_exit(0);
}

#endif
