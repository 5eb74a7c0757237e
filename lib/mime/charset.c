/*
 * charset: the sets that mail is commonly written in, by tables of our own: a
 * static program cannot load iconv's, and a confined one may not.  Pure,
 * linear.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "buf/utf8.h"
#include "mime/charset.h"
#include "mime/charset_table.h"

#define NAME_LEN_MAX	32

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
	{ "utf-16", CHARSET_UTF16 },
	{ "utf-16be", CHARSET_UTF16 },
	{ "utf-16le", CHARSET_UTF16LE }
};

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

	if (len == 0 || len > NAME_LEN_MAX ||
	    memchr(name, ' ', len) != NULL || memchr(name, '\0', len) != NULL)
		return (CHARSET_UNKNOWN);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == len &&
		    strncasecmp(names[i].name, name, len) == 0)
			return (names[i].set);
	for (i = 0; i < charset_ntables; i++)
		if (listed(charset_tables[i].names, name, len))
			return ((enum mime_charset)(CHARSET_TABLE + i));
	return (CHARSET_UNKNOWN);
}

int
mime_charset_is_ascii(enum mime_charset set)
{
	return (set != CHARSET_UTF16 && set != CHARSET_UTF16LE);
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

static uint32_t
unit(const unsigned char *p, int little)
{
	return (little ? (uint32_t)p[1] << 8 | p[0] :
	    (uint32_t)p[0] << 8 | p[1]);
}

/* RFC 2781; a mark at the beginning says which byte comes first. */
static int
utf16(const char *in, size_t len, int little, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)in;
	const unsigned char *end = p + len / 2 * 2;
	char c[UTF8_MAX];
	uint32_t u, low;

	if (end - p >= 2 && unit(p, !little) == 0xfeff)
		little = !little;
	for (; p < end; p += 2) {
		u = unit(p, little);
		if (u == 0xfeff)
			continue;
		if (u >= 0xd800 && u <= 0xdfff) {
			low = end - p >= 4 ? unit(p + 2, little) : 0;
			if (u <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) {
				u = 0x10000 + ((u - 0xd800) << 10) +
				    (low - 0xdc00);
				p += 2;
			} else
				u = UTF8_REPLACE;
		}
		if (buf_add(out, c, utf8_encode(u, c)) == -1)
			return (-1);
	}
	return (0);
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
	if (!mime_charset_is_ascii(set))
		return (utf16(in, len, set == CHARSET_UTF16LE, out));
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
