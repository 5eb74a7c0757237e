/*
 * casemap: the tables of utf8proc, and a fast way past them for ASCII.
 *
 * Pure.  Cost: text that is ASCII is copied eight bytes at a time.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "buf/utf8.h"
#include "mime/casemap.h"

#define ONES		0x0101010101010101u
#define HIGH		0x8080808080808080u
#define PIECES_MAX	32	/* of one character; the longest has 18 */

size_t
mime_ascii_length(const char *s, size_t len)
{
	uint64_t w;
	size_t i = 0;

	for (; len - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, s + i, sizeof(w));
		if (w & HIGH)
			break;
	}
	while (i < len && (unsigned char)s[i] < 0x80)
		i++;
	return (i);
}

/* Each byte of w is below 0x80: those from 'a' to 'z' lose 0x20. */
static uint64_t
upper(uint64_t w)
{
	uint64_t from_a = w + (0x80 - 'a') * ONES;
	uint64_t above_z = w + (0x7f - 'z') * ONES;

	return (w - ((from_a & ~above_z & HIGH) >> 2));
}

static void
upper_ascii(const char *s, size_t len, char *out)
{
	uint64_t w;
	size_t i = 0;

	for (; len - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, s + i, sizeof(w));
		w = upper(w);
		memcpy(out + i, &w, sizeof(w));
	}
	for (; i < len; i++)
		out[i] = (char)(s[i] >= 'a' && s[i] <= 'z' ? s[i] - 0x20 :
		    s[i]);
}

static int
add_character(uint32_t c, struct buf *out)
{
	utf8proc_int32_t piece[PIECES_MAX], t;
	utf8proc_ssize_t n, i;
	char bytes[UTF8_MAX];
	int state = 0;

	t = utf8proc_totitle((utf8proc_int32_t)c);
	n = utf8proc_decompose_char(t, piece, PIECES_MAX,
	    UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &state);
	if (n <= 0 || n > PIECES_MAX) {
		piece[0] = t;
		n = 1;
	}
	for (i = 0; i < n; i++)
		if (buf_add(out, bytes, utf8_encode((uint32_t)piece[i],
		    bytes)) == -1)
			return (-1);
	return (0);
}

int
mime_casemap(const char *s, size_t len, struct buf *out)
{
	unsigned int in;
	uint32_t c;
	size_t n;
	char *room;

	while (len > 0) {
		if ((n = mime_ascii_length(s, len)) > 0) {
			if ((room = buf_reserve(out, n)) == NULL)
				return (-1);
			upper_ascii(s, n, room);
			buf_commit(out, n);
		} else if ((in = utf8_decode(s, len, &c)) > 0) {
			if (add_character(c, out) == -1)
				return (-1);
			n = in;
		} else {
			if (buf_add(out, s, 1) == -1)
				return (-1);
			n = 1;
		}
		s += n;
		len -= n;
	}
	return (0);
}

int
mime_is_normal(const char *s)
{
	utf8proc_uint8_t *nfc;
	int same;

	if (mime_ascii_length(s, strlen(s)) == strlen(s))
		return (1);
	if ((nfc = utf8proc_NFC((const utf8proc_uint8_t *)s)) == NULL)
		return (0);
	same = strcmp((const char *)nfc, s) == 0;
	free(nfc);
	return (same);
}
