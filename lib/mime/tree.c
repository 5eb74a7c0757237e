/*
 * tree: find the parts of a message.
 *
 * Pure; the text is a stranger's.  Each line is looked at once; one that
 * begins with "--" is held against the boundaries of the parts that are open,
 * of which there are at most MIME_DEPTH_MAX.  A boundary line must be the
 * boundary and nothing else but blanks: one that only begins with it belongs
 * to another part or to nobody.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mime/header.h"
#include "mime/param.h"
#include "mime/tree.h"
#include "os/compat.h"

/* A part that is open, the outermost first. */
struct level {
	uint32_t	part;
	uint32_t	last;			/* child so far */
	size_t		body_line;		/* lines before the body */
	size_t		boundarylen;		/* 0: not open for parts */
	char		boundary[MIME_BOUNDARY_MAX];
	int		digest;
};

struct parser {
	struct mime_tree	*tree;
	struct level		*level;
	size_t			 nlevels;
	size_t			 room;		/* parts */
	size_t			 lines;		/* before this line */
	int			 in_header;
};

static struct mime_part *
top(struct parser *p)
{
	return (&p->tree->part[p->level[p->nlevels - 1].part]);
}

/* 1 opened, 0 not within the limits, -1 ENOMEM. */
static int
open_part(struct parser *p, size_t offset)
{
	struct mime_tree *t = p->tree;
	struct mime_part *part;
	struct level *l, *up;
	size_t want;

	if (t->n == MIME_PARTS_MAX || p->nlevels == MIME_DEPTH_MAX)
		return (0);
	if (t->n == p->room) {
		want = p->room == 0 ? 4 : p->room * 2;
		if ((part = reallocarray(t->part, want,
		    sizeof(*part))) == NULL)
			return (-1);
		t->part = part;
		p->room = want;
	}
	part = &t->part[t->n];
	memset(part, 0, sizeof(*part));
	part->header = part->body = part->end = offset;
	part->depth = (uint16_t)p->nlevels;
	if (p->nlevels > 0) {
		up = &p->level[p->nlevels - 1];
		part->parent = up->part;
		part->digest = (uint8_t)up->digest;
		if (up->last == 0)
			t->part[up->part].child = t->n;
		else
			t->part[up->last].next = t->n;
		up->last = t->n;
	}
	l = &p->level[p->nlevels++];
	l->part = t->n++;
	l->last = 0;
	l->boundarylen = 0;
	l->digest = 0;
	l->body_line = p->lines;
	p->in_header = 1;
	return (1);
}

/* Close the parts inside level keep at offset end, where lines are behind. */
static void
close_parts(struct parser *p, size_t keep, size_t end, size_t lines)
{
	struct mime_part *part;
	struct level *l;

	while (p->nlevels > keep) {
		l = &p->level[p->nlevels - 1];
		part = top(p);
		if (p->in_header)
			part->body = part->end = end > part->header ? end :
			    part->header;
		else {
			/*
			 * RFC 2046 5.1.1: the empty line may be that of the
			 * boundary, and then it is not the header's.
			 */
			if (end < part->body && end >= part->header &&
			    part->child == 0)
				part->body = end;
			part->end = end > part->body ? end : part->body;
			if (lines > l->body_line)
				part->lines = lines - l->body_line;
		}
		/* A part without a byte ends where it began. */
		if (part->end > end)
			end = part->end;
		p->in_header = 0;
		p->nlevels--;
	}
}

static void
open_boundary(struct level *l, const struct mime_value *v)
{
	const char *b;
	size_t len;

	if ((b = mime_value_param(v, "boundary")) == NULL)
		return;
	len = strlen(b);
	while (len > 0 && (b[len - 1] == ' ' || b[len - 1] == '\t'))
		len--;
	if (len == 0 || len > sizeof(l->boundary))
		return;
	memcpy(l->boundary, b, len);
	l->boundarylen = len;
	l->digest = strcasecmp(v->subword, "digest") == 0;
}

/* The type says what the body is. -1 only with ENOMEM. */
static int
body_kind(struct parser *p, enum mime_kind *kind)
{
	struct mime_part *part = top(p);
	struct mime_value v;
	struct mime_field f;

	*kind = part->digest ? MIME_MESSAGE : MIME_LEAF;
	if (!mime_field_find(p->tree->text + part->header,
	    part->body - part->header, "Content-Type", &f))
		return (0);
	*kind = MIME_LEAF;
	if (mime_type_parse(&v, f.value, f.valuelen) == -1)
		return (errno == ENOMEM ? -1 : 0);
	if (strcasecmp(v.word, "multipart") == 0) {
		open_boundary(&p->level[p->nlevels - 1], &v);
		if (p->level[p->nlevels - 1].boundarylen > 0)
			*kind = MIME_MULTIPART;
	} else if (strcasecmp(v.word, "message") == 0 &&
	    (strcasecmp(v.subword, "rfc822") == 0 ||
	    strcasecmp(v.subword, "global") == 0))
		*kind = MIME_MESSAGE;
	mime_value_free(&v);
	return (0);
}

/* The header ended; offset is where the body begins. */
static int
begin_body(struct parser *p, size_t offset)
{
	struct level *l = &p->level[p->nlevels - 1];
	enum mime_kind kind;
	uint32_t index = l->part;
	int opened;

	p->tree->part[index].body = p->tree->part[index].end = offset;
	l->body_line = p->lines;
	p->in_header = 0;
	if (body_kind(p, &kind) == -1)
		return (-1);
	if (kind == MIME_MULTIPART && p->nlevels == MIME_DEPTH_MAX) {
		l->boundarylen = 0;
		kind = MIME_LEAF;
	}
	if (kind == MIME_MESSAGE) {
		if ((opened = open_part(p, offset)) == -1)
			return (-1);
		if (opened == 0)
			kind = MIME_LEAF;
	}
	p->tree->part[index].kind = (uint8_t)kind;
	return (0);
}

/* Which open part's boundary is this line, without its line end? */
static int
find_boundary(struct parser *p, const char *s, size_t len, size_t *level,
    int *last)
{
	const struct level *l;
	size_t i;

	while (len > 2 && (s[len - 1] == ' ' || s[len - 1] == '\t' ||
	    s[len - 1] == '\r'))
		len--;
	s += 2;
	len -= 2;
	for (i = p->nlevels; i > 0; i--) {
		l = &p->level[i - 1];
		if (l->boundarylen == 0 || l->boundarylen > len ||
		    memcmp(l->boundary, s, l->boundarylen) != 0)
			continue;
		*level = i - 1;
		*last = l->boundarylen + 2 == len &&
		    s[len - 1] == '-' && s[len - 2] == '-';
		if (*last || l->boundarylen == len)
			return (1);
	}
	return (0);
}

/* 1 it was a boundary line, 0 not, -1 ENOMEM. */
static int
boundary_line(struct parser *p, size_t start, size_t end)
{
	const char *text = p->tree->text;
	size_t level, eol = start, lines = p->lines;
	int last;

	if (end - start > 2 * MIME_BOUNDARY_MAX || end - start < 3 ||
	    text[start] != '-' || text[start + 1] != '-')
		return (0);
	if (!find_boundary(p, text + start, text[end - 1] == '\n' ?
	    end - start - 1 : end - start, &level, &last))
		return (0);
	if (!last && p->tree->n == MIME_PARTS_MAX)
		return (0);
	/* The line end before it belongs to the boundary. */
	if (eol > 0 && text[eol - 1] == '\n') {
		eol--;
		lines--;
		if (eol > 0 && text[eol - 1] == '\r')
			eol--;
	}
	close_parts(p, level + 1, eol, lines);
	if (last) {
		p->level[level].boundarylen = 0;
		return (1);
	}
	p->lines++;
	return (open_part(p, end) == -1 ? -1 : 2);
}

static int
one_line(struct parser *p, size_t start, size_t end)
{
	const char *s = p->tree->text + start;
	int ret;

	if ((ret = boundary_line(p, start, end)) == -1)
		return (-1);
	if (ret != 2 && s[end - start - 1] == '\n')
		p->lines++;
	if (ret != 0 || !p->in_header)
		return (0);
	if (s[0] == '\n' || (s[0] == '\r' && end - start == 2))
		return (begin_body(p, end));
	return (0);
}

int
mime_tree_parse(struct mime_tree *t, const char *text, size_t len)
{
	struct parser p = { .tree = t };
	const char *nl;
	size_t start, end;
	int ret = -1;

	t->text = text;
	t->len = len;
	t->part = NULL;
	t->n = 0;
	if ((p.level = calloc(MIME_DEPTH_MAX, sizeof(*p.level))) == NULL)
		return (-1);
	if (open_part(&p, 0) != 1)
		goto done;
	for (start = 0; start < len; start = end) {
		nl = memchr(text + start, '\n', len - start);
		end = nl != NULL ? (size_t)(nl - text) + 1 : len;
		if (one_line(&p, start, end) == -1)
			goto done;
	}
	close_parts(&p, 0, len, p.lines);
	ret = 0;
done:
	free(p.level);
	if (ret == -1)
		mime_tree_free(t);
	return (ret);
}

void
mime_tree_free(struct mime_tree *t)
{
	free(t->part);
	t->part = NULL;
	t->n = 0;
}

static uint32_t
nth_child(const struct mime_tree *t, uint32_t part, uint32_t n)
{
	uint32_t i;

	for (i = t->part[part].child; i != 0 && n > 1; n--)
		i = t->part[i].next;
	return (i);
}

long
mime_tree_find(const struct mime_tree *t, const uint32_t *number, size_t n)
{
	uint32_t part = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		/* Numbers count inside the message that a part holds. */
		if (i > 0 && t->part[part].kind == MIME_MESSAGE)
			part = t->part[part].child;
		else if (i > 0 && t->part[part].kind != MIME_MULTIPART)
			return (-1);
		if (t->part[part].kind == MIME_MULTIPART) {
			if ((part = nth_child(t, part, number[i])) == 0)
				return (-1);
		} else if (number[i] != 1)
			return (-1);
	}
	return (part);
}
