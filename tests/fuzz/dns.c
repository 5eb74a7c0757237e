/*
 * Answers of a malicious name server.  The first byte chooses the type.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const unsigned int types[] = { DNS_WIRE_A, DNS_WIRE_AAAA,
	    DNS_WIRE_MX, DNS_WIRE_PTR };
	static struct dns_answer a;
	size_t			 i;
	unsigned int		 type;

	if (len == 0)
		return (0);
	type = types[data[0] % 4];
	if (dns_wire_parse(data + 1, len - 1, type, &a) == -1)
		return (0);
	if (a.n > DNS_RECORDS)
		abort();
	for (i = 0; i < a.n; i++)
		if ((type == DNS_WIRE_MX || type == DNS_WIRE_PTR) &&
		    strcmp(a.rec[i].name, ".") != 0 &&
		    !dns_name_ok(a.rec[i].name))
			abort();
	return (0);
}
