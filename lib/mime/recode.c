/*
 * recode: a list of pieces of the text, each copied, put in place of
 * something, or encoded on its way out.
 *
 * Pure; the text is a stranger's.  What is decided by looking at the whole
 * (does a part need it? is it under a signature?) is decided before the first
 * byte leaves.  Each byte is looked at a constant number of times.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mime/codec.h"
#include "mime/header.h"
#include "mime/param.h"
#include "mime/recode.h"
#include "mime/tree.h"
#include "os/compat.h"

#define LINE_MAX_MIME	998		/* RFC 2045 2.7 */
#define QP_LINE		76		/* RFC 2045 6.7 (5) */
#define B64_IN		57		/* bytes of a line of base64 */
#define B64_OUT		78		/* the line with its CRLF */
#define QP_MOST		8		/* "=XX" and a soft break before it */

enum what { COPY, INSTEAD, AS_QP, AS_BASE64 };

struct piece {
	enum what	 what;
	const char	*p;		/* of the text, or of a constant */
	size_t		 len;
};

struct mime_recode {
	const char		*text;
	size_t			 len;
	enum mime_recode_to	 to;
	struct mime_tree	 tree;
	unsigned char		*is_signed;	/* a part, by something */
	struct piece		*piece;
	size_t			 npieces, room;
	size_t			 done;		/* of the text */
	size_t			 now, off;	/* what comes out next */
	unsigned int		 column;
};

/* What one part says of itself. */
struct part_type {
	int		 multipart;	/* by its type, not by the tree */
	int		 is_signed;	/* multipart/signed */
	int		 message;	/* message/anything */
	int		 identity;	/* 7bit, 8bit, binary, or not said */
	int		 binary;
	int		 said;		/* it has an encoding field */
	struct mime_field encoding;
};

static const char	seven[] = "Content-Transfer-Encoding: 7bit\r\n";
static const char	eight[] = "Content-Transfer-Encoding: 8bit\r\n";
static const char	printable[] =
    "Content-Transfer-Encoding: quoted-printable\r\n";
static const char	base64[] = "Content-Transfer-Encoding: base64\r\n";
static const char	version[] = "MIME-Version: 1.0\r\n";
/* RFC 1428 3: it is text, and nobody said of which kind. */
static const char	unknown[] =
    "Content-Type: text/plain; charset=unknown-8bit\r\n";

static enum mime_recode_error	plan(struct mime_recode *);
static size_t	emit_copy(struct mime_recode *, const struct piece *, char *,
		    size_t);
static size_t	emit_qp(struct mime_recode *, const struct piece *, char *,
		    size_t);
static size_t	emit_base64(struct mime_recode *, const struct piece *,
		    char *, size_t);

struct mime_recode *
mime_recode_new(const char *text, size_t len, enum mime_recode_to to,
    enum mime_recode_error *error)
{
	struct mime_recode	*r;

	*error = RECODE_NOMEM;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (NULL);
	r->text = text;
	r->len = len;
	r->to = to;
	if (mime_tree_parse(&r->tree, text, len) == 0 &&
	    (r->is_signed = calloc(r->tree.n, 1)) != NULL)
		*error = plan(r);
	if (*error == RECODE_OK)
		return (r);
	mime_recode_free(r);
	return (NULL);
}

void
mime_recode_free(struct mime_recode *r)
{
	if (r == NULL)
		return;
	mime_tree_free(&r->tree);
	free(r->is_signed);
	free(r->piece);
	free(r);
}

static int
add(struct mime_recode *r, enum what what, const char *p, size_t len)
{
	struct piece	*v;
	size_t		 want;

	if (len == 0)
		return (0);
	if (r->npieces == r->room) {
		want = r->room == 0 ? 8 : 2 * r->room;
		if ((v = reallocarray(r->piece, want, sizeof(*v))) == NULL)
			return (-1);
		r->piece = v;
		r->room = want;
	}
	r->piece[r->npieces++] = (struct piece){ what, p, len };
	return (0);
}

static int
add_text(struct mime_recode *r, const char *s)
{
	return (add(r, INSTEAD, s, strlen(s)));
}

static int
has_8bit(const char *p, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if ((unsigned char)p[i] > 0x7f)
			return (1);
	return (0);
}

/* The text as it is up to an offset: bytes that cannot be changed. */
static enum mime_recode_error
copy_to(struct mime_recode *r, size_t end)
{
	const char	*p = r->text + r->done;
	size_t		 len;

	if (end <= r->done)
		return (RECODE_OK);
	len = end - r->done;
	if (r->to == RECODE_7BIT && has_8bit(p, len))
		return (RECODE_HEADER);
	r->done = end;
	return (add(r, COPY, p, len) == -1 ? RECODE_NOMEM : RECODE_OK);
}

static int
is_word(const struct mime_field *f, const char *word)
{
	char	text[32];
	size_t	n;

	n = mime_unfold(f->value, f->valuelen, text, sizeof(text));
	return (n == strlen(word) && strncasecmp(text, word, n) == 0);
}

static void
part_type(const struct mime_recode *r, uint32_t i, struct part_type *t)
{
	static const char *const	 names[] = { "Content-Type",
					    "Content-Transfer-Encoding" };
	const struct mime_part		*part = &r->tree.part[i];
	struct mime_field		 f[2];
	struct mime_value		 v;

	memset(t, 0, sizeof(*t));
	mime_fields_collect(r->text + part->header, part->body - part->header,
	    names, 2, f);
	t->encoding = f[1];
	t->said = f[1].raw != NULL;
	t->identity = !t->said ||
	    mime_encoding(f[1].value, f[1].valuelen) == MIME_7BIT;
	t->binary = t->said && is_word(&f[1], "binary");
	t->message = f[0].raw == NULL && part->digest;
	if (f[0].raw == NULL ||
	    mime_type_parse(&v, f[0].value, f[0].valuelen) == -1)
		return;
	t->multipart = strcasecmp(v.word, "multipart") == 0;
	t->message = strcasecmp(v.word, "message") == 0;
	t->is_signed = t->multipart && strcasecmp(v.subword, "signed") == 0;
	mime_value_free(&v);
}

/* Is there something in a body that the other side does not take? */
static int
needs(const struct mime_recode *r, const struct mime_part *part, int binary)
{
	const char	*p = r->text + part->body, *nl;
	size_t		 left = part->end - part->body, n;

	if (r->to == RECODE_8BIT)
		return (binary);
	if (has_8bit(p, left) || memchr(p, '\0', left) != NULL)
		return (1);
	while (binary && left > 0) {
		nl = memchr(p, '\n', left);
		n = nl != NULL ? (size_t)(nl - p) : left;
		if (n > LINE_MAX_MIME + 1 || (nl != NULL && (n == 0 ||
		    nl[-1] != '\r')) || memchr(p, '\r', n > 0 ? n - 1 : 0) !=
		    NULL)
			return (1);
		n += nl != NULL;
		p += n;
		left -= n;
	}
	return (0);
}

/* Where the empty line is that ends a part's header. */
static size_t
fields_end(const struct mime_recode *r, const struct mime_part *part)
{
	size_t	end = part->body;

	if (end > part->header && r->text[end - 1] == '\n')
		end--;
	if (end > part->header && r->text[end - 1] == '\r')
		end--;
	return (end);
}

/*
 * The header with another encoding field in the place of its own, or at its
 * end.  Without one and without a type the message's own header gets what
 * makes it MIME.
 */
static enum mime_recode_error
relabel(struct mime_recode *r, uint32_t i, const struct part_type *t,
    const char *label)
{
	const struct mime_part	*part = &r->tree.part[i];
	enum mime_recode_error	 e;
	struct mime_field	 f;
	size_t			 end;

	end = t->said ? (size_t)(t->encoding.raw - r->text) :
	    fields_end(r, part);
	if ((e = copy_to(r, end)) != RECODE_OK)
		return (e);
	if (t->said)
		r->done += t->encoding.rawlen;
	else if (i == 0 && !mime_field_find(r->text, part->body,
	    "MIME-Version", &f)) {
		if (add_text(r, version) == -1)
			return (RECODE_NOMEM);
		if (!mime_field_find(r->text, part->body, "Content-Type",
		    &f) && add_text(r, unknown) == -1)
			return (RECODE_NOMEM);
	}
	if (add_text(r, label) == -1)
		return (RECODE_NOMEM);
	return (copy_to(r, part->body));
}

static enum mime_recode_error
leaf(struct mime_recode *r, uint32_t i, const struct part_type *t)
{
	const struct mime_part	*part = &r->tree.part[i];
	enum mime_recode_error	 e;
	const char		*p = r->text + part->body;
	size_t			 len = part->end - part->body;

	if (!t->identity || !needs(r, part, t->binary))
		return (RECODE_OK);
	if (r->is_signed[i])
		return (RECODE_SIGNED);
	/* What looks like one part and holds others was not understood. */
	if (t->multipart || t->message)
		return (RECODE_STRUCTURE);
	if ((e = relabel(r, i, t, t->binary ? base64 : printable)) !=
	    RECODE_OK)
		return (e);
	r->done = part->end;
	return (add(r, t->binary ? AS_BASE64 : AS_QP, p, len) == -1 ?
	    RECODE_NOMEM : RECODE_OK);
}

/* A part that holds others: its encoding is the widest of theirs. */
static enum mime_recode_error
container(struct mime_recode *r, uint32_t i, const struct part_type *t)
{
	if (!t->said || !t->identity || r->is_signed[i] ||
	    is_word(&t->encoding, "7bit") ||
	    (r->to == RECODE_8BIT && !t->binary))
		return (RECODE_OK);
	return (relabel(r, i, t, r->to == RECODE_7BIT ? seven : eight));
}

static enum mime_recode_error
plan(struct mime_recode *r)
{
	const struct mime_part	*part;
	struct part_type	 t;
	enum mime_recode_error	 e;
	uint32_t		 i;

	for (i = 0; i < r->tree.n; i++) {
		part = &r->tree.part[i];
		part_type(r, i, &t);
		if (i > 0 && r->is_signed[part->parent])
			r->is_signed[i] = 1;
		e = part->kind == MIME_LEAF ? leaf(r, i, &t) :
		    container(r, i, &t);
		/* What is signed is what is inside. */
		if (t.is_signed)
			r->is_signed[i] = 1;
		if (e != RECODE_OK)
			return (e);
	}
	return (copy_to(r, r->len));
}

uint64_t
mime_recode_size(struct mime_recode *r)
{
	char		 out[RECODE_OUT_MIN];
	uint64_t	 size = 0;
	size_t		 n;

	r->now = r->off = 0;
	r->column = 0;
	while ((n = mime_recode_next(r, out, sizeof(out))) > 0)
		size += n;
	r->now = r->off = 0;
	r->column = 0;
	return (size);
}

size_t
mime_recode_next(struct mime_recode *r, char *out, size_t room)
{
	const struct piece	*p;
	size_t			 n = 0, got;

	while (r->now < r->npieces) {
		p = &r->piece[r->now];
		if (p->what == AS_QP)
			got = emit_qp(r, p, out + n, room - n);
		else if (p->what == AS_BASE64)
			got = emit_base64(r, p, out + n, room - n);
		else
			got = emit_copy(r, p, out + n, room - n);
		n += got;
		if (r->off < p->len)
			break;			/* the room is used up */
		r->now++;
		r->off = 0;
		r->column = 0;
	}
	return (n);
}

static size_t
emit_copy(struct mime_recode *r, const struct piece *p, char *out,
    size_t room)
{
	size_t	n = p->len - r->off < room ? p->len - r->off : room;

	memcpy(out, p->p + r->off, n);
	r->off += n;
	return (n);
}

/* A line end here: its length, 2 or 1, or 0. */
static size_t
line_end(const char *p, size_t left)
{
	if (left > 0 && p[0] == '\n')
		return (1);
	return (left > 1 && p[0] == '\r' && p[1] == '\n' ? 2 : 0);
}

static int
is_literal(const char *p, size_t left, unsigned int column)
{
	unsigned char	c = (unsigned char)p[0];

	/* RFC 2045 6.7 (3): no blank at the end of a line. */
	if (c == ' ' || c == '\t')
		return (left > 1 && line_end(p + 1, left - 1) == 0);
	/* A soft break must not make a boundary, nor a dot or "From ". */
	if (column == 0 && (c == '-' || c == '.' || c == 'F'))
		return (0);
	return (c > ' ' && c < 0x7f && c != '=');
}

static size_t
emit_qp(struct mime_recode *r, const struct piece *p, char *out, size_t room)
{
	static const char	 hex[] = "0123456789ABCDEF";
	const char		*s;
	size_t			 n = 0, left, eol;
	int			 literal;

	while (r->off < p->len && room - n >= QP_MOST) {
		s = p->p + r->off;
		left = p->len - r->off;
		if ((eol = line_end(s, left)) > 0) {
			out[n++] = '\r';
			out[n++] = '\n';
			r->off += eol;
			r->column = 0;
			continue;
		}
		literal = is_literal(s, left, r->column);
		/* One place stays free for the "=" of a soft break. */
		if (r->column + (literal ? 1 : 3) > QP_LINE - 1) {
			memcpy(out + n, "=\r\n", 3);
			n += 3;
			r->column = 0;
			literal = is_literal(s, left, 0);
		}
		if (literal)
			out[n++] = s[0];
		else {
			out[n++] = '=';
			out[n++] = hex[(unsigned char)s[0] >> 4];
			out[n++] = hex[(unsigned char)s[0] & 15];
		}
		r->column += literal ? 1 : 3;
		r->off++;
	}
	return (n);
}

static size_t
emit_base64(struct mime_recode *r, const struct piece *p, char *out,
    size_t room)
{
	static const char	 digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char	*s;
	size_t			 n = 0, len, i;
	uint32_t		 v;

	while (r->off < p->len && room - n >= B64_OUT) {
		s = (const unsigned char *)p->p + r->off;
		len = p->len - r->off < B64_IN ? p->len - r->off : B64_IN;
		for (i = 0; i < len; i += 3) {
			v = (uint32_t)s[i] << 16;
			if (i + 1 < len)
				v |= (uint32_t)s[i + 1] << 8;
			if (i + 2 < len)
				v |= s[i + 2];
			out[n++] = digits[v >> 18];
			out[n++] = digits[v >> 12 & 63];
			out[n++] = i + 1 < len ? digits[v >> 6 & 63] : '=';
			out[n++] = i + 2 < len ? digits[v & 63] : '=';
		}
		r->off += len;
		if (r->off < p->len) {
			out[n++] = '\r';
			out[n++] = '\n';
		}
	}
	return (n);
}
