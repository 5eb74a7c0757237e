/*
 * cached: a message's cached items for a session.
 *
 * Cost: nothing but memory if they are in the cache; else an open, a read (of
 * HEAD_READ if the header suffices) and a close, and a share in one write.
 */
#include <sys/stat.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mime/header.h"
#include "store/cachefile.h"
#include "store/crlf.h"
#include "store/view.h"

#define HEAD_READ	(16 * 1024)
#define AHEAD		4	/* messages: as long as memory takes */

static enum store_error cached_make(struct mailbox *, uint32_t, unsigned int);
static enum store_error cached_head(struct mailbox *, uint32_t);

enum store_error
mailbox_cached(struct mailbox *mb, uint32_t seq, unsigned int what,
    struct store_cached *out)
{
	const struct cache_entry *e = NULL;
	struct view_entry v;
	struct index_mut m;
	enum store_error error;

	memset(out, 0, sizeof(*out));
	if (mb->mbox == NULL) {
		error = view_record(mb, seq, &v, NULL, &m);
		if (error != STORE_OK)
			return (error);
		e = cachefile_get(mb->f, m.cache, v.uid, what);
		/* Most who ask go through all. */
		if (view_at(mb, seq + AHEAD, &v) == 0 &&
		    index_get(&mb->f->ix, v.slot, &m) == 0)
			cachefile_near(mb->f, m.cache);
	}
	if (e == NULL || (what & ~(e->has | e->over)) != 0) {
		if ((error = cached_make(mb, seq, what)) != STORE_OK)
			return (error);
		if (mb->mbox == NULL && view_at(mb, seq, &v) == 0 &&
		    v.slot != UINT32_MAX)
			cachefile_later(mb->f, &mb->cached, v.slot, v.uid);
		e = buf_data(&mb->cached);
	}
	cache_entry_items(e, out);
	return ((what & ~e->has) != 0 ? STORE_LIMIT : STORE_OK);
}

/* From the message itself. */
static enum store_error
cached_make(struct mailbox *mb, uint32_t seq, unsigned int what)
{
	struct message_text text;
	enum store_error error;

	buf_free(&mb->cached);
	buf_init(&mb->cached, CACHE_ENTRY_MAX);
	if ((what & ~CACHED_HEADER) == 0 && mb->mbox == NULL) {
		error = cached_head(mb, seq);
		if (error != STORE_LIMIT)
			return (error);
	}
	if ((error = mailbox_message_text(mb, seq, &text)) != STORE_OK)
		return (error);
	if (cache_entry_make(&mb->cached, text.data, text.len, what) == -1)
		error = errno == ENOBUFS ? STORE_LIMIT : STORE_SYS;
	message_text_free(&text);
	return (error);
}

/* If the header is in the file's beginning; STORE_LIMIT if not. */
static enum store_error
cached_head(struct mailbox *mb, uint32_t seq)
{
	char buf[2 * HEAD_READ];
	enum store_error error;
	size_t len, crs;
	ssize_t n;
	int fd;

	if ((error = message_open(mb, seq, &fd)) != STORE_OK)
		return (error);
	n = read(fd, buf, HEAD_READ);
	close(fd);
	if (n == -1)
		return (store_errno());
	len = mime_header_length(buf, (size_t)n);
	if (len == (size_t)n && n == HEAD_READ)
		return (STORE_LIMIT);
	crs = crlf_count(buf, len);
	memmove(buf + crs, buf, len);
	crlf_expand(buf, len + crs, len);
	return (cache_entry_make(&mb->cached, buf, len + crs,
	    CACHED_HEADER) == -1 ? STORE_SYS : STORE_OK);
}
