/*
 * parse: the words of commands, numbers, sets, flags, dates, mailbox names.
 */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "imap/date.h"
#include "imap/flags.h"
#include "imap/mutf7.h"
#include "imap/seqset.h"
#include "imap/write.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static char text[512];

static void
start(struct imap_parser *p, const char *in)
{
	snprintf(text, sizeof(text), "%s", in);
	imap_parser_init(p, text, strlen(text));
}

static void
strings(void)
{
	static const struct {
		const char *in, *want;
	} t[] = {
		{ "abc", "abc" },
		{ "abc]", "abc]" },
		{ "\"a b\"", "a b" },
		{ "\"a\\\"b\\\\\"", "a\"b\\" },
		{ "\"\"", "" },
		{ "{3}\r\na\"b", "a\"b" },
		{ "{3+}\r\na b", "a b" },
		{ "{0}\r\n", "" },
		{ "{4}\r\nabc", NULL },
		{ "{3}abc", NULL },
		{ "{99999999999999999999}\r\n", NULL },
		{ "{}\r\n", NULL },
		{ "{", NULL },
		{ "\"a", NULL },
		{ "\"a\\", NULL },
		{ "\"a\\x\"", NULL },
		{ "\"a\rb\"", NULL },
		{ "(a)", NULL },
		{ "", NULL }
	};
	struct imap_parser p;
	struct imap_str s;
	char got[64], name[32];
	size_t i;

	for (i = 0; i < COUNT(t); i++) {
		start(&p, t[i].in);
		snprintf(name, sizeof(name), "string %zu", i);
		if (imap_astring(&p, &s) == -1 || imap_end(&p) == -1) {
			TEST(name, t[i].want == NULL && p.error != NULL);
			continue;
		}
		snprintf(got, sizeof(got), "%.*s", (int)s.len, s.s);
		TEST_STR(name, got, t[i].want != NULL ? t[i].want : "error");
	}
	start(&p, "NIL");
	TEST("nil", imap_nstring(&p, &s) == 0 && s.s == NULL);
	start(&p, "\"NIL\"");
	TEST("quoted nil", imap_nstring(&p, &s) == 0 && s.len == 3);
	imap_parser_init(&p, memcpy(text, "\"a\0b\"", 5), 5);
	TEST("NUL in quotes", imap_astring(&p, &s) == -1);
	imap_parser_init(&p, memcpy(text, "{3}\r\na\0b", 8), 8);
	TEST("NUL in a literal", imap_astring(&p, &s) == -1);
}

static void
show_set(const struct imap_seqset *s, char *out, size_t size)
{
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < s->n && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%u:%u",
		    i > 0 ? "," : "", s->v[i].first, s->v[i].last);
}

static void
sets(void)
{
	static const struct {
		const char *in, *want;	/* with 100 for '*' */
	} t[] = {
		{ "1", "1:1" },
		{ "1:3", "1:3" },
		{ "3:1", "1:3" },
		{ "1,2,3", "1:3" },
		{ "5,1:2,4", "1:2,4:5" },
		{ "1:10,3:4", "1:10" },
		{ "*", "100:100" },
		{ "98:*", "98:100" },
		{ "*:98", "98:100" },
		{ "200:*", "100:200" },
		{ "1:*,5", "1:100" },
		{ "4294967295,4294967294", "4294967294:4294967295" },
		{ "4294967295:4294967295,1", "1:1,4294967295:4294967295" },
		{ "0", NULL },
		{ "1:0", NULL },
		{ "4294967296", NULL },
		{ "1,", NULL },
		{ ",1", NULL },
		{ "1:", NULL },
		{ "1:2:3", NULL },
		{ "-1", NULL },
		{ "", NULL }
	};
	struct imap_parser p;
	struct imap_seqset s;
	char got[64];
	size_t i;

	for (i = 0; i < COUNT(t); i++) {
		start(&p, t[i].in);
		snprintf(got, sizeof(got), "error");
		if (imap_seqset(&p, &s) == 0 && imap_end(&p) == 0) {
			(void)imap_seqset_resolve(&s, 100);
			show_set(&s, got, sizeof(got));
		}
		imap_seqset_free(&s);
		TEST_STR(t[i].in[0] != '\0' ? t[i].in : "empty set", got,
		    t[i].want != NULL ? t[i].want : "error");
	}
	start(&p, "2:4,8");
	TEST("set", imap_seqset(&p, &s) == 0 &&
	    imap_seqset_resolve(&s, 9) == 8 && !imap_seqset_has(&s, 1) &&
	    imap_seqset_has(&s, 2) && imap_seqset_has(&s, 4) &&
	    !imap_seqset_has(&s, 5) && imap_seqset_has(&s, 8) &&
	    !imap_seqset_has(&s, 9));
	TEST("next", imap_seqset_next(&s, 1) == 2 &&
	    imap_seqset_next(&s, 4) == 4 && imap_seqset_next(&s, 5) == 8 &&
	    imap_seqset_next(&s, 9) == 0);
	imap_seqset_free(&s);
}

static void
names(void)
{
	static const struct {
		const char *imap, *utf8;
	} t[] = {
		{ "INBOX", "INBOX" },
		{ "Entw&APw-rfe", "Entw\303\274rfe" },
		{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
		    "~peter/mail/\345\217\260\345\214\227/"
		    "\346\227\245\346\234\254\350\252\236" },
		{ "a&-b", "a&b" },
		{ "&2D3eAA-", "\360\237\230\200" },
		{ "", "" },
		/* refused */
		{ "&AC8-", NULL },		/* a hidden slash */
		{ "&AGE-", NULL },		/* ASCII in base64 */
		{ "&AAA-", NULL },		/* NUL */
		{ "&", NULL },
		{ "&AOk", NULL },
		{ "&AOl-", NULL },		/* padding is not 0 */
		{ "&A-", NULL },
		{ "&!!-", NULL },
		{ "&2D0-", NULL },		/* half a pair */
		{ "&3gA-", NULL },
		{ "caf\303\251", NULL },
		{ "a\tb", NULL }
	};
	struct buf b;
	char out[128];
	size_t i;

	for (i = 0; i < COUNT(t); i++) {
		if (imap_mutf7_decode(t[i].imap, strlen(t[i].imap), out,
		    sizeof(out)) == -1)
			snprintf(out, sizeof(out), "error");
		TEST_STR("decode", out, t[i].utf8 != NULL ? t[i].utf8 :
		    "error");
		if (t[i].utf8 == NULL)
			continue;
		buf_init(&b, 256);
		if (imap_mutf7_encode(t[i].utf8, &b) == 0 &&
		    buf_add(&b, "", 1) == 0)
			TEST_STR("encode", buf_data(&b), t[i].imap);
		buf_free(&b);
	}
	buf_init(&b, 256);
	TEST("encode bad UTF-8", imap_mutf7_encode("a\377", &b) == -1);
	buf_free(&b);
	TEST("encode cut UTF-8", imap_mutf7_encode("a\303", &b) == -1);
	buf_free(&b);
	TEST("too long", imap_mutf7_decode("abcd", 4, out, 4) == -1);
	TEST("just fits", imap_mutf7_decode("abc", 3, out, 4) == 0);
}

static void
mailboxes(void)
{
	struct imap_parser p;
	char out[32];

	start(&p, "inBox x");
	TEST("inbox", imap_mailbox(&p, out, sizeof(out)) == 0 &&
	    strcmp(out, "INBOX") == 0 && imap_peek(&p) == ' ');
	start(&p, "INBOX/a");
	TEST("below inbox", imap_mailbox(&p, out, sizeof(out)) == 0 &&
	    strcmp(out, "INBOX/a") == 0);
	start(&p, "a%*");
	TEST("pattern", imap_list_mailbox(&p, out, sizeof(out)) == 0 &&
	    strcmp(out, "a%*") == 0);
	start(&p, "a%");
	TEST("no pattern", imap_mailbox(&p, out, sizeof(out)) == 0 &&
	    imap_end(&p) == -1);
}

static void
flags(void)
{
	static const struct {
		const char *in;
		int ok;
		uint32_t system;
		size_t keywords;
	} t[] = {
		{ "()", 1, 0, 0 },
		{ "(\\Seen)", 1, IMAP_SEEN, 0 },
		{ "(\\sEEN \\Deleted $Junk x)", 1, IMAP_SEEN | IMAP_DELETED,
		    2 },
		{ "($Forwarded)", 1, IMAP_FORWARDED, 0 },
		{ "\\Seen \\Draft", 1, IMAP_SEEN | IMAP_DRAFT, 0 },
		{ "(\\Recent)", 0, 0, 0 },
		{ "(\\Foo)", 0, 0, 0 },
		{ "(\\)", 0, 0, 0 },
		{ "(\\Seen", 0, 0, 0 },
		{ "(\\Seen  \\Draft)", 0, 0, 0 },
		{ "", 0, 0, 0 }
	};
	struct imap_flags f;
	struct imap_parser p;
	size_t i;
	int ok;

	for (i = 0; i < COUNT(t); i++) {
		start(&p, t[i].in);
		ok = imap_flags(&p, &f) == 0 && imap_end(&p) == 0;
		TEST(t[i].in[0] != '\0' ? t[i].in : "no flags",
		    ok == t[i].ok && (!ok || (f.system == t[i].system &&
		    f.n == t[i].keywords)));
	}
}

static void
dates(void)
{
	static const struct {
		const char *in;
		long long want;
	} t[] = {
		{ "\"01-Jan-1970 00:00:00 +0000\"", 0 },
		{ "\" 1-Jan-1970 00:00:00 +0000\"", 0 },
		{ "\"17-Jul-1996 02:44:25 -0700\"", 837596665 },
		{ "\"29-Feb-2000 12:00:00 +0100\"", 951822000 },
		{ "\"29-Feb-1900 12:00:00 +0100\"", -1 },
		{ "\"31-Apr-2000 12:00:00 +0100\"", -1 },
		{ "\"00-Apr-2000 12:00:00 +0100\"", -1 },
		{ "\"01-Apr-2000 24:00:00 +0100\"", -1 },
		{ "\"01-Apr-2000 12:00:00 0100\"", -1 },
		{ "\"01-Apr-2000 12:00:00\"", -1 },
		{ "\"01-Xxx-2000 12:00:00 +0000\"", -1 },
		{ "01-Apr-2000", -1 }
	};
	struct imap_parser p;
	char out[IMAP_DATE_TIME];
	int64_t days = 0;
	time_t when;
	size_t i;

	for (i = 0; i < COUNT(t); i++) {
		start(&p, t[i].in);
		if (imap_date_time(&p, &when) == -1 || imap_end(&p) == -1)
			when = -1;
		TEST(t[i].in, (long long)when == t[i].want);
	}
	start(&p, "1-Feb-1994");
	TEST("date", imap_date(&p, &days) == 0 && days == 8797);
	start(&p, "\"1-Feb-1994\"");
	TEST("quoted date", imap_date(&p, &days) == 0 && days == 8797);
	imap_date_time_format(837596665, out);
	TEST_STR("format", out, "17-Jul-1996 09:44:25 +0000");
}

static void
writes(void)
{
	static const struct {
		const char *in;
		size_t len;
		const char *want;
	} t[] = {
		{ "abc", 3, "\"abc\"" },
		{ "", 0, "\"\"" },
		{ "a\"b", 3, "{3}\r\na\"b" },
		{ "a\\b", 3, "{3}\r\na\\b" },
		{ "a\r\nb", 4, "{4}\r\na\r\nb" },
		{ "caf\303\251", 5, "{5}\r\ncaf\303\251" },
		{ "a\0b", 3, "{3}\r\na\200b" },
		{ NULL, 0, "NIL" }
	};
	struct imap_set_writer w = { 0 };
	struct buf b;
	size_t i;

	buf_init(&b, 1024);
	for (i = 0; i < COUNT(t); i++) {
		if (imap_write_nstring(&b, t[i].in, t[i].len) == 0 &&
		    buf_add(&b, "", 1) == 0)
			TEST("write", strcmp(buf_data(&b), t[i].want) == 0);
		buf_free(&b);
	}
	(void)imap_write_mailbox(&b, "Entw\303\274rfe", 0);
	(void)imap_write_mailbox(&b, "a b", 0);
	(void)imap_write_mailbox(&b, "a\"b", 0);
	(void)imap_write_mailbox(&b, "nil", 0);
	(void)buf_add(&b, "", 1);
	TEST_STR("mailboxes", buf_data(&b),
	    "Entw&APw-rfe\"a b\"{3}\r\na\"b\"nil\"");
	buf_free(&b);
	for (i = 1; i < 12; i++)
		if (i != 5 && i != 7 && imap_write_set(&b, &w,
		    (unsigned int)i) == -1)
			break;
	(void)imap_write_set_end(&b, &w);
	(void)buf_add(&b, "", 1);
	TEST_STR("set", buf_data(&b), "1:4,6,8:11");
	buf_free(&b);
}

int
main(void)
{
	strings();
	sets();
	names();
	mailboxes();
	flags();
	dates();
	writes();
	TEST_DONE();
}
