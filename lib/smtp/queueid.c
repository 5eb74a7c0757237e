/*
 * queueid: 55 bits in base 32, most significant first, so that names sort by
 * age.
 */
#include <string.h>

#include "os/compat.h"
#include "smtp/queueid.h"

static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

void
queueid_text(uint64_t id, char to[QUEUEID_SIZE])
{
	int	i;

	for (i = QUEUEID_SIZE - 2; i >= 0; i--) {
		to[i] = digits[id & 31];
		id >>= 5;
	}
	to[QUEUEID_SIZE - 1] = '\0';
}

int
queueid_parse(const char *s, uint64_t *id)
{
	const char	*d;
	uint64_t	 v = 0;
	int		 i;

	for (i = 0; i < QUEUEID_SIZE - 1; i++) {
		if (s[i] == '\0' || (d = strchr(digits, s[i])) == NULL)
			return (-1);
		v = v << 5 | (uint64_t)(d - digits);
	}
	if (s[i] != '\0')
		return (-1);
	*id = v;
	return (0);
}
