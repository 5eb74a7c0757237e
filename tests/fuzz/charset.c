/*
 * charset: whatever the bytes, what comes out is UTF-8 of bounded length, the
 * same in two pieces as in one, and the line behind them is not touched.
 *
 * The first byte says which set, the second where to cut.
 *
 * fuzz: lib/mime/charset.c lib/mime/charset_cn.c lib/mime/charset_jp.c
 * fuzz: lib/mime/charset_kr.c lib/mime/charset_pair.c
 * fuzz: lib/mime/charset_shift.c lib/mime/charset_table.c
 * fuzz: lib/mime/charset_tw.c lib/buf/buf.c lib/buf/utf8.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf/utf8.h"
#include "mime/charset.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char	tail[] = "\n=?\"<a>";

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
convert(enum mime_charset set, const char *in, size_t len, size_t cut,
    struct buf *out)
{
	struct mime_decoder	d;

	mime_decoder_init(&d, set);
	check(mime_decoder_feed(&d, in, cut, 0, out) == 0);
	check(mime_decoder_feed(&d, in + cut, len - cut, 0, out) == 0);
	check(mime_decoder_feed(&d, tail, sizeof(tail) - 1, 1, out) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char		*in = (const char *)data + 2;
	char			 name[MIME_CHARSET_NAME_SIZE];
	enum mime_charset	 set;
	struct buf		 one, two;
	size_t			 n, end = sizeof(tail) - 1;

	if (len < 2 || !mime_charset_name(data[0], name))
		return (0);
	len -= 2;
	set = mime_charset(name, strlen(name));
	check(set != CHARSET_UNKNOWN);
	buf_init(&one, (len + sizeof(tail)) * MIME_CHARSET_GROWS);
	buf_init(&two, (len + sizeof(tail)) * MIME_CHARSET_GROWS);
	convert(set, in, len, 0, &one);
	convert(set, in, len, len == 0 ? 0 : data[1] % len, &two);
	n = buf_len(&one);
	check(buf_len(&two) == n);
	check(n == 0 || (memcmp(buf_data(&one), buf_data(&two), n) == 0 &&
	    utf8_valid(buf_data(&one), n)));
	if (set != CHARSET_UTF16 && set != CHARSET_UTF16LE)
		check(n >= end &&
		    memcmp(buf_data(&one) + n - end, tail, end) == 0);
	buf_free(&one);
	buf_free(&two);
	return (0);
}
