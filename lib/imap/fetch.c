/*
 * fetch: the items of FETCH, one or a list, and the macros.  Pure; sections
 * and names are counted, their strings point into the command's text.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "imap/fetch.h"
#include "imap/search.h"
#include "imap/write.h"
#include "os/compat.h"

#define MACRO_FAST	(IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE | \
	IMAP_FETCH_SIZE)

static const struct {
	const char	*name;
	uint32_t	 items;
	int		 alone;		/* a macro */
} simple[] = {
	{ "UID", IMAP_FETCH_UID, 0 },
	{ "FLAGS", IMAP_FETCH_FLAGS, 0 },
	{ "INTERNALDATE", IMAP_FETCH_INTERNALDATE, 0 },
	{ "RFC822.SIZE", IMAP_FETCH_SIZE, 0 },
	{ "ENVELOPE", IMAP_FETCH_ENVELOPE, 0 },
	{ "BODY", IMAP_FETCH_BODY, 0 },
	{ "BODYSTRUCTURE", IMAP_FETCH_STRUCTURE, 0 },
	{ "MODSEQ", IMAP_FETCH_MODSEQ, 0 },
	{ "SAVEDATE", IMAP_FETCH_SAVEDATE, 0 },
	{ "EMAILID", IMAP_FETCH_EMAILID, 0 },
	{ "THREADID", IMAP_FETCH_THREADID, 0 },
	{ "PREVIEW", IMAP_FETCH_PREVIEW, 0 },
	{ "FAST", MACRO_FAST, 1 },
	{ "ALL", MACRO_FAST | IMAP_FETCH_ENVELOPE, 1 },
	{ "FULL", MACRO_FAST | IMAP_FETCH_ENVELOPE | IMAP_FETCH_BODY, 1 }
};

static const struct {
	const char		*name;
	enum imap_section_text	 text;
	int			 peek;
} old[] = {
	{ "RFC822", SECTION_ALL, 0 },
	{ "RFC822.HEADER", SECTION_HEADER, 1 },
	{ "RFC822.TEXT", SECTION_TEXT, 0 }
};

static const struct {
	const char		*name;
	enum imap_section_text	 text;
} texts[] = {
	{ "HEADER", SECTION_HEADER },
	{ "HEADER.FIELDS", SECTION_FIELDS },
	{ "HEADER.FIELDS.NOT", SECTION_FIELDS_NOT },
	{ "TEXT", SECTION_TEXT },
	{ "MIME", SECTION_MIME }
};

/* Those with a section. */
static const struct {
	const char		*name;
	enum imap_binary	 binary;
	int			 peek;
} with_section[] = {
	{ "BODY", BINARY_NONE, 0 },
	{ "BODY.PEEK", BINARY_NONE, 1 },
	{ "BINARY", BINARY_DATA, 0 },
	{ "BINARY.PEEK", BINARY_DATA, 1 },
	{ "BINARY.SIZE", BINARY_SIZE, 1 }
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static struct imap_section *
add_section(struct imap_parser *p, struct imap_fetch *f)
{
	struct imap_section *v;

	if (f->nsections == IMAP_SECTIONS_MAX) {
		(void)imap_error(p, "too many sections");
		return (NULL);
	}
	if ((v = reallocarray(f->sections, f->nsections + 1,
	    sizeof(*v))) == NULL) {
		(void)imap_error(p, "out of memory");
		return (NULL);
	}
	f->sections = v;
	v += f->nsections++;
	memset(v, 0, sizeof(*v));
	return (v);
}

static int
header_list(struct imap_parser *p, struct imap_section *s)
{
	struct imap_str *v;

	if (imap_sp(p) == -1 || imap_expect(p, '(') == -1)
		return (-1);
	do {
		if (s->nfields == IMAP_FIELDS_MAX)
			return (imap_error(p, "too many header names"));
		if ((v = reallocarray(s->fields, s->nfields + 1,
		    sizeof(*v))) == NULL)
			return (imap_error(p, "out of memory"));
		s->fields = v;
		if (imap_astring(p, &v[s->nfields]) == -1)
			return (-1);
		s->nfields++;
	} while (imap_accept(p, ' '));
	return (imap_expect(p, ')'));
}

static int
section_text(struct imap_parser *p, struct imap_section *s)
{
	struct imap_str word;
	size_t i;

	if (imap_atom(p, &word) == -1)
		return (-1);
	for (i = 0; i < COUNT(texts); i++) {
		if (!imap_str_is(&word, texts[i].name))
			continue;
		s->text = texts[i].text;
		if (s->text == SECTION_MIME && s->nparts == 0)
			break;
		if (s->text == SECTION_FIELDS || s->text == SECTION_FIELDS_NOT)
			return (header_list(p, s));
		return (0);
	}
	return (imap_error(p, "unknown section"));
}

/* From behind '[' to behind ']'. */
static int
section(struct imap_parser *p, struct imap_section *s)
{
	int more = imap_peek(p) != ']';

	while (more && imap_peek(p) >= '0' && imap_peek(p) <= '9') {
		if (s->nparts == IMAP_PART_DEPTH)
			return (imap_error(p, "section too deep"));
		if (imap_nznumber(p, &s->part[s->nparts]) == -1)
			return (-1);
		s->nparts++;
		more = imap_accept(p, '.');
	}
	if (more && s->binary != BINARY_NONE)
		return (imap_error(p, "expected a part's number"));
	if (more && section_text(p, s) == -1)
		return (-1);
	return (imap_expect(p, ']'));
}

static int
partial(struct imap_parser *p, struct imap_section *s)
{
	if (!imap_accept(p, '<'))
		return (0);
	s->partial = 1;
	/* RFC 9051 9: of 63 bits */
	if (imap_number64(p, &s->offset) == -1 || imap_expect(p, '.') == -1 ||
	    imap_number64(p, &s->length) == -1)
		return (-1);
	if (s->length == 0)
		return (imap_error(p, "number must not be 0"));
	return (imap_expect(p, '>'));
}

/* The letters and dots that an item begins with. */
static void
item_word(struct imap_parser *p, struct imap_str *s)
{
	s->s = p->p;
	while (p->p < p->end && ((*p->p >= 'A' && *p->p <= 'Z') ||
	    (*p->p >= 'a' && *p->p <= 'z') || (*p->p >= '0' && *p->p <= '9') ||
	    *p->p == '.'))
		p->p++;
	s->len = p->p - s->s;
}

static int
sectioned(struct imap_parser *p, struct imap_fetch *f,
    const struct imap_str *word)
{
	struct imap_section *s;
	size_t i;

	for (i = 0; i < COUNT(with_section); i++)
		if (imap_str_is(word, with_section[i].name))
			break;
	if (i == COUNT(with_section))
		return (imap_error(p, "unknown item"));
	if ((s = add_section(p, f)) == NULL)
		return (-1);
	s->peek = with_section[i].peek;
	s->binary = with_section[i].binary;
	if (section(p, s) == -1)
		return (-1);
	return (s->binary == BINARY_SIZE ? 0 : partial(p, s));
}

/* RFC 8970 3.1: " (LAZY)" may follow; modifiers begin alike. */
static void
preview_modifier(struct imap_parser *p, struct imap_fetch *f)
{
	static const char lazy[] = " (LAZY)";
	struct imap_str s = { p->p, sizeof(lazy) - 1 };

	if ((size_t)(p->end - p->p) >= s.len && imap_str_is(&s, lazy)) {
		f->lazy = 1;
		p->p += s.len;
	}
}

static int
item(struct imap_parser *p, struct imap_fetch *f, int alone)
{
	struct imap_section *s;
	struct imap_str word;
	size_t i;

	item_word(p, &word);
	if (imap_accept(p, '['))
		return (sectioned(p, f, &word));
	for (i = 0; i < COUNT(simple); i++) {
		if (imap_str_is(&word, simple[i].name) &&
		    (alone || !simple[i].alone)) {
			f->items |= simple[i].items;
			if (simple[i].items == IMAP_FETCH_PREVIEW)
				preview_modifier(p, f);
			return (0);
		}
	}
	for (i = 0; i < COUNT(old); i++) {
		if (!imap_str_is(&word, old[i].name))
			continue;
		if ((s = add_section(p, f)) == NULL)
			return (-1);
		s->old_name = old[i].name;
		s->text = old[i].text;
		s->peek = old[i].peek;
		return (0);
	}
	return (imap_error(p, "unknown item"));
}

static int
modifier(struct imap_parser *p, struct imap_fetch *f)
{
	struct imap_str word;

	if (imap_atom(p, &word) == -1)
		return (-1);
	if (imap_str_is(&word, "VANISHED")) {
		f->vanished = 1;
		return (0);
	}
	if (imap_sp(p) == -1)
		return (-1);
	if (imap_str_is(&word, "CHANGEDSINCE")) {
		f->changed = 1;
		return (imap_number64(p, &f->since));
	}
	if (imap_str_is(&word, "PARTIAL")) {
		f->partial = 1;
		return (imap_partial(p, f->range));
	}
	return (imap_error(p, "unknown modifier"));
}

static int
modifiers(struct imap_parser *p, struct imap_fetch *f)
{
	if (!imap_accept(p, ' '))
		return (0);
	if (imap_expect(p, '(') == -1)
		return (-1);
	do {
		if (modifier(p, f) == -1)
			return (-1);
	} while (imap_accept(p, ' '));
	/* RFC 7162 3.2.6 */
	if (f->vanished && !f->changed)
		return (imap_error(p, "VANISHED needs CHANGEDSINCE"));
	return (imap_expect(p, ')'));
}

int
imap_fetch(struct imap_parser *p, struct imap_fetch *f)
{
	memset(f, 0, sizeof(*f));
	if (!imap_accept(p, '(')) {
		if (item(p, f, 1) == -1)
			return (-1);
		return (modifiers(p, f));
	}
	do {
		if (item(p, f, 0) == -1)
			return (-1);
	} while (imap_accept(p, ' '));
	if (imap_expect(p, ')') == -1)
		return (-1);
	return (modifiers(p, f));
}

void
imap_fetch_free(struct imap_fetch *f)
{
	size_t i;

	for (i = 0; i < f->nsections; i++)
		free(f->sections[i].fields);
	free(f->sections);
	memset(f, 0, sizeof(*f));
}

static int
write_fields(struct buf *b, const struct imap_section *s)
{
	size_t i;

	if (buf_puts(b, " (") == -1)
		return (-1);
	for (i = 0; i < s->nfields; i++) {
		if (i > 0 && buf_puts(b, " ") == -1)
			return (-1);
		if (imap_write_astring(b, s->fields[i].s,
		    s->fields[i].len) == -1)
			return (-1);
	}
	return (buf_puts(b, ")"));
}

int
imap_write_section(struct buf *b, const struct imap_section *s)
{
	size_t i;

	if (s->old_name != NULL)
		return (buf_puts(b, s->old_name));
	if (buf_puts(b, s->binary == BINARY_SIZE ? "BINARY.SIZE[" :
	    s->binary == BINARY_DATA ? "BINARY[" : "BODY[") == -1)
		return (-1);
	for (i = 0; i < s->nparts; i++)
		if (buf_printf(b, "%s%u", i > 0 ? "." : "", s->part[i]) == -1)
			return (-1);
	if (s->nparts > 0 && s->text != SECTION_ALL && buf_puts(b, ".") == -1)
		return (-1);
	for (i = 0; i < COUNT(texts); i++)
		if (s->text == texts[i].text &&
		    buf_puts(b, texts[i].name) == -1)
			return (-1);
	if (s->nfields > 0 && write_fields(b, s) == -1)
		return (-1);
	if (s->partial)
		return (buf_printf(b, "]<%llu>",
		    (unsigned long long)s->offset));
	return (buf_puts(b, "]"));
}

int
imap_section_has_field(const struct imap_section *s, const char *name,
    size_t len)
{
	size_t i;

	for (i = 0; i < s->nfields; i++)
		if (s->fields[i].len == len &&
		    strncasecmp(s->fields[i].s, name, len) == 0)
			return (1);
	return (0);
}
