/*
 * report: the mistakes of a configuration, gathered while it is read and
 * handed out in the order of the file.
 *
 * The text of a mistake quotes the configuration, so bytes that are no
 * printable characters are masked here, once.
 */
#include <stdarg.h>
#include <stdio.h>

#include "os/compat.h"
#include "conf/report.h"

#define REPORT_MAX	500	/* more mistakes than anybody reads */
#define REPORT_LINE	1024

struct mistake {
	struct conf_pos	 pos;
	size_t		 rank;		/* of the file */
	size_t		 seq;
	int		 is_error;
	char		*text;
};

struct report {
	struct mistake	*v;
	size_t		 n;
	size_t		 cap;
	size_t		 errors;	/* also those not kept */
	size_t		 lost;
};

struct report *
report_new(void)
{
	return (calloc(1, sizeof(struct report)));
}

void
report_free(struct report *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->n; i++)
		free(r->v[i].text);
	free(r->v);
	free(r);
}

static int
grow(struct report *r)
{
	struct mistake *v;
	size_t cap;

	if (r->n < r->cap)
		return (0);
	if (r->cap >= REPORT_MAX)
		return (-1);
	cap = r->cap == 0 ? 16 : r->cap * 2;
	if ((v = reallocarray(r->v, cap, sizeof(*v))) == NULL)
		return (-1);
	r->v = v;
	r->cap = cap;
	return (0);
}

__attribute__((__format__(printf, 4, 0)))
static void
add(struct report *r, int is_error, const struct conf_pos *pos,
    const char *fmt, va_list ap)
{
	struct mistake *m;
	char line[REPORT_LINE], *p;

	/* What is too long is cut: a mistake cut short is still told. */
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	for (p = line; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (is_error)
		r->errors++;
	if (grow(r) == -1) {
		r->lost++;
		return;
	}
	m = &r->v[r->n];
	m->pos = *pos;
	m->seq = r->n;
	m->is_error = is_error;
	if ((m->text = strdup(line)) == NULL) {
		r->lost++;
		return;
	}
	r->n++;
}

void
report_error(struct report *r, const struct conf_pos *pos, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, 1, pos, fmt, ap);
	va_end(ap);
}

void
report_warning(struct report *r, const struct conf_pos *pos, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, 0, pos, fmt, ap);
	va_end(ap);
}

static int
by_place(const void *va, const void *vb)
{
	const struct mistake *a = va, *b = vb;

	if (a->rank != b->rank)
		return (a->rank < b->rank ? -1 : 1);
	if (a->pos.line != b->pos.line)
		return (a->pos.line < b->pos.line ? -1 : 1);
	if (a->pos.col != b->pos.col)
		return (a->pos.col < b->pos.col ? -1 : 1);
	return (a->seq < b->seq ? -1 : a->seq > b->seq);
}

static size_t
rank_of(const struct conf_words *files, const char *file)
{
	size_t i;

	for (i = 0; i < files->n; i++)
		if (files->v[i] == file)
			return (i + 1);
	return (0);
}

static int
same(const struct mistake *a, const struct mistake *b)
{
	return (a->rank == b->rank && a->pos.line == b->pos.line &&
	    a->pos.col == b->pos.col && strcmp(a->text, b->text) == 0);
}

size_t
report_flush(struct report *r, const struct conf_words *files,
    conf_report report, void *arg)
{
	char line[REPORT_LINE + 512];
	size_t i;

	for (i = 0; i < r->n; i++)
		r->v[i].rank = rank_of(files, r->v[i].pos.file);
	if (r->n > 1)
		qsort(r->v, r->n, sizeof(*r->v), by_place);
	for (i = 0; i < r->n; i++) {
		if (i > 0 && same(&r->v[i - 1], &r->v[i]))
			continue;
		(void)snprintf(line, sizeof(line), "%s:%u:%u: %s%s",
		    r->v[i].pos.file != NULL ? r->v[i].pos.file : "mail.conf",
		    r->v[i].pos.line, r->v[i].pos.col,
		    r->v[i].is_error ? "" : "warning: ", r->v[i].text);
		if (report != NULL)
			report(arg, r->v[i].is_error, line);
	}
	if (r->lost > 0 && report != NULL) {
		(void)snprintf(line, sizeof(line),
		    "%zu more mistakes; correct these first", r->lost);
		report(arg, 1, line);
	}
	return (r->errors);
}
