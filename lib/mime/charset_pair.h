/*
 * charset_pair: the tables of sets of two bytes a character; for
 * charset_pair.c and charset_shift.c.
 *
 * They are text without pointers, so that all processes share their pages,
 * and only those that are looked at.
 */
#ifndef MIME_CHARSET_PAIR_H
#define MIME_CHARSET_PAIR_H

#include <stddef.h>
#include <stdint.h>

/* How many characters each has: rows by columns. */
#define JISX0208_CHARS	(100 * 94)	/* see charset_pair.c */
#define JISX0212_CHARS	(94 * 94)
#define GBK_CHARS	(126 * 190)
#define BIG5_CHARS	(126 * 157)
#define UHC_CHARS	(126 * 190)
#define GB18030_RANGES	206

/* A sequence of this number is that character, and so on. */
struct charset_range {
	uint16_t	 number;
	uint16_t	 c;
};

/* '.' where there is no character; a string's end behind the last. */
extern const uint16_t charset_jisx0208[JISX0208_CHARS + 1];
extern const uint16_t charset_jisx0212[JISX0212_CHARS + 1];
extern const uint16_t charset_gbk[GBK_CHARS + 1];
extern const uint32_t charset_big5[BIG5_CHARS + 1];
extern const uint16_t charset_uhc[UHC_CHARS + 1];
extern const struct charset_range charset_gb18030[GB18030_RANGES];

/* By bytes from 0xa1 to 0xfe; UTF8_REPLACE if there is none. */
uint32_t	charset_pair_jisx0208(unsigned char, unsigned char);
uint32_t	charset_pair_jisx0212(unsigned char, unsigned char);
uint32_t	charset_pair_gb2312(unsigned char, unsigned char);
uint32_t	charset_pair_ksx1001(unsigned char, unsigned char);

#endif
