/*
 * IMAP: commands and literals out of a stream within the limits, however it
 * is cut; then every parser on each command.
 *
 * fuzz: lib/imap/reader.c lib/imap/parse.c lib/imap/fetch.c lib/imap/search.c
 * fuzz: lib/imap/pattern.c lib/imap/seqset.c lib/imap/flags.c
 * fuzz: lib/imap/date.c lib/imap/mutf7.c
 * fuzz: lib/buf/utf8.c lib/imap/write.c lib/buf/buf.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imap/date.h"
#include "imap/fetch.h"
#include "imap/flags.h"
#include "imap/mutf7.h"
#include "imap/pattern.h"
#include "imap/reader.h"
#include "imap/search.h"
#include "buf/utf8.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

/* The parser changes the text: each gets a copy of its own. */
static void
with_copy(const char *text, size_t len, void (*fn)(struct imap_parser *))
{
	struct imap_parser p;
	char *copy;

	if ((copy = malloc(len > 0 ? len : 1)) == NULL)
		abort();
	if (len > 0)
		memcpy(copy, text, len);
	imap_parser_init(&p, copy, len);
	fn(&p);
	check(p.p >= copy && p.p <= copy + len && p.end == copy + len);
	free(copy);
}

static void
do_fetch(struct imap_parser *p)
{
	struct imap_fetch f;
	struct buf b;
	size_t i;

	if (imap_fetch(p, &f) == 0) {
		buf_init(&b, 1u << 20);
		for (i = 0; i < f.nsections; i++)
			(void)imap_write_section(&b, &f.sections[i]);
		buf_free(&b);
	} else
		check(p->error != NULL);
	imap_fetch_free(&f);
}

static void
search_with(struct imap_parser *p,
    int (*parse)(struct imap_parser *, struct imap_search *))
{
	struct imap_search s;
	size_t i;

	if (parse(p, &s) == 0)
		for (i = 0; i < s.n; i++) {
			check(s.key[i].child < s.n && s.key[i].next < s.n);
			(void)imap_seqset_resolve(&s.key[i].set, 17);
		}
	else
		check(p->error != NULL);
	imap_search_free(&s);
}

static void
do_search(struct imap_parser *p)
{
	search_with(p, imap_search);
}

static void
do_sort(struct imap_parser *p)
{
	search_with(p, imap_sort);
}

static void
do_thread(struct imap_parser *p)
{
	search_with(p, imap_thread);
}

/* The first half is the pattern, the second the name. */
static void
do_pattern(struct imap_parser *p)
{
	char pattern[IMAP_PATTERN_MAX + 1];
	size_t n = (size_t)(p->end - p->p) / 2;

	if (n >= sizeof(pattern) || memchr(p->p, '\0', n) != NULL)
		return;
	memcpy(pattern, p->p, n);
	pattern[n] = '\0';
	imap_pattern_fold(pattern);
	(void)imap_pattern_match(pattern, p->p + n, n);
	check(imap_pattern_match("*", p->p + n, n));
}

static void
do_set(struct imap_parser *p)
{
	struct imap_seqset s;
	size_t i;

	if (imap_seqset(p, &s) == 0) {
		(void)imap_seqset_resolve(&s, 17);
		for (i = 0; i < s.n; i++) {
			check(s.v[i].first <= s.v[i].last);
			check(imap_seqset_has(&s, s.v[i].first));
			check(i == 0 || s.v[i - 1].last < s.v[i].first);
		}
	}
	imap_seqset_free(&s);
}

static void
do_flags(struct imap_parser *p)
{
	struct imap_flags f;

	if (imap_flags(p, &f) == 0)
		check(f.n <= IMAP_KEYWORDS_MAX &&
		    (f.system & IMAP_RECENT) == 0);
}

static void
do_date(struct imap_parser *p)
{
	char out[IMAP_DATE_TIME];
	time_t t;

	if (imap_date_time(p, &t) == 0) {
		imap_date_time_format(t, out);
		check(strlen(out) == IMAP_DATE_TIME - 1);
	}
}

/* What decodes is UTF-8 and encodes to a name that decodes to the same. */
static void
do_mailbox(struct imap_parser *p)
{
	char name[256], again[256];
	struct buf b;

	if (imap_mailbox(p, name, sizeof(name)) == -1)
		return;
	check(utf8_valid(name, strlen(name)));
	buf_init(&b, 65536);
	check(imap_mutf7_encode(name, &b) == 0);
	check(buf_len(&b) > 0 || name[0] == '\0');
	check(name[0] == '\0' || (imap_mutf7_decode(buf_data(&b),
	    buf_len(&b), again, sizeof(again)) == 0 &&
	    strcmp(name, again) == 0));
	buf_free(&b);
}

static void
words(struct imap_parser *p)
{
	struct imap_str s;

	if (imap_tag(p, &s) == -1)
		return;
	while (imap_sp(p) == 0)
		if (imap_astring(p, &s) == -1)
			return;
}

static void
command(const char *text, size_t len)
{
	static void (*const parsers[])(struct imap_parser *) = {
		do_fetch, do_search, do_sort, do_thread, do_pattern, do_set,
		do_flags, do_date, do_mailbox, words
	};
	size_t i;

	for (i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++)
		with_copy(text, len, parsers[i]);
}

/* A number that tells what came out, for two ways to cut the stream. */
static uint32_t
stream(const char *data, size_t len, size_t step, int parse)
{
	struct imap_reader r;
	enum imap_event ev;
	uint32_t sum = 5381;
	size_t done = 0, used, n, i;
	const char *text;

	imap_reader_init(&r, &imap_limits_before);
	for (;;) {
		n = len - done < step ? len - done : step;
		ev = imap_reader_feed(&r, data + done, n, &used);
		check(used <= n);
		done += used;
		check(buf_len(&r.text) <= imap_limits_before.command);
		if (ev == IMAP_MORE && done == len)
			break;
		if (ev == IMAP_LITERAL) {
			if (r.literal_size % 5 == 4)
				imap_reader_stream(&r);
			else if (imap_reader_fits(&r))
				imap_reader_take(&r);
			else
				imap_reader_refuse(&r);
		} else if (ev == IMAP_DATA) {
			for (i = 0; i < r.datalen; i++)
				sum = sum * 33 + (unsigned char)r.data[i];
		} else if (ev == IMAP_COMMAND) {
			text = imap_reader_text(&r, &n);
			for (i = 0; i < n; i++)
				sum = sum * 31 + (unsigned char)text[i];
			if (parse)
				command(text, n);
			imap_reader_next(&r);
		} else if (ev == IMAP_REFUSED) {
			sum++;
			imap_reader_next(&r);
		} else if (ev == IMAP_OVERFLOW)
			break;
	}
	imap_reader_free(&r);
	return (sum);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint32_t whole, pieces;

	command((const char *)data, len);
	whole = stream((const char *)data, len, len + 1, 1);
	pieces = stream((const char *)data, len, 3, 0);
	check(whole == pieces);
	return (0);
}
