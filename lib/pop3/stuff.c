/*
 * pop3/stuff: a message as a multi-line reply.
 *
 * Hot path of RETR: memchr() and memcpy() a line.
 */
#include "os/compat.h"
#include "pop3/stuff.h"

static size_t	lines(struct pop3_stuff *, const char *, size_t, char *);
static void	end_line(struct pop3_stuff *);

void
pop3_stuff_init(struct pop3_stuff *s)
{
	struct pop3_stuff fresh = { .last = '\n', .line_empty = 1 };

	*s = fresh;
}

void
pop3_stuff_top(struct pop3_stuff *s, uint32_t lines)
{
	pop3_stuff_init(s);
	s->limited = 1;
	s->lines = lines;
}

size_t
pop3_stuff(struct pop3_stuff *s, const char *in, size_t n, char *out)
{
	size_t i, o = 0;
	char c;

	if (!s->limited)
		return (lines(s, in, n, out));
	for (i = 0; i < n && !s->full; i++) {
		c = in[i];
		if (c == '\n') {
			if (s->last != '\r')
				out[o++] = '\r';
			out[o++] = '\n';
			s->last = '\n';
			end_line(s);
			continue;
		}
		if (c == '.' && s->last == '\n') {
			out[o++] = '.';
			s->dots++;
		}
		if (c != '\r')
			s->line_empty = 0;
		out[o++] = c;
		s->last = (unsigned char)c;
	}
	return (o);
}

/* Without a limit nobody asks where lines are. */
static size_t
lines(struct pop3_stuff *s, const char *in, size_t n, char *out)
{
	const char *p = in, *end = in + n, *nl;
	char *o = out;
	size_t len;

	while (p < end) {
		if (*p == '.' && s->last == '\n') {
			*o++ = '.';
			s->dots++;
		}
		nl = memchr(p, '\n', (size_t)(end - p));
		len = (size_t)((nl != NULL ? nl : end) - p);
		memcpy(o, p, len);
		o += len;
		if (len > 0)
			s->last = (unsigned char)p[len - 1];
		if (nl == NULL)
			break;
		if (s->last != '\r')
			*o++ = '\r';
		*o++ = '\n';
		s->last = '\n';
		p = nl + 1;
	}
	return ((size_t)(o - out));
}

size_t
pop3_stuff_end(struct pop3_stuff *s, char *out)
{
	size_t o = 0;

	if (s->last != '\n') {
		out[o++] = '\r';
		out[o++] = '\n';
	}
	out[o++] = '.';
	out[o++] = '\r';
	out[o++] = '\n';
	return (o);
}

/* The header ends at the first empty line, which belongs to TOP's reply. */
static void
end_line(struct pop3_stuff *s)
{
	int empty = s->line_empty;

	s->line_empty = 1;
	if (!s->limited)
		return;
	if (s->in_body)
		s->lines--;
	else if (empty)
		s->in_body = 1;
	if (s->in_body && s->lines == 0)
		s->full = 1;
}
