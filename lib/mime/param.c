/*
 * param: parameters of header fields, pieces of which may come in any order.
 *
 * Pure.  Memory: four times the bytes looked at; time: linear, and the square
 * of MIME_PARAMS_MAX to find pieces.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mime/charset.h"
#include "mime/codec.h"
#include "mime/header.h"
#include "mime/param.h"
#include "mime/word.h"
#include "os/compat.h"

#define SECTION_NONE	(-1)
#define SECTION_MAX	MIME_PARAMS_MAX

/* One piece as it was written: name*section*=value. */
struct piece {
	char	*name;
	size_t	 namelen;
	int	 section;
	int	 extended;
	int	 used;
	char	*value;
	size_t	 valuelen;
};

struct scan {
	char	*p;
	char	*end;
	char	*out;			/* where finished text goes */
};

/* RFC 2045 5.1: tspecials end a token. */
static int
is_token(char c)
{
	switch (c) {
	case '\0': case ' ': case '\t': case '\x7f':
	case '(': case ')': case '<': case '>': case '@': case ',':
	case ';': case ':': case '\\': case '"': case '/': case '[':
	case ']': case '?': case '=':
		return (0);
	default:
		return (1);
	}
}

static void
skip_comment(struct scan *s)
{
	unsigned int depth = 0;

	for (; s->p < s->end; s->p++) {
		if (*s->p == '\\' && s->end - s->p > 1)
			s->p++;
		else if (*s->p == '(')
			depth++;
		else if (*s->p == ')' && --depth == 0) {
			s->p++;
			return;
		}
	}
}

static void
skip_blank(struct scan *s)
{
	while (s->p < s->end) {
		if (*s->p == '(')
			skip_comment(s);
		else if (*s->p == ' ' || *s->p == '\t')
			s->p++;
		else
			return;
	}
}

static size_t
token(struct scan *s, char **out)
{
	*out = s->p;
	while (s->p < s->end && is_token(*s->p))
		s->p++;
	return (s->p - *out);
}

/* Behind the quote; unescaped in place. */
static size_t
quoted(struct scan *s, char **out)
{
	char *to = s->p;

	*out = to;
	while (s->p < s->end && *s->p != '"') {
		if (*s->p == '\\' && s->end - s->p > 1)
			s->p++;
		*to++ = *s->p++;
	}
	if (s->p < s->end)
		s->p++;
	return (to - *out);
}

/* A value without quotes: more than a token is often found there. */
static size_t
bare_value(struct scan *s, char **out)
{
	*out = s->p;
	while (s->p < s->end && *s->p != ';' && *s->p != ' ' &&
	    *s->p != '\t' && *s->p != '"')
		s->p++;
	return (s->p - *out);
}

/* Take "*", "*3" or "*3*" off the end of the name. */
static void
split_name(struct piece *p)
{
	size_t n = p->namelen, digits;
	int section = 0;

	p->section = SECTION_NONE;
	if (n > 1 && p->name[n - 1] == '*') {
		p->extended = 1;
		n--;
	}
	p->namelen = n;
	for (digits = n; digits > 0 && p->name[digits - 1] >= '0' &&
	    p->name[digits - 1] <= '9'; digits--)
		;
	if (digits == n || digits < 2 || p->name[digits - 1] != '*')
		return;
	p->namelen = digits - 1;
	for (; digits < n && section <= SECTION_MAX; digits++)
		section = section * 10 + (p->name[digits] - '0');
	p->section = section;
}

static size_t
scan_pieces(struct scan *s, struct piece *v)
{
	struct piece *p;
	size_t n = 0;

	while (s->p < s->end && n < MIME_PARAMS_MAX) {
		skip_blank(s);
		if (s->p < s->end && *s->p == ';') {
			s->p++;
			continue;
		}
		p = &v[n];
		memset(p, 0, sizeof(*p));
		p->namelen = token(s, &p->name);
		skip_blank(s);
		if (p->namelen > 0 && s->p < s->end && *s->p == '=') {
			s->p++;
			skip_blank(s);
			if (s->p < s->end && *s->p == '"') {
				s->p++;
				p->valuelen = quoted(s, &p->value);
			} else
				p->valuelen = bare_value(s, &p->value);
			split_name(p);
			n++;
		}
		while (s->p < s->end && *s->p != ';')
			s->p++;
	}
	return (n);
}

static void
put(struct scan *s, const char *p, size_t len)
{
	memcpy(s->out, p, len);
	s->out += len;
}

/* A plain piece among encoded ones is encoded too; 3 bytes for one at most. */
static void
put_piece(struct scan *s, const struct piece *p, int encode)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char c;
	size_t i;

	if (!encode || p->extended) {
		put(s, p->value, p->valuelen);
		return;
	}
	for (i = 0; i < p->valuelen; i++) {
		c = (unsigned char)p->value[i];
		if (is_token((char)c) && c < 0x7f && c != '%' && c != '\'' &&
		    c != '*') {
			*s->out++ = (char)c;
			continue;
		}
		*s->out++ = '%';
		*s->out++ = hex[c >> 4];
		*s->out++ = hex[c & 0x0f];
	}
}

static struct piece *
find_section(struct piece *v, size_t n, const struct piece *first, int section)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (v[i].section == section && !v[i].used &&
		    v[i].namelen == first->namelen &&
		    strncasecmp(v[i].name, first->name, first->namelen) == 0)
			return (&v[i]);
	return (NULL);
}

/* One parameter from its first piece. */
static void
join(struct mime_value *out, struct scan *s, struct piece *v, size_t n,
    struct piece *first)
{
	struct mime_param *param = &out->param[out->nparams++];
	struct piece *chain[MIME_PARAMS_MAX];
	size_t i, nchain = 0;
	int encode = 0;

	chain[nchain++] = first;
	if (first->section == 0) {
		while (nchain < MIME_PARAMS_MAX &&
		    (chain[nchain] = find_section(v, n, first,
		    (int)nchain)) != NULL)
			nchain++;
	}
	for (i = 0; i < nchain; i++) {
		chain[i]->used = 1;
		encode |= chain[i]->extended;
	}
	param->name = s->out;
	put(s, first->name, first->namelen);
	if (encode)
		put(s, "*", 1);
	*s->out++ = '\0';
	param->value = s->out;
	/* RFC 2231 4.1: without a first encoded piece there is no charset. */
	if (encode && !first->extended)
		put(s, "''", 2);
	for (i = 0; i < nchain; i++)
		put_piece(s, chain[i], encode);
	*s->out++ = '\0';
}

static int
value_parse(struct mime_value *v, const char *value, size_t len, int sub)
{
	struct piece pieces[MIME_PARAMS_MAX];
	struct scan s;
	char *word, *subword = NULL;
	size_t i, n, wordlen, sublen = 0;

	memset(v, 0, offsetof(struct mime_value, param));
	v->nparams = 0;
	if (len > MIME_VALUE_MAX)
		len = MIME_VALUE_MAX;
	/* The unfolded value, then what is made of it. */
	if ((v->text = malloc(4 * len + 8 * MIME_PARAMS_MAX)) == NULL)
		return (-1);
	s.p = v->text;
	s.end = s.p + mime_unfold(value, len, v->text, len);
	s.out = v->text + len;
	skip_blank(&s);
	wordlen = token(&s, &word);
	skip_blank(&s);
	if (sub && s.p < s.end && *s.p == '/') {
		s.p++;
		skip_blank(&s);
		sublen = token(&s, &subword);
	}
	if (wordlen == 0 || (sub && sublen == 0)) {
		mime_value_free(v);
		errno = EINVAL;
		return (-1);
	}
	v->word = s.out;
	put(&s, word, wordlen);
	*s.out++ = '\0';
	if (sub) {
		v->subword = s.out;
		put(&s, subword, sublen);
		*s.out++ = '\0';
	}
	while (s.p < s.end && *s.p != ';')
		s.p++;
	n = scan_pieces(&s, pieces);
	for (i = 0; i < n; i++)
		if (pieces[i].section <= 0)
			join(v, &s, pieces, n, &pieces[i]);
	return (0);
}

int
mime_type_parse(struct mime_value *v, const char *value, size_t len)
{
	return (value_parse(v, value, len, 1));
}

int
mime_disposition_parse(struct mime_value *v, const char *value, size_t len)
{
	return (value_parse(v, value, len, 0));
}

void
mime_value_free(struct mime_value *v)
{
	free(v->text);
	v->text = NULL;
	v->nparams = 0;
}

const char *
mime_value_param(const struct mime_value *v, const char *name)
{
	size_t i;

	for (i = 0; i < v->nparams; i++)
		if (strcasecmp(v->param[i].name, name) == 0)
			return (v->param[i].value);
	return (NULL);
}

/* charset'language'%XX... */
static int
extended_utf8(const char *value, struct buf *out)
{
	enum mime_charset set = CHARSET_UTF8;
	struct mime_codec c;
	const char *q, *text = value;
	char *bytes;
	size_t i, n = 0, len;
	int ret;

	if ((q = strchr(value, '\'')) != NULL &&
	    (text = strchr(q + 1, '\'')) != NULL) {
		if (q > value)
			set = mime_charset(value, q - value);
		text++;
	} else
		text = value;
	if (set == CHARSET_UNKNOWN)
		return (buf_puts(out, text));
	len = strlen(text);
	if ((bytes = malloc(len + MIME_CODEC_ROOM)) == NULL)
		return (-1);
	mime_codec_init(&c, MIME_QP);	/* %XX is =XX by another sign */
	for (i = 0; i < len; i++)
		n += mime_codec_feed(&c, text[i] == '%' ? "=" : text + i, 1,
		    bytes + n);
	n += mime_codec_end(&c, bytes + n);
	ret = mime_charset_to_utf8(set, bytes, n, out);
	free(bytes);
	return (ret);
}

int
mime_value_utf8(const struct mime_value *v, const char *name, struct buf *out)
{
	const char *value;
	char star[64];
	size_t len;

	if (strlcpy(star, name, sizeof(star)) < sizeof(star) &&
	    strlcat(star, "*", sizeof(star)) < sizeof(star) &&
	    (value = mime_value_param(v, star)) != NULL)
		return (extended_utf8(value, out) == -1 ? -1 : 1);
	if ((value = mime_value_param(v, name)) == NULL)
		return (0);
	len = strlen(value);
	return (mime_words_decode(value, len, out) == -1 ? -1 : 1);
}
