/*
 * cmd_fetch_part: sections as offsets; nothing is copied but the lines of
 * HEADER.FIELDS.
 */
#include "cmd_fetch_part.h"
#include "mime/header.h"

struct extent {
	size_t	header;			/* where it begins */
	size_t	body;			/* where it ends */
	size_t	end;
};

/* The message, or the one in a part, whose HEADER and TEXT are meant. */
static int
message_extent(const struct mime_tree *t, const struct mime_part *part,
    struct extent *e)
{
	if (part == NULL) {
		e->header = 0;
		e->body = mime_header_length(t->text, t->len);
		e->end = t->len;
		return (1);
	}
	if (part->kind != MIME_MESSAGE)
		return (0);
	part = &t->part[part->child];
	e->header = part->header;
	e->body = part->body;
	e->end = part->end;
	return (1);
}

/* An empty line ends it, whatever was found. */
static int
gather(const char *text, size_t len, const struct imap_section *s,
    struct buf *out)
{
	struct mime_fields it;
	struct mime_field f;
	int wanted = s->text == SECTION_FIELDS;

	buf_init(out, FETCH_FIELDS_MAX);
	mime_fields_init(&it, text, len);
	while (mime_fields_next(&it, &f)) {
		if (imap_section_has_field(s, f.name, f.namelen) != wanted)
			continue;
		/* What is too much is left out, a field at a time. */
		if (f.rawlen > FETCH_FIELDS_MAX - 2 - buf_len(out))
			continue;
		if (buf_add(out, f.raw, f.rawlen) == -1)
			return (-1);
	}
	return (buf_add(out, "\r\n", 2));
}

static int
whole(const struct mime_tree *t, const struct mime_part *part,
    const struct imap_section *s, struct buf *fields, const char **p,
    size_t *len)
{
	struct extent e = { 0, 0, t->len };

	switch (s->text) {
	case SECTION_ALL:
		if (part != NULL) {
			e.header = part->body;
			e.end = part->end;
		}
		*p = t->text + e.header;
		*len = e.end - e.header;
		return (1);
	case SECTION_MIME:
		*p = t->text + part->header;
		*len = part->body - part->header;
		return (1);
	default:
		break;
	}
	if (!message_extent(t, part, &e))
		return (0);
	if (s->text == SECTION_TEXT) {
		*p = t->text + e.body;
		*len = e.end - e.body;
		return (1);
	}
	*p = t->text + e.header;
	*len = e.body - e.header;
	if (s->text == SECTION_HEADER)
		return (1);
	if (gather(*p, *len, s, fields) == -1)
		return (-1);
	*p = buf_data(fields);
	*len = buf_len(fields);
	return (1);
}

int
fetch_part(const struct mime_tree *t, const struct imap_section *s,
    struct buf *fields, const char **p, size_t *len)
{
	const struct mime_part *part = NULL;
	long i;
	int ret;

	if (s->nparts > 0) {
		if ((i = mime_tree_find(t, s->part, s->nparts)) == -1)
			return (0);
		part = &t->part[i];
	}
	if ((ret = whole(t, part, s, fields, p, len)) != 1)
		return (ret);
	if (s->partial) {
		if (s->offset >= *len)
			*len = 0;
		else {
			*p += s->offset;
			*len -= s->offset;
			if (*len > s->length)
				*len = s->length;
		}
	}
	return (1);
}
