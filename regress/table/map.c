/*
 * map: what table files may look like, and what they look like to confuse us.
 */
#include "os/compat.h"
#include "table/map.h"
#include "../test.h"

struct want {
	const char	*key;
	const char	*value;		/* NULL: not there */
};

#define TEXT(s)		s, sizeof(s) - 1

static const struct {
	const char	*name;
	const char	*text;
	size_t		 len;
	enum table_form	 form;
	size_t		 entries, duplicates, bad;
	unsigned int	 first_bad;
	struct want	 want[4];
} cases[] = {
	{ "empty", TEXT(""), TABLE_MAP, 0, 0, 0, 0, { { "x", NULL } } },
	{ "simple", TEXT("a: b\nc:d\n"), TABLE_MAP, 2, 0, 0, 0,
	    { { "a", "b" }, { "c", "d" }, { "b", NULL } } },
	{ "no-newline", TEXT("a: b"), TABLE_MAP, 1, 0, 0, 0,
	    { { "a", "b" } } },
	{ "bare-no-newline", TEXT("a"), TABLE_MAP, 1, 0, 0, 0,
	    { { "a", "" } } },
	{ "crlf", TEXT("a: b\r\nc: d\r\n"), TABLE_MAP, 2, 0, 0, 0,
	    { { "a", "b" }, { "c", "d" } } },
	{ "case", TEXT("Alice@Example.ORG: x\n"), TABLE_MAP, 1, 0, 0, 0,
	    { { "alice@example.org", "x" }, { "ALICE@EXAMPLE.ORG", "x" } } },
	{ "comments", TEXT("# a: b\n\n   # c: d\na: b # no comment\n"),
	    TABLE_MAP, 1, 0, 0, 0, { { "a", "b # no comment" } } },
	{ "continued", TEXT("a: b,\n\tc,\n# between\n\n  d  \ne: f\n"),
	    TABLE_MAP, 2, 0, 0, 0, { { "a", "b, c, d" }, { "e", "f" } } },
	{ "continued-empty", TEXT("a:\n\tb\n"), TABLE_MAP, 1, 0, 0, 0,
	    { { "a", "b" } } },
	{ "continued-at-end", TEXT("a: b\n c"), TABLE_MAP, 1, 0, 0, 0,
	    { { "a", "b c" } } },
	{ "continued-crlf", TEXT("a: b,\r\n c\r\n"), TABLE_MAP, 1, 0, 0, 0,
	    { { "a", "b, c" } } },
	{ "continues-nothing", TEXT(" b\na: b\n"), TABLE_MAP, 1, 0, 1, 1,
	    { { "a", "b" }, { "b", NULL } } },
	{ "continues-bare", TEXT("a\n b\n"), TABLE_MAP, 1, 0, 1, 2,
	    { { "a", "" }, { "a b", NULL } } },
	{ "quoted", TEXT("\"a:b c\": d\n\"q\\\"\\\\\": e\n\"bare\"\n"),
	    TABLE_MAP, 3, 0, 0, 0, { { "a:b c", "d" }, { "q\"\\", "e" },
	    { "bare", "" } } },
	{ "quoted-open", TEXT("\"a: b\nc: d\n"), TABLE_MAP, 1, 0, 1, 1,
	    { { "c", "d" }, { "a: b", NULL } } },
	{ "quoted-slash-end", TEXT("\"a\\\nc: d"), TABLE_MAP, 1, 0, 1, 1,
	    { { "c", "d" } } },
	{ "quoted-empty", TEXT("\"\": b\n"), TABLE_MAP, 0, 0, 1, 1,
	    { { "b", NULL } } },
	{ "quoted-then-word", TEXT("\"a\" b: c\n"), TABLE_MAP, 0, 0, 1, 1,
	    { { "a", NULL } } },
	{ "no-key", TEXT(": b\n:\n"), TABLE_MAP, 0, 0, 2, 1,
	    { { "b", NULL } } },
	{ "two-words", TEXT("a b: c\na b\n"), TABLE_MAP, 0, 0, 2, 1,
	    { { "a", NULL }, { "a b", NULL } } },
	{ "skip-with-bad", TEXT("a b: c\n d\n e\nf: g\n"), TABLE_MAP, 1, 0, 1,
	    1, { { "f", "g" } } },
	{ "nul", TEXT("a\0b: c\nd: e\0f\ng: h\n i\0j\n"), TABLE_MAP, 1, 0, 3,
	    1, { { "a", NULL }, { "d", NULL }, { "g", "h" } } },
	{ "control", TEXT("a\001: b\n"), TABLE_MAP, 0, 0, 1, 1,
	    { { "a", NULL } } },
	{ "first-wins", TEXT("a: 1\nA: 2\nb: 3\na: 4\n"), TABLE_MAP, 2, 2, 0,
	    0, { { "a", "1" }, { "b", "3" } } },
	{ "secret", TEXT("isp: user@gmail.example:pass:word\n"), TABLE_MAP, 1,
	    0, 0, 0, { { "isp", "user@gmail.example:pass:word" } } },
	{ "value-spaces", TEXT("a:   \t b  c \t \n"), TABLE_MAP, 1, 0, 0, 0,
	    { { "a", "b  c" } } },
	{ "users", TEXT("alice:{CRYPT}$6$x:1:2::/h:/s:quota=5g\nbob:h\n"),
	    TABLE_USERS, 2, 0, 0, 0,
	    { { "alice", "{CRYPT}$6$x:1:2::/h:/s:quota=5g" },
	    { "BOB", "h" } } },
	{ "users-bad", TEXT("noline\n:x\n a:b\na b:c\nc\001:d\ne:f\n#g:h\n\n"),
	    TABLE_USERS, 1, 0, 5, 1, { { "e", "f" }, { "#g", NULL } } },
	{ "users-empty-hash", TEXT("a:\nb::1\r\n"), TABLE_USERS, 2, 0, 0, 0,
	    { { "a", "" }, { "b", ":1" } } },
	{ "users-nul", TEXT("a:b\0c\nd:e\n"), TABLE_USERS, 1, 0, 1, 1,
	    { { "a", NULL }, { "d", "e" } } },
	{ "users-no-quotes", TEXT("\"a\":b\n"), TABLE_USERS, 1, 0, 0, 0,
	    { { "\"a\"", "b" } } }
};

static struct table_map *
parse(const char *text, size_t len, enum table_form form,
    struct table_report *r)
{
	char	*copy;

	if ((copy = malloc(len + 1)) == NULL)
		return (NULL);
	memcpy(copy, text, len);
	return (table_map_parse(copy, len, form, r));
}

static int
wanted(const struct table_map *m, const struct want *w)
{
	const char	*got = table_map_find(m, w->key, NULL);

	if (w->value == NULL || got == NULL)
		return (w->value == NULL && got == NULL);
	return (strcmp(got, w->value) == 0);
}

static void
test_cases(void)
{
	struct table_report	 r;
	struct table_map	*m;
	char			 name[64];
	size_t			 i, j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m = parse(cases[i].text, cases[i].len, cases[i].form, &r);
		snprintf(name, sizeof(name), "%s-report", cases[i].name);
		TEST(name, m != NULL && r.entries == cases[i].entries &&
		    r.duplicates == cases[i].duplicates &&
		    r.bad == cases[i].bad &&
		    r.first_bad == cases[i].first_bad);
		if (m == NULL)
			continue;
		for (j = 0; j < 4 && cases[i].want[j].key != NULL; j++) {
			snprintf(name, sizeof(name), "%s-%zu", cases[i].name,
			    j);
			TEST(name, wanted(m, &cases[i].want[j]));
		}
		table_map_free(m);
	}
}

static void
test_many(void)
{
	struct table_report	 r;
	struct table_map	*m;
	char			*text, key[32];
	size_t			 i, len = 0, size = 50000 * 32;
	const char		*value, *name = NULL;
	int			 ok = 1;

	if ((text = malloc(size + 1)) == NULL)
		return;
	for (i = 0; i < 50000; i++)
		len += (size_t)snprintf(text + len, size - len,
		    "User%zu: %zu\n", i, i);
	m = table_map_parse(text, len, TABLE_MAP, &r);
	TEST("many", m != NULL && r.entries == 50000);
	for (i = 0; m != NULL && i < 50000; i++) {
		snprintf(key, sizeof(key), "uSER%zu", i);
		value = table_map_find(m, key, &name);
		if (value == NULL || strtoul(value, NULL, 10) != i ||
		    strncmp(name, "User", 4) != 0)
			ok = 0;
	}
	TEST("many-found", ok);
	table_map_free(m);
	table_map_free(NULL);
}

static void
test_words(void)
{
	char			 k1[] = "a:b", v1[] = "x y", k2[] = "C",
				 v2[] = "";
	char *const		 keys[] = { k1, k2 };
	char *const		 values[] = { v1, v2 };
	struct table_map	*m = table_map_words(keys, values, 2);

	TEST("words", m != NULL && wanted(m, &(struct want){ "a:b", "x y" }) &&
	    wanted(m, &(struct want){ "c", "" }) &&
	    wanted(m, &(struct want){ "a", NULL }));
	table_map_free(m);
	m = table_map_words(NULL, NULL, 0);
	TEST("words-none", m != NULL &&
	    wanted(m, &(struct want){ "c", NULL }));
	table_map_free(m);
}

struct walk {
	size_t	n;
	char	text[128];
};

static void
one(const char *key, const char *value, void *arg)
{
	struct walk	*w = arg;

	w->n++;
	strlcat(w->text, key, sizeof(w->text));
	strlcat(w->text, "=", sizeof(w->text));
	strlcat(w->text, value, sizeof(w->text));
	strlcat(w->text, ";", sizeof(w->text));
}

/* All entries; an editor's mark of UTF-8 at the start is none of them. */
static void
test_each(void)
{
	static const char	 text[] = "\xef\xbb\xbf" "a: 1\nb: 2\nA: 3\n";
	struct table_report	 r;
	struct table_map	*m;
	struct walk		 w = { 0 };

	m = parse(text, sizeof(text) - 1, TABLE_MAP, &r);
	TEST("marked", m != NULL && r.bad == 0 && r.duplicates == 1);
	table_map_each(m, one, &w);
	TEST_STR("each", w.text, "a=1;b=2;A=3;");
	table_map_free(m);
	memset(&w, 0, sizeof(w));
	m = parse(text, 3, TABLE_MAP, &r);
	TEST("nothing but the mark", m != NULL && r.bad == 0);
	table_map_each(m, one, &w);
	TEST("no entry", w.n == 0);
	table_map_free(m);
}

int
main(void)
{
	test_each();
	test_cases();
	test_many();
	test_words();
	TEST_DONE();
}
