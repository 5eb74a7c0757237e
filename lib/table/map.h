/*
 * map: the text of a table file, indexed by its keys.
 */
#ifndef TABLE_MAP_H
#define TABLE_MAP_H

#include "table/table.h"

struct table_map;

/*
 * text has room for one byte after len, is taken over (also on failure) and
 * is changed.  NULL only without memory.
 */
struct table_map *table_map_parse(char *text, size_t len, enum table_form,
		    struct table_report *);
/* n keys with their values, copied. */
struct table_map *table_map_words(char *const *keys, char *const *values,
		    size_t n);
void		 table_map_free(struct table_map *);	/* wipes it */
/* All entries in their order. */
void		 table_map_each(const struct table_map *, table_entry_cb,
		    void *arg);
/* The value, and the key as it was written; NULL if it is not there. */
const char	*table_map_find(const struct table_map *, const char *key,
		    const char **name);

#endif
