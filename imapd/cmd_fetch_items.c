/*
 * cmd_fetch_items: the items of FETCH that are not sections.
 *
 * Cost: what the cache has is copied; without it the message is read, which
 * makes the same.
 */
#include "cmd_fetch_run.h"
#include "imap/date.h"
#include "imap/write.h"
#include "mime/header.h"
#include "mime/preview.h"
#include "mime/structure.h"
#include "session_reply.h"

#define ITEM_MAX	(4 * 1024 * 1024)	/* a structure, an envelope */

static const struct {
	uint32_t		 item;
	const char		*name;
	enum cached_item	 cached;
} from_cache[] = {
	{ IMAP_FETCH_ENVELOPE, "ENVELOPE ", CACHED_ENVELOPE },
	{ IMAP_FETCH_BODY, "BODY ", CACHED_BODY },
	{ IMAP_FETCH_STRUCTURE, "BODYSTRUCTURE ", CACHED_STRUCTURE },
	{ IMAP_FETCH_PREVIEW, "PREVIEW ", CACHED_PREVIEW }
};

#define NCACHED	(sizeof(from_cache) / sizeof(from_cache[0]))

unsigned int
fetch_items_need(uint32_t items)
{
	unsigned int need = 0;
	size_t i;

	for (i = 0; i < NCACHED; i++)
		if (items & from_cache[i].item)
			need |= CACHED_BIT(from_cache[i].cached);
	return (need);
}

/* Into a buffer of its own, so that what is too large leaves nothing. */
static int
make(const struct fetch_run *run, uint32_t item, struct buf *b)
{
	switch (item) {
	case IMAP_FETCH_ENVELOPE:
		return (mime_write_envelope(b, run->text.data,
		    mime_header_length(run->text.data, run->text.len)));
	case IMAP_FETCH_PREVIEW:
		return (mime_preview(&run->tree, b));
	default:
		return (mime_write_structure(b, &run->tree,
		    item == IMAP_FETCH_STRUCTURE));
	}
}

static int
make_short(const struct fetch_run *run, uint32_t item, struct buf *out)
{
	if (item == IMAP_FETCH_ENVELOPE)
		return (buf_puts(out, "(NIL NIL NIL NIL NIL NIL NIL NIL NIL "
		    "NIL)"));
	if (item == IMAP_FETCH_PREVIEW)
		return (buf_puts(out, "NIL"));
	return (buf_printf(out, "(\"application\" \"octet-stream\" NIL NIL "
	    "NIL \"binary\" %zu)", run->text.len));
}

static void
reply_made(struct client *c, struct fetch_run *run, uint32_t item)
{
	struct buf b, *out = sio_out(c->io);

	buf_init(&b, ITEM_MAX);
	if (make(run, item, &b) == -1)
		reply_check(c, make_short(run, item, out));
	else if (item == IMAP_FETCH_PREVIEW)
		reply_check(c, imap_write_string(out, buf_data(&b),
		    buf_len(&b)));
	else
		reply_bytes(c, buf_data(&b), buf_len(&b));
	buf_free(&b);
}

static void
reply_cached(struct client *c, uint32_t item, const struct cached_value *v)
{
	if (item == IMAP_FETCH_PREVIEW)
		reply_check(c, imap_write_string(sio_out(c->io),
		    v->p != NULL ? v->p : "", v->len));
	else
		reply_bytes(c, v->p, v->len);
}

static void
reply_number(struct client *c, const char *name, uint64_t n)
{
	struct buf *out = sio_out(c->io);

	reply_check(c, buf_puts(out, name));
	reply_check(c, buf_number(out, n));
}

static void
reply_date(struct client *c, const char *name, time_t t)
{
	char date[IMAP_DATE_TIME];

	imap_date_time_format(t, date);
	reply_check(c, buf_printf(sio_out(c->io), "%s\"%s\"", name, date));
}

/* One that the index has. */
static void
reply_indexed(struct client *c, const struct store_message *m, uint32_t item)
{
	struct buf *out = sio_out(c->io);

	switch (item) {
	case IMAP_FETCH_UID:
		reply_number(c, "UID ", m->uid);
		break;
	case IMAP_FETCH_FLAGS:
		reply_check(c, write_message_flags(c, m));
		break;
	case IMAP_FETCH_INTERNALDATE:
		reply_date(c, "INTERNALDATE ", m->internal);
		break;
	case IMAP_FETCH_SIZE:
		reply_number(c, "RFC822.SIZE ", m->size);
		break;
	case IMAP_FETCH_MODSEQ:
		reply_number(c, "MODSEQ (", m->modseq);
		reply_check(c, buf_puts(out, ")"));
		break;
	case IMAP_FETCH_SAVEDATE:
		if (m->saved == 0)
			reply_check(c, buf_puts(out, "SAVEDATE NIL"));
		else
			reply_date(c, "SAVEDATE ", m->saved);
		break;
	case IMAP_FETCH_EMAILID:
		reply_check(c, buf_printf(out, "EMAILID (M%016llx)",
		    (unsigned long long)m->emailid));
		break;
	default:
		/* RFC 8474 5.3: we have no threads of our own. */
		reply_check(c, buf_puts(out, "THREADID NIL"));
		break;
	}
}

void
fetch_items(struct client *c, struct fetch_run *run,
    const struct store_message *m, uint32_t items,
    const struct store_cached *cached)
{
	struct buf *out = sio_out(c->io);
	const char *sp = "";
	uint32_t bit;
	size_t i;

	for (bit = IMAP_FETCH_UID; bit <= IMAP_FETCH_LAST; bit <<= 1) {
		if ((items & bit) == 0)
			continue;
		reply_check(c, buf_puts(out, sp));
		sp = " ";
		for (i = 0; i < NCACHED && from_cache[i].item != bit; i++)
			continue;
		if (i == NCACHED) {
			reply_indexed(c, m, bit);
			continue;
		}
		reply_check(c, buf_puts(out, from_cache[i].name));
		if (cached != NULL)
			reply_cached(c, bit,
			    &cached->item[from_cache[i].cached]);
		else
			reply_made(c, run, bit);
	}
}
