/*
 * submission: headers as local programs write them, and files of kept
 * messages.  The first byte chooses.
 *
 * fuzz: lib/buf/buf.c lib/mime/address.c lib/mime/header.c
 * fuzz: lib/mime/submission.c lib/daemon/submit.c lib/daemon/submit_keep.c
 * fuzz: lib/os/os_file.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/submit_keep.h"
#include "mime/submission.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
recipient(void *arg, const char *address)
{
	if (strchr(address, '@') == NULL)
		abort();
	return (++*(int *)arg > 1000 ? -1 : 0);
}

/* What was completed is complete: nothing is added to it again. */
static void
header(const char *p, size_t len)
{
	int			 n = 0;
	struct submission	 s = { .from = "ann", .fullname = "",
				    .origin = "o", .date = "D", .msgid = "<I>",
				    .take = 1, .recipient = recipient,
				    .arg = &n };
	struct buf		 once, twice;
	size_t			 body = submission_body(p, len);

	if (body > len)
		abort();
	buf_init(&once, 8 * SUBMISSION_HEADER_MAX);
	buf_init(&twice, 8 * SUBMISSION_HEADER_MAX);
	if (submission_header(&s, p, body, &once) == 0) {
		n = 0;
		if (submission_header(&s, buf_data(&once),
		    submission_body(buf_data(&once), buf_len(&once)),
		    &twice) == 0 && (buf_len(&once) != buf_len(&twice) ||
		    memcmp(buf_data(&once), buf_data(&twice),
		    buf_len(&once)) != 0))
			abort();
	}
	buf_free(&once);
	buf_free(&twice);
}

static void
kept(const char *p, size_t len)
{
	struct keep	 k;
	char		*copy = malloc(len + 1);

	if (copy == NULL)
		abort();
	memcpy(copy, p, len);
	if (keep_parse(&k, copy, len) == 0 && (k.mail.nrcpts == 0 ||
	    k.mail.header + k.mail.headerlen != k.mail.text ||
	    k.mail.text + k.mail.len != copy + len))
		abort();
	keep_free(&k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char	*p = (const char *)data + 1;

	if (size < 1 || size > 65536)
		return (0);
	if (data[0] % 2 == 0)
		header(p, size - 1);
	else
		kept(p, size - 1);
	return (0);
}
