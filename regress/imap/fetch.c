/*
 * fetch: the items of FETCH, and the keys of SEARCH.
 */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "imap/fetch.h"
#include "imap/search.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static char text[65536];

/* Sections as the answer would name them; P for peek. */
static const struct {
	const char *in;
	uint32_t items;
	const char *sections;
} fetches[] = {
	{ "FLAGS", IMAP_FETCH_FLAGS, "" },
	{ "fast", IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE |
	    IMAP_FETCH_SIZE, "" },
	{ "ALL", IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE |
	    IMAP_FETCH_SIZE | IMAP_FETCH_ENVELOPE, "" },
	{ "(UID BODY BODYSTRUCTURE)", IMAP_FETCH_UID | IMAP_FETCH_BODY |
	    IMAP_FETCH_STRUCTURE, "" },
	{ "BODY[]", 0, "BODY[]" },
	{ "BODY.PEEK[]", 0, "PBODY[]" },
	{ "body.peek[1.2.mime]", 0, "PBODY[1.2.MIME]" },
	{ "BODY[TEXT]<10.20>", 0, "BODY[TEXT]<10>" },
	{ "BODY[1]<0.4294967295>", 0, "BODY[1]<0>" },
	{ "(BODY[HEADER] BODY[2.HEADER])", 0, "BODY[HEADER]BODY[2.HEADER]" },
	{ "BODY[HEADER.FIELDS (From \"To\")]", 0,
	    "BODY[HEADER.FIELDS (From To)]" },
	{ "BODY[3.HEADER.FIELDS.NOT ({2}\r\nCc)]", 0,
	    "BODY[3.HEADER.FIELDS.NOT (Cc)]" },
	{ "(RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)", IMAP_FETCH_SIZE,
	    "RFC822PRFC822.HEADERRFC822.TEXT" },
	{ "()", 0, NULL },
	{ "(FLAGS", 0, NULL },
	{ "(FAST)", 0, NULL },
	{ "FOO", 0, NULL },
	{ "BODY[", 0, NULL },
	{ "BODY[0]", 0, NULL },
	{ "BODY[1.]", 0, NULL },
	{ "BODY[MIME]", 0, NULL },
	{ "BODY[FOO]", 0, NULL },
	{ "BODY[HEADER.FIELDS]", 0, NULL },
	{ "BODY[HEADER.FIELDS ()]", 0, NULL },
	{ "BODY[]<1>", 0, NULL },
	{ "BODY[]<1.0>", 0, NULL },
	{ "BODY[]<1.2", 0, NULL },
	{ "ENVELOPE[]", 0, NULL },
	{ "", 0, NULL }
};

static void
fetch(const char *in, uint32_t items, const char *sections)
{
	struct imap_parser p;
	struct imap_fetch f;
	struct buf b;
	size_t i;

	snprintf(text, sizeof(text), "%s", in);
	imap_parser_init(&p, text, strlen(text));
	buf_init(&b, 4096);
	if (imap_fetch(&p, &f) == -1 || imap_end(&p) == -1)
		(void)buf_puts(&b, "error");
	else if (f.items != items)
		(void)buf_puts(&b, "items");
	else
		for (i = 0; i < f.nsections; i++)
			if ((f.sections[i].peek && buf_puts(&b, "P") == -1) ||
			    imap_write_section(&b, &f.sections[i]) == -1)
				break;
	(void)buf_add(&b, "", 1);
	TEST("fetch", strcmp(buf_data(&b), sections != NULL ? sections :
	    "error") == 0);
	buf_free(&b);
	imap_fetch_free(&f);
}

/* Keys as (op ...). */
static const char *const ops[] = {
	"all", "and", "or", "not", "flag", "keyword", "before", "on", "since",
	"sentbefore", "senton", "sentsince", "larger", "smaller", "header",
	"body", "text", "uid", "seq"
};

static const struct {
	const char *in, *want;
} searches[] = {
	{ " ALL", "(and(all))" },
	{ " SEEN UNSEEN", "(and(flag)(not(flag)))" },
	{ " NEW", "(and(and(flag)(not(flag))))" },
	{ " NOT SEEN", "(and(not(flag)))" },
	{ " OR SEEN (DELETED DRAFT)", "(and(or(flag)(and(flag)(flag))))" },
	{ " OR NOT SEEN OR ALL ALL",
	    "(and(or(not(flag))(or(all)(all))))" },
	{ " 1:3,* UID 4", "(and(seq)(uid))" },
	{ " FROM \"x\" HEADER a {1}\r\nb SUBJECT c",
	    "(and(header)(header)(header))" },
	{ " SINCE 1-Feb-1994 SENTON \"1-Feb-1994\"",
	    "(and(since)(senton))" },
	{ " LARGER 10 SMALLER 20 BODY a TEXT b",
	    "(and(larger)(smaller)(body)(text))" },
	{ " KEYWORD a UNKEYWORD b", "(and(keyword)(not(keyword)))" },
	{ " CHARSET UTF-8 ALL", "(and(all))" },
	{ " ((((SEEN))))", "(and(and(and(and(and(flag))))))" },
	{ "", NULL },
	{ " ", NULL },
	{ " FOO", NULL },
	{ " ()", NULL },
	{ " (SEEN", NULL },
	{ " SEEN)", NULL },
	{ " OR SEEN", NULL },
	{ " NOT", NULL },
	{ " CHARSET", NULL },
	{ " CHARSET UTF-8", NULL },
	{ " LARGER x", NULL },
	{ " ON 32-Feb-1994", NULL },
	{ " ALL ", NULL }
};

static void
show(const struct imap_search *s, size_t i, struct buf *b)
{
	const struct imap_search_key *k = &s->key[i];
	size_t child;

	(void)buf_printf(b, "(%s", ops[k->op]);
	for (child = k->child; child != 0; child = s->key[child].next)
		show(s, child, b);
	(void)buf_puts(b, ")");
}

static void
search(const char *in, const char *want)
{
	struct imap_parser p;
	struct imap_search s;
	struct buf b;

	snprintf(text, sizeof(text), "%s", in);
	imap_parser_init(&p, text, strlen(text));
	buf_init(&b, 4096);
	if (imap_search(&p, &s) == -1)
		(void)buf_puts(&b, "error");
	else
		show(&s, 0, &b);
	(void)buf_add(&b, "", 1);
	TEST_STR("search", buf_data(&b), want != NULL ? want : "error");
	buf_free(&b);
	imap_search_free(&s);
}

/* What repeats without end is an error, soon and without a deep stack. */
static void
bomb(const char *name, const char *unit, int is_search)
{
	struct imap_parser p;
	struct imap_search s;
	struct imap_fetch f;
	size_t n = strlen(unit), len = 0;
	int ret;

	while (len + n < sizeof(text)) {
		memcpy(text + len, unit, n);
		len += n;
	}
	imap_parser_init(&p, text, len);
	if (is_search) {
		ret = imap_search(&p, &s);
		imap_search_free(&s);
	} else {
		ret = imap_fetch(&p, &f);
		imap_fetch_free(&f);
	}
	TEST(name, ret == -1 && p.error != NULL);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < COUNT(fetches); i++)
		fetch(fetches[i].in, fetches[i].items, fetches[i].sections);
	for (i = 0; i < COUNT(searches); i++)
		search(searches[i].in, searches[i].want);
	bomb("open parentheses", "(", 0);
	bomb("open search", " (", 1);
	bomb("NOT NOT", " NOT", 1);
	bomb("OR OR", " OR", 1);
	bomb("many keys", " SEEN", 1);
	bomb("brackets", "BODY[", 0);
	bomb("braces", "{", 0);
	bomb("quotes", "\"", 0);
	TEST_DONE();
}
