/*
 * words: lists of words that grow.
 */
#include <stdint.h>

#include "os/compat.h"
#include "conf/words.h"

/* Grows at powers of two, so a list of n words costs n. */
const char *
words_add(struct conf_words *words, const char *s)
{
	char **v, *copy;
	size_t n = words->n;

	if ((copy = strdup(s)) == NULL)
		return (NULL);
	if ((n & (n - 1)) == 0) {
		v = reallocarray(words->v, n == 0 ? 1 : n * 2, sizeof(*v));
		if (v == NULL) {
			free(copy);
			return (NULL);
		}
		words->v = v;
	}
	words->v[words->n++] = copy;
	return (copy);
}

void
words_free(struct conf_words *words)
{
	size_t i;

	for (i = 0; i < words->n; i++)
		free(words->v[i]);
	free(words->v);
	words->v = NULL;
	words->n = 0;
}
