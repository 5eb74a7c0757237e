/*
 * Lines of a log, which quote strangers.
 *
 * fuzz: smtpd/logline.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smtpd/logline.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct logline	 l;
	char		*line;

	if ((line = calloc(1, len + 1)) == NULL)
		return (0);
	memcpy(line, data, len);
	logline_parse(line, 2026, &l);
	if (l.what < LINE_OTHER || l.what >= LINE_KINDS || l.hour < 0 ||
	    l.hour > 23 || strlen(l.day) > 10 || strlen(l.id) > 11 ||
	    strlen(l.reply) >= LINE_FIELD)
		abort();
	free(line);
	return (0);
}
