/*
 * charset_shift: sets of seven bits that say in between what the next bytes
 * are: ISO 2022 (RFC 1468, RFC 1554, RFC 1557, RFC 2237) and UTF-7 (RFC 2152).
 * Pure.
 *
 * A line end brings ISO 2022 back to ASCII, as its RFCs demand of a writer: a
 * text that does not say so cannot hide the lines behind it.
 */
#include <string.h>

#include "mime/charset_pair.h"
#include "mime/charset_step.h"

#define ESC	0x1b
#define SO	0x0e
#define SI	0x0f

/* Up to KATAKANA of one byte. */
enum mode {
	ASCII, ROMAN, KATAKANA, JISX0208, JISX0212, GB2312, KSX1001
};

enum g2 { NO_G2, LATIN1, GREEK };

static const struct {
	unsigned char	len;		/* behind ESC */
	char		bytes[4];
	unsigned char	mode, g2;
} escapes[] = {
	{ 2, "(B", ASCII, NO_G2 },
	{ 2, "(J", ROMAN, NO_G2 },
	{ 2, "(I", KATAKANA, NO_G2 },
	{ 2, "$@", JISX0208, NO_G2 },
	{ 2, "$B", JISX0208, NO_G2 },
	{ 2, "$A", GB2312, NO_G2 },
	{ 3, "$(B", JISX0208, NO_G2 },
	{ 3, "$(D", JISX0212, NO_G2 },
	{ 3, "$(C", KSX1001, NO_G2 },
	{ 2, ".A", ASCII, LATIN1 },
	{ 2, ".F", ASCII, GREEK }
};

/* The right half of ISO-8859-7, for which a table would be too much here. */
static uint32_t
greek(unsigned char c)
{
	static const uint16_t first[] = {
		0xa0, 0x2018, 0x2019, 0xa3, 0x20ac, 0x20af, 0xa6, 0xa7,
		0xa8, 0xa9, 0x37a, 0xab, 0xac, 0xad, UTF8_REPLACE, 0x2015,
		0xb0, 0xb1, 0xb2, 0xb3, 0x384, 0x385, 0x386, 0xb7
	};

	if (c < 0xb8)
		return (first[c - 0xa0]);
	if (c == 0xbb || c == 0xbd)
		return (c);
	return (c == 0xd2 || c == 0xff ? UTF8_REPLACE : c + 0x2d0u);
}

static size_t
one(struct charset_step *s, uint32_t c, size_t len)
{
	s->c[0] = c;
	s->n = 1;
	return (len);
}

/* p is at ESC, and what it says is not understood, or goes on. */
static size_t
escape(struct mime_decoder *d, const unsigned char *p, size_t len,
    struct charset_step *s)
{
	size_t i, n;
	int more = 0;

	for (i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		n = escapes[i].len;
		if (memcmp(p + 1, escapes[i].bytes,
		    len - 1 < n ? len - 1 : n) != 0)
			continue;
		if (len - 1 < n) {
			more = 1;
			continue;
		}
		if (escapes[i].g2 != NO_G2)
			d->g2 = escapes[i].g2;
		else
			d->mode = escapes[i].mode;
		return (n + 1);
	}
	/* ESC N and a character of G2. */
	if (d->g2 != NO_G2 && len >= 2 && p[1] == 'N' && len < 3)
		more = 1;
	if (more)
		return (0);
	if (d->g2 != NO_G2 && p[1] == 'N' && p[2] >= 0x20 && p[2] < 0x80)
		return (one(s, d->g2 == GREEK ? greek(p[2] | 0x80) :
		    p[2] | 0x80u, 3));
	return (one(s, UTF8_REPLACE, 1));
}

/* RFC 1557: one announcement, then SO and SI. */
static size_t
korean(struct mime_decoder *d, const unsigned char *p, size_t len,
    struct charset_step *s)
{
	static const char announced[] = "$)C";

	if (p[0] != ESC) {
		d->mode = p[0] == SO ? KSX1001 : ASCII;
		return (1);
	}
	if (memcmp(p + 1, announced, len - 1 < 3 ? len - 1 : 3) != 0)
		return (one(s, UTF8_REPLACE, 1));
	return (len < 4 ? 0 : 4);
}

static uint32_t
of_one_byte(const struct mime_decoder *d, unsigned char c)
{
	if (d->mode == KATAKANA)
		return (c <= 0x5f ? 0xff61u + c - 0x21 : UTF8_REPLACE);
	if (d->mode == ROMAN && c == '\\')
		return (0xa5);
	return (d->mode == ROMAN && c == '~' ? 0x203e : c);
}

static uint32_t
of_two_bytes(const struct mime_decoder *d, unsigned char a, unsigned char b)
{
	a |= 0x80;
	b |= 0x80;
	switch (d->mode) {
	case JISX0208:
		return (charset_pair_jisx0208(a, b));
	case JISX0212:
		return (charset_pair_jisx0212(a, b));
	case GB2312:
		return (charset_pair_gb2312(a, b));
	default:
		return (charset_pair_ksx1001(a, b));
	}
}

size_t
charset_iso_2022(struct mime_decoder *d, const unsigned char *p, size_t len,
    struct charset_step *s)
{
	int is_korean = d->set == CHARSET_ISO_2022_KR;

	if (is_korean && (p[0] == ESC || p[0] == SO || p[0] == SI))
		return (korean(d, p, len, s));
	if (p[0] == ESC)
		return (escape(d, p, len, s));
	if (p[0] >= 0x80 || p[0] == SO || p[0] == SI)
		return (one(s, UTF8_REPLACE, 1));
	if (p[0] == '\n') {
		d->mode = ASCII;
		d->g2 = NO_G2;
	}
	if (p[0] <= ' ' || p[0] == 0x7f)
		return (one(s, p[0], 1));
	if (d->mode <= KATAKANA)
		return (one(s, of_one_byte(d, p[0]), 1));
	if (len < 2)
		return (0);
	if (p[1] <= ' ' || p[1] >= 0x7f)
		return (one(s, UTF8_REPLACE, 1));
	return (one(s, of_two_bytes(d, p[0], p[1]), 2));
}

static int
base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	return (c == '+' ? 62 : c == '/' ? 63 : -1);
}

static void
add(struct charset_step *s, uint32_t c)
{
	s->c[s->n++] = c;
}

static void
utf7_unit(struct mime_decoder *d, uint32_t u, struct charset_step *s)
{
	if (d->high != 0 && u >= 0xdc00 && u <= 0xdfff) {
		add(s, 0x10000 + ((d->high - 0xd800) << 10) + (u - 0xdc00));
		d->high = 0;
		return;
	}
	if (d->high != 0)
		add(s, UTF8_REPLACE);
	d->high = 0;
	if (u >= 0xd800 && u <= 0xdbff)
		d->high = u;
	else
		add(s, u >= 0xdc00 && u <= 0xdfff ? UTF8_REPLACE : u);
}

void
charset_utf7_end(struct mime_decoder *d, struct charset_step *s)
{
	s->n = 0;
	if (d->high != 0 || d->nbits >= 6 || d->bits != 0)
		add(s, UTF8_REPLACE);
	d->mode = 0;
	d->bits = d->high = d->nbits = 0;
}

/* mode: 0 direct, 1 behind '+', 2 there was base64. */
size_t
charset_utf7(struct mime_decoder *d, const unsigned char *p, size_t len,
    struct charset_step *s)
{
	int v = d->mode != 0 ? base64_value(p[0]) : -1;
	int empty = d->mode == 1;

	(void)len;
	s->n = 0;
	if (v != -1) {
		d->mode = 2;
		d->bits = d->bits << 6 | (uint32_t)v;
		d->nbits += 6;
		if (d->nbits >= 16) {
			d->nbits -= 16;
			utf7_unit(d, d->bits >> d->nbits & 0xffff, s);
			d->bits &= (1u << d->nbits) - 1;
		}
		return (1);
	}
	if (d->mode == 0 && p[0] == '+') {
		d->mode = 1;
		return (1);
	}
	if (d->mode != 0) {
		charset_utf7_end(d, s);
		if (p[0] == '-') {
			if (empty)
				add(s, '+');
			return (1);
		}
		/* '+' that begins nothing. */
		if (empty)
			add(s, UTF8_REPLACE);
	}
	add(s, p[0] < 0x80 ? p[0] : UTF8_REPLACE);
	return (1);
}
