/*
 * alias: what may stand in an alias, an included or a forward file.
 *
 * fuzz: lib/rules/value.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rules/value.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char		*text, word[VALUE_WORD];
	const char	*p, *was;
	enum value_kind	 k;

	if ((text = malloc(size + 1)) == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	p = text;
	do {
		was = p;
		k = value_next(&p, word);
		if (p < was || p > text + strlen(text) ||
		    memchr(word, '\0', sizeof(word)) == NULL)
			abort();
		if (k != VALUE_END && k != VALUE_BAD && *word == '\0' &&
		    p == was)
			abort();	/* it would go on for ever */
		if (k != VALUE_END && p == was)
			abort();
		if (k == VALUE_INCLUDE && *word != '/')
			abort();
	} while (k != VALUE_END);
	free(text);
	return (0);
}
