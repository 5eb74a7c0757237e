/*
 * Reports about what strangers wrote: each line is one of ours, and ends and
 * is as short as a line must be.  Strings end in NUL; the first byte holds
 * flags.
 *
 * fuzz: lib/smtp/dsn.c lib/smtp/dsn_field.c lib/buf/buf.c lib/buf/utf8.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf/buf.h"
#include "smtp/dsn.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char *
next(const char **p, const char *end)
{
	const char	*s = *p;

	if (s >= end)
		return ("");
	*p = s + strlen(s) + 1;
	return (s);
}

/* Up to what is returned, which is data: no control character but line ends. */
static void
check(const char *text, size_t len, size_t nrcpts)
{
	const char	*p = text, *end = text + len, *nl;
	size_t		 actions = 0, i;

	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', end - p)) == NULL || nl == p ||
		    nl[-1] != '\r' || nl - p > 999)
			abort();
		for (i = 0; p + i < nl - 1; i++)
			if ((unsigned char)p[i] < 0x20 && p[i] != '\t')
				abort();
		actions += nl - p > 7 && memcmp(p, "Action:", 7) == 0;
		if (nl - p > 2 && memcmp(p, "X-", 2) == 0)
			abort();
	}
	if (actions != nrcpts)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dsn_rcpt	 r[2];
	struct dsn	 d = { .hostname = "h.test", .id = "i",
			    .boundary = "=_b" };
	struct buf	 b;
	char		*copy;
	const char	*p, *end;
	size_t		 i;

	if (len < 2 || (copy = calloc(1, len)) == NULL)
		return (0);
	memcpy(copy, data + 1, len - 1);
	p = copy;
	end = copy + len - 1;
	for (i = 0; i < 2; i++) {
		r[i].action = (enum dsn_action)((data[0] + i) % DSN_ACTIONS);
		r[i].orcpt = next(&p, end);
		r[i].orig = next(&p, end);
		r[i].final = next(&p, end);
		r[i].reply = next(&p, end);
		r[i].remote = next(&p, end);
		r[i].last = (int64_t)data[0];
	}
	d.to = next(&p, end);
	d.about = next(&p, end);
	d.envid = next(&p, end);
	d.utf8 = data[0] & 0x20 ? 1 : 0;
	d.doubled = data[0] & 0x40 ? 1 : 0;
	d.full = data[0] & 0x80 ? 1 : 0;
	d.rcpts = r;
	d.nrcpts = 2;
	d.text = "";
	buf_init(&b, 1 << 20);
	if (dsn_write(&d, &b) == 0)
		check(buf_data(&b), buf_len(&b), 2);
	buf_free(&b);
	buf_init(&b, 1 << 20);
	d.text = (const char *)data;
	d.textlen = len;
	(void)dsn_write(&d, &b);
	buf_free(&b);
	free(copy);
	return (0);
}
