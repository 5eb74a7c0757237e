/*
 * Envelopes from a damaged disk: what decodes encodes to what decodes to the
 * same.
 *
 * fuzz: smtpd/envelope.c lib/buf/buf.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf/buf.h"
#include "smtpd/envelope.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
envelope(const uint8_t *data, size_t len)
{
	struct envelope	e, again;
	struct buf	b, c;

	if (envelope_decode(&e, data, len) == -1)
		return;
	check(e.nrcpts > 0 && e.nrcpts <= ENVELOPE_RCPTS);
	buf_init(&b, ENVELOPE_MAX);
	buf_init(&c, ENVELOPE_MAX);
	check(envelope_encode(&e, &b) == 0);
	/* One of an old version is written as one of the newest. */
	check(data[0] != *(const uint8_t *)buf_data(&b) ||
	    (buf_len(&b) == len && memcmp(buf_data(&b), data, len) == 0));
	check(envelope_decode(&again, buf_data(&b), buf_len(&b)) == 0);
	check(envelope_encode(&again, &c) == 0 &&
	    buf_len(&c) == buf_len(&b));
	envelope_free(&again);
	envelope_free(&e);
	buf_free(&b);
	buf_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rcpt_change	ch;

	envelope(data, len);
	if (rcpt_change_decode(&ch, data, len) == 0)
		check(ch.status <= RCPT_STATUS_MAX && ch.replylen < len &&
		    ch.remotelen < len &&
		    (const uint8_t *)ch.reply + ch.replylen <= data + len);
	return (0);
}
