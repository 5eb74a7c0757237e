/*
 * What a hostile SMTP server says, in pieces: the first byte is their length.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smtp/reply.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const struct reply *r)
{
	char	text[512];
	size_t	i;

	reply_print(r, text, sizeof(text));
	if (r->code < 200 || r->code > 599 || r->textlen != strlen(r->text) ||
	    strlen(text) < 9)
		abort();
	for (i = 0; text[i] != '\0'; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reply		 r;
	struct ehlo		 e = { 0 };
	const char		*p = (const char *)data + 1;
	size_t			 step, off = 0, end = 0, used;
	enum reply_status	 status;

	if (len < 2)
		return (0);
	step = data[0] + (size_t)1;
	len--;
	reply_init(&r);
	while (end < len) {
		end = len - end < step ? len : end + step;
		do {
			status = reply_read(&r, &e, p + off, end - off, &used);
			if (used > end - off)
				abort();
			off += used;
			if (status == REPLY_BAD)
				return (0);
			if (status == REPLY_DONE) {
				check(&r);
				reply_init(&r);
			}
		} while (status == REPLY_DONE && off < end);
	}
	(void)ehlo_has_auth(&e, "PLAIN");
	return (0);
}
