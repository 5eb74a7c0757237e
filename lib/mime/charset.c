/*
 * charset: the sets that mail is commonly written in, by tables of our own: a
 * static program cannot load iconv's, and a confined one may not.  Pure,
 * linear; where browsers and the owners of a set disagree about it, as the
 * browsers, which is what mail programs do.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "buf/utf8.h"
#include "mime/charset.h"
#include "mime/charset_step.h"
#include "mime/charset_table.h"

/* In lower case, a space between; the first is told to others. */
static const struct {
	const char		*names;
	enum mime_charset	 set;
} known[] = {
	{ "us-ascii ascii", CHARSET_UTF8 },
	{ "utf-8 utf8", CHARSET_UTF8 },
	{ "utf-7 unicode-1-1-utf-7", CHARSET_UTF7 },
	{ "utf-16", CHARSET_UTF16 },
	{ "utf-16be", CHARSET_UTF16 },
	{ "utf-16le", CHARSET_UTF16LE },
	{ "iso-8859-1 latin1", CHARSET_LATIN1 },
	{ "iso-2022-jp csiso2022jp iso-2022-jp-1 iso-2022-jp-2 "
	    "csiso2022jp2 iso-2022-jp-ms cp50220 cp50221 windows-50221",
	    CHARSET_ISO_2022_JP },
	{ "shift_jis shift-jis sjis x-sjis ms_kanji csshiftjis "
	    "windows-31j cswindows31j cp932 ms932 windows-932",
	    CHARSET_SHIFT_JIS },
	{ "euc-jp eucjp x-euc-jp ujis cseucpkdfmtjapanese eucjp-ms cp51932",
	    CHARSET_EUC_JP },
	{ "gb18030 csgb18030", CHARSET_GB18030 },
	{ "gbk cp936 ms936 windows-936 x-gbk csgbk", CHARSET_GB18030 },
	{ "gb2312 csgb2312 gb_2312-80 csiso58gb231280 iso-ir-58 euc-cn "
	    "x-euc-cn chinese", CHARSET_GB18030 },
	{ "big5 csbig5 cn-big5 big-5 x-x-big5 cp950 windows-950",
	    CHARSET_BIG5 },
	{ "big5-hkscs big5hkscs csbig5hkscs", CHARSET_BIG5 },
	{ "euc-kr euckr cseuckr ks_c_5601-1987 ks_c_5601-1989 ks_c_5601 "
	    "ksc_5601 ksc5601 csksc56011987 iso-ir-149 korean",
	    CHARSET_EUC_KR },
	{ "windows-949 cp949 ms949 uhc x-windows-949", CHARSET_EUC_KR },
	{ "iso-2022-kr csiso2022kr", CHARSET_ISO_2022_KR }
};

#define NKNOWN	(sizeof(known) / sizeof(known[0]))

/* Is the word one of those in the list? */
static int
listed(const char *list, const char *name, size_t len)
{
	const char *p;

	for (p = list; *p != '\0'; p += *p == ' ') {
		if (strncasecmp(p, name, len) == 0 &&
		    (p[len] == ' ' || p[len] == '\0'))
			return (1);
		p += strcspn(p, " ");
	}
	return (0);
}

enum mime_charset
mime_charset(const char *name, size_t len)
{
	size_t i;

	if (len == 0 || len >= MIME_CHARSET_NAME_SIZE ||
	    memchr(name, ' ', len) != NULL || memchr(name, '\0', len) != NULL)
		return (CHARSET_UNKNOWN);
	for (i = 0; i < NKNOWN; i++)
		if (listed(known[i].names, name, len))
			return (known[i].set);
	for (i = 0; i < charset_ntables; i++)
		if (listed(charset_tables[i].names, name, len))
			return ((enum mime_charset)(CHARSET_TABLE + i));
	return (CHARSET_UNKNOWN);
}

int
mime_charset_name(size_t i, char out[MIME_CHARSET_NAME_SIZE])
{
	const char *names;
	size_t n;

	if (i < NKNOWN)
		names = known[i].names;
	else if (i - NKNOWN < charset_ntables)
		names = charset_tables[i - NKNOWN].names;
	else
		return (0);
	/* The lists are ours, and no name in them is longer. */
	for (n = 0; names[n] != '\0' && names[n] != ' ' &&
	    n < MIME_CHARSET_NAME_SIZE - 1; n++)
		out[n] = names[n] >= 'a' && names[n] <= 'z' ?
		    (char)(names[n] - 'a' + 'A') : names[n];
	out[n] = '\0';
	return (1);
}

void
mime_decoder_init(struct mime_decoder *d, enum mime_charset set)
{
	memset(d, 0, sizeof(*d));
	d->set = set;
}

int
mime_decoder_is_ascii(const struct mime_decoder *d)
{
	return (d->nkept == 0 && d->set != CHARSET_UTF7 &&
	    d->set != CHARSET_UTF16 && d->set != CHARSET_UTF16LE &&
	    d->set != CHARSET_ISO_2022_JP && d->set != CHARSET_ISO_2022_KR);
}

static uint32_t
one_byte(enum mime_charset set, unsigned char c)
{
	uint16_t u;

	if (set == CHARSET_LATIN1 || c < 0x80)
		return (c);
	u = charset_tables[set - CHARSET_TABLE].upper[c - 0x80];
	return (u != 0 ? u : UTF8_REPLACE);
}

/* The bytes that can be copied as they are. */
static size_t
run_length(const struct mime_decoder *d, const char *in, size_t len)
{
	unsigned int n;
	uint32_t c;
	size_t i = 0;

	while (i < len && mime_decoder_is_ascii(d)) {
		if ((unsigned char)in[i] < 0x80)
			i++;
		else if (d->set == CHARSET_UTF8 &&
		    (n = utf8_decode(in + i, len - i, &c)) > 0)
			i += n;
		else
			break;
	}
	return (i);
}

static uint32_t
unit(const unsigned char *p, int little)
{
	return (little ? (uint32_t)p[1] << 8 | p[0] :
	    (uint32_t)p[0] << 8 | p[1]);
}

/* RFC 2781; a mark at the beginning says which byte comes first. */
static size_t
step_utf16(struct mime_decoder *d, const unsigned char *p, size_t len,
    struct charset_step *s)
{
	int little = d->set == CHARSET_UTF16LE;
	uint32_t u, low;

	if (len < 2)
		return (0);
	if (!d->begun && unit(p, !little) == 0xfeff) {
		little = !little;
		d->set = little ? CHARSET_UTF16LE : CHARSET_UTF16;
	}
	d->begun = 1;
	s->n = 0;
	if ((u = unit(p, little)) == 0xfeff)
		return (2);
	s->n = 1;
	s->c[0] = u >= 0xd800 && u <= 0xdfff ? UTF8_REPLACE : u;
	if (u < 0xd800 || u > 0xdbff)
		return (2);
	if (len < 4)
		return (0);
	low = unit(p + 2, little);
	if (low < 0xdc00 || low > 0xdfff)
		return (2);
	s->c[0] = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
	return (4);
}

static size_t
step_utf8(const unsigned char *p, size_t len, struct charset_step *s)
{
	unsigned int n;

	s->n = 1;
	if ((n = utf8_decode((const char *)p, len, &s->c[0])) > 0)
		return (n);
	if (utf8_partial((const char *)p, len))
		return (0);
	s->c[0] = UTF8_REPLACE;
	return (1);
}

/* The next character; 0 if it goes on behind the len bytes. */
static size_t
step(struct mime_decoder *d, const unsigned char *p, size_t len,
    struct charset_step *s)
{
	s->n = 0;
	switch (d->set) {
	case CHARSET_UTF8:
		return (step_utf8(p, len, s));
	case CHARSET_UTF7:
		return (charset_utf7(d, p, len, s));
	case CHARSET_UTF16:
	case CHARSET_UTF16LE:
		return (step_utf16(d, p, len, s));
	case CHARSET_SHIFT_JIS:
		return (charset_shift_jis(p, len, s));
	case CHARSET_EUC_JP:
		return (charset_euc_jp(p, len, s));
	case CHARSET_ISO_2022_JP:
	case CHARSET_ISO_2022_KR:
		return (charset_iso_2022(d, p, len, s));
	case CHARSET_GB18030:
		return (charset_gb(p, len, s));
	case CHARSET_BIG5:
		return (charset_big(p, len, s));
	case CHARSET_EUC_KR:
		return (charset_euc_kr(p, len, s));
	default:
		s->c[0] = one_byte(d->set, p[0]);
		s->n = 1;
		return (1);
	}
}

static int
put(const struct charset_step *s, struct buf *out)
{
	char c[UTF8_MAX * 2];
	unsigned int i, n = 0;

	for (i = 0; i < s->n; i++)
		n += utf8_encode(s->c[i], c + n);
	return (n > 0 ? buf_add(out, c, n) : 0);
}

/*
 * A character that began in what came before: to *in until it is whole.  Both
 * together are longer than any character.
 */
static int
join(struct mime_decoder *d, const char **in, size_t *len, int last,
    struct buf *out)
{
	unsigned char both[2 * MIME_CHARSET_KEPT];
	struct charset_step s;
	size_t more, n;

	while (d->nkept > 0) {
		more = *len < MIME_CHARSET_KEPT ? *len : MIME_CHARSET_KEPT;
		memcpy(both, d->kept, d->nkept);
		if (more > 0)
			memcpy(both + d->nkept, *in, more);
		n = step(d, both, d->nkept + more, &s);
		if (n == 0 && !last) {
			memcpy(d->kept, both, d->nkept + more);
			d->nkept += more;
			*in += more;
			*len -= more;
			return (0);
		}
		if (n == 0) {
			s = (struct charset_step){ { UTF8_REPLACE }, 1 };
			n = 1;
		}
		if (put(&s, out) == -1)
			return (-1);
		if (n < d->nkept) {
			d->nkept -= n;
			memmove(d->kept, d->kept + n, d->nkept);
			continue;
		}
		*in += n - d->nkept;
		*len -= n - d->nkept;
		d->nkept = 0;
	}
	return (0);
}

static int
finish(struct mime_decoder *d, struct buf *out)
{
	struct charset_step s;

	if (d->set != CHARSET_UTF7)
		return (0);
	charset_utf7_end(d, &s);
	return (put(&s, out));
}

int
mime_decoder_feed(struct mime_decoder *d, const char *in, size_t len,
    int last, struct buf *out)
{
	struct charset_step s;
	size_t n;

	if (d->set == CHARSET_UNKNOWN) {
		errno = ENOTSUP;
		return (-1);
	}
	if (join(d, &in, &len, last, out) == -1)
		return (-1);
	while (len > 0) {
		if ((n = run_length(d, in, len)) > 0) {
			if (buf_add(out, in, n) == -1)
				return (-1);
		} else if ((n = step(d, (const unsigned char *)in, len,
		    &s)) > 0) {
			if (put(&s, out) == -1)
				return (-1);
		} else if (last) {
			s = (struct charset_step){ { UTF8_REPLACE }, 1 };
			if (put(&s, out) == -1)
				return (-1);
			n = 1;
		} else {
			memcpy(d->kept, in, len);
			d->nkept = len;
			n = len;
		}
		in += n;
		len -= n;
	}
	return (last ? finish(d, out) : 0);
}

int
mime_charset_to_utf8(enum mime_charset set, const char *in, size_t len,
    struct buf *out)
{
	struct mime_decoder d;

	mime_decoder_init(&d, set);
	return (mime_decoder_feed(&d, in, len, 1, out));
}
