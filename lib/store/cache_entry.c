/*
 * cache_entry: making and reading one message's cached items.  Pure.
 *
 * Cost: one pass over the header for the fields, one for the envelope, and one
 * over the text if its structure is wanted.  What is of the header is made
 * together, since the next to ask wants another part of it; what needs the
 * text is made when it is asked for.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "mime/date.h"
#include "mime/header.h"
#include "mime/preview.h"
#include "mime/structure.h"
#include "mime/subject.h"
#include "mime/tree.h"
#include "store/cache_entry.h"
#include "store/hash.h"

_Static_assert(sizeof(struct cache_entry) % 8 == 0, "entry");
_Static_assert(CACHE_ENTRY_SEEN <= UCHAR_MAX, "seen");

/* What clients ask for when they list messages, in lower case, sorted. */
static const char *const fields[] = {
	"autocrypt", "bcc", "cc", "content-class", "content-description",
	"content-language", "content-transfer-encoding", "content-type",
	"date", "delivered-to", "disposition-notification-to", "envelope-to",
	"from", "importance", "in-reply-to", "list-help", "list-id",
	"list-post", "list-unsubscribe", "mail-followup-to",
	"mail-reply-to", "message-id", "mime-version", "newsgroups",
	"priority", "references", "reply-to", "return-receipt-to", "sender",
	"subject", "to", "user-agent", "x-draft-info", "x-label",
	"x-mailer", "x-mozilla-draft-info", "x-msmail-priority",
	"x-original-to", "x-priority", "x-spam-flag", "x-spam-score",
	"x-spam-status", "x-universally-unique-identifier"
};

struct maker {
	struct buf		*out;
	struct cache_entry	 e;
	const char		*text;
	size_t			 len;
	const struct cache_entry *had;
	struct store_cached	 items;		/* had's */
};

static int	make_items(struct maker *, unsigned int);
static void	sum_items(struct cache_entry *, const char *);

static int
compare(const char *name, size_t len, const char *field)
{
	int ret = strncasecmp(name, field, len);

	return (ret != 0 ? ret : field[len] == '\0' ? 0 : -1);
}

int
cached_field(const char *name, size_t len)
{
	size_t lo = 0, hi = sizeof(fields) / sizeof(fields[0]), mid;
	int ret;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if ((ret = compare(name, len, fields[mid])) == 0)
			return (1);
		if (ret < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return (0);
}

/* Which of the bits in others stands for a name; others may share it. */
static unsigned int
other_bit(const char *name, size_t len)
{
	uint32_t h = 2166136261u;		/* FNV-1a */
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (unsigned char)(name[i] >= 'A' && name[i] <= 'Z' ?
		    name[i] + 0x20 : name[i])) * 16777619u;
	return ((h ^ h >> 16) % 128);
}

int
cached_lacks(const struct store_cached *c, const char *name, size_t len)
{
	unsigned int bit = other_bit(name, len);

	return ((c->has & CACHED_BIT(CACHED_FIELDS)) != 0 &&
	    !cached_field(name, len) &&
	    (c->others[bit / 64] & (uint64_t)1 << bit % 64) == 0);
}

int
cache_entry_make(struct buf *out, const char *text, size_t len,
    unsigned int what, const struct cache_entry *had)
{
	static const char pad[8];
	struct maker m = { .out = out, .text = text, .len = len, .had = had };
	size_t start = buf_len(out), rest;

	if (had != NULL) {
		cache_entry_items(had, &m.items);
		m.e.over = had->over & ~what;
	}
	m.e.header = (uint32_t)mime_header_length(text, len);
	if (buf_add(out, &m.e, sizeof(m.e)) == -1 ||
	    make_items(&m, what) == -1)
		return (-1);
	rest = (buf_len(out) - start) % 8;
	if (rest != 0 && buf_add(out, pad, 8 - rest) == -1)
		return (-1);
	m.e.len = (uint32_t)(buf_len(out) - start);
	sum_items(&m.e, (char *)buf_data(out) + start + sizeof(m.e));
	memcpy((char *)buf_data(out) + start, &m.e, sizeof(m.e));
	return (0);
}

static int
make_fields(struct maker *m, struct buf *b)
{
	struct mime_fields it;
	struct mime_field f;
	unsigned int bit;

	mime_fields_init(&it, m->text, m->e.header);
	while (mime_fields_next(&it, &f)) {
		if (!cached_field(f.name, f.namelen)) {
			bit = other_bit(f.name, f.namelen);
			m->e.others[bit / 64] |= (uint64_t)1 << bit % 64;
		} else if (buf_add(b, f.raw, f.rawlen) == -1)
			return (-1);
	}
	return (0);
}

/* Sets the dates, too. */
static int
make_subject(struct maker *m, struct buf *b)
{
	static const char *const names[] = { "Subject", "Date" };
	struct mime_field f[2];
	struct mime_date date;

	mime_fields_collect(m->text, m->e.header, names, 2, f);
	if (f[1].raw != NULL &&
	    mime_date_parse(&date, f[1].value, f[1].valuelen) == 0) {
		m->e.sent = mime_date_time(&date);
		m->e.zone = date.zone;
	}
	if (f[0].raw == NULL)
		return (0);
	return (mime_base_subject(f[0].value, f[0].valuelen, b) == -1 ? -1 :
	    0);
}

static int
make_item(struct maker *m, enum cached_item item, const struct mime_tree *t,
    struct buf *b)
{
	switch (item) {
	case CACHED_ENVELOPE:
		return (mime_write_envelope(b, m->text, m->e.header));
	case CACHED_STRUCTURE:
		return (mime_write_structure(b, t, 1));
	case CACHED_BODY:
		return (mime_write_structure(b, t, 0));
	case CACHED_FIELDS:
		return (make_fields(m, b));
	case CACHED_PREVIEW:
		return (mime_preview(t, b));
	case CACHED_SUBJECT:
		return (make_subject(m, b));
	case CACHED_ITEMS:
		break;
	}
	return (-1);
}

/* One that was made before. */
static int
copy_item(struct maker *m, enum cached_item item, struct buf *b)
{
	if (item == CACHED_FIELDS)
		memcpy(m->e.others, m->items.others, sizeof(m->e.others));
	if (item == CACHED_SUBJECT) {
		m->e.sent = m->items.sent;
		m->e.zone = m->items.zone;
	}
	return (buf_add(b, m->items.item[item].p, m->items.item[item].len));
}

static int
make_items(struct maker *m, unsigned int what)
{
	unsigned int has = m->had != NULL ? m->had->has & ~what : 0;
	struct mime_tree t = { 0 };
	struct buf item;
	int i, ret = 0;

	if ((what & ~CACHED_HEADER) == 0)
		what = CACHED_HEADER & ~has;
	else if (mime_tree_parse(&t, m->text, m->len) == -1)
		return (-1);
	for (i = 0; i < CACHED_ITEMS && ret == 0; i++) {
		buf_init(&item, CACHE_ITEM_MAX);
		if (((what | has) & CACHED_BIT(i)) == 0)
			;
		else if ((has & CACHED_BIT(i) ? copy_item(m, i, &item) :
		    make_item(m, i, &t, &item)) == 0) {
			m->e.has |= CACHED_BIT(i);
			ret = buf_len(&item) == 0 ? 0 : buf_add(m->out,
			    buf_data(&item), buf_len(&item));
		} else if (errno == ENOBUFS)
			m->e.over |= CACHED_BIT(i);
		else
			ret = -1;
		if (ret == 0 && (m->e.has & CACHED_BIT(i)))
			m->e.end[i] = (uint32_t)buf_len(&item);
		if (i > 0)
			m->e.end[i] += m->e.end[i - 1];
		buf_free(&item);
	}
	mime_tree_free(&t);
	return (ret);
}

static uint32_t
item_sum(const struct cache_entry *e, const char *p, int i)
{
	uint32_t start = i == 0 ? 0 : e->end[i - 1];

	return ((uint32_t)hash_bytes(p + start, e->end[i] - start));
}

static void
sum_items(struct cache_entry *e, const char *p)
{
	int i;

	for (i = 0; i < CACHED_ITEMS; i++)
		e->itemsum[i] = item_sum(e, p, i);
}

static uint64_t
entry_sum(const struct cache_entry *e)
{
	return (hash_bytes(&e->len, sizeof(*e) - sizeof(e->sum)));
}

void
cache_entry_own(struct cache_entry *e, uint32_t uid, uint32_t uidvalidity)
{
	e->uid = uid;
	e->uidvalidity = uidvalidity;
	e->sum = entry_sum(e);
}

/* The struct, and that its items are within its length. */
static int
entry_whole(const struct cache_entry *e, size_t len)
{
	uint32_t end = 0, room;
	int i;

	if (len < sizeof(*e) || e->len < sizeof(*e) || e->len > len ||
	    e->len > CACHE_ENTRY_MAX || e->len % 8 != 0 ||
	    e->sum != entry_sum(e))
		return (0);
	room = e->len - (uint32_t)sizeof(*e);
	for (i = 0; i < CACHED_ITEMS; i++) {
		if (e->end[i] < end || e->end[i] > room)
			return (0);
		end = e->end[i];
	}
	return (1);
}

int
cache_entry_ok(const struct cache_entry *e, size_t len, unsigned int what,
    unsigned char *seen)
{
	unsigned int todo;
	int i;

	if ((*seen & CACHE_ENTRY_SEEN) == 0 && !entry_whole(e, len))
		return (0);
	*seen |= CACHE_ENTRY_SEEN;
	todo = what & CACHED_ALL & ~(unsigned int)*seen;
	for (i = 0; todo != 0 && i < CACHED_ITEMS; i++) {
		if ((todo & CACHED_BIT(i)) == 0)
			continue;
		if (e->itemsum[i] != item_sum(e, (const char *)(e + 1), i))
			return (0);
		*seen |= (unsigned char)CACHED_BIT(i);
	}
	return (1);
}

void
cache_entry_items(const struct cache_entry *e, struct store_cached *out)
{
	const char *p = (const char *)(e + 1);
	uint32_t start = 0;
	int i;

	memset(out, 0, sizeof(*out));
	out->has = e->has;
	out->sent = e->sent;
	out->zone = (int16_t)e->zone;
	out->header = e->header;
	memcpy(out->others, e->others, sizeof(out->others));
	for (i = 0; i < CACHED_ITEMS; i++) {
		if (e->has & CACHED_BIT(i)) {
			out->item[i].p = p + start;
			out->item[i].len = e->end[i] - start;
		}
		start = e->end[i];
	}
}
