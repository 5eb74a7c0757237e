/*
 * shown: see shown.h.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "buf/shown.h"
#include "buf/utf8.h"

static int
is_harmful(uint32_t c)
{
	return (c < 0x20 || (c >= 0x7f && c <= 0x9f) ||
	    c == 0x200e || c == 0x200f ||		/* marks of direction */
	    (c >= 0x2028 && c <= 0x202e) ||		/* lines, embeddings */
	    (c >= 0x2066 && c <= 0x2069) ||		/* isolates */
	    c == 0x061c || c == 0xfeff);
}

unsigned int
shown_next(const char *s, size_t len, enum shown how, char to[SHOWN_MAX])
{
	uint32_t	c;
	unsigned int	n = utf8_decode(s, len, &c);

	if (n == 0) {
		c = UTF8_REPLACE;
		n = 1;
	} else if (!is_harmful(c)) {
		if (how == SHOWN_JSON && (c == '"' || c == '\\'))
			*to++ = '\\';
		memcpy(to, s, n);
		to[n] = '\0';
		return (n);
	}
	if (how == SHOWN_JSON)
		(void)snprintf(to, SHOWN_MAX, "\\u%04x", (unsigned int)c);
	else
		memcpy(to, "?", 2);
	return (n);
}

void
shown_text(char *to, size_t size, const char *s, enum shown how)
{
	size_t	len = strlen(s), n = 0, one;
	char	c[SHOWN_MAX];

	while (len > 0) {
		unsigned int	took = shown_next(s, len, how, c);

		one = strlen(c);
		if (size - n <= one)
			break;
		memcpy(to + n, c, one);
		n += one;
		s += took;
		len -= took;
	}
	to[n] = '\0';
}
