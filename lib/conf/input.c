/*
 * input: the characters that the lexer reads, one after the other, from files
 * within files and from the values of macros.
 *
 * Files are checked by source_read() before a byte of them counts.  Depth,
 * number and total size are bounded, so that files that include each other,
 * or macros used often, end in a mistake and not in exhaustion.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>

#include "os/compat.h"
#include "conf/input.h"
#include "conf/source.h"
#include "conf/words.h"

#define DEPTH_MAX	16		/* files within files, and a macro */
#define FILES_MAX	256		/* files in all */
#define TEXT_MAX	(32 * 1024 * 1024)	/* bytes of all files */
#define EXPANDED_MAX	(1024 * 1024)	/* bytes of all macros used */

struct layer {
	const char	*name;		/* of the file, kept by the conf */
	const char	*text;
	char		*mem;		/* to be freed, NULL for a macro */
	size_t		 len, off;
	unsigned int	 line, col;
};

struct input {
	struct report	*report;
	struct conf_words *files;
	struct layer	 layers[DEPTH_MAX];
	int		 depth;
	size_t		 total;		/* bytes of files */
	size_t		 expanded;	/* bytes of macros */
};

struct input *
input_new(struct report *report, struct conf_words *files)
{
	struct input *in;

	if ((in = calloc(1, sizeof(*in))) == NULL)
		return (NULL);
	in->report = report;
	in->files = files;
	return (in);
}

void
input_free(struct input *in)
{
	int i;

	if (in == NULL)
		return;
	for (i = 0; i < in->depth; i++)
		free(in->layers[i].mem);
	free(in);
}

static struct layer *
top(struct input *in)
{
	return (in->depth > 0 ? &in->layers[in->depth - 1] : NULL);
}

static const struct layer *
ctop(const struct input *in)
{
	return (in->depth > 0 ? &in->layers[in->depth - 1] : NULL);
}

static int
push(struct input *in, const char *name, char *mem, size_t len)
{
	struct layer *l;
	const char *kept;

	/* Positions point to the name: it stays as long as the conf. */
	if ((kept = words_add(in->files, name)) == NULL) {
		free(mem);
		return (-1);
	}
	l = &in->layers[in->depth++];
	l->name = kept;
	l->text = l->mem = mem;
	l->len = len;
	l->off = 0;
	l->line = l->col = 1;
	return (0);
}

/* A relative path means the folder of the file that includes it. */
static int
resolve(const struct input *in, const char *path, char *out, size_t size)
{
	const struct layer *l = ctop(in);
	const char *slash;
	int len;

	if (path[0] == '/' || l == NULL ||
	    (slash = strrchr(l->name, '/')) == NULL)
		len = snprintf(out, size, "%s", path);
	else
		len = snprintf(out, size, "%.*s/%s", (int)(slash - l->name),
		    l->name, path);
	return (len < 0 || (size_t)len >= size ? -1 : 0);
}

int
input_file(struct input *in, const char *path, const struct conf_pos *from)
{
	char full[PATH_MAX], *text;
	size_t len;

	if (in->depth >= DEPTH_MAX - 1) {
		report_error(in->report, from, "files include each other more "
		    "than %d deep; remove this include", DEPTH_MAX - 1);
		return (-1);
	}
	if (in->files->n >= FILES_MAX) {
		report_error(in->report, from, "more than %d files; remove "
		    "this include", FILES_MAX);
		return (-1);
	}
	if (resolve(in, path, full, sizeof(full)) == -1) {
		report_error(in->report, from, "the path is too long; "
		    "shorten it");
		return (-1);
	}
	text = source_read(full, SOURCE_CONFIG, &len, in->report, from);
	if (text == NULL)
		return (-1);
	if (len > TEXT_MAX - in->total) {
		report_error(in->report, from, "more than %d bytes in all; "
		    "move lists into tables", TEXT_MAX);
		free(text);
		return (-1);
	}
	in->total += len;
	return (push(in, full, text, len));
}

int
input_text(struct input *in, const char *text, size_t len)
{
	char *copy;

	if (len > SOURCE_MAX || (copy = malloc(len + 1)) == NULL)
		return (-1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return (push(in, "mail.conf", copy, len));
}

int
input_macro(struct input *in, const char *value, const struct conf_pos *pos)
{
	struct layer *l;
	size_t len = strlen(value);

	if (in->depth == DEPTH_MAX || len > EXPANDED_MAX - in->expanded) {
		report_error(in->report, pos, "macros grow beyond %d bytes; "
		    "use a table", EXPANDED_MAX);
		return (-1);
	}
	in->expanded += len;
	l = &in->layers[in->depth++];
	l->name = pos->file;
	l->text = value;
	l->mem = NULL;
	l->len = len;
	l->off = 0;
	l->line = pos->line;
	l->col = pos->col;
	return (0);
}

int
input_pop(struct input *in)
{
	if (in->depth <= 1)
		return (-1);
	free(in->layers[--in->depth].mem);
	return (0);
}

int
input_peek(const struct input *in)
{
	const struct layer *l = ctop(in);

	if (l == NULL || l->off == l->len)
		return (INPUT_END);
	return ((unsigned char)l->text[l->off]);
}

int
input_get(struct input *in)
{
	struct layer *l = top(in);
	int c;

	if ((c = input_peek(in)) == INPUT_END)
		return (INPUT_END);
	l->off++;
	if (l->mem == NULL)
		return (c);	/* a macro stays where it is used */
	if (c == '\n') {
		l->line++;
		l->col = 1;
	} else
		l->col++;
	return (c);
}

int
input_is_macro(const struct input *in)
{
	const struct layer *l = ctop(in);

	return (l != NULL && l->mem == NULL);
}

int
input_begins(const struct input *in, const char *s)
{
	const struct layer *l = ctop(in);
	size_t len = strlen(s);

	return (l != NULL && len <= l->len - l->off &&
	    memcmp(l->text + l->off, s, len) == 0);
}

int
input_assigns(const struct input *in)
{
	const struct layer *l = ctop(in);
	size_t i;

	if (l == NULL)
		return (0);
	for (i = l->off; i < l->len; i++)
		if (l->text[i] != ' ' && l->text[i] != '\t')
			return (l->text[i] == '=');
	return (0);
}

struct conf_pos
input_pos(const struct input *in)
{
	const struct layer *l = ctop(in);
	struct conf_pos pos = { 0 };

	if (l != NULL) {
		pos.file = l->name;
		pos.line = l->line;
		pos.col = l->col;
	}
	return (pos);
}

struct input_mark
input_mark(const struct input *in)
{
	const struct layer *l = ctop(in);
	struct input_mark m = { 0 };

	if (l != NULL) {
		m.off = l->off;
		m.line = l->line;
		m.col = l->col;
	}
	return (m);
}

void
input_back(struct input *in, struct input_mark m)
{
	struct layer *l = top(in);

	if (l == NULL)
		return;
	l->off = m.off;
	l->line = m.line;
	l->col = m.col;
}
