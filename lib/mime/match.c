/*
 * match: search in decoded text, as a stream.
 *
 * Pure.  Memory: a few chunks, whatever the message's size; time: linear.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf/utf8.h"
#include "mime/casemap.h"
#include "mime/codec.h"
#include "mime/header.h"
#include "mime/match.h"
#include "mime/param.h"
#include "mime/word.h"
#include "os/compat.h"

#define CHUNK		16384
#define FIELD_MAX	(1024 * 1024)	/* searched of one field */
#define PLAIN_MAX	((MIME_CHARSET_GROWS + 1) * CHUNK)
#define NEEDLE_MAPPED_MAX	(MIME_CASEMAP_GROWS * MIME_NEEDLE_MAX)
/* What a chunk can become, and what was kept before. */
#define WINDOW_MAX	(MIME_CASEMAP_GROWS * PLAIN_MAX + NEEDLE_MAPPED_MAX)

struct matcher {
	const struct mime_needle *needle;
	struct mime_codec codec;
	struct mime_decoder text;
	struct buf	 plain;			/* a chunk as UTF-8 */
	struct buf	 window;
};

int
mime_needle_init(struct mime_needle *n, const char *text, size_t len,
    enum mime_charset set)
{
	struct buf b, mapped;

	n->text = NULL;
	n->len = 0;
	if (len > MIME_NEEDLE_MAX / 3) {
		errno = EMSGSIZE;
		return (-1);
	}
	buf_init(&b, MIME_NEEDLE_MAX);
	buf_init(&mapped, NEEDLE_MAPPED_MAX);
	if (mime_charset_to_utf8(set, text, len, &b) == 0 &&
	    mime_casemap(buf_data(&b), buf_len(&b), &mapped) == 0) {
		n->len = buf_len(&mapped);
		if ((n->text = malloc(n->len + 1)) != NULL && n->len > 0)
			memcpy(n->text, buf_data(&mapped), n->len);
	}
	buf_free(&b);
	buf_free(&mapped);
	return (n->text != NULL ? 0 : -1);
}

void
mime_needle_free(struct mime_needle *n)
{
	free(n->text);
	n->text = NULL;
	n->len = 0;
}

static int
found(const struct mime_needle *n, const char *s, size_t len)
{
	return (n->len == 0 ||
	    (len >= n->len && memmem(s, len, n->text, n->len) != NULL));
}

int
mime_match_header(const struct mime_needle *n, const char *text, size_t len,
    const char *name, size_t namelen)
{
	struct mime_fields it;
	struct mime_field f;
	struct buf b, mapped;
	int ret = 0;

	mime_fields_init(&it, text, len);
	while (ret == 0 && mime_fields_next(&it, &f)) {
		if (name != NULL && (f.namelen != namelen ||
		    strncasecmp(f.name, name, namelen) != 0))
			continue;
		buf_init(&b, 4 * FIELD_MAX);
		if (f.valuelen > FIELD_MAX)
			f.valuelen = FIELD_MAX;
		/* Without a name the whole line counts (TEXT). */
		if (name == NULL && (f.namelen > FIELD_MAX / 2 ||
		    buf_add(&b, f.name, f.namelen) == -1 ||
		    buf_puts(&b, ": ") == -1))
			ret = -1;
		else if (mime_words_decode(f.value, f.valuelen, &b) == -1)
			ret = -1;
		else if (n->len == 0)
			ret = 1;
		else {
			buf_init(&mapped, MIME_CASEMAP_GROWS * 4 * FIELD_MAX);
			ret = mime_casemap(buf_data(&b), buf_len(&b),
			    &mapped) == -1 ? -1 :
			    found(n, buf_data(&mapped), buf_len(&mapped));
			buf_free(&mapped);
		}
		buf_free(&b);
	}
	return (ret);
}

/* Text of a set that is not ASCII: to UTF-8, and that into the window. */
static int
add_converted(struct matcher *m, const char *s, size_t len, int last)
{
	int ret;

	if (mime_decoder_feed(&m->text, s, len, last, &m->plain) == -1)
		return (-1);
	ret = mime_casemap(buf_data(&m->plain), buf_len(&m->plain),
	    &m->window);
	buf_drain(&m->plain, buf_len(&m->plain));
	return (ret);
}

/* Decoded bytes: to the form that is compared, and looked through. */
static int
match_decoded(struct matcher *m, const char *s, size_t len, int last)
{
	struct buf *w = &m->window;
	size_t keep;

	if ((mime_decoder_is_ascii(&m->text) &&
	    mime_ascii_length(s, len) == len ?
	    mime_casemap(s, len, w) : add_converted(m, s, len, last)) == -1)
		return (-1);
	if (found(m->needle, buf_data(w), buf_len(w)))
		return (1);
	keep = m->needle->len - 1;
	if (buf_len(w) > keep)
		buf_drain(w, buf_len(w) - keep);
	return (0);
}

static int
match_body(struct matcher *m, const char *s, size_t len)
{
	char out[CHUNK + MIME_CODEC_ROOM];
	size_t n, got;
	int ret = 0;

	while (ret == 0 && len > 0) {
		n = len < CHUNK ? len : CHUNK;
		got = mime_codec_feed(&m->codec, s, n, out);
		s += n;
		len -= n;
		if (got > 0 || len == 0)
			ret = match_decoded(m, out, got, len == 0);
	}
	return (ret);
}

/* 1 if it is text; sets how it is encoded. */
static int
text_part(struct matcher *m, const struct mime_tree *t,
    const struct mime_part *part)
{
	static const char *const names[] = {
		"Content-Type", "Content-Transfer-Encoding"
	};
	struct mime_field f[2];
	struct mime_value v;
	enum mime_charset set = CHARSET_UTF8;
	const char *charset;
	int text;

	mime_fields_collect(t->text + part->header, part->body - part->header,
	    names, 2, f);
	mime_decoder_init(&m->text, set);
	mime_codec_init(&m->codec, f[1].raw != NULL ?
	    mime_encoding(f[1].value, f[1].valuelen) : MIME_7BIT);
	if (f[0].raw == NULL ||
	    mime_type_parse(&v, f[0].value, f[0].valuelen) == -1)
		return (1);
	text = strcasecmp(v.word, "text") == 0 ||
	    strcasecmp(v.word, "message") == 0 ||
	    strcasecmp(v.word, "multipart") == 0;
	if ((charset = mime_value_param(&v, "charset")) != NULL)
		set = mime_charset(charset, strlen(charset));
	/* ASCII is found in most sets that we cannot read. */
	mime_decoder_init(&m->text, set != CHARSET_UNKNOWN ? set :
	    CHARSET_UTF8);
	mime_value_free(&v);
	return (text);
}

static int
match_part(const struct mime_needle *n, const struct mime_tree *t,
    const struct mime_part *part)
{
	struct matcher m;
	int ret;

	if (part->kind != MIME_LEAF)
		return (0);
	memset(&m, 0, sizeof(m));
	m.needle = n;
	if (!text_part(&m, t, part))
		return (0);
	buf_init(&m.plain, PLAIN_MAX);
	buf_init(&m.window, WINDOW_MAX);
	ret = match_body(&m, t->text + part->body, part->end - part->body);
	buf_free(&m.plain);
	buf_free(&m.window);
	return (ret);
}

int
mime_match_text(const struct mime_needle *n, const struct mime_tree *t,
    int headers)
{
	const struct mime_part *part;
	uint32_t i;
	int ret = n->len == 0;

	for (i = 0; i < t->n && ret == 0; i++) {
		part = &t->part[i];
		if (headers || i > 0)
			ret = mime_match_header(n, t->text + part->header,
			    part->body - part->header, NULL, 0);
		if (ret == 0)
			ret = match_part(n, t, part);
	}
	return (ret);
}
