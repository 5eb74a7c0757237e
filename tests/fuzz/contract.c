/*
 * The contract check of all three daemons: what any process may write into a
 * channel.  After the check the message must be safe to print, wipe and free.
 *
 * fuzz: lib/imsg/contract.c smtpd/contract.c imapd/contract.c
 * fuzz: pop3d/contract.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imsg/contract.h"

extern const struct contract	smtpd_contract, imapd_contract, pop3d_contract;

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct contract *const contracts[] = {
	&smtpd_contract, &imapd_contract, &pop3d_contract
};

/*
 * The first bytes: daemon, sender, receiver, phase, type, descriptors; the
 * message is what follows, in memory of its own so that an over-read shows.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct contract	*c;
	struct msg		 m;
	unsigned char		*copy;
	char			 text[512];

	if (n < 6)
		return (0);
	c = contracts[p[0] % 3];
	if ((copy = malloc(n - 6 + (n == 6))) == NULL)
		abort();
	memcpy(copy, p + 6, n - 6);
	if (contract_check(c, p[1] % ROLE_COUNT, p[2] % ROLE_COUNT,
	    p[3] & 1 ? WHEN_START : WHEN_RUN, p[4], copy, n - 6, p[5] % 4,
	    &m) == NULL) {
		contract_format(c, &m, text, sizeof(text));
		if (memchr(text, '\0', sizeof(text)) == NULL ||
		    m.taillen > n - 6 || m.fd != -1)
			abort();
		contract_wipe(c, &m);
	}
	free(copy);
	return (0);
}
