/*
 * utf8: strict decoding: no overlong forms, no surrogates, nothing above
 * U+10FFFF.  Pure functions on bytes that strangers wrote.
 */
#include "buf/utf8.h"

static unsigned int
lead_length(unsigned char c)
{
	if (c < 0x80)
		return (1);
	if (c >= 0xc2 && c <= 0xdf)
		return (2);
	if (c >= 0xe0 && c <= 0xef)
		return (3);
	if (c >= 0xf0 && c <= 0xf4)
		return (4);
	return (0);
}

/* The second byte bounds what overlong forms and surrogates would use. */
static int
second_ok(unsigned char lead, unsigned char c)
{
	if (lead == 0xe0)
		return (c >= 0xa0 && c <= 0xbf);
	if (lead == 0xed)
		return (c >= 0x80 && c <= 0x9f);
	if (lead == 0xf0)
		return (c >= 0x90 && c <= 0xbf);
	if (lead == 0xf4)
		return (c >= 0x80 && c <= 0x8f);
	return (c >= 0x80 && c <= 0xbf);
}

unsigned int
utf8_decode(const char *in, size_t len, uint32_t *out)
{
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const unsigned char *s = (const unsigned char *)in;
	unsigned int i, n;
	uint32_t c;

	if (len == 0 || (n = lead_length(s[0])) == 0 || n > len)
		return (0);
	c = s[0] & mask[n];
	for (i = 1; i < n; i++) {
		if (i == 1 ? !second_ok(s[0], s[1]) : (s[i] & 0xc0) != 0x80)
			return (0);
		c = c << 6 | (s[i] & 0x3f);
	}
	*out = c;
	return (n);
}

int
utf8_partial(const char *in, size_t len)
{
	const unsigned char *s = (const unsigned char *)in;
	unsigned int i, n;

	if (len == 0 || (n = lead_length(s[0])) == 0 || n <= len)
		return (0);
	for (i = 1; i < len; i++) {
		if (i == 1 ? !second_ok(s[0], s[1]) : (s[i] & 0xc0) != 0x80)
			return (0);
	}
	return (1);
}

unsigned int
utf8_encode(uint32_t c, char *out)
{
	unsigned char *s = (unsigned char *)out;

	if (c < 0x80) {
		s[0] = c;
		return (1);
	}
	if (c < 0x800) {
		s[0] = 0xc0 | c >> 6;
		s[1] = 0x80 | (c & 0x3f);
		return (2);
	}
	if (c < 0x10000) {
		s[0] = 0xe0 | c >> 12;
		s[1] = 0x80 | (c >> 6 & 0x3f);
		s[2] = 0x80 | (c & 0x3f);
		return (3);
	}
	s[0] = 0xf0 | (c >> 18 & 0x07);
	s[1] = 0x80 | (c >> 12 & 0x3f);
	s[2] = 0x80 | (c >> 6 & 0x3f);
	s[3] = 0x80 | (c & 0x3f);
	return (4);
}

int
utf8_valid(const char *s, size_t len)
{
	unsigned int n;
	uint32_t c;

	while (len > 0) {
		if ((n = utf8_decode(s, len, &c)) == 0)
			return (0);
		s += n;
		len -= n;
	}
	return (1);
}
