/*
 * macro: "name = value", used as $name.
 *
 * The number and size of macros are bounded; a definition on the command line
 * stands before the file is read and wins over it.
 */
#include <stdint.h>

#include "os/compat.h"
#include "conf/macro.h"

#define MACROS_MAX	1000
#define VALUE_MAX	4096

struct macro {
	TAILQ_ENTRY(macro) entry;
	struct conf_pos	 pos;
	char		*name;
	char		*value;
	int		 preset;
	int		 used;
};

struct macros {
	TAILQ_HEAD(, macro) list;
	struct report	*report;
	size_t		 n;
};

struct macros *
macro_new(struct report *report)
{
	struct macros *ms;

	if ((ms = calloc(1, sizeof(*ms))) == NULL)
		return (NULL);
	TAILQ_INIT(&ms->list);
	ms->report = report;
	return (ms);
}

void
macro_free(struct macros *ms)
{
	struct macro *m;

	if (ms == NULL)
		return;
	while ((m = TAILQ_FIRST(&ms->list)) != NULL) {
		TAILQ_REMOVE(&ms->list, m, entry);
		free(m->name);
		free(m->value);
		free(m);
	}
	free(ms);
}

int
macro_name_char(int c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_');
}

static int
name_ok(const char *name)
{
	size_t i;

	if (name[0] >= '0' && name[0] <= '9')
		return (0);
	for (i = 0; name[i] != '\0'; i++)
		if (i == 63 || !macro_name_char((unsigned char)name[i]))
			return (0);
	return (i > 0);
}

static struct macro *
find(struct macros *ms, const char *name)
{
	struct macro *m;

	TAILQ_FOREACH(m, &ms->list, entry)
		if (strcmp(m->name, name) == 0)
			return (m);
	return (NULL);
}

static void
add(struct macros *ms, const struct conf_pos *pos, const char *name,
    const char *value, int preset)
{
	struct macro *m;

	if (!name_ok(name)) {
		report_error(ms->report, pos, "\"%s\" is no name for a macro; "
		    "use letters, digits and _", name);
		return;
	}
	if (ms->n == MACROS_MAX || strlen(value) > VALUE_MAX) {
		report_error(ms->report, pos, "at most %d macros of %d bytes; "
		    "use a table or include", MACROS_MAX, VALUE_MAX);
		return;
	}
	if ((m = calloc(1, sizeof(*m))) == NULL ||
	    (m->name = strdup(name)) == NULL ||
	    (m->value = strdup(value)) == NULL) {
		report_error(ms->report, pos, "out of memory; free some");
		if (m != NULL)
			free(m->name);
		free(m);
		return;
	}
	m->pos = *pos;
	m->preset = preset;
	TAILQ_INSERT_TAIL(&ms->list, m, entry);
	ms->n++;
}

void
macro_preset(struct macros *ms, const char *name, const char *value)
{
	struct conf_pos pos = { .file = "-D" };
	struct macro *m;

	if ((m = find(ms, name)) != NULL) {
		report_error(ms->report, &pos, "macro \"%s\" is given twice; "
		    "give it once", name);
		return;
	}
	add(ms, &pos, name, value, 1);
}

void
macro_define(struct macros *ms, const struct conf_pos *pos, const char *name,
    const char *value)
{
	struct macro *m;

	if ((m = find(ms, name)) == NULL) {
		add(ms, pos, name, value, 0);
		return;
	}
	if (m->pos.line != 0) {
		report_error(ms->report, pos, "macro \"%s\" is defined "
		    "already on line %u of %s; rename one of them", name,
		    m->pos.line, m->pos.file);
		return;
	}
	m->pos = *pos;
}

const char *
macro_use(struct macros *ms, const char *name)
{
	struct macro *m;

	if ((m = find(ms, name)) == NULL)
		return (NULL);
	m->used = 1;
	return (m->value);
}

/* One of the command line may be meant for another file: no word on it. */
void
macro_check_unused(struct macros *ms)
{
	struct macro *m;

	TAILQ_FOREACH(m, &ms->list, entry)
		if (!m->used && !m->preset)
			report_warning(ms->report, &m->pos,
			    "macro \"%s\" is never used; remove it", m->name);
}
