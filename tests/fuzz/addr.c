/*
 * Address lists: groups open and close in turn, strings are terminated and
 * have no line end, and no more comes out than went in.
 *
 * fuzz: lib/mime/address.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mime/address.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t
check_string(const char *s)
{
	if (s == NULL)
		return (0);
	if (strpbrk(s, "\r\n") != NULL ||
	    strlen(s) > MIME_ADDRESS_BYTES)
		abort();
	return (strlen(s));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mime_addresses l;
	size_t i, total = 0;
	int in_group = 0;

	if (mime_addresses_parse(&l, (const char *)data, len) == -1)
		return (0);
	if (l.n > MIME_ADDRESSES_MAX)
		abort();
	for (i = 0; i < l.n; i++) {
		if ((l.v[i].kind == ADDRESS_GROUP && in_group) ||
		    (l.v[i].kind == ADDRESS_GROUP_END && !in_group))
			abort();
		if (l.v[i].kind != ADDRESS_MAILBOX)
			in_group = l.v[i].kind == ADDRESS_GROUP;
		total += check_string(l.v[i].name) +
		    check_string(l.v[i].route) +
		    check_string(l.v[i].mailbox) + check_string(l.v[i].host);
	}
	if (in_group || total > len)
		abort();
	mime_addresses_free(&l);
	return (0);
}
