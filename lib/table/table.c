/*
 * table: the choice of the backend, and what all of them share.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "os/compat.h"
#include "table/backend.h"

struct table {
	const struct table_backend	*backend;
	enum table_form			 form;
	void				*state;
};

static const struct table_backend *
backend_of(enum conf_table_kind kind)
{
	switch (kind) {
	case TABLE_INLINE:
		return (&table_backend_inline);
	case TABLE_FILE:
		return (&table_backend_file);
	case TABLE_SQLITE:
		return (&table_backend_sqlite);
	case TABLE_PGSQL:
	case TABLE_LDAP:
		break;
	}
	return (NULL);
}

struct table *
table_open(const struct conf_table *ct, enum table_form form)
{
	struct table	*t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return (NULL);
	t->form = form;
	if ((t->backend = backend_of(ct->kind)) == NULL) {
		errno = ENOTSUP;
		goto fail;
	}
	if (t->backend->open(ct, form, &t->state) == -1)
		goto fail;
	return (t);
fail:
	free(t);
	return (NULL);
}

void
table_close(struct table *t)
{
	if (t == NULL)
		return;
	t->backend->close(t->state);
	free(t);
}

int
table_needs_fd(const struct table *t)
{
	return (t->backend->load != NULL);
}

int
table_load_fd(struct table *t, int fd, struct table_report *report)
{
	memset(report, 0, sizeof(*report));
	if (!table_needs_fd(t)) {
		errno = EINVAL;
		return (-1);
	}
	return (t->backend->load(t->state, t->form, fd, report));
}

void
table_unload(struct table *t, const char *why)
{
	if (table_needs_fd(t))
		t->backend->unload(t->state, why);
}

void
table_lookup(struct table *t, const char *key, table_cb cb, void *arg)
{
	struct table_answer	none = { .result = TABLE_NONE };

	none.key = key;
	if (*key == '\0' || strlen(key) > TABLE_KEY_MAX)
		cb(&none, arg);
	else
		t->backend->lookup(t->state, t->form, key, cb, arg);
}

void
table_each(const struct table *t, table_entry_cb cb, void *arg)
{
	if (t->backend->each != NULL)
		t->backend->each(t->state, cb, arg);
}

void
table_fail(table_cb cb, void *arg, const char *key, const char *why)
{
	struct table_answer	a = { .result = TABLE_FAILED };

	a.key = key;
	a.why = why;
	cb(&a, arg);
}
