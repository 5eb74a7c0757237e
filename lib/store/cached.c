/*
 * cached: a message's cached items for a session.
 */
#include <errno.h>
#include <string.h>

#include "store/cache_entry.h"
#include "store/view.h"

static enum store_error cached_make(struct mailbox *, uint32_t, unsigned int);

enum store_error
mailbox_cached(struct mailbox *mb, uint32_t seq, unsigned int what,
    struct store_cached *out)
{
	const struct cache_entry *e;
	enum store_error error;

	memset(out, 0, sizeof(*out));
	if ((error = cached_make(mb, seq, what)) != STORE_OK)
		return (error);
	e = buf_data(&mb->cached);
	cache_entry_items(e, out);
	return ((what & ~e->has) != 0 ? STORE_LIMIT : STORE_OK);
}

/* From the message itself. */
static enum store_error
cached_make(struct mailbox *mb, uint32_t seq, unsigned int what)
{
	struct message_text text;
	enum store_error error;

	if ((error = mailbox_message_text(mb, seq, &text)) != STORE_OK)
		return (error);
	buf_free(&mb->cached);
	buf_init(&mb->cached, CACHE_ENTRY_MAX);
	if (cache_entry_make(&mb->cached, text.data, text.len, what) == -1)
		error = errno == ENOBUFS ? STORE_LIMIT : STORE_SYS;
	message_text_free(&text);
	return (error);
}
