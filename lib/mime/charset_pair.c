/*
 * charset_pair: sets whose characters above ASCII have two bytes, or up to
 * four.  Pure; no state goes from one character to the next.
 *
 * The sets overlap ASCII with their second bytes.  Where two bytes make no
 * character, a second one that can be ASCII is left to be read again.
 */
#include "mime/charset_pair.h"
#include "mime/charset_step.h"

#define NONE		'.'
#define IS_94(c)	((c) >= 0xa1 && (c) <= 0xfe)
#define SEQUENCE_BMP	39420		/* sequences of GB 18030 up to U+FFFF */

static size_t
one(struct charset_step *s, uint32_t c, size_t len)
{
	s->c[0] = c;
	s->n = 1;
	return (len);
}

static size_t
none(struct charset_step *s)
{
	return (one(s, UTF8_REPLACE, 1));
}

/* Two bytes that are in the ranges of a set. */
static size_t
two(struct charset_step *s, uint32_t c, unsigned char second)
{
	if (c != UTF8_REPLACE)
		return (one(s, c, 2));
	return (one(s, c, second < 0x80 ? 1 : 2));
}

static uint32_t
look_up(const uint16_t *table, size_t len, size_t i)
{
	return (i < len && table[i] != NONE ? table[i] : UTF8_REPLACE);
}

uint32_t
charset_pair_jisx0208(unsigned char a, unsigned char b)
{
	/* Behind the 94 rows are those that only Shift_JIS reaches. */
	return (look_up(charset_jisx0208, 94 * 94,
	    (a - 0xa1u) * 94 + (b - 0xa1u)));
}

uint32_t
charset_pair_jisx0212(unsigned char a, unsigned char b)
{
	return (look_up(charset_jisx0212, JISX0212_CHARS,
	    (a - 0xa1u) * 94 + (b - 0xa1u)));
}

uint32_t
charset_pair_gb2312(unsigned char a, unsigned char b)
{
	return (look_up(charset_gbk, GBK_CHARS,
	    (a - 0x81u) * 190 + (b - 0x41u)));
}

uint32_t
charset_pair_ksx1001(unsigned char a, unsigned char b)
{
	return (look_up(charset_uhc, UHC_CHARS,
	    (a - 0x81u) * 190 + (b - 0x41u)));
}

size_t
charset_shift_jis(const unsigned char *p, size_t len, struct charset_step *s)
{
	size_t row, i;

	if (p[0] <= 0x80)
		return (one(s, p[0], 1));
	if (p[0] >= 0xa1 && p[0] <= 0xdf)
		return (one(s, 0xff61u + p[0] - 0xa1, 1));
	if (p[0] == 0xa0 || p[0] > 0xfc)
		return (none(s));
	if (len < 2)
		return (0);
	if (p[1] < 0x40 || p[1] == 0x7f || p[1] > 0xfc)
		return (none(s));
	row = (p[0] - (p[0] < 0xa0 ? 0x81u : 0xc1u)) * 2;
	i = p[1] - (p[1] < 0x7f ? 0x40u : 0x41u);
	/* Twenty rows are for private use; what is behind them moves up. */
	if (row >= 94 && row < 114)
		return (two(s, UTF8_REPLACE, p[1]));
	if (row >= 114)
		row -= 20;
	return (two(s, look_up(charset_jisx0208, JISX0208_CHARS,
	    row * 94 + i), p[1]));
}

size_t
charset_euc_jp(const unsigned char *p, size_t len, struct charset_step *s)
{
	if (p[0] < 0x80)
		return (one(s, p[0], 1));
	if (p[0] != 0x8e && p[0] != 0x8f && !IS_94(p[0]))
		return (none(s));
	if (len < 2)
		return (0);
	if (!IS_94(p[1]))
		return (none(s));
	if (p[0] == 0x8e)
		return (p[1] > 0xdf ? none(s) :
		    one(s, 0xff61u + p[1] - 0xa1, 2));
	if (p[0] != 0x8f)
		return (two(s, charset_pair_jisx0208(p[0], p[1]), p[1]));
	if (len < 3)
		return (0);
	if (!IS_94(p[2]))
		return (none(s));
	return (one(s, charset_pair_jisx0212(p[1], p[2]), 3));
}

static uint32_t
gb_sequence(uint32_t number)
{
	size_t low = 0, high = GB18030_RANGES, mid;
	const struct charset_range *r;

	if (number >= 189000 && number < 189000 + 0x100000)
		return (number - 189000 + 0x10000);
	if (number >= SEQUENCE_BMP)
		return (UTF8_REPLACE);
	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (charset_gb18030[mid].number <= number)
			low = mid;
		else
			high = mid;
	}
	r = &charset_gb18030[low];
	return (r->c + (number - r->number));
}

/* A digit behind the first byte: four bytes, 0x81-0xfe and a digit twice. */
static size_t
gb_four(const unsigned char *p, size_t len, struct charset_step *s)
{
	uint32_t c;

	if (len >= 3 && (p[2] < 0x81 || p[2] > 0xfe))
		return (none(s));
	if (len < 4)
		return (0);
	if (p[3] < '0' || p[3] > '9')
		return (none(s));
	c = gb_sequence((p[0] - 0x81u) * 12600 + (p[1] - 0x30u) * 1260 +
	    (p[2] - 0x81u) * 10 + (p[3] - 0x30u));
	return (one(s, c, c != UTF8_REPLACE ? 4 : 1));
}

size_t
charset_gb(const unsigned char *p, size_t len, struct charset_step *s)
{
	if (p[0] < 0x80)
		return (one(s, p[0], 1));
	if (p[0] == 0x80)
		return (one(s, 0x20ac, 1));	/* Windows-936 */
	if (p[0] == 0xff)
		return (none(s));
	if (len < 2)
		return (0);
	if (p[1] >= '0' && p[1] <= '9')
		return (gb_four(p, len, s));
	if (p[1] < 0x40 || p[1] == 0x7f || p[1] == 0xff)
		return (none(s));
	return (two(s, look_up(charset_gbk, GBK_CHARS, (p[0] - 0x81u) *
	    190 + p[1] - (p[1] < 0x7f ? 0x40u : 0x41u)), p[1]));
}

size_t
charset_big(const unsigned char *p, size_t len, struct charset_step *s)
{
	/* HKSCS: these are a letter and its accent. */
	static const struct {
		unsigned char	 second;
		uint16_t	 letter, accent;
	} both[] = {
		{ 0x62, 0xca, 0x304 }, { 0x64, 0xca, 0x30c },
		{ 0xa3, 0xea, 0x304 }, { 0xa5, 0xea, 0x30c }
	};
	uint32_t c;
	size_t i;

	if (p[0] < 0x80)
		return (one(s, p[0], 1));
	if (p[0] == 0x80 || p[0] == 0xff)
		return (none(s));
	if (len < 2)
		return (0);
	if (p[1] < 0x40 || (p[1] > 0x7e && p[1] < 0xa1) || p[1] == 0xff)
		return (none(s));
	for (i = 0; p[0] == 0x88 && i < sizeof(both) / sizeof(both[0]); i++) {
		if (p[1] == both[i].second) {
			s->c[0] = both[i].letter;
			s->c[1] = both[i].accent;
			s->n = 2;
			return (2);
		}
	}
	c = charset_big5[(p[0] - 0x81u) * 157 + p[1] -
	    (p[1] < 0x7f ? 0x40u : 0x62u)];
	return (two(s, c == NONE ? UTF8_REPLACE : c, p[1]));
}

size_t
charset_euc_kr(const unsigned char *p, size_t len, struct charset_step *s)
{
	if (p[0] < 0x80)
		return (one(s, p[0], 1));
	if (p[0] == 0x80 || p[0] == 0xff)
		return (none(s));
	if (len < 2)
		return (0);
	if (p[1] < 0x41 || p[1] == 0xff)
		return (none(s));
	return (two(s, charset_pair_ksx1001(p[0], p[1]), p[1]));
}
