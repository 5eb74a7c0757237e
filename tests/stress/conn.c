/*
 * conn: one connection: bytes in and out, whole responses to reply.c.
 */
#include <sys/socket.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress.h"

#define READ_SIZE	65536
#define RESPONSE_MAX	(64u << 20)

void
conn_open(struct conn *c)
{
	static struct addrinfo *ai;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	int e;

	if (ai == NULL && (e = getaddrinfo(opt.host, opt.port, &hints,
	    &ai)) != 0)
		errx(2, "%s: %s", opt.host, gai_strerror(e));
	if ((c->fd = socket(ai->ai_family, SOCK_STREAM, 0)) == -1)
		err(2, "socket");
	if (connect(c->fd, ai->ai_addr, ai->ai_addrlen) == -1) {
		wrong(c, "connect: %s", strerror(errno));
		close(c->fd);
		c->fd = -1;
		c->until = now() + 0.5;
		return;
	}
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1)
		err(2, "fcntl");
	c->state = S_GREETING;
	c->until = now() + opt.wait;
	c->inlen = c->outlen = 0;
	c->wait_plus = 0;
	c->condstore = c->qresync = 0;
	c->caps = 0;
	c->step = 0;
}

void
conn_close(struct conn *c)
{
	view_leave(c);
	while (c->ncmd > 0) {
		if (c->cmd[--c->ncmd].kind == C_TREE)
			c->tree = TREE_UNKNOWN;
		command_free(&c->cmd[c->ncmd]);
	}
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->state = S_CLOSED;
	free(c->later);
	c->later = NULL;
	c->until = now() + (ending ? 0 : rnd(c, 20) / 1000.0);
}

/* The server may still do all that was sent: what that changes is not known. */
void
conn_break(struct conn *c)
{
	struct cmd *cmd;
	struct msg *m;
	unsigned int i, k;
	size_t j;

	for (i = 0; i < c->ncmd; i++) {
		cmd = &c->cmd[i];
		if (cmd->kind != C_STORE)
			continue;
		for (j = 0; j < cmd->ntarget; j++) {
			m = msg_get(cmd->box, cmd->target[j]);
			for (k = 0; k < OWNERS; k++)
				if (cmd->sign == 0 ||
				    (cmd->flags & F_OWNED(k)))
					m->owned[k] = TAINTED;
			/* It stays in flight for ever. */
		}
	}
	conn_close(c);
}

void
conn_put(struct conn *c, const char *p, size_t len)
{
	char **to = c->wait_plus ? &c->later : &c->out;
	size_t *n = c->wait_plus ? &c->laterlen : &c->outlen;
	size_t room = c->outroom;

	if (c->wait_plus) {
		if ((*to = realloc(*to, *n + len + 1)) == NULL)
			err(1, NULL);
	} else {
		*to = grown(*to, *n + len + 1, 1, &room);
		c->outroom = room;
	}
	memcpy(*to + *n, p, len);
	*n += len;
}

void
conn_printf(struct conn *c, const char *fmt, ...)
{
	char buf[65536];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(buf))
		errx(1, "command too long");
	conn_put(c, buf, (size_t)n);
	if (opt.verbose)
		fprintf(stderr, "%d C: %.*s\n", c->index,
		    (int)strcspn(buf, "\r\n"), buf);
}

void
conn_write(struct conn *c)
{
	ssize_t n;

	if (c->outlen == 0)
		return;
	n = send(c->fd, c->out, c->outlen, MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN && errno != EINTR)
		return;			/* reading will tell */
	if (n > 0) {
		c->outlen -= (size_t)n;
		memmove(c->out, c->out + n, c->outlen);
	}
}

/* The length of the first whole response, 0 if it is not all here. */
static size_t
whole(const char *p, size_t len)
{
	size_t at = 0, n;
	const char *nl, *q;

	for (;;) {
		if ((nl = memchr(p + at, '\n', len - at)) == NULL)
			return (0);
		at = (size_t)(nl - p) + 1;
		if (at < 4 || p[at - 2] != '\r' || p[at - 3] != '}')
			return (at);
		for (q = p + at - 4; q > p && *q >= '0' && *q <= '9'; q--)
			continue;
		if (*q != '{' || q == p + at - 4)
			return (at);
		n = strtoul(q + 1, NULL, 10);
		if (n > RESPONSE_MAX)
			errx(1, "literal of %zu", n);
		if (len - at < n)
			return (0);
		at += n;
	}
}

void
conn_read(struct conn *c)
{
	size_t n, used = 0;
	ssize_t got;
	char keep;

	c->in = grown(c->in, c->inlen + READ_SIZE + 1, 1, &c->inroom);
	got = recv(c->fd, c->in + c->inlen, READ_SIZE, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		if (c->state != S_LEAVING)
			wrong(c, "connection closed: %s",
			    got == 0 ? "EOF" : strerror(errno));
		if (c->state == S_LEAVING)
			conn_close(c);
		else
			conn_break(c);
		return;
	}
	c->inlen += (size_t)got;
	while (c->fd != -1 &&
	    (n = whole(c->in + used, c->inlen - used)) > 0) {
		keep = c->in[used + n];
		c->in[used + n] = '\0';
		reply(c, c->in + used, n);
		c->in[used + n] = keep;
		used += n;
	}
	if (c->fd == -1)
		return;
	c->inlen -= used;
	memmove(c->in, c->in + used, c->inlen);
}
