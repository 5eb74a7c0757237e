/*
 * tables: the tables of the configuration as the lookup role holds them.
 */
#ifndef SMTPD_TABLES_H
#define SMTPD_TABLES_H

#include "table/table.h"

struct conf;
struct conf_table;
struct msg;
struct peer;

/* Open all of them; exits if one cannot be. conf must stay. */
void	tables_open(const struct conf *);
/* Handler of TABLE. */
void	tables_answer(struct peer *, struct msg *);
/* rules_env.lookup */
void	tables_lookup(const struct conf_table *, enum table_form,
	    const char *key, table_cb, void *);

#endif
