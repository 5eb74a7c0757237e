/*
 * rewrite: see rewrite.h.  Pure.
 *
 * Cost: a copy of the header, line by line; the body is handed on as it comes.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "mime/rewrite.h"

#define NAME_LOOK	32	/* a field's name is known by then */

static const char *const fields[] = { "From", "Sender", "Reply-To", "To",
	"Cc", "Bcc" };

/* Does a line begin one of the fields? */
static int
is_address_field(const char *p, size_t n)
{
	const char	*colon;
	size_t		 i, len;

	if (n > NAME_LOOK)
		n = NAME_LOOK;
	if ((colon = memchr(p, ':', n)) == NULL)
		return (0);
	for (len = colon - p; len > 0 && (p[len - 1] == ' ' ||
	    p[len - 1] == '\t'); len--)
		continue;
	if (len > 7 && strncasecmp(p, "Resent-", 7) == 0) {
		p += 7;
		len -= 7;
	}
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strlen(fields[i]) == len &&
		    strncasecmp(p, fields[i], len) == 0)
			return (1);
	return (0);
}

static int
is_white(char c)
{
	return (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

/* Behind a quoted string or a comment that begins at p. */
static const char *
skip_quoted(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return (p < end ? p + 1 : end);
}

static const char *
skip_comment(const char *p, const char *end)
{
	unsigned int	depth = 0;

	for (; p < end; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		else if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			return (p + 1);
	}
	return (end);
}

/* Past what hides a separator, or one byte. */
static const char *
skip_one(const char *p, const char *end)
{
	if (*p == '"')
		return (skip_quoted(p, end));
	if (*p == '(')
		return (skip_comment(p, end));
	return (p + 1);
}

/* One word: characters of an atom and dots, or a quoted string. */
static int
is_local(const char *p, const char *end)
{
	if (p == end || (end - p > 2 && p[0] == '=' && p[1] == '?'))
		return (0);
	if (*p == '"')
		return (skip_quoted(p, end) == end && end - p > 2 &&
		    end[-1] == '"');
	for (; p < end; p++)
		if (is_white(*p) || strchr("()<>[]:;@\\,\"", *p) != NULL)
			return (0);
	return (1);
}

/* "user@host" without white space around it. */
static int
address(const struct rewrite *r, const char *p, const char *end,
    struct buf *out)
{
	const char	*at, *dom, *to = NULL;

	for (at = p; at < end && *at != '@'; at = skip_one(at, end))
		continue;
	if (at == end) {
		if (buf_add(out, p, end - p) == -1)
			return (-1);
		if (r->origin == NULL || !is_local(p, end))
			return (0);
		return (buf_puts(out, "@") == -1 ||
		    buf_puts(out, r->origin) == -1 ? -1 : 0);
	}
	/* "@route:user@host" and "a@b@c" are left alone. */
	for (dom = at + 1; dom < end && (isalnum((unsigned char)*dom) ||
	    strchr("-._", *dom) != NULL || (unsigned char)*dom > 0x7f); dom++)
		continue;
	if (at != p && dom == end && r->domain != NULL)
		to = r->domain(r->arg, at + 1, dom - at - 1);
	if (to == NULL)
		return (buf_add(out, p, end - p));
	return (buf_add(out, p, at + 1 - p) == -1 || buf_puts(out, to) == -1 ?
	    -1 : 0);
}

/* An address among white space and comments, which stay. */
static int
trimmed(const struct rewrite *r, const char *p, const char *end,
    struct buf *out)
{
	const char	*a = p, *b, *q;

	while (a < end && (is_white(*a) || *a == '('))
		a = *a == '(' ? skip_comment(a, end) : a + 1;
	/* the end of the last thing that is neither */
	for (b = q = a; q < end;) {
		if (is_white(*q))
			q++;
		else if (*q == '(')
			q = skip_comment(q, end);
		else
			b = q = skip_one(q, end);
	}
	if (buf_add(out, p, a - p) == -1 ||
	    (b > a && address(r, a, b, out) == -1))
		return (-1);
	return (buf_add(out, b, end - b));
}

/* What stands between two commas: "a@b", "Name <a@b>". */
static int
element(const struct rewrite *r, const char *p, const char *end,
    struct buf *out)
{
	const char	*open, *close;

	for (open = p; open < end && *open != '<'; open = skip_one(open, end))
		continue;
	if (open == end)
		return (trimmed(r, p, end, out));
	for (close = open + 1; close < end && *close != '>';
	    close = skip_one(close, end))
		continue;
	if (buf_add(out, p, open + 1 - p) == -1 ||
	    trimmed(r, open + 1, close, out) == -1)
		return (-1);
	return (buf_add(out, close, end - close));
}

int
rewrite_field(const struct rewrite *r, const char *p, size_t n,
    struct buf *out)
{
	const char	*end = p + n, *start = p;
	int		 angle = 0;

	while (p < end) {
		if (*p == '<')
			angle = 1;
		else if (*p == '>')
			angle = 0;
		/* ':' inside of <> belongs to a route or a literal */
		if (angle || strchr(",;:", *p) == NULL || *p == '\0') {
			p = *p == '[' ? p + 1 : skip_one(p, end);
			continue;
		}
		/* the name of a group is no address */
		if (*p == ':' ? buf_add(out, start, p - start) == -1 :
		    element(r, start, p, out) == -1)
			return (-1);
		if (buf_add(out, p, 1) == -1)
			return (-1);
		start = ++p;
	}
	return (element(r, start, end, out));
}

void
rewrite_init(struct rewrite *r)
{
	r->done = r->holding = 0;
	r->bol = 1;
	buf_init(&r->line, NAME_LOOK + 2);
	buf_init(&r->field, REWRITE_FIELD);
}

void
rewrite_free(struct rewrite *r)
{
	buf_wipe(&r->line);
	buf_wipe(&r->field);
}

/* A field is whole: name and colon stay, the rest is looked at. */
static int
flush_field(struct rewrite *r)
{
	struct buf	 out;
	const char	*p = buf_data(&r->field), *colon;
	size_t		 n = buf_len(&r->field), head;
	int		 ret;

	r->holding = 0;
	if (n == 0 || (colon = memchr(p, ':', n)) == NULL)
		return (0);
	head = colon + 1 - p;
	buf_init(&out, 2 * REWRITE_FIELD);
	if (rewrite_field(r, p + head, n - head, &out) == -1)
		ret = r->put(r->put_arg, p, n);
	else if ((ret = r->put(r->put_arg, p, head)) != -1 &&
	    buf_len(&out) > 0)
		ret = r->put(r->put_arg, buf_data(&out), buf_len(&out));
	buf_wipe(&out);
	buf_wipe(&r->field);
	return (ret);
}

/* Bytes of the field at hand; one that is too long is let go as it is. */
static int
pass(struct rewrite *r, const char *p, size_t n)
{
	if (n == 0)
		return (0);
	if (!r->holding)
		return (r->put(r->put_arg, p, n));
	if (buf_add(&r->field, p, n) == 0)
		return (0);
	r->holding = 0;
	if (buf_len(&r->field) > 0 && r->put(r->put_arg,
	    buf_data(&r->field), buf_len(&r->field)) == -1)
		return (-1);
	buf_wipe(&r->field);
	return (r->put(r->put_arg, p, n));
}

/* The start of a line is known: what is it? */
static int
begin_line(struct rewrite *r)
{
	const char	*p = buf_data(&r->line);
	size_t		 n = buf_len(&r->line);
	int		 ret = 0;

	if (n > 0 && *p != ' ' && *p != '\t') {
		if (r->holding)
			ret = flush_field(r);
		r->holding = is_address_field(p, n);
		if (*p == '\r' || *p == '\n') {
			r->done = 1;
			r->holding = 0;
		}
	}
	if (ret != -1)
		ret = pass(r, p, n);
	buf_wipe(&r->line);
	return (ret);
}

int
rewrite_feed(struct rewrite *r, const char *p, size_t n)
{
	const char	*end = p + n, *nl;
	size_t		 take;

	while (p < end && !r->done) {
		if (!r->bol) {
			nl = memchr(p, '\n', end - p);
			take = nl != NULL ? (size_t)(nl + 1 - p) :
			    (size_t)(end - p);
			if (pass(r, p, take) == -1)
				return (-1);
			r->bol = nl != NULL;
			p += take;
			continue;
		}
		/* byte by byte until the line says what it is */
		if (buf_add(&r->line, p, 1) == -1)
			return (-1);
		if (*p == '\n' || *p == ':' || *p == ' ' || *p == '\t' ||
		    buf_len(&r->line) > NAME_LOOK) {
			/* "Name :" has its colon behind the space */
			if ((*p == ' ' || *p == '\t') &&
			    buf_len(&r->line) > 1 &&
			    buf_len(&r->line) <= NAME_LOOK) {
				p++;
				continue;
			}
			r->bol = *p == '\n';
			if (begin_line(r) == -1)
				return (-1);
		}
		p++;
	}
	if (p < end)
		return (r->put(r->put_arg, p, end - p));
	return (0);
}

int
rewrite_end(struct rewrite *r)
{
	if (r->done)
		return (0);
	if (buf_len(&r->line) > 0 && begin_line(r) == -1)
		return (-1);
	return (r->holding ? flush_field(r) : 0);
}
