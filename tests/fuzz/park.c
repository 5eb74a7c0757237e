/*
 * The state of a parked connection: what is read is what would be written, and
 * nothing else is read.
 *
 * fuzz: imapd/park_state.c lib/buf/buf.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/park_state.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char again[4096];
	struct park_state s;
	size_t n;

	if (park_state_read(&s, data, len) == -1)
		return (0);
	if (strlen(s.tag) > IMAP_TAG_MAX || strlen(s.name) >= PARK_NAME_MAX)
		abort();
	n = park_state_write(&s, again, sizeof(again));
	if (n != len || memcmp(again, data, len) != 0)
		abort();
	return (0);
}
