/*
 * check_domain: each domain is ours once.
 *
 * Hosts have thousands of domains, so names are sorted to find double ones.
 */
#include <stdint.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/check.h"

struct name {
	const char		*name;
	const struct conf_domain *domain;
};

static int
by_name(const void *va, const void *vb)
{
	const struct name *a = va, *b = vb;
	int order = strcmp(a->name, b->name);

	if (order != 0)
		return (order);
	return (a->domain->index < b->domain->index ? -1 :
	    a->domain->index > b->domain->index);
}

static size_t
gather(const struct conf *c, struct name *names)
{
	const struct conf_domain *d;
	size_t i, n = 0;

	TAILQ_FOREACH(d, &c->domains, entry) {
		for (i = 0; i < d->names.n; i++, n++)
			if (names != NULL)
				names[n] = (struct name){ d->names.v[i], d };
		for (i = 0; i < d->aliases.n; i++, n++)
			if (names != NULL)
				names[n] = (struct name){ d->aliases.v[i], d };
	}
	return (n);
}

/* A program that is started is beyond what a sandbox can promise. */
static void
check_pipes(struct build *b)
{
	const struct conf_domain *d;

	TAILQ_FOREACH(d, &b->conf->domains, entry)
		if (b->conf->sandbox_full && (d->deliver == DELIVER_PIPE ||
		    d->alias_as != NULL || d->forward_commands))
			report_error(b->report, &d->pos, "a command has no "
			    "sandbox; remove \"%s\" or \"sandbox require "
			    "full\"", d->deliver == DELIVER_PIPE ?
			    "deliver pipe" : "commands");
}

void
check_domains(struct build *b)
{
	struct name *names;
	size_t i, n;

	check_pipes(b);
	if ((n = gather(b->conf, NULL)) < 2)
		return;
	if ((names = reallocarray(NULL, n, sizeof(*names))) == NULL) {
		b->nomem = 1;
		return;
	}
	(void)gather(b->conf, names);
	qsort(names, n, sizeof(*names), by_name);
	for (i = 1; i < n; i++)
		if (strcmp(names[i].name, names[i - 1].name) == 0)
			report_error(b->report, &names[i].domain->pos,
			    "domain \"%s\" is defined already on line %u of "
			    "%s; remove one of them", names[i].name,
			    names[i - 1].domain->pos.line,
			    names[i - 1].domain->pos.file);
	free(names);
}
