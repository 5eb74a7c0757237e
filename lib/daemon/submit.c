/*
 * submit: see submit.h.  A message costs three round trips: EHLO, the
 * envelope with DATA in one piece, the text.
 *
 * Recipients go in groups, whose replies fit into the socket's buffer, so that
 * never both ends wait for the other to read.
 */
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "buf/buf.h"
#include "daemon/submit.h"
#include "os/compat.h"

#define TIMEOUT		300		/* seconds for one reply or write */
#define GROUP		50		/* recipients at a time */
#define CONNECT_TRIES	50		/* its queue of connections is full */
#define CONNECT_WAIT	100		/* ms between them */
#define LINE_MAX_BYTES	1024
#define CHUNK		65536
#define PUMP_BYTES	16384

struct dialogue {
	int	 fd;
	FILE	*trace;
	char	 in[4096];
	size_t	 off, len;
	char	*reply;			/* the last one, its first line */
	int	 code;
	int	 dsn, eightbit, utf8;	/* EHLO has them */
	size_t	 most;			/* recipients of a message */
};

void
submit_mail_free(struct submit_mail *m)
{
	size_t	i;

	for (i = 0; i < m->nrcpts; i++)
		free(m->rcpts[i].address);
	free(m->rcpts);
	free(m->sender);
	free(m->notify);
	free(m->ret);
	free(m->envid);
	memset(m, 0, sizeof(*m));
}

int
submit_add_rcpt(struct submit_mail *m, const char *address)
{
	struct submit_rcpt	*v;

	if (m->nrcpts == SUBMIT_RCPTS_MAX) {
		errno = E2BIG;
		return (-1);
	}
	v = reallocarray(m->rcpts, m->nrcpts + 1, sizeof(*v));
	if (v == NULL)
		return (-1);
	m->rcpts = v;
	memset(&v[m->nrcpts], 0, sizeof(*v));
	if ((v[m->nrcpts].address = strdup(address)) == NULL)
		return (-1);
	m->nrcpts++;
	return (0);
}

int
submit_connect(const char *path)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	struct timeval		tv = { .tv_sec = TIMEOUT };
	int			fd, i;

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0)) == -1)
		return (-1);
	for (i = 0; connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1;
	    i++) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || i == CONNECT_TRIES) {
			close(fd);
			return (-1);
		}
		(void)poll(NULL, 0, CONNECT_WAIT);
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == -1 ||
	    fcntl(fd, F_SETFL, 0) == -1) {
		close(fd);
		return (-1);
	}
	return (fd);
}

/* Without a signal if the other end has gone. */
static int
write_all(int fd, const char *p, size_t n)
{
	ssize_t	w;

	while (n > 0) {
		if ((w = send(fd, p, n, MSG_NOSIGNAL)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		p += w;
		n -= (size_t)w;
	}
	return (0);
}

/* One line without its end; -1 when nothing comes any more. */
static int
read_line(struct dialogue *d, char *line, size_t size)
{
	size_t	n = 0;
	ssize_t	r;
	char	c;

	for (;;) {
		if (d->off == d->len) {
			if ((r = recv(d->fd, d->in, sizeof(d->in), 0)) == -1 &&
			    errno == EINTR)
				continue;
			if (r <= 0)
				return (-1);
			d->off = 0;
			d->len = (size_t)r;
		}
		c = d->in[d->off++];
		if (c == '\n')
			break;
		if (n + 1 < size && c != '\r')
			line[n++] = c;
	}
	line[n] = '\0';
	return (0);
}

static void
note_extension(struct dialogue *d, const char *word)
{
	d->dsn |= strcasecmp(word, "DSN") == 0;
	d->eightbit |= strcasecmp(word, "8BITMIME") == 0;
	d->utf8 |= strcasecmp(word, "SMTPUTF8") == 0;
	/* RFC 9422 */
	if (strncasecmp(word, "LIMITS ", 7) == 0 &&
	    (word = strcasestr(word, " RCPTMAX=")) != NULL)
		d->most = strtoul(word + 9, NULL, 10);
}

/* Of a line that begins with three digits. */
static int
code_of(const char *line)
{
	return (100 * (line[0] - '0') + 10 * (line[1] - '0') + line[2] - '0');
}

/* A whole reply: its code, 0 if there is none. */
static int
read_reply(struct dialogue *d)
{
	char	line[LINE_MAX_BYTES];
	int	first = 1;

	d->code = 0;
	do {
		if (read_line(d, line, sizeof(line)) == -1 ||
		    strspn(line, "0123456789") < 3) {
			strlcpy(d->reply, "451 4.3.2 smtpd hung up",
			    SUBMIT_REPLY);
			return (0);
		}
		if (d->trace != NULL)
			fprintf(d->trace, "<<< %s\n", line);
		if (first)
			strlcpy(d->reply, line, SUBMIT_REPLY);
		else if (line[3] != '\0')
			note_extension(d, line + 4);
		first = 0;
	} while (line[3] == '-');
	d->code = code_of(line);
	return (d->code);
}

static int
command(struct dialogue *d, struct buf *b)
{
	const char	*p = buf_data(b), *end = p + buf_len(b), *nl;
	int		 rv;

	for (; d->trace != NULL && p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			break;
		fprintf(d->trace, ">>> %.*s\n", (int)(nl - p - 1), p);
	}
	rv = write_all(d->fd, buf_data(b), buf_len(b));
	buf_free(b);
	return (rv);
}

static enum submit_result
verdict(int code)
{
	return (code >= 500 ? SUBMIT_REFUSED : SUBMIT_LATER);
}

static int
has_eightbit(const char *p, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if ((unsigned char)p[i] & 0x80)
			return (1);
	return (0);
}

static int
add_mail(struct dialogue *d, const struct submit_mail *m, struct buf *b)
{
	int	eight = has_eightbit(m->header, m->headerlen) ||
		    has_eightbit(m->text, m->len), utf8;
	size_t	i;

	utf8 = has_eightbit(m->sender, strlen(m->sender));
	for (i = 0; i < m->nrcpts; i++)
		utf8 |= has_eightbit(m->rcpts[i].address,
		    strlen(m->rcpts[i].address));
	if (buf_printf(b, "MAIL FROM:<%s> SIZE=%zu", m->sender,
	    m->headerlen + m->len) == -1 ||
	    (eight && d->eightbit && buf_puts(b, " BODY=8BITMIME") == -1) ||
	    (utf8 && d->utf8 && buf_puts(b, " SMTPUTF8") == -1) ||
	    (d->dsn && m->ret != NULL && buf_printf(b, " RET=%s", m->ret) ==
	    -1) || (d->dsn && m->envid != NULL && buf_printf(b, " ENVID=%s",
	    m->envid) == -1))
		return (-1);
	return (buf_puts(b, "\r\n"));
}

/* How many were accepted; -1 if the connection broke. */
static int
send_rcpts(struct dialogue *d, struct submit_mail *m, size_t from, size_t n)
{
	struct buf	b;
	size_t		i;
	int		ok = 0;

	buf_init(&b, n * (LINE_MAX_BYTES + 64));
	for (i = from; i < from + n; i++)
		if (buf_printf(&b, "RCPT TO:<%s>", m->rcpts[i].address) == -1 ||
		    (d->dsn && m->notify != NULL && buf_printf(&b,
		    " NOTIFY=%s", m->notify) == -1) ||
		    buf_puts(&b, "\r\n") == -1) {
			buf_free(&b);
			return (-1);
		}
	if (command(d, &b) == -1)
		return (-1);
	for (i = from; i < from + n; i++) {
		if (read_reply(d) == 0)
			return (-1);
		if ((m->rcpts[i].accepted = d->code / 100 == 2) != 0)
			ok++;
		else
			strlcpy(m->rcpts[i].reply, d->reply,
			    sizeof(m->rcpts[i].reply));
	}
	return (ok);
}

/* Stuffed dots, CRLF, and the dot that ends it; in pieces. */
static int
send_text(struct dialogue *d, const char *p, size_t len)
{
	struct buf	 b;
	const char	*end = p + len, *nl;
	size_t		 n, keep;
	int		 rv = 0;

	buf_init(&b, len + len / 2 + 2 * CHUNK);
	while (p < end && rv == 0) {
		nl = memchr(p, '\n', (size_t)(end - p));
		keep = n = nl == NULL ? (size_t)(end - p) : (size_t)(nl - p) +
		    1;
		if (p[keep - 1] == '\n') {
			keep--;
			if (keep > 0 && p[keep - 1] == '\r')
				keep--;
		}
		if ((*p == '.' && buf_puts(&b, ".") == -1) ||
		    buf_add(&b, p, keep) == -1 || buf_puts(&b, "\r\n") == -1)
			rv = -1;
		else if (buf_len(&b) >= CHUNK) {
			rv = write_all(d->fd, buf_data(&b), buf_len(&b));
			buf_drain(&b, buf_len(&b));
		}
		p += n;
	}
	if (rv == 0 && buf_len(&b) > 0)
		rv = write_all(d->fd, buf_data(&b), buf_len(&b));
	buf_free(&b);
	return (rv);
}

static int
ask(struct dialogue *d, const char *line)
{
	struct buf	b;

	buf_init(&b, LINE_MAX_BYTES);
	if (buf_printf(&b, "%s\r\n", line) == -1 || command(d, &b) == -1) {
		strlcpy(d->reply, "451 4.3.2 smtpd hung up", SUBMIT_REPLY);
		return (0);
	}
	return (read_reply(d));
}

/* Recipients; how many were accepted in *taken. */
static enum submit_result
offer(struct dialogue *d, struct submit_mail *m, size_t from, size_t to,
    size_t *taken)
{
	enum submit_result	worst = SUBMIT_DONE, r;
	size_t			i, n;
	int			ok;

	*taken = 0;
	for (i = from; i < to; i += n) {
		n = to - i < GROUP ? to - i : GROUP;
		if ((ok = send_rcpts(d, m, i, n)) == -1)
			return (SUBMIT_LATER);
		*taken += (size_t)ok;
	}
	for (i = from; i < to; i++) {
		if (m->rcpts[i].reply[0] == '\0')
			continue;
		r = verdict(code_of(m->rcpts[i].reply));
		if (worst == SUBMIT_DONE || r == SUBMIT_LATER) {
			worst = r;
			strlcpy(d->reply, m->rcpts[i].reply, SUBMIT_REPLY);
		}
	}
	return (worst);
}

/* MAIL. */
static enum submit_result
begin(struct dialogue *d, const struct submit_mail *m)
{
	struct buf	b;

	buf_init(&b, 4 * LINE_MAX_BYTES);
	if (add_mail(d, m, &b) == -1) {
		buf_free(&b);
		strlcpy(d->reply, "501 5.1.7 the sender is too long",
		    SUBMIT_REPLY);
		return (SUBMIT_REFUSED);
	}
	if (command(d, &b) == -1 || read_reply(d) != 250)
		return (verdict(d->code));
	return (SUBMIT_DONE);
}

/* The message for some of its recipients. */
static enum submit_result
transaction(struct dialogue *d, struct submit_mail *m, size_t from, size_t to,
    int partial)
{
	enum submit_result	worst;
	size_t			taken;

	if ((worst = begin(d, m)) != SUBMIT_DONE)
		return (worst);
	worst = offer(d, m, from, to, &taken);
	if (worst == SUBMIT_LATER || (worst == SUBMIT_REFUSED &&
	    (!partial || taken == 0)))
		return (worst);
	if (ask(d, "DATA") != 354)
		return (verdict(d->code));
	if (send_text(d, m->header, m->headerlen) == -1 ||
	    send_text(d, m->text, m->len) == -1 || ask(d, ".") != 250)
		return (verdict(d->code));
	return (SUBMIT_DONE);
}

/* The part as a whole was: each of them is to be told of. */
static void
mark_refused(struct submit_mail *m, size_t from, size_t to, const char *reply)
{
	for (; from < to; from++)
		if (m->rcpts[from].reply[0] == '\0')
			strlcpy(m->rcpts[from].reply, reply, SUBMIT_REPLY);
}

/* Of the first n; those that were refused are still to be told of. */
static void
forget_taken(struct submit_mail *m, size_t n)
{
	size_t	i, left = 0;

	for (i = 0; i < m->nrcpts; i++)
		if (i < n && m->rcpts[i].reply[0] == '\0')
			free(m->rcpts[i].address);
		else
			m->rcpts[left++] = m->rcpts[i];
	m->nrcpts = left;
}

/* As many recipients as one transaction takes. */
static size_t
part(const struct dialogue *d, const struct submit_mail *m, size_t from)
{
	size_t	n = m->nrcpts - from;

	return (d->most > 0 && n > d->most ? d->most : n);
}

static int
hello(struct dialogue *d)
{
	return (read_reply(d) == 220 && ask(d, "EHLO localhost") == 250);
}

/* One transaction, or as many as the number of recipients needs. */
static enum submit_result
dialogue(struct dialogue *d, struct submit_mail *m, int partial)
{
	enum submit_result	r = SUBMIT_DONE;
	size_t			i, n;

	if (!hello(d))
		return (verdict(d->code));
	for (i = 0; i < m->nrcpts; i += n) {
		n = part(d, m, i);
		r = transaction(d, m, i, i + n, partial);
		if (r == SUBMIT_REFUSED && partial)
			mark_refused(m, i, i + n, d->reply);
		if (r == SUBMIT_REFUSED && partial && i + n < m->nrcpts &&
		    ask(d, "RSET") == 250)
			r = SUBMIT_DONE;
		if (r != SUBMIT_DONE)
			break;
	}
	if (r == SUBMIT_LATER)
		forget_taken(m, i);
	return (r);
}

static enum submit_result
ask_all(struct dialogue *d, struct submit_mail *m)
{
	enum submit_result	worst = SUBMIT_DONE, r;
	char			text[SUBMIT_REPLY] = "";
	size_t			i, n, taken;

	if (!hello(d))
		return (verdict(d->code));
	for (i = 0; i < m->nrcpts; i += n) {
		n = part(d, m, i);
		if ((r = begin(d, m)) != SUBMIT_DONE)
			return (r);
		r = offer(d, m, i, i + n, &taken);
		if (worst == SUBMIT_DONE || r == SUBMIT_LATER) {
			worst = r;
			strlcpy(text, d->reply, sizeof(text));
		}
		if (ask(d, "RSET") != 250)
			return (SUBMIT_LATER);
	}
	strlcpy(d->reply, text, SUBMIT_REPLY);
	return (worst);
}

static void
forget_replies(struct submit_mail *m, char reply[SUBMIT_REPLY])
{
	size_t	i;

	reply[0] = '\0';
	for (i = 0; i < m->nrcpts; i++) {
		m->rcpts[i].reply[0] = '\0';
		m->rcpts[i].accepted = 0;
	}
}

/* It is over either way. */
static void
quit(int fd)
{
	(void)write_all(fd, "QUIT\r\n", 6);
	close(fd);
}

enum submit_result
submit_send(int fd, struct submit_mail *m, int partial, FILE *trace,
    char reply[SUBMIT_REPLY])
{
	struct dialogue		d = { .fd = fd, .trace = trace,
				    .reply = reply };
	enum submit_result	r;

	forget_replies(m, reply);
	r = dialogue(&d, m, partial);
	quit(fd);
	return (r);
}

enum submit_result
submit_ask(int fd, struct submit_mail *m, FILE *trace,
    char reply[SUBMIT_REPLY])
{
	struct dialogue		d = { .fd = fd, .trace = trace,
				    .reply = reply };
	enum submit_result	r;

	forget_replies(m, reply);
	r = ask_all(&d, m);
	quit(fd);
	return (r);
}

/* From one descriptor to the other; 0 at the end, -1 error. */
static int
pump_some(int from, int to)
{
	char	buf[PUMP_BYTES];
	char	*p = buf;
	ssize_t	n, w;

	do {
		n = read(from, buf, sizeof(buf));
	} while (n == -1 && errno == EINTR);
	if (n <= 0)
		return ((int)n);
	while (n > 0) {
		if ((w = write(to, p, (size_t)n)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		p += w;
		n -= w;
	}
	return (1);
}

int
submit_pump(int fd)
{
	struct pollfd	p[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
			    { .fd = fd, .events = POLLIN } };
	int		n;

	for (;;) {
		if (poll(p, 2, -1) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		if (p[1].revents != 0 && (n = pump_some(fd, STDOUT_FILENO)) <=
		    0)
			return (n);
		if (p[0].revents == 0)
			continue;
		if ((n = pump_some(STDIN_FILENO, fd)) == -1)
			return (-1);
		if (n == 0) {
			p[0].fd = -1;
			if (shutdown(fd, SHUT_WR) == -1)
				return (-1);
		}
	}
}
