/*
 * preview: the beginning of what a message says.
 *
 * Pure.  The first text/plain part, else the first text/html without its
 * tags; PREVIEW_INPUT bytes of it are looked at, so the cost is bounded
 * whatever the message is.
 */
#include <string.h>
#include <strings.h>

#include "buf/utf8.h"
#include "mime/charset.h"
#include "mime/codec.h"
#include "mime/header.h"
#include "mime/param.h"
#include "mime/preview.h"

#define PREVIEW_INPUT	(32 * 1024)
#define ENTITY_MAX	10

struct text {
	const struct mime_part	*part;
	enum mime_encoding	 enc;
	enum mime_charset	 set;
	int			 html;
};

/* What is being written. */
struct line {
	struct buf	*out;
	unsigned int	 chars;
	int		 space;		/* one is due */
	int		 ret;
};

/* 1 if the part is text that a reader is shown. */
static int
text_of(const struct mime_tree *t, const struct mime_part *part,
    struct text *x)
{
	static const char *const names[] = {
		"Content-Type", "Content-Transfer-Encoding",
		"Content-Disposition"
	};
	struct mime_field f[3];
	struct mime_value v;
	const char *charset;
	int text;

	mime_fields_collect(t->text + part->header, part->body - part->header,
	    names, 3, f);
	x->part = part;
	x->html = 0;
	x->set = CHARSET_UTF8;
	x->enc = f[1].raw == NULL ? MIME_7BIT :
	    mime_encoding(f[1].value, f[1].valuelen);
	if (f[2].raw != NULL && f[2].valuelen >= 10 &&
	    memmem(f[2].value, f[2].valuelen, "attachment", 10) != NULL)
		return (0);
	if (f[0].raw == NULL ||
	    mime_type_parse(&v, f[0].value, f[0].valuelen) == -1)
		return (1);
	x->html = strcasecmp(v.subword, "html") == 0;
	text = strcasecmp(v.word, "text") == 0 &&
	    (x->html || strcasecmp(v.subword, "plain") == 0);
	if ((charset = mime_value_param(&v, "charset")) != NULL)
		x->set = mime_charset(charset, strlen(charset));
	if (x->set == CHARSET_UNKNOWN)
		x->set = CHARSET_UTF8;
	mime_value_free(&v);
	return (text);
}

/* 0 if the message has none. */
static int
choose(const struct mime_tree *t, struct text *x)
{
	struct text this = { 0 };
	uint32_t i;
	int found = 0;

	for (i = 0; i < t->n; i++) {
		if (t->part[i].kind != MIME_LEAF ||
		    t->part[i].end == t->part[i].body ||
		    !text_of(t, &t->part[i], &this))
			continue;
		if (!found || !this.html)
			*x = this;
		found = 1;
		if (!this.html)
			break;
	}
	return (found);
}

static void
put(struct line *l, uint32_t c)
{
	char utf8[UTF8_MAX];

	if (c <= ' ' || c == 0x7f || c == 0xa0 || c == 0x200b || c == 0xfeff) {
		l->space = l->chars > 0;
		return;
	}
	if (l->space && l->ret == 0 && l->chars++ < MIME_PREVIEW_CHARS)
		l->ret = buf_add(l->out, " ", 1);
	l->space = 0;
	if (l->ret == 0 && l->chars++ < MIME_PREVIEW_CHARS)
		l->ret = buf_add(l->out, utf8, utf8_encode(c, utf8));
}

static size_t
put_utf8(struct line *l, const char *s, size_t len)
{
	uint32_t c = UTF8_REPLACE;
	unsigned int n = utf8_decode(s, len, &c);

	put(l, c);
	return (n == 0 ? 1 : n);
}

static void
put_plain(struct line *l, const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && l->chars < MIME_PREVIEW_CHARS)
		i += put_utf8(l, s + i, len - i);
}

/* "&amp;" and its like; how many bytes it took. */
static size_t
put_entity(struct line *l, const char *s, size_t len)
{
	static const struct {
		const char	*name;
		uint32_t	 c;
	} known[] = {
		{ "amp", '&' }, { "lt", '<' }, { "gt", '>' },
		{ "quot", '"' }, { "apos", '\'' }, { "nbsp", ' ' },
		{ "zwnj", ' ' }, { "shy", ' ' }
	};
	size_t n, i;
	uint32_t c = 0;

	for (n = 1; n < len && n < ENTITY_MAX && s[n] != ';'; n++)
		continue;
	if (n == len || s[n] != ';')
		return (put_utf8(l, s, len));
	if (n > 2 && s[1] == '#') {
		for (i = 2; i < n && s[i] >= '0' && s[i] <= '9'; i++)
			c = c * 10 + (uint32_t)(s[i] - '0');
		put(l, i == n && c < 0x110000 &&
		    (c < 0xd800 || c > 0xdfff) ? c : ' ');
		return (n + 1);
	}
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i].name) == n - 1 &&
		    memcmp(s + 1, known[i].name, n - 1) == 0) {
			put(l, known[i].c);
			return (n + 1);
		}
	}
	return (put_utf8(l, s, len));
}

/* Behind the tag at s, or behind what it encloses if nobody reads that. */
static size_t
tag_length(const char *s, size_t len)
{
	static const struct {
		const char	*open, *close;
	} hidden[] = {
		{ "<!--", "-->" }, { "<style", "</style>" },
		{ "<script", "</script>" }, { "<title", "</title>" }
	};
	const char *gt;
	size_t i, j, n, m;

	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		n = strlen(hidden[i].open);
		m = strlen(hidden[i].close);
		if (len < n || strncasecmp(s, hidden[i].open, n) != 0)
			continue;
		for (j = n; j + m <= len; j++)
			if (s[j] == hidden[i].close[0] &&
			    strncasecmp(s + j, hidden[i].close, m) == 0)
				return (j + m);
		return (len);
	}
	gt = memchr(s, '>', len);
	return (gt == NULL ? len : (size_t)(gt - s) + 1);
}

static void
put_html(struct line *l, const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && l->chars < MIME_PREVIEW_CHARS) {
		if (s[i] == '<') {
			i += tag_length(s + i, len - i);
			put(l, ' ');
		} else if (s[i] == '&')
			i += put_entity(l, s + i, len - i);
		else
			i += put_utf8(l, s + i, len - i);
	}
}

/* The beginning of a part as UTF-8. */
static int
decode(const struct mime_tree *t, const struct text *x, struct buf *utf8)
{
	struct mime_codec codec;
	struct buf raw;
	size_t len = x->part->end - x->part->body, n;
	char *room;
	int ret = -1;

	if (len > PREVIEW_INPUT)
		len = PREVIEW_INPUT;
	buf_init(&raw, PREVIEW_INPUT + 2 * MIME_CODEC_ROOM);
	if ((room = buf_reserve(&raw, len + MIME_CODEC_ROOM)) != NULL) {
		mime_codec_init(&codec, x->enc);
		n = mime_codec_feed(&codec, t->text + x->part->body, len,
		    room);
		ret = mime_charset_to_utf8(x->set, room, n, utf8);
	}
	buf_free(&raw);
	return (ret);
}

int
mime_preview(const struct mime_tree *t, struct buf *out)
{
	struct line l = { .out = out };
	struct text x = { 0 };
	struct buf utf8;

	if (!choose(t, &x))
		return (0);
	buf_init(&utf8, 4 * PREVIEW_INPUT);
	if (decode(t, &x, &utf8) == -1)
		l.ret = -1;
	else if (x.html)
		put_html(&l, buf_data(&utf8), buf_len(&utf8));
	else
		put_plain(&l, buf_data(&utf8), buf_len(&utf8));
	buf_free(&utf8);
	return (l.ret);
}
