/*
 * backend: what table.c needs of each kind of table.
 */
#ifndef TABLE_BACKEND_H
#define TABLE_BACKEND_H

#include "table/table.h"

struct table_backend {
	/* -1 with errno; state is the backend's own */
	int	(*open)(const struct conf_table *, enum table_form,
		    void **state);
	void	(*lookup)(void *state, enum table_form, const char *key,
		    table_cb, void *arg);
	void	(*close)(void *state);
	/* NULL: its entries cannot be had one after the other */
	void	(*each)(void *state, table_entry_cb, void *arg);
	/*
	 * Those whose file the parent opens, else NULL: as table_load_fd()
	 * and table_unload().
	 */
	int	(*load)(void *state, enum table_form, int fd,
		    struct table_report *);
	void	(*unload)(void *state, const char *why);
};

extern const struct table_backend table_backend_inline;
extern const struct table_backend table_backend_file;
extern const struct table_backend table_backend_sqlite;

/* Call cb with a failure. */
void	table_fail(table_cb, void *arg, const char *key, const char *why);

#endif
