/*
 * text: one message on its way to a client.
 *
 * Cost: a pread of TEXT_PIECE octets, and one pass from there to the reply; a
 * message that is smaller takes one, unless its header has to be made ASCII.
 * Nothing is kept between steps but where we are.
 */
#include "os/compat.h"
#include <errno.h>
#include <unistd.h>

#include "buf/buf.h"
#include "text.h"

/* What a header can become of a piece must fit where a piece does. */
#define ASCII_PIECE	((TEXT_PIECE - POP3_ASCII_END) / POP3_ASCII_GROWS)

static ssize_t	next_piece(struct text *, const char **, int *);

/* One thread, one step at a time: all messages share them. */
static char	raw[TEXT_PIECE];
static char	plain[TEXT_PIECE];

void
text_begin(struct text *t, int fd, int to_ascii)
{
	struct text fresh = { .fd = fd, .to_ascii = to_ascii };

	*t = fresh;
	pop3_ascii_init(&t->ascii);
	pop3_stuff_init(&t->stuff);
}

void
text_limit(struct text *t, uint32_t lines)
{
	pop3_stuff_top(&t->stuff, lines);
}

void
text_end(struct text *t)
{
	if (t->fd != -1)
		close(t->fd);
	t->fd = -1;
}

int
text_step(struct text *t, struct buf *to)
{
	const char *p;
	char *out;
	ssize_t n;
	size_t len, dots;
	int last;

	if ((n = next_piece(t, &p, &last)) == -1)
		return (-1);
	out = buf_reserve(to, 2 * (size_t)n + POP3_STUFF_END);
	if (out == NULL)
		return (-1);
	dots = t->stuff.dots;
	len = pop3_stuff(&t->stuff, p, (size_t)n, out);
	t->octets += len - (t->stuff.dots - dots);
	if (t->stuff.full)
		last = 1;
	if (last) {
		t->unended = t->stuff.last != '\n';
		t->octets += t->unended ? 2 : 0;
		len += pop3_stuff_end(&t->stuff, out + len);
		text_end(t);
	}
	buf_commit(to, len);
	return (!last);
}

/* Behind the header nothing is changed, and nothing is read. */
int64_t
text_growth(int fd)
{
	struct text t;
	const char *p;
	int64_t growth = 0;
	off_t begin;
	ssize_t n;
	int last = 0;

	text_begin(&t, fd, 1);
	while (!last && !t.ascii.over) {
		begin = t.off;
		if ((n = next_piece(&t, &p, &last)) == -1)
			break;
		growth += n - (t.off - begin);
	}
	text_end(&t);
	return (last || t.ascii.over ? growth : -1);
}

/* At most TEXT_PIECE octets; a file that gives fewer than asked has ended. */
static ssize_t
next_piece(struct text *t, const char **p, int *last)
{
	int header = t->to_ascii && !t->ascii.over;
	size_t want = header && t->off > 0 ? ASCII_PIECE : sizeof(raw), len;
	ssize_t n;

	do {
		n = pread(t->fd, raw, want, t->off);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return (-1);
	*last = (size_t)n < want;
	*p = raw;
	if (header && t->off == 0 && pop3_ascii_already(raw, (size_t)n)) {
		t->ascii.over = 1;
		header = 0;
	}
	if (header && (size_t)n > ASCII_PIECE) {
		n = ASCII_PIECE;	/* the rest is read again */
		*last = 0;
	}
	t->off += n;
	if (!header)
		return (n);
	len = pop3_ascii(&t->ascii, raw, (size_t)n, plain);
	if (*last)
		len += pop3_ascii_end(&t->ascii, plain + len);
	*p = plain;
	return ((ssize_t)len);
}
