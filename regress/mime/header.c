/*
 * header: fields, unfolding, encoded words, character sets, transfer
 * encodings, dates.
 */
#include <string.h>

#include "../test.h"
#include "mime/charset.h"
#include "mime/codec.h"
#include "mime/date.h"
#include "mime/header.h"
#include "mime/word.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const char *
text_of(struct buf *b, char *out, size_t size)
{
	size_t n = buf_len(b);

	if (n >= size)
		n = size - 1;
	if (n > 0)
		memcpy(out, buf_data(b), n);
	out[n] = '\0';
	return (out);
}

/* A case is named by its input, on one line. */
static const char *
name_of(const char *in)
{
	static char name[64];
	size_t i;

	for (i = 0; i < sizeof(name) - 1 && in[i] != '\0'; i++)
		name[i] = in[i] >= 0x20 && in[i] < 0x7f ? in[i] : '?';
	name[i] = '\0';
	return (i > 0 ? name : "empty");
}

static void
fields(void)
{
	static const struct {
		const char *name, *text, *want;
	} t[] = {
		{ "one", "A: b\r\n\r\nC: d\r\n", "A=b|" },
		{ "no end", "A: b", "A=b|" },
		{ "lf", "A: b\nC:d\n\nE: f", "A=b|C=d|" },
		{ "folded",
		    "A: b\r\n c\r\n\td\r\nE: f\r\n\r\n", "A=b c\td|E=f|" },
		{ "no colon", "From me\r\nA: b\r\n\r\n", "A=b|" },
		{ "blank before colon", "A : b\r\n", "A=b|" },
		{ "blank in name", "A c: b\r\nD: e\r\n", "D=e|" },
		{ "empty value", "A:\r\nB: \r\n", "A=|B=|" },
		{ "only colon", ":\r\nB: x\r\n", "B=x|" },
		{ "cr alone", "A: b\rc\r\n", "A=bc|" },
		{ "empty", "", "" },
		{ "body only", "\r\nA: b\r\n", "" }
	};
	struct mime_fields it;
	struct mime_field f;
	char got[256], value[64];
	size_t i;

	for (i = 0; i < COUNT(t); i++) {
		got[0] = '\0';
		mime_fields_init(&it, t[i].text, strlen(t[i].text));
		while (mime_fields_next(&it, &f)) {
			size_t n = mime_unfold(f.value, f.valuelen, value,
			    sizeof(value));
			size_t at = strlen(got);

			snprintf(got + at, sizeof(got) - at, "%.*s=%.*s|",
			    (int)f.namelen, f.name, (int)n, value);
		}
		TEST_STR(t[i].name, got, t[i].want);
	}
	TEST("length", mime_header_length("A: b\r\n\r\nx", 9) == 8);
	TEST("length lf", mime_header_length("A: b\n\nx", 7) == 6);
	TEST("length none", mime_header_length("A: b\r\n", 6) == 6);
	TEST("find", mime_field_find("A: 1\nb: 2\nB: 3\n", 15, "B", &f) &&
	    f.valuelen == 2 && f.value[1] == '2');
}

static void
words(void)
{
	static const struct {
		const char *in, *want;
	} t[] = {
		{ "plain text", "plain text" },
		{ "=?utf-8?q?caf=C3=A9?=", "caf\303\251" },
		{ "=?iso-8859-1?Q?caf=E9_au_lait?=", "caf\303\251 au lait" },
		{ "=?UTF-8?B?Y2Fmw6k=?=", "caf\303\251" },
		{ "=?windows-1252?Q?=80?=", "\342\202\254" },
		{ "=?iso-8859-15?Q?=A4?=", "\342\202\254" },
		/* RFC 2047 8 */
		{ "(=?ISO-8859-1?Q?a?=)", "(a)" },
		{ "=?ISO-8859-1?Q?a?= b", "a b" },
		{ "=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a?=\r\n   =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a_b?=", "a b" },
		{ "x =?utf-8?q?y?= z", "x y z" },
		{ "=?utf-8*en?q?y?=", "y" },
		{ "=?x-unknown?q?y?=", "=?x-unknown?q?y?=" },
		{ "=?utf-8?q?y", "=?utf-8?q?y" },
		{ "=?utf-8?x?y?=", "=?utf-8?x?y?=" },
		{ "=?", "=?" },
		{ "=?utf-8?q?=ff?=", "\357\277\275" },
		{ "folded\r\n line", "folded line" },
		{ "a = b =? c", "a = b =? c" },
		{ "raw \303\251 \377", "raw \303\251 \357\277\275" }
	};
	char got[256];
	struct buf b;
	size_t i;

	for (i = 0; i < COUNT(t); i++) {
		buf_init(&b, 4096);
		if (mime_words_decode(t[i].in, strlen(t[i].in), &b) == -1)
			snprintf(got, sizeof(got), "error");
		else
			text_of(&b, got, sizeof(got));
		buf_free(&b);
		TEST_STR(name_of(t[i].in), got, t[i].want);
	}
}

static void
codec(void)
{
	static const struct {
		enum mime_encoding enc;
		const char *in, *want;
	} t[] = {
		{ MIME_BASE64, "aGVsbG8=", "hello" },
		{ MIME_BASE64, "aGVs\r\nbG8=\r\n", "hello" },
		{ MIME_BASE64, "aGk=aGk=", "hihi" },
		{ MIME_BASE64, "a", "" },
		{ MIME_BASE64, "!!!!", "" },
		{ MIME_QP, "caf=C3=A9", "caf\303\251" },
		{ MIME_QP, "so=\r\nft", "soft" },
		{ MIME_QP, "so=\nft", "soft" },
		{ MIME_QP, "=zz", "=zz" },
		{ MIME_QP, "=4", "=4" },
		{ MIME_QP, "end=", "end=" },
		{ MIME_7BIT, "as=20is", "as=20is" }
	};
	char got[64], whole[64];
	struct mime_codec c;
	size_t i, j, n, len;

	for (i = 0; i < COUNT(t); i++) {
		len = strlen(t[i].in);
		/* A byte at a time is the same as all at once. */
		mime_codec_init(&c, t[i].enc);
		for (j = n = 0; j < len; j++)
			n += mime_codec_feed(&c, t[i].in + j, 1, got + n);
		n += mime_codec_end(&c, got + n);
		got[n] = '\0';
		TEST_STR(name_of(t[i].in), got, t[i].want);
		mime_codec_init(&c, t[i].enc);
		n = mime_codec_feed(&c, t[i].in, len, whole);
		n += mime_codec_end(&c, whole + n);
		whole[n] = '\0';
		TEST_STR("whole", whole, got);
	}
	TEST("qp name", mime_encoding(" Quoted-Printable ", 18) == MIME_QP);
	TEST("unknown", mime_encoding("x-uue", 5) == MIME_ENCODING_UNKNOWN);
	TEST("none", mime_encoding("", 0) == MIME_7BIT);
}

static void
dates(void)
{
	static const struct {
		const char *in;
		long long want;
	} t[] = {
		{ "Thu, 01 Jan 1970 00:00:00 +0000", 0 },
		{ "Fri, 21 Nov 1997 09:55:06 -0600", 880127706 },
		{ "21 Nov 97 09:55:06 -0600", 880127706 },
		{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600",
		    880127706 },
		{ "Tue, 1 Jul 2003 10:52:37 +0200", 1057049557 },
		{ "Thu,\r\n      13\r\n Feb 1969 23:32 -0330 (NST)",
		    -27723480 },
		{ "1 Jan 2000 00:00:00 EST", 946702800 },
		{ "1 Jan 2000 00:00:00", 946684800 },
		{ "1 Jan 2000", 946684800 },
		{ "yesterday", -1 },
		{ "", -1 },
		{ "32 Jan 2000 00:00:00 GMT", -1 },
		{ "1 Foo 2000 00:00:00 GMT", -1 },
		{ "1 Jan 2000 25:00:00 GMT", -1 },
		{ "1 Jan 99999999999 00:00:00 GMT", -1 }
	};
	struct mime_date d;
	long long got;
	size_t i;

	for (i = 0; i < COUNT(t); i++) {
		got = mime_date_parse(&d, t[i].in, strlen(t[i].in)) == -1 ?
		    -1 : (long long)mime_date_time(&d);
		TEST(name_of(t[i].in), got == t[i].want);
	}
}

int
main(void)
{
	fields();
	words();
	codec();
	dates();
	TEST_DONE();
}
