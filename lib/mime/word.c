/*
 * word: "=?charset?Q?text?=" to UTF-8.  Pure and linear: the search for a
 * word's end is bounded by MIME_WORD_MAX.
 */
#include <string.h>

#include "mime/charset.h"
#include "mime/codec.h"
#include "mime/word.h"

struct word {
	const char	*charset;
	size_t		 charsetlen;
	char		 enc;		/* 'q' or 'b' */
	const char	*text;
	size_t		 textlen;
	size_t		 len;		/* of the whole */
};

/* The next '?' before end or white space. */
static const char *
question(const char *p, const char *end)
{
	for (; p < end; p++) {
		if (*p == '?')
			return (p);
		if (*p == '\r' || *p == '\n' || *p == '\0')
			break;
	}
	return (NULL);
}

/* p is at "=?". */
static int
word_split(const char *p, const char *end, struct word *w)
{
	const char *q, *star;

	if ((size_t)(end - p) > MIME_WORD_MAX)
		end = p + MIME_WORD_MAX;
	w->charset = p + 2;
	if ((q = question(w->charset, end)) == NULL || end - q < 3 ||
	    q[2] != '?')
		return (0);
	/* RFC 2231 5: a language may follow the character set. */
	star = memchr(w->charset, '*', q - w->charset);
	w->charsetlen = (star != NULL ? star : q) - w->charset;
	w->enc = q[1] == 'Q' || q[1] == 'q' ? 'q' :
	    q[1] == 'B' || q[1] == 'b' ? 'b' : '\0';
	w->text = q + 3;
	if (w->enc == '\0' || (q = question(w->text, end)) == NULL ||
	    end - q < 2 || q[1] != '=')
		return (0);
	w->textlen = q - w->text;
	w->len = q + 2 - p;
	return (1);
}

static size_t
word_bytes(const struct word *w, char out[MIME_WORD_MAX + MIME_CODEC_ROOM])
{
	struct mime_codec c;
	size_t i, n;

	mime_codec_init(&c, w->enc == 'q' ? MIME_QP : MIME_BASE64);
	if (w->enc == 'b')
		return (mime_codec_feed(&c, w->text, w->textlen, out));
	for (i = n = 0; i < w->textlen; i++)
		n += mime_codec_feed(&c, w->text[i] == '_' ? " " : w->text + i,
		    1, out + n);
	return (n + mime_codec_end(&c, out + n));
}

/* 1 decoded, 0 it is no word that we can read, -1 as buf_add(). */
static int
word_decode(const char *p, const char *end, struct buf *out, size_t *len)
{
	char bytes[MIME_WORD_MAX + MIME_CODEC_ROOM];
	enum mime_charset set;
	struct word w;

	if (end - p < 2 || p[0] != '=' || p[1] != '?' ||
	    !word_split(p, end, &w) ||
	    (set = mime_charset(w.charset, w.charsetlen)) == CHARSET_UNKNOWN)
		return (0);
	*len = w.len;
	if (mime_charset_to_utf8(set, bytes, word_bytes(&w, bytes), out) == -1)
		return (-1);
	return (1);
}

static int
is_blank(char c)
{
	return (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

/* White space: unfolded. */
static int
add_blanks(const char *p, const char *end, struct buf *out)
{
	for (; p < end; p++)
		if ((*p == ' ' || *p == '\t') && buf_add(out, p, 1) == -1)
			return (-1);
	return (0);
}

int
mime_words_decode(const char *p, size_t len, struct buf *out)
{
	const char *end = p + len, *start;
	int after_word = 0, ret;
	size_t n;

	while (p < end) {
		for (start = p; p < end && is_blank(*p); p++)
			;
		n = 0;
		if (p < end && *p == '=' && p > start && after_word) {
			/* Only if another word follows do blanks go. */
			if ((ret = word_decode(p, end, out, &n)) == -1)
				return (-1);
			if (ret == 1) {
				p += n;
				continue;
			}
		}
		if (add_blanks(start, p, out) == -1)
			return (-1);
		if (p == end)
			break;
		if ((ret = word_decode(p, end, out, &n)) == -1)
			return (-1);
		if (ret == 1) {
			after_word = 1;
			p += n;
			continue;
		}
		after_word = 0;
		for (start = p++; p < end && !is_blank(*p) && *p != '='; p++)
			;
		if (mime_charset_to_utf8(CHARSET_UTF8, start, p - start,
		    out) == -1)
			return (-1);
	}
	return (0);
}
