/*
 * MIME: the tree of any text lies within it, its descriptions are well formed
 * for IMAP, decoding never makes more than it may.
 *
 * fuzz: lib/mime/tree.c lib/mime/structure.c lib/mime/envelope.c
 * fuzz: lib/mime/match.c lib/mime/header.c lib/mime/param.c
 * fuzz: lib/mime/address.c lib/mime/casemap.c lib/mime/charset_cn.c
 * fuzz: lib/mime/charset_jp.c lib/mime/charset_kr.c lib/mime/charset_pair.c
 * fuzz: lib/mime/charset_shift.c lib/mime/charset_table.c
 * fuzz: lib/mime/charset_tw.c
 * fuzz: lib/mime/subject.c lib/mime/thread.c lib/mime/word.c
 * fuzz: lib/mime/charset.c lib/mime/codec.c lib/mime/date.c lib/buf/buf.c
 * fuzz: lib/imap/write.c lib/buf/utf8.c lib/imap/mutf7.c lib/imap/date.c
 * fuzz: lib/imap/parse.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf/utf8.h"
#include "mime/codec.h"
#include "mime/date.h"
#include "mime/header.h"
#include "mime/casemap.h"
#include "mime/match.h"
#include "mime/param.h"
#include "mime/structure.h"
#include "mime/subject.h"
#include "mime/thread.h"
#include "mime/tree.h"
#include "mime/word.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define OUT_MAX	(4u << 20)

static void
check(int ok)
{
	if (!ok)
		abort();
}

/* Behind a string: quoted, or a literal. */
static size_t
skip_string(const char *s, size_t len, size_t i)
{
	size_t n = 0;

	if (s[i] == '"') {
		for (i++; i < len && s[i] != '"'; i++)
			check(s[i] != '\r' && s[i] != '\n' && s[i] != '\0' &&
			    s[i] != '\\');
		check(i < len);
		return (i + 1);
	}
	for (i++; i < len && s[i] >= '0' && s[i] <= '9'; i++)
		n = n * 10 + (size_t)(s[i] - '0');
	check(i + 3 <= len && memcmp(s + i, "}\r\n", 3) == 0);
	check(n <= len - i - 3 && memchr(s + i + 3, '\0', n) == NULL);
	return (i + 3 + n);
}

/* One list and nothing behind it. */
static void
check_list(const char *s, size_t len)
{
	size_t i = 0, depth = 0;

	check(len > 0 && s[0] == '(');
	while (i < len) {
		if (s[i] == '(')
			depth++;
		else if (s[i] == ')') {
			check(depth > 0);
			depth--;
			check(depth > 0 || i + 1 == len);
		} else if (s[i] == '"' || s[i] == '{') {
			i = skip_string(s, len, i);
			continue;
		} else
			check(s[i] == ' ' || (s[i] >= '0' && s[i] <= '9') ||
			    strchr("NIL", s[i]) != NULL);
		i++;
	}
	check(depth == 0);
}

static void
check_tree(const struct mime_tree *t)
{
	const struct mime_part *p, *up;
	uint32_t i;

	check(t->n >= 1 && t->n <= MIME_PARTS_MAX);
	for (i = 0; i < t->n; i++) {
		p = &t->part[i];
		up = &t->part[p->parent];
		check(p->header <= p->body && p->body <= p->end &&
		    p->end <= t->len && p->depth < MIME_DEPTH_MAX);
		check(i == 0 || (p->header >= up->body && p->end <= up->end));
		check(p->next == 0 ||
		    t->part[p->next].header >= p->end);
		check(p->kind != MIME_MESSAGE || p->child != 0);
		check(p->lines <= p->end - p->body);
	}
}

static void
descriptions(const struct mime_tree *t, const char *text)
{
	struct buf b;
	int extended;

	buf_init(&b, OUT_MAX);
	for (extended = 0; extended < 2; extended++) {
		if (mime_write_structure(&b, t, extended) == 0)
			check_list(buf_data(&b), buf_len(&b));
		buf_free(&b);
	}
	if (mime_write_envelope(&b, text, t->part[0].body) == 0)
		check_list(buf_data(&b), buf_len(&b));
	buf_free(&b);
}

static void
values(const char *text, size_t len)
{
	struct mime_fields it;
	struct mime_field f;
	struct mime_value v;
	struct mime_date d;
	struct buf b;

	mime_fields_init(&it, text, len);
	while (mime_fields_next(&it, &f)) {
		check(f.raw >= text && f.raw + f.rawlen <= text + len);
		check(f.value + f.valuelen <= f.raw + f.rawlen);
		buf_init(&b, OUT_MAX);
		if (mime_words_decode(f.value, f.valuelen, &b) == 0 &&
		    buf_len(&b) > 0)
			check(utf8_valid(buf_data(&b), buf_len(&b)));
		buf_free(&b);
		if (mime_disposition_parse(&v, f.value, f.valuelen) == 0) {
			(void)mime_value_utf8(&v, "filename", &b);
			buf_free(&b);
			mime_value_free(&v);
		}
		(void)mime_date_parse(&d, f.value, f.valuelen);
	}
}

/* In two pieces it is the same as in one. */
static void
codec(const char *text, size_t len, enum mime_encoding enc)
{
	char *one, *two;
	struct mime_codec c;
	size_t n, m, half = len / 2;

	one = malloc(len + MIME_CODEC_ROOM);
	two = malloc(len + 2 * MIME_CODEC_ROOM);
	if (one == NULL || two == NULL)
		abort();
	mime_codec_init(&c, enc);
	n = mime_codec_feed(&c, text, len, one);
	n += mime_codec_end(&c, one + n);
	check(n <= len);
	mime_codec_init(&c, enc);
	m = mime_codec_feed(&c, text, half, two);
	m += mime_codec_feed(&c, text + half, len - half, two + m);
	m += mime_codec_end(&c, two + m);
	check(m == n && memcmp(one, two, n) == 0);
	free(one);
	free(two);
}

/* Each message is told once, within parentheses that close. */
static void
check_walk(const struct mime_threads *t, uint32_t messages)
{
	struct mime_thread_walk w = { 0 };
	uint64_t sum = 0;
	uint32_t n = 0;
	long depth = 0;

	while (mime_threads_walk(t, &w)) {
		depth += strchr(w.before, '(') != NULL;
		check(depth > 0 && depth >= (long)w.close);
		depth -= w.close;
		n += w.num != 0;
		sum += w.num;
	}
	check(depth == 0 && n == messages);
	check(sum == (uint64_t)messages * (messages + 1) / 2);
}

/* A field a message: what it refers to, and its first byte as subject. */
static void
threads(const char *text, size_t len, int references)
{
	struct mime_thread_message m = { 0 };
	struct mime_threads *t;
	struct mime_fields it;
	struct mime_field f;
	const char *gt;

	if ((t = mime_threads_new(1)) == NULL)
		abort();
	mime_fields_init(&it, text, len);
	while (mime_fields_next(&it, &f)) {
		m.num++;
		m.date = f.valuelen > 0 ? f.value[0] : 0;
		gt = memchr(f.value, '>', f.valuelen);
		m.id = f.value;
		m.idlen = gt != NULL ? (size_t)(gt - f.value) + 1 : 0;
		m.references = f.value + m.idlen;
		m.referenceslen = f.valuelen - m.idlen;
		m.subject = f.name;
		m.subjectlen = f.namelen > 1;
		m.reply = f.namelen > 2;
		check(mime_threads_add(t, &m) == 0);
	}
	check((references ? mime_threads_references(t) :
	    mime_threads_subjects(t)) == 0);
	check_walk(t, m.num);
	mime_threads_free(t);
}

static void
subject(const char *text, size_t len)
{
	struct buf b;

	buf_init(&b, OUT_MAX);
	check(mime_base_subject(text, len, &b) != -1);
	buf_free(&b);
	check(mime_casemap(text, len < 4096 ? len : 4096, &b) == 0);
	check(buf_len(&b) <= MIME_CASEMAP_GROWS * len);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct mime_needle n;
	struct mime_tree t;
	uint32_t number[3] = { 1, 2, 1 };
	size_t i;

	if (mime_tree_parse(&t, text, len) == -1)
		return (0);
	check_tree(&t);
	descriptions(&t, text);
	values(text, t.part[0].body);
	for (i = 0; i <= 3; i++)
		check(mime_tree_find(&t, number, i) < (long)t.n);
	if (mime_needle_init(&n, "needle", 6, CHARSET_UTF8) == 0) {
		check(mime_match_text(&n, &t, 1) != -1);
		mime_needle_free(&n);
	}
	mime_tree_free(&t);
	codec(text, len, MIME_BASE64);
	codec(text, len, MIME_QP);
	threads(text, len, 1);
	threads(text, len, 0);
	subject(text, len);
	return (0);
}
