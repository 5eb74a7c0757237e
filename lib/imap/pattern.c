/*
 * pattern: a pattern's states are followed side by side, so that no pattern
 * makes the name be read twice.  Pure.
 */
#include <string.h>
#include <strings.h>

#include "imap/pattern.h"

/* States that may be in after a wildcard without a further byte. */
static void
close_states(unsigned char *on, const char *pattern, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (on[i] && (pattern[i] == '*' || pattern[i] == '%'))
			on[i + 1] = 1;
}

/* on[i]: pattern[0..i) matches what was read of the name. */
int
imap_pattern_match(const char *pattern, const char *name, size_t namelen)
{
	unsigned char on[IMAP_PATTERN_MAX + 2], next[IMAP_PATTERN_MAX + 2];
	size_t i, j, len = strlen(pattern);

	if (len > IMAP_PATTERN_MAX)
		return (0);
	memset(on, 0, len + 1);
	on[0] = 1;
	close_states(on, pattern, len);
	for (j = 0; j < namelen; j++) {
		memset(next, 0, len + 1);
		for (i = 0; i < len; i++) {
			if (!on[i])
				continue;
			if (pattern[i] == '*' ||
			    (pattern[i] == '%' && name[j] != '/'))
				next[i] = 1;
			else if (pattern[i] == name[j])
				next[i + 1] = 1;
		}
		close_states(next, pattern, len);
		memcpy(on, next, len + 1);
	}
	return (on[len]);
}

void
imap_pattern_fold(char *pattern)
{
	if (strncasecmp(pattern, "INBOX", 5) == 0 &&
	    (pattern[5] == '\0' || pattern[5] == '/'))
		memcpy(pattern, "INBOX", 5);
}
