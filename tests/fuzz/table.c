/*
 * table: table files of any bytes, in both forms, and what stands in them.
 * The first byte chooses the form; its other bits choose a key to look for.
 *
 * fuzz: lib/table/map.c lib/table/user.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "table/map.h"
#include "table/user.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
look(const struct table_map *m, const char *key, enum table_form form)
{
	struct table_user	 u;
	const char		*value, *name = NULL;
	char			*copy;

	if ((value = table_map_find(m, key, &name)) == NULL)
		return;
	if (name == NULL || *name == '\0')
		abort();
	if ((copy = strdup(value)) == NULL)
		abort();
	if (form == TABLE_USERS && table_user_parse(&u, name, copy) == NULL &&
	    (u.hash == NULL || u.home == NULL || u.extra == NULL ||
	    strlen(u.hash) + strlen(u.home) + strlen(u.extra) >
	    strlen(value)))
		abort();
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct table_report	 r;
	struct table_map	*m;
	enum table_form		 form;
	char			*text, key[16] = "";
	size_t			 n;

	if (size < 1 || size > 65536)
		return (0);
	form = data[0] & 1 ? TABLE_USERS : TABLE_MAP;
	/* a key that is likely to be there: the start of the text */
	n = data[0] >> 1 & 15;
	if (n > size - 1)
		n = size - 1;
	memcpy(key, data + 1, n < sizeof(key) ? n : sizeof(key) - 1);
	if ((text = malloc(size)) == NULL)
		abort();
	memcpy(text, data + 1, size - 1);
	if ((m = table_map_parse(text, size - 1, form, &r)) == NULL)
		abort();
	if (r.entries + r.duplicates + r.bad > size)
		abort();
	look(m, key, form);
	look(m, "a", form);
	table_map_free(m);
	return (0);
}
