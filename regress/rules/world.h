/*
 * world: a configuration read from text, and tables that the program answers
 * for itself, so that one can fail or be late.
 */
#ifndef REGRESS_WORLD_H
#define REGRESS_WORLD_H

#include "os/compat.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/rules.h"

struct row {
	const char	*table;
	const char	*key;
	const char	*value;
};

static struct {
	const struct row *rows;		/* table == NULL ends */
	const char	*failing;	/* a table that cannot be read */
	const char	*late;		/* one that answers later */
	table_cb	 cb;
	void		*arg;
	int		 resumed;
	unsigned int	 lookups;
} world;

static void
world_report(void *arg, int is_error, const char *line)
{
	if (is_error)
		fprintf(stderr, "conf: %s\n", line);
}

static struct conf *
world_conf(const char *text)
{
	struct conf	*c;

	if ((c = conf_parse(text, strlen(text), world_report, NULL)) == NULL)
		exit(2);
	return (c);
}

static void
world_answer(const char *table, enum table_form form, const char *key,
    table_cb cb, void *arg)
{
	struct table_answer	 a = { .result = TABLE_NONE, .key = key };
	struct table_user	 u = { .name = "", .hash = "", .extra = "",
				    .home = "/home/x" };
	const struct row	*r;

	for (r = world.rows; r != NULL && r->table != NULL; r++)
		/* as a database has it; we ask in lower case */
		if (strcmp(r->table, table) == 0 &&
		    strcmp(r->key, key) == 0) {
			a.result = TABLE_FOUND;
			a.key = u.name = r->key;
			a.value = r->value;
			break;
		}
	if (form == TABLE_USERS && a.result == TABLE_FOUND) {
		u.has_uid = u.has_gid = 1;
		u.uid = u.gid = 5000;
		u.extra = r->value != NULL ? r->value : "";
		a.user = &u;
	}
	if (world.failing != NULL && strcmp(world.failing, table) == 0) {
		a.result = TABLE_FAILED;
		a.why = "broken";
	}
	cb(&a, arg);
}

static void
world_lookup(const struct conf_table *t, enum table_form form,
    const char *key, table_cb cb, void *arg)
{
	world.lookups++;
	if (world.late != NULL && strcmp(world.late, t->name) == 0) {
		world.cb = cb;
		world.arg = arg;
		return;
	}
	world_answer(t->name, form, key, cb, arg);
}

static void
world_resume(void *arg)
{
	world.resumed++;
}

/* The late table has been read. */
static void __attribute__((__unused__))
world_now(void)
{
	const char	*table = world.late;

	world.late = NULL;
	world_answer(table, TABLE_MAP, "", world.cb, world.arg);
}

static struct rules_env
world_env(const struct conf *c)
{
	struct rules_env	env = { .conf = c, .lookup = world_lookup,
				    .resume = world_resume };

	return (env);
}

#endif
