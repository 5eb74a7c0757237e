/*
 * fuzz: lib/store/mboxredo.c lib/store/hash.c
 *
 * An mbox that was being rewritten, as any program could have left it.  Where
 * the first byte is odd the next ones are numbers for a record whose checksums
 * are right.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/hash.h"
#include "store/mboxredo.h"

#define SIZE_MAX_	65536

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t
good_record(char *file, size_t len, const uint8_t *n)
{
	struct mboxredo r = { .old = n[0] | (unsigned int)n[1] << 8,
	    .new = n[2] | (unsigned int)n[3] << 8,
	    .from = n[4] | (unsigned int)n[5] << 8 };
	size_t have;

	if (r.from > r.old || r.from > r.new)
		return (len);
	r.at = mboxredo_place(r.old, r.new);
	mboxredo_stamp(r.at, file);
	if (mboxredo_end(&r) <= len) {
		r.sum = hash_bytes(file + r.at + MBOXREDO_BLOCK,
		    r.new - r.from);
		have = len;
	} else
		have = r.at + MBOXREDO_BLOCK;
	if (have > 2 * SIZE_MAX_ + MBOXREDO_BLOCK)
		abort();
	mboxredo_block(&r, file + r.at);
	return (have > len ? have : len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mboxredo_parts p;
	size_t out;
	char *file, *exact, *text;

	if (len < 8 || len > SIZE_MAX_)
		return (0);
	if ((file = calloc(1, 3 * SIZE_MAX_)) == NULL)
		return (0);
	memcpy(file, data + 7, len - 7);
	out = len - 7;
	if (data[0] & 1)
		out = good_record(file, out, data + 1);
	/* So that a byte too much is found. */
	if (mboxredo_stamped(file, out) && (exact = malloc(out)) != NULL) {
		memcpy(exact, file, out);
		mboxredo_parts(exact, out, &p);
		if (p.front > out || p.back > p.stop || p.stop > out ||
		    p.middlelen > out)
			abort();
		if ((text = mboxredo_text(exact, &p, &len)) != NULL &&
		    len != p.front + p.middlelen + (p.stop - p.back))
			abort();
		free(text);
		free(exact);
	}
	free(file);
	return (0);
}
