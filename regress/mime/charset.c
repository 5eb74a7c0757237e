/*
 * charset: what each set makes of its bytes, and of bytes that are not its
 * own; the tables against the C library's, where that has iconv.
 */
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <iconv.h>
#endif

#include "../test.h"
#include "buf/utf8.h"
#include "mime/charset.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define BAD		"\357\277\275"		/* U+FFFD */

static const struct {
	const char *set, *in, *want;
} cases[] = {
	/* clang-format off */
	{ "us-ascii", "a\200b", "a" BAD "b" },
	{ "utf-8", "\303\251\303", "\303\251" BAD },
	{ "utf-8", "\343\201<", BAD BAD "<" },
	{ "windows-1252", "\200", "€" },

	{ "shift_jis", "\223\372\226{\214\352", "日本語" },
	{ "shift_jis", "\261\336\\~", "ｱﾞ\\~" },
	{ "shift_jis", "\207@\372@", "①ⅰ" },
	{ "shift_jis", "\201\140", "～" },
	{ "shift_jis", "\223", BAD },
	{ "shift_jis", "\223\"x", BAD "\"x" },
	{ "shift_jis", "\223\r\n", BAD "\r\n" },
	{ "shift_jis", "\205@>", BAD "@>" },
	{ "shift_jis", "\205\237>", BAD ">" },
	{ "shift_jis", "\360@\240\375", BAD "@" BAD BAD },
	{ "cp932", "\223\372", "日" },

	{ "euc-jp", "\306\374\313\334\270\354", "日本語" },
	{ "euc-jp", "\216\261\217\260\241", "ｱ丂" },
	{ "euc-jp", "\255\241", "①" },
	{ "euc-jp", "\306<", BAD "<" },
	{ "euc-jp", "\217\260<", BAD BAD "<" },
	{ "euc-jp", "\216\377a", BAD BAD "a" },
	{ "euc-jp", "\217\260", BAD BAD },

	{ "iso-2022-jp", "\033$BF|K\\8l\033(B!", "日本語!" },
	{ "iso-2022-jp", "\033$@F|\033(J\\~\033(B\\~", "日¥‾\\~" },
	{ "iso-2022-jp", "\033(I1^\033(B1", "ｱﾞ1" },
	{ "iso-2022-jp", "\033$B-!", "①" },
	{ "iso-2022-jp", "\033$BF|\nF|", "日\nF|" },
	{ "iso-2022-jp", "\033$BF|\r\n=?", "日\r\n=?" },
	{ "iso-2022-jp", "\033$BF\n<", BAD "\n<" },
	{ "iso-2022-jp", "\033$BF\033(B<", BAD "<" },
	{ "iso-2022-jp", "\033$BF", BAD },
	{ "iso-2022-jp", "\033$B))F|", BAD "日" },
	{ "iso-2022-jp", "\033", BAD },
	{ "iso-2022-jp", "\033$(", BAD "$(" },
	{ "iso-2022-jp", "\033[0m", BAD "[0m" },
	{ "iso-2022-jp", "a\306\374\016b", "a" BAD BAD BAD "b" },
	{ "iso-2022-jp-2", "\033$(D0!\033$AHU\033$(CGQ\033(B.", "丂日한." },
	{ "iso-2022-jp-2", "\033.A\033Nia\033.F\033Na", "éaα" },
	{ "iso-2022-jp-2", "\033.A\n\033Ni", "\n" BAD "Ni" },
	{ "iso-2022-jp-2", "\033.F\033N.\033Nk", BAD "λ" },

	{ "gb2312", "\310\325\261\276\323\357", "日本语" },
	{ "gbk", "\310\325\261\276\325Z\200", "日本語€" },
	{ "gb18030", "\2010\2010\2252\2026", "\302\200𠀀" },
	{ "gb18030", "\2200\2010", "\360\220\200\200" },
	{ "gb18030", "\2017<", BAD "7<" },
	{ "gb18030", "\2010\201<", BAD "0" BAD "<" },
	{ "gb18030", "\2010", BAD "0" },
	{ "gb18030", "\3769\3769", BAD "9" BAD "9" },
	{ "gb18030", "\310<\310", BAD "<" BAD },
	{ "gb18030", "\377a", BAD "a" },

	{ "big5", "\244\351\245\273\273y", "日本語" },
	{ "big5", "\241E\371\326", "‧碁" },
	{ "big5-hkscs", "\210b\210d\210\243\210\245", "Ê̄Ê̌ê̄ê̌" },
	{ "big5-hkscs", "\207@\212\241", "䏰𦛚" },
	{ "big5", "\244\"", BAD "\"" },
	{ "big5", "\244\200<", BAD BAD "<" },
	{ "big5", "\306\377a", BAD BAD "a" },
	{ "big5", "\201@", BAD "@" },

	{ "euc-kr", "\307\321\261\271\276\356", "한국어" },
	{ "ks_c_5601-1987", "\201A\307\321", "갂한" },
	{ "euc-kr", "\307<", BAD "<" },
	{ "euc-kr", "\307", BAD },
	{ "euc-kr", "\311\241a", BAD "a" },
	{ "iso-2022-kr", "\033$)C\016GQ19\017GQ", "한국GQ" },
	{ "iso-2022-kr", "\016GQ\nGQ", "한\nGQ" },
	{ "iso-2022-kr", "\016G\017<", BAD "<" },
	{ "iso-2022-kr", "\033$)", BAD "$)" },
	{ "iso-2022-kr", "\033(B", BAD "(B" },

	{ "utf-7", "Hi Mom -+Jjo--!", "Hi Mom -☺-!" },
	{ "utf-7", "A+ImIDkQ.", "A≢Α." },
	{ "utf-7", "+ZeVnLIqe-", "日本語" },
	{ "utf-7", "+2D3cqQ-", "💩" },
	{ "utf-7", "1 +- 1 +", "1 + 1 " },
	{ "utf-7", "+<", BAD "<" },
	{ "utf-7", "+Jj<", BAD "<" },
	{ "utf-7", "+2D0<", BAD "<" },
	{ "utf-7", "+3Kk-", BAD },
	{ "utf-7", "+2D3YPdyp-", BAD "💩" },
	{ "utf-7", "+2D3", BAD },
	{ "utf-7", "+ZeU\r\nZeU", "日\r\nZeU" },
	{ "utf-7", "a\377b", "a" BAD "b" }
	/* clang-format on */
};

/* Sets in which a line end is a line end whatever went before. */
static const char *const sets[] = {
	"us-ascii", "utf-8", "windows-1252", "utf-7", "shift_jis", "euc-jp",
	"iso-2022-jp", "gb18030", "big5", "euc-kr", "iso-2022-kr"
};

static enum mime_charset
set_of(const char *name)
{
	return (mime_charset(name, strlen(name)));
}

/* In one piece, or in two; the length, with a NUL behind it. */
static size_t
convert(enum mime_charset set, const char *in, size_t len, size_t cut,
    char *out, size_t size)
{
	struct mime_decoder d;
	struct buf b;
	size_t n;

	buf_init(&b, size - 1);
	mime_decoder_init(&d, set);
	if (mime_decoder_feed(&d, in, cut, 0, &b) == -1 ||
	    mime_decoder_feed(&d, in + cut, len - cut, 1, &b) == -1)
		buf_drain(&b, buf_len(&b));
	n = buf_len(&b);
	if (n > 0)
		memcpy(out, buf_data(&b), n);
	out[n] = '\0';
	buf_free(&b);
	return (n);
}

static void
known(void)
{
	char got[256], name[64];
	size_t i, cut, len;

	for (i = 0; i < COUNT(cases); i++) {
		snprintf(name, sizeof(name), "%s %zu", cases[i].set, i);
		len = strlen(cases[i].in);
		convert(set_of(cases[i].set), cases[i].in, len, 0, got,
		    sizeof(got));
		for (cut = 1; cut <= len &&
		    strcmp(got, cases[i].want) == 0; cut++)
			convert(set_of(cases[i].set), cases[i].in, len, cut,
			    got, sizeof(got));
		TEST_STR(name, got, cases[i].want);
	}
}

/*
 * Whatever it is: UTF-8 of bounded length, the same in two pieces, and the
 * line behind it is not touched.
 */
static int
sound(enum mime_charset set, const char *in, size_t len)
{
	static const char tail[] = "\n=?\"<a>";
	char text[32], one[128], two[128];
	size_t n, cut;

	memcpy(text, in, len);
	memcpy(text + len, tail, sizeof(tail));
	len += sizeof(tail) - 1;
	n = convert(set, text, len, 0, one, sizeof(one));
	if (n < sizeof(tail) - 1 || n > len * MIME_CHARSET_GROWS ||
	    strcmp(one + n - (sizeof(tail) - 1), tail) != 0 ||
	    !utf8_valid(one, n))
		return (0);
	for (cut = 1; cut < len; cut++)
		if (convert(set, text, len, cut, two, sizeof(two)) != n ||
		    memcmp(one, two, n) != 0)
			return (0);
	return (1);
}

static void
any_bytes(void)
{
	static const char *const before[] = { "", "\033$B", "\033$)C\016",
	    "+2D", "\2010" };
	static const unsigned char hard[] = { 0x1b, '$', 'B', '(', '+', '-',
	    '0', 'A', 'N', '.', 0x0e, 0x81, 0x8e, 0x8f, 0xa1, 0xfe, 0xff,
	    '\n' };
	char in[16], name[64];
	unsigned int c, bad;
	size_t i, j, n;

	srandom(1);
	for (i = 0; i < COUNT(sets); i++) {
		for (bad = 0, c = 0; c < 0x10000; c++) {
			n = strlen(before[c % COUNT(before)]);
			memcpy(in, before[c % COUNT(before)], n);
			in[n++] = (char)(c >> 8);
			in[n++] = (char)(c & 0xff);
			bad += !sound(set_of(sets[i]), in, n);
		}
		for (c = 0; c < 20000; c++) {
			n = 3 + (size_t)random() % 8;
			for (j = 0; j < n; j++)
				in[j] = (char)(random() % 3 ? hard[random() %
				    (long)COUNT(hard)] : random());
			bad += !sound(set_of(sets[i]), in, n);
		}
		snprintf(name, sizeof(name), "any bytes of %s", sets[i]);
		TEST(name, bad == 0);
	}
}

#ifdef __GLIBC__
/* What the library makes of it; 0 if it is not a set's. */
static size_t
library(iconv_t cd, const char *in, size_t len, char *out, size_t size)
{
	char text[16], *p = text, *o = out;
	size_t left = size - 1;

	memcpy(text, in, len);
	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &p, &len, &o, &left) == (size_t)-1 || len > 0 ||
	    iconv(cd, NULL, NULL, &o, &left) == (size_t)-1)
		return (0);
	*o = '\0';
	return ((size_t)(o - out));
}

static int
is_private(const char *s, size_t len)
{
	uint32_t c = 0;

	return (utf8_decode(s, len, &c) > 0 && c >= 0xe000 && c <= 0xf8ff);
}

/* How many are different, of those that one of both knows. */
struct tally {
	unsigned int	differ, only_we, only_they;
};

static void
compare(iconv_t cd, enum mime_charset set, const char *in, size_t len,
    struct tally *t)
{
	char ours[64], theirs[64];
	size_t n, m;

	n = convert(set, in, len, 0, ours, sizeof(ours));
	m = library(cd, in, len, theirs, sizeof(theirs));
	if (m > 0 && is_private(theirs, m))
		m = 0;
	if (strstr(ours, BAD) != NULL)
		n = 0;
	t->differ += n > 0 && m > 0 && strcmp(ours, theirs) != 0;
	t->only_we += n > 0 && m == 0;
	t->only_they += n == 0 && m > 0;
}

static void
against_library(void)
{
	static const struct {
		const char *set, *theirs, *before;
		unsigned char from, to;
		struct tally want;
	} t[] = {
		/* They refuse U+FF61 before 0x80. */
		{ "shift_jis", "CP932", "", 0x81, 0xfe, { 0, 63, 0 } },
		/* Of Windows, two rows that IBM chose and NEC. */
		{ "euc-jp", "EUC-JP-MS", "", 0xa1, 0xfe, { 0, 374, 0 } },
		/* And those at 0xf3f3, which are those of IBM again. */
		{ "euc-jp", "EUC-JP-MS", "\217", 0xa1, 0xfe, { 1, 0, 106 } },
		/* Windows' idea of six signs; NEC's rows. */
		{ "iso-2022-jp", "ISO-2022-JP-2", "\033$B", 0x21, 0x7e,
		    { 6, 457, 0 } },
		{ "iso-2022-jp", "ISO-2022-JP-2", "\033$(D", 0x21, 0x7e,
		    { 0, 0, 0 } },
		/* What GBK has beside GB 2312. */
		{ "iso-2022-jp", "ISO-2022-JP-2", "\033$A", 0x21, 0x7e,
		    { 2, 46, 0 } },
		/* A sign that Windows-949 has not. */
		{ "iso-2022-jp", "ISO-2022-JP-2", "\033$(C", 0x21, 0x7e,
		    { 0, 0, 1 } },
		{ "iso-2022-jp", "ISO-2022-JP-2", "\033.F\033N", 0x21, 0x7e,
		    { 0, 0, 0 } },
		{ "iso-2022-jp", "ISO-2022-JP-2", "\033.A\033N", 0x21, 0x7e,
		    { 0, 0, 0 } },
		/* Each edition moves some out of private use. */
		{ "gb18030", "GB18030", "", 0x81, 0xfe, { 32, 32, 32 } },
		{ "gb18030", "GB18030", "\2017", 0x81, 0xfe, { 0, 0, 0 } },
		{ "gb18030", "GB18030", "\2014", 0x81, 0xfe, { 0, 0, 0 } },
		{ "gb18030", "GB18030", "\2235", 0x81, 0xfe, { 0, 0, 0 } },
		/* Windows' idea of some signs. */
		{ "big5", "BIG5-HKSCS", "", 0x81, 0xfe, { 12, 8, 0 } },
		{ "euc-kr", "UHC", "", 0x81, 0xfe, { 0, 0, 0 } },
		{ "iso-2022-kr", "ISO-2022-KR", "\033$)C\n\016", 0x21, 0x7e,
		    { 0, 0, 1 } },
		{ "utf-7", "UTF-7", "+2D3", 0x21, 0x7e, { 0, 0, 0 } }
	};
	char in[16], name[64];
	struct tally got;
	unsigned int c;
	iconv_t cd;
	size_t i, n;

	for (i = 0; i < COUNT(t); i++) {
		if ((cd = iconv_open("UTF-8", t[i].theirs)) == (iconv_t)-1) {
			printf("skip %s: not in this iconv\n", t[i].theirs);
			continue;
		}
		memset(&got, 0, sizeof(got));
		for (c = 0; c < 0x10000; c++) {
			if (c >> 8 < t[i].from || c >> 8 > t[i].to ||
			    (c & 0xff) < 0x21)
				continue;
			n = strlen(t[i].before);
			memcpy(in, t[i].before, n);
			in[n++] = (char)(c >> 8);
			in[n++] = (char)(c & 0xff);
			compare(cd, set_of(t[i].set), in, n, &got);
		}
		iconv_close(cd);
		snprintf(name, sizeof(name), "as the library's %s %zu",
		    t[i].theirs, i);
		TEST(name, got.differ <= t[i].want.differ &&
		    got.only_we <= t[i].want.only_we &&
		    got.only_they <= t[i].want.only_they);
	}
}
#endif

static void
names(void)
{
	char name[MIME_CHARSET_NAME_SIZE];
	unsigned int bad = 0;
	size_t i;

	for (i = 0; mime_charset_name(i, name); i++)
		bad += set_of(name) == CHARSET_UNKNOWN;
	TEST("names", i > 40 && bad == 0);
	TEST("name with a blank", set_of("utf-8 utf8") == CHARSET_UNKNOWN);
	TEST("no name", set_of("") == CHARSET_UNKNOWN);
}

int
main(void)
{
	names();
	known();
	any_bytes();
#ifdef __GLIBC__
	against_library();
#endif
	TEST_DONE();
}
