/*
 * sources: which source is asked when, and the tables behind them.  Several
 * lines may name the same table; it is loaded once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/sources.h"
#include "conf/conf.h"
#include "log/log.h"
#include "os/compat.h"
#include "table/refresh.h"

struct source {
	const struct conf_table	*conf;		/* NULL: the system */
	struct table_refresh	*table;		/* owned by the first of it */
	int			 owner;
};

struct sources {
	const struct conf	*conf;
	struct source		 list[SOURCES_MAX];
	size_t			 n;
	char			 dummy[VERIFY_HASH_MAX];
};

/* The refresh of a table that an earlier line has opened. */
static struct table_refresh *
opened(const struct sources *s, const struct conf_table *ct)
{
	size_t	i;

	for (i = 0; i < s->n; i++)
		if (s->list[i].conf == ct)
			return (s->list[i].table);
	return (NULL);
}

static int
add_source(struct sources *s, const struct conf_auth *auth, sources_ask ask,
    void *arg)
{
	struct source	*src = &s->list[s->n];
	struct table	*t;

	if (s->n == SOURCES_MAX) {
		errno = E2BIG;
		return (-1);
	}
	if (auth->kind == USERS_TABLE) {
		src->table = opened(s, auth->table);
		src->owner = src->table == NULL;
		src->conf = auth->table;
	}
	if (src->owner) {
		if ((t = table_open(auth->table, TABLE_USERS)) == NULL)
			return (-1);
		src->table = table_refresh_new(t, auth->table->index, ask,
		    arg);
		if (src->table == NULL) {
			table_close(t);
			return (-1);
		}
	}
	s->n++;
	return (0);
}

struct sources *
sources_new(const struct conf *conf, sources_ask ask, void *arg, char *err,
    size_t errsize)
{
	const struct conf_auth	*auth;
	struct sources		*s;

	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    verify_dummy(NULL, s->dummy, sizeof(s->dummy)) == -1) {
		(void)strlcpy(err, "out of memory", errsize);
		free(s);
		return (NULL);
	}
	s->conf = conf;
	TAILQ_FOREACH(auth, &conf->auths, entry)
		if (add_source(s, auth, ask, arg) == -1) {
			(void)snprintf(err, errsize, "auth %s%s%s: %s",
			    auth->table != NULL ? "<" : "",
			    auth->table != NULL ? auth->table->name :
			    "system", auth->table != NULL ? ">" : "",
			    strerror(errno));
			sources_free(s);
			return (NULL);
		}
	return (s);
}

void
sources_free(struct sources *s)
{
	size_t	i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++)
		if (s->list[i].owner)
			table_refresh_free(s->list[i].table);
	freezero(s, sizeof(*s));
}

size_t
sources_count(const struct sources *s)
{
	return (s->n);
}

void
sources_find(struct sources *s, size_t i, const char *login, source_cb cb,
    void *arg)
{
	const struct source	*src = &s->list[i];

	if (src->conf == NULL)
		source_system(s->conf, login, cb, arg);
	else
		source_table(s->conf, src->conf, src->table, login, cb, arg);
}

const char *
sources_name(const struct sources *s, const char *login, char *out,
    size_t size)
{
	size_t	i;

	for (i = 0; i < s->n; i++)
		if (s->list[i].conf != NULL)
			return (source_table_name(s->conf, s->list[i].conf,
			    login, out, size));
	(void)strlcpy(out, login, size);
	return (out);
}

static void
log_report(const char *name, const struct table_report *r)
{
	log_info("table %s: %zu users", name, r->entries);
	if (r->bad > 0)
		log_warnx("table %s: %zu lines left out, the first is line %u",
		    name, r->bad, r->first_bad);
	if (r->duplicates > 0)
		log_warnx("table %s: %zu names occur more than once, the "
		    "first of each counts", name, r->duplicates);
}

int
sources_table(struct sources *s, unsigned int index, int failed, int fd)
{
	struct table_report	 report;
	const struct source	*src;
	size_t			 i;

	for (i = 0; i < s->n; i++) {
		src = &s->list[i];
		if (!src->owner || table_refresh_index(src->table) != index)
			continue;
		switch (table_refresh_answer(src->table, failed, fd,
		    &report)) {
		case 1:
			log_report(src->conf->name, &report);
			break;
		case -1:
			log_warn("table %s", src->conf->name);
			break;
		}
		return (1);
	}
	return (0);
}

const char *
sources_dummy(const struct sources *s)
{
	return (s->dummy);
}

void
sources_seen(struct sources *s, const char *hash)
{
	char	dummy[VERIFY_HASH_MAX];

	/* one that is too long to become a dummy leaves the one before */
	if (verify_dummy(hash, dummy, sizeof(dummy)) == 0)
		memcpy(s->dummy, dummy, sizeof(s->dummy));
}
