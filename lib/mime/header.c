/*
 * header: iterate over header fields.  Pure; each byte of the header is
 * looked at a constant number of times, nothing is copied.
 */
#include <string.h>
#include <strings.h>

#include "mime/header.h"

/* Behind the line that begins at p. */
static const char *
line_end(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', end - p);

	return (nl != NULL ? nl + 1 : end);
}

static int
is_empty_line(const char *p, const char *end)
{
	return (*p == '\n' || (*p == '\r' && end - p > 1 && p[1] == '\n'));
}

size_t
mime_header_length(const char *text, size_t len)
{
	const char *p, *end = text + len;

	for (p = text; p < end; p = line_end(p, end)) {
		if (is_empty_line(p, end))
			return (line_end(p, end) - text);
	}
	return (len);
}

void
mime_fields_init(struct mime_fields *it, const char *text, size_t len)
{
	it->p = text;
	it->end = text + len;
}

/* A line and those that continue it. */
static const char *
field_end(const char *p, const char *end)
{
	p = line_end(p, end);
	while (p < end && (*p == ' ' || *p == '\t'))
		p = line_end(p, end);
	return (p);
}

static int
split_field(struct mime_field *f)
{
	const char *end = f->raw + f->rawlen, *colon;
	size_t n;

	for (n = 0; n < f->rawlen; n++)
		if (f->raw[n] == ':' || f->raw[n] == '\n')
			break;
	if (n == 0 || n == f->rawlen || f->raw[n] != ':')
		return (0);
	colon = f->raw + n;
	/* RFC 5322 4.5: blanks may stand before the colon. */
	while (n > 0 && (f->raw[n - 1] == ' ' || f->raw[n - 1] == '\t'))
		n--;
	if (n == 0 || memchr(f->raw, ' ', n) != NULL)
		return (0);
	f->name = f->raw;
	f->namelen = n;
	if (end > colon + 1 && end[-1] == '\n')
		end--;
	if (end > colon + 1 && end[-1] == '\r')
		end--;
	f->value = colon + 1;
	f->valuelen = end - f->value;
	return (1);
}

int
mime_fields_next(struct mime_fields *it, struct mime_field *f)
{
	while (it->p < it->end && !is_empty_line(it->p, it->end)) {
		f->raw = it->p;
		it->p = field_end(it->p, it->end);
		f->rawlen = it->p - f->raw;
		if (split_field(f))
			return (1);
	}
	return (0);
}

int
mime_field_is(const struct mime_field *f, const char *name)
{
	return (strlen(name) == f->namelen &&
	    strncasecmp(f->name, name, f->namelen) == 0);
}

int
mime_field_find(const char *text, size_t len, const char *name,
    struct mime_field *f)
{
	struct mime_fields it;

	mime_fields_init(&it, text, len);
	while (mime_fields_next(&it, f)) {
		if (mime_field_is(f, name))
			return (1);
	}
	return (0);
}

void
mime_fields_collect(const char *text, size_t len, const char *const *names,
    size_t n, struct mime_field *out)
{
	struct mime_fields it;
	struct mime_field f;
	size_t i;

	memset(out, 0, n * sizeof(*out));
	mime_fields_init(&it, text, len);
	while (mime_fields_next(&it, &f)) {
		for (i = 0; i < n; i++)
			/* Most differ in the first letter. */
			if (((f.name[0] ^ names[i][0]) & 0x5f) == 0 &&
			    out[i].raw == NULL && mime_field_is(&f, names[i]))
				out[i] = f;
	}
}

size_t
mime_unfold(const char *in, size_t len, char *out, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < len && n < size; i++) {
		if (in[i] == '\r' || in[i] == '\n' || in[i] == '\0')
			continue;
		if (n == 0 && (in[i] == ' ' || in[i] == '\t'))
			continue;
		out[n++] = in[i];
	}
	while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\t'))
		n--;
	return (n);
}
