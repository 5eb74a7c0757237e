/*
 * charset: the sets that mail is commonly written in, by tables of our own: a
 * static program has no iconv.  Pure, linear.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "buf/utf8.h"
#include "mime/charset.h"

static const struct {
	const char		*name;
	enum mime_charset	 set;
} names[] = {
	{ "us-ascii", CHARSET_UTF8 },
	{ "ascii", CHARSET_UTF8 },
	{ "utf-8", CHARSET_UTF8 },
	{ "utf8", CHARSET_UTF8 },
	{ "iso-8859-1", CHARSET_LATIN1 },
	{ "latin1", CHARSET_LATIN1 },
	{ "iso-8859-15", CHARSET_LATIN9 },
	{ "latin-9", CHARSET_LATIN9 },
	{ "windows-1252", CHARSET_CP1252 },
	{ "cp1252", CHARSET_CP1252 }
};

/* 0x80 to 0x9f of windows-1252; 0 where it has none. */
static const uint16_t cp1252[32] = {
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178
};

/* Where iso-8859-15 differs from iso-8859-1. */
static uint32_t
latin9(unsigned char c)
{
	switch (c) {
	case 0xa4:
		return (0x20ac);
	case 0xa6:
		return (0x160);
	case 0xa8:
		return (0x161);
	case 0xb4:
		return (0x17d);
	case 0xb8:
		return (0x17e);
	case 0xbc:
		return (0x152);
	case 0xbd:
		return (0x153);
	case 0xbe:
		return (0x178);
	default:
		return (c);
	}
}

enum mime_charset
mime_charset(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == len &&
		    strncasecmp(names[i].name, name, len) == 0)
			return (names[i].set);
	return (CHARSET_UNKNOWN);
}

static uint32_t
one_byte(enum mime_charset set, unsigned char c)
{
	if (set == CHARSET_LATIN9)
		return (latin9(c));
	if (set == CHARSET_CP1252 && c >= 0x80 && c <= 0x9f)
		return (cp1252[c - 0x80] != 0 ? cp1252[c - 0x80] :
		    UTF8_REPLACE);
	return (c);
}

/* The bytes that can be copied as they are. */
static size_t
run_length(enum mime_charset set, const char *in, size_t len)
{
	unsigned int n;
	uint32_t c;
	size_t i = 0;

	while (i < len) {
		if ((unsigned char)in[i] < 0x80)
			i++;
		else if (set == CHARSET_UTF8 &&
		    (n = utf8_decode(in + i, len - i, &c)) > 0)
			i += n;
		else
			break;
	}
	return (i);
}

int
mime_charset_to_utf8(enum mime_charset set, const char *in, size_t len,
    struct buf *out)
{
	char c[UTF8_MAX];
	unsigned int n;
	size_t run;

	if (set == CHARSET_UNKNOWN) {
		errno = ENOTSUP;
		return (-1);
	}
	while (len > 0) {
		if ((run = run_length(set, in, len)) > 0) {
			if (buf_add(out, in, run) == -1)
				return (-1);
			in += run;
			len -= run;
			continue;
		}
		n = utf8_encode(set == CHARSET_UTF8 ? UTF8_REPLACE :
		    one_byte(set, (unsigned char)*in), c);
		if (buf_add(out, c, n) == -1)
			return (-1);
		in++;
		len--;
	}
	return (0);
}
