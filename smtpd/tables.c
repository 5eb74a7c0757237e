/*
 * tables: the tables of the configuration as the lookup role holds them.
 *
 * A table is used as a map (aliases, sets, secrets) or as a list of users;
 * one that is used as both is held twice.  Files come as descriptors from the
 * parent, again whenever they may have changed (table/refresh.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "log/log.h"
#include "privsep/role.h"
#include "smtpd/tables.h"
#include "table/refresh.h"

#define TABLES_MAX	1024

static struct table_refresh	*tables[TABLES_MAX][2];
static const struct conf	*conf;

static void
ask(unsigned int index, void *arg)
{
	struct msg_TABLE_AGAIN	again = { .index = index };

	peer_send(role_parent(), M_TABLE_AGAIN, &again, -1);
}

static void
open_one(const struct conf_table *ct, enum table_form form)
{
	struct table	*t;

	if (ct->index >= TABLES_MAX)
		fatalx("more than %d tables", TABLES_MAX);
	if (tables[ct->index][form] != NULL)
		return;
	if ((t = table_open(ct, form)) == NULL ||
	    (tables[ct->index][form] = table_refresh_new(t, ct->index, ask,
	    NULL)) == NULL)
		fatal("table %s", ct->name);
}

void
tables_open(const struct conf *c)
{
	const struct conf_domain	*d;
	const struct conf_table		*t;

	conf = c;
	TAILQ_FOREACH(d, &conf->domains, entry)
		if (d->users == USERS_TABLE && d->users_table != NULL)
			open_one(d->users_table, TABLE_USERS);
	TAILQ_FOREACH(t, &conf->tables, entry)
		if (t->index < TABLES_MAX &&
		    tables[t->index][TABLE_USERS] == NULL)
			open_one(t, TABLE_MAP);
}

void
tables_answer(struct peer *p, struct msg *m)
{
	const struct msg_TABLE	*a = m->body;
	const struct conf_table	*ct = conf_table_index(conf, a->index);
	struct table_report	 rep;
	int			 form, r;

	if (ct == NULL || a->index >= TABLES_MAX)
		return;
	for (form = TABLE_MAP; form <= TABLE_USERS; form++) {
		if (tables[a->index][form] == NULL)
			continue;
		memset(&rep, 0, sizeof(rep));
		r = table_refresh_answer(tables[a->index][form],
		    a->failed, m->fd, &rep);
		if (r == -1)
			log_warn("table %s: %s", ct->name, ct->source);
		else if (r == 1 && rep.bad > 0)
			log_warnx("table %s: %zu bad lines in %s left out, "
			    "the first is line %u", ct->name, rep.bad,
			    ct->source, rep.first_bad);
	}
}

void
tables_lookup(const struct conf_table *ct, enum table_form form,
    const char *key, table_cb cb, void *arg)
{
	struct table_answer	none = { .result = TABLE_FAILED,
				    .why = "is not open" };

	if (ct->index >= TABLES_MAX || tables[ct->index][form] == NULL)
		cb(&none, arg);
	else
		table_refresh_lookup(tables[ct->index][form], key, cb, arg);
}
