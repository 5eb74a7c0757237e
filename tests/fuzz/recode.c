/*
 * recode: whatever the message, what comes out has no byte above 127, has the
 * size that was told, and has as many parts as before.
 *
 * fuzz: lib/mime/recode.c lib/mime/tree.c lib/mime/header.c lib/mime/param.c
 * fuzz: lib/mime/codec.c lib/mime/charset.c lib/mime/charset_cn.c
 * fuzz: lib/mime/charset_jp.c lib/mime/charset_kr.c lib/mime/charset_pair.c
 * fuzz: lib/mime/charset_shift.c lib/mime/charset_table.c
 * fuzz: lib/mime/charset_tw.c
 * fuzz: lib/mime/word.c lib/buf/buf.c
 * fuzz: lib/buf/utf8.c lib/imap/mutf7.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mime/recode.h"
#include "mime/tree.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
one(const char *text, size_t len, enum mime_recode_to to)
{
	struct mime_recode	*r;
	struct mime_tree	 before, after;
	enum mime_recode_error	 error;
	uint64_t		 size;
	size_t			 n, got = 0, i;
	char			*out;

	if ((r = mime_recode_new(text, len, to, &error)) == NULL) {
		check(error != RECODE_OK);
		return;
	}
	size = mime_recode_size(r);
	/* Three for one, soft breaks, and some lines of header a part. */
	check(size <= 4 * (uint64_t)len + 200 * (MIME_PARTS_MAX + 1));
	if ((out = malloc((size_t)size + RECODE_OUT_MIN)) == NULL)
		abort();
	while ((n = mime_recode_next(r, out + got, 100)) > 0)
		got += n;
	check(got == size);
	for (i = 0; to == RECODE_7BIT && i < got; i++)
		check((unsigned char)out[i] < 0x80);
	if (mime_tree_parse(&before, text, len) == 0) {
		if (mime_tree_parse(&after, out, got) == 0) {
			check(before.n == after.n);
			mime_tree_free(&after);
		}
		mime_tree_free(&before);
	}
	mime_recode_free(r);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	one((const char *)data, len, RECODE_7BIT);
	one((const char *)data, len, RECODE_8BIT);
	return (0);
}
