/*
 * cmd_fetch_part: sections as offsets; nothing is copied but the lines of
 * HEADER.FIELDS and what BINARY decodes.
 */
#include "cmd_fetch_part.h"
#include "mime/codec.h"
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
fetch_part_cached(const struct imap_section *s)
{
	size_t i;

	if (s->nparts > 0 || s->binary != BINARY_NONE ||
	    s->text != SECTION_FIELDS)
		return (0);
	for (i = 0; i < s->nfields; i++)
		if (!cached_field(s->fields[i].s, s->fields[i].len))
			return (0);
	return (1);
}

/* RFC 3516 4.2: "BODY[1]<0.10>" of what it is. */
static void
cut(struct fetch_run *run, const struct imap_section *s)
{
	if (!s->partial)
		return;
	if (s->offset >= run->left)
		run->left = 0;
	else {
		run->p += s->offset;
		run->left -= s->offset;
		if (run->left > s->length)
			run->left = s->length;
	}
}

/* How the part's body is encoded. */
static enum mime_encoding
encoding(const struct mime_tree *t, const struct mime_part *part)
{
	struct mime_field f;

	if (part == NULL || part->kind != MIME_LEAF ||
	    !mime_field_find(t->text + part->header,
	    part->body - part->header, "Content-Transfer-Encoding", &f))
		return (MIME_7BIT);
	return (mime_encoding(f.value, f.valuelen));
}

static enum fetch_part
decode(struct fetch_run *run, enum mime_encoding enc, enum store_error *e)
{
	struct mime_codec codec;
	size_t n;
	char *out;

	buf_init(&run->fields, run->left + 2 * MIME_CODEC_ROOM);
	if ((out = buf_reserve(&run->fields,
	    run->left + 2 * MIME_CODEC_ROOM)) == NULL) {
		*e = STORE_SYS;
		return (PART_ERROR);
	}
	mime_codec_init(&codec, enc);
	n = mime_codec_feed(&codec, run->p, run->left, out);
	n += mime_codec_end(&codec, out + n);
	buf_commit(&run->fields, n);
	run->p = out;
	run->left = n;
	return (PART_BYTES);
}

/* BINARY and BINARY.SIZE (RFC 3516). */
static enum fetch_part
binary(struct fetch_run *run, const struct mime_part *part,
    const struct imap_section *s, enum store_error *e)
{
	enum mime_encoding enc = encoding(&run->tree, part);

	if (enc == MIME_ENCODING_UNKNOWN) {
		run->unknown_cte = 1;
		return (PART_NIL);
	}
	if (enc != MIME_7BIT && decode(run, enc, e) == PART_ERROR)
		return (PART_ERROR);
	if (s->binary == BINARY_SIZE)
		return (PART_SIZE);
	cut(run, s);
	return (PART_BYTES);
}

/* HEADER.FIELDS without a look at the message. */
static enum fetch_part
cached_fields(struct client *c, struct fetch_run *run,
    const struct imap_section *s, enum store_error *e)
{
	const struct cached_value *v;
	struct store_cached cached;

	*e = mailbox_cached(c->mb, run->seq, CACHED_BIT(CACHED_FIELDS),
	    &cached);
	if (*e != STORE_OK)
		return (PART_ERROR);
	v = &cached.item[CACHED_FIELDS];
	if (gather(v->p, v->len, s, &run->fields) == -1) {
		*e = STORE_SYS;
		return (PART_ERROR);
	}
	run->p = buf_data(&run->fields);
	run->left = buf_len(&run->fields);
	cut(run, s);
	return (PART_BYTES);
}

enum fetch_part
fetch_part(struct client *c, struct fetch_run *run,
    const struct imap_section *s, enum store_error *e)
{
	const struct mime_part *part = NULL;
	long i;
	int ret;

	buf_free(&run->fields);
	if (!run->have_text && fetch_part_cached(s) &&
	    (cached_fields(c, run, s, e) == PART_BYTES || *e != STORE_LIMIT))
		return (*e == STORE_OK ? PART_BYTES : PART_ERROR);
	if ((*e = fetch_text(c, run, s->nparts > 0)) != STORE_OK)
		return (PART_ERROR);
	if (s->nparts > 0) {
		if ((i = mime_tree_find(&run->tree, s->part, s->nparts)) == -1)
			return (PART_NIL);
		part = &run->tree.part[i];
	}
	/* Those that are made of it cost as much as to read it. */
	if (s->binary != BINARY_NONE || s->text == SECTION_FIELDS ||
	    s->text == SECTION_FIELDS_NOT)
		run->read += run->text.len;
	ret = whole(&run->tree, part, s, &run->fields, &run->p, &run->left);
	if (ret == -1)
		*e = STORE_SYS;
	if (ret != 1)
		return (ret == 0 ? PART_NIL : PART_ERROR);
	if (s->binary != BINARY_NONE)
		return (binary(run, part, s, e));
	cut(run, s);
	return (PART_BYTES);
}
