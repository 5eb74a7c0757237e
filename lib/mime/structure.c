/*
 * structure: BODY and BODYSTRUCTURE from the tree.
 *
 * Pure; one pass over each part's header.  Recursion is as deep as the tree,
 * which MIME_DEPTH_MAX bounds; the caller's buffer bounds the output.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "imap/write.h"
#include "mime/header.h"
#include "mime/param.h"
#include "mime/structure.h"

#define LANGUAGES_MAX	32
#define ENCODING_MAX	64		/* bytes kept of one's name */

enum {
	F_TYPE, F_ID, F_DESCRIPTION, F_ENCODING, F_MD5, F_DISPOSITION,
	F_LANGUAGE, F_LOCATION, NFIELDS
};

static const char *const names[NFIELDS] = {
	"Content-Type", "Content-ID", "Content-Description",
	"Content-Transfer-Encoding", "Content-MD5", "Content-Disposition",
	"Content-Language", "Content-Location"
};

struct writer {
	struct buf		*b;
	const struct mime_tree	*t;
	int			 extended;
};

static int	write_part(struct writer *, uint32_t);

static int
write_str(struct writer *w, const char *s)
{
	return (imap_write_string(w->b, s, strlen(s)));
}

static int
write_text(struct writer *w, const struct mime_field *f, const char *absent)
{
	size_t n, len = f->valuelen;
	char *text;
	int ret;

	if (f->raw == NULL || len == 0)
		return (buf_puts(w->b, absent));
	if (len > MIME_VALUE_MAX)
		len = MIME_VALUE_MAX;
	if ((text = malloc(len)) == NULL)
		return (-1);
	if ((n = mime_unfold(f->value, len, text, len)) == 0)
		ret = buf_puts(w->b, absent);
	else
		ret = imap_write_string(w->b, text, n);
	free(text);
	return (ret);
}

/* Without the comments that may follow it (RFC 2045 6.1). */
static int
write_encoding(struct writer *w, const struct mime_field *f)
{
	char word[ENCODING_MAX];
	size_t i, n = 0;

	if (f->raw != NULL)
		n = mime_unfold(f->value, f->valuelen, word, sizeof(word));
	for (i = 0; i < n; i++)
		if (strchr(" \t;(", word[i]) != NULL)
			break;
	if (i == 0)
		return (buf_puts(w->b, "\"7bit\""));
	return (imap_write_string(w->b, word, i));
}

static int
write_params(struct writer *w, const struct mime_value *v)
{
	size_t i;

	if (v == NULL || v->nparams == 0)
		return (buf_puts(w->b, "NIL"));
	for (i = 0; i < v->nparams; i++) {
		if (buf_puts(w->b, i == 0 ? "(" : " ") == -1 ||
		    write_str(w, v->param[i].name) == -1 ||
		    buf_puts(w->b, " ") == -1 ||
		    write_str(w, v->param[i].value) == -1)
			return (-1);
	}
	return (buf_puts(w->b, ")"));
}

static int
write_disposition(struct writer *w, const struct mime_field *f)
{
	struct mime_value v;
	int ret = -1;

	if (f->raw == NULL ||
	    mime_disposition_parse(&v, f->value, f->valuelen) == -1)
		return (buf_puts(w->b, "NIL"));
	if (buf_puts(w->b, "(") == 0 && write_str(w, v.word) == 0 &&
	    buf_puts(w->b, " ") == 0 && write_params(w, &v) == 0)
		ret = buf_puts(w->b, ")");
	mime_value_free(&v);
	return (ret);
}

/* RFC 3282: "en, de"; one is a string, several a list. */
static int
write_language(struct writer *w, const struct mime_field *f)
{
	const char *start[LANGUAGES_MAX];
	size_t len[LANGUAGES_MAX], i = 0, j, n = 0;

	while (f->raw != NULL && i < f->valuelen && n < LANGUAGES_MAX) {
		for (j = i; j < f->valuelen && (f->value[j] == '-' ||
		    (f->value[j] >= '0' && f->value[j] <= '9') ||
		    (f->value[j] >= 'A' && f->value[j] <= 'Z') ||
		    (f->value[j] >= 'a' && f->value[j] <= 'z')); j++)
			;
		if (j > i) {
			start[n] = f->value + i;
			len[n++] = j - i;
		}
		i = j + 1;
	}
	if (n == 0)
		return (buf_puts(w->b, "NIL"));
	if (n == 1)
		return (imap_write_string(w->b, start[0], len[0]));
	for (i = 0; i < n; i++) {
		if (buf_puts(w->b, i == 0 ? "(" : " ") == -1 ||
		    imap_write_string(w->b, start[i], len[i]) == -1)
			return (-1);
	}
	return (buf_puts(w->b, ")"));
}

/* What follows disposition, and disposition: " NIL NIL NIL". */
static int
write_extension(struct writer *w, const struct mime_field *f)
{
	if (buf_puts(w->b, " ") == -1 ||
	    write_disposition(w, &f[F_DISPOSITION]) == -1 ||
	    buf_puts(w->b, " ") == -1 ||
	    write_language(w, &f[F_LANGUAGE]) == -1 ||
	    buf_puts(w->b, " ") == -1)
		return (-1);
	return (write_text(w, &f[F_LOCATION], "NIL"));
}

/* A multipart must have a part (RFC 3501 9, body-type-mpart). */
static int
write_multipart(struct writer *w, const struct mime_part *part,
    const struct mime_field *f, const struct mime_value *v)
{
	uint32_t i;

	if (part->child == 0 && buf_printf(w->b, "(\"text\" \"plain\" "
	    "(\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0%s)",
	    w->extended ? " NIL NIL NIL NIL" : "") == -1)
		return (-1);
	for (i = part->child; i != 0; i = w->t->part[i].next)
		if (write_part(w, i) == -1)
			return (-1);
	if (buf_puts(w->b, " ") == -1 || write_str(w, v->subword) == -1)
		return (-1);
	if (!w->extended)
		return (0);
	if (buf_puts(w->b, " ") == -1 || write_params(w, v) == -1)
		return (-1);
	return (write_extension(w, f));
}

/* The message in a message: its envelope, structure and lines. */
static int
write_message(struct writer *w, const struct mime_part *part)
{
	const struct mime_part *in = &w->t->part[part->child];

	if (buf_puts(w->b, " ") == -1 ||
	    mime_write_envelope(w->b, w->t->text + in->header,
	    in->body - in->header) == -1 ||
	    buf_puts(w->b, " ") == -1 ||
	    write_part(w, part->child) == -1)
		return (-1);
	return (buf_printf(w->b, " %zu", part->lines));
}

/* Without a type, or with one that was not followed, it is plain text. */
static int
write_type(struct writer *w, const struct mime_part *part,
    const struct mime_value *v, int *text)
{
	*text = 0;
	if (part->kind == MIME_MESSAGE && v == NULL)
		return (buf_puts(w->b, "\"message\" \"rfc822\" NIL"));
	*text = v == NULL || strcasecmp(v->word, "multipart") == 0;
	if (*text)
		return (buf_puts(w->b, "\"text\" \"plain\" "
		    "(\"charset\" \"us-ascii\")"));
	if (part->kind != MIME_MESSAGE &&
	    strcasecmp(v->word, "message") == 0 &&
	    (strcasecmp(v->subword, "rfc822") == 0 ||
	    strcasecmp(v->subword, "global") == 0))
		return (buf_puts(w->b,
		    "\"application\" \"octet-stream\" NIL"));
	*text = strcasecmp(v->word, "text") == 0;
	if (write_str(w, v->word) == -1 || buf_puts(w->b, " ") == -1 ||
	    write_str(w, v->subword) == -1 || buf_puts(w->b, " ") == -1)
		return (-1);
	if (*text && v->nparams == 0)
		return (buf_puts(w->b, "(\"charset\" \"us-ascii\")"));
	return (write_params(w, v));
}

static int
write_single(struct writer *w, const struct mime_part *part,
    const struct mime_field *f, const struct mime_value *v)
{
	int text;

	if (write_type(w, part, v, &text) == -1 ||
	    buf_puts(w->b, " ") == -1 ||
	    write_text(w, &f[F_ID], "NIL") == -1 ||
	    buf_puts(w->b, " ") == -1 ||
	    write_text(w, &f[F_DESCRIPTION], "NIL") == -1 ||
	    buf_puts(w->b, " ") == -1 ||
	    write_encoding(w, &f[F_ENCODING]) == -1 ||
	    buf_printf(w->b, " %zu", part->end - part->body) == -1)
		return (-1);
	if (part->kind == MIME_MESSAGE && write_message(w, part) == -1)
		return (-1);
	if (text && buf_printf(w->b, " %zu", part->lines) == -1)
		return (-1);
	if (!w->extended)
		return (0);
	if (buf_puts(w->b, " ") == -1 ||
	    write_text(w, &f[F_MD5], "NIL") == -1)
		return (-1);
	return (write_extension(w, f));
}

static int
write_part(struct writer *w, uint32_t i)
{
	const struct mime_part *part = &w->t->part[i];
	struct mime_field f[NFIELDS];
	struct mime_value *v;
	int ret, typed;

	mime_fields_collect(w->t->text + part->header,
	    part->body - part->header, names, NFIELDS, f);
	/* On the heap: the recursion may be MIME_DEPTH_MAX deep. */
	if ((v = malloc(sizeof(*v))) == NULL)
		return (-1);
	typed = f[F_TYPE].raw != NULL && mime_type_parse(v,
	    f[F_TYPE].value, f[F_TYPE].valuelen) == 0;
	ret = buf_puts(w->b, "(");
	if (ret == 0 && typed && part->kind == MIME_MULTIPART)
		ret = write_multipart(w, part, f, v);
	else if (ret == 0)
		ret = write_single(w, part, f, typed ? v : NULL);
	if (ret == 0)
		ret = buf_puts(w->b, ")");
	if (typed)
		mime_value_free(v);
	free(v);
	return (ret);
}

int
mime_write_structure(struct buf *b, const struct mime_tree *t, int extended)
{
	struct writer w = { b, t, extended };

	return (write_part(&w, 0));
}
