/*
 * cached: a message's cached items for a session.
 *
 * Cost: nothing but memory if they are in the cache, or were made by the last
 * call; else an open, a read (of HEAD_FIRST if the header suffices) and a
 * close, and a share in one write.
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

#define HEAD_FIRST	4096		/* most headers are in these */
#define HEAD_READ	(16 * 1024)
#define AHEAD		4	/* messages: as long as memory takes */

static void cached_near(struct mailbox *, uint32_t);
static enum store_error cached_make(struct mailbox *, uint32_t, unsigned int,
    const struct cache_entry *);
static enum store_error cached_text(struct mailbox *, uint32_t, unsigned int,
    struct buf *, const struct cache_entry *);
static enum store_error cached_head(struct mailbox *, uint32_t, unsigned int,
    struct buf *, const struct cache_entry *);
static ssize_t cached_head_read(int, char *, size_t *);

enum store_error
mailbox_cached(struct mailbox *mb, uint32_t seq, unsigned int what,
    struct store_cached *out)
{
	const struct cache_entry *e = NULL;
	struct view_entry v = { 0 };
	struct index_mut m;
	enum store_error error;

	memset(out, 0, sizeof(*out));
	if (mb->mbox == NULL) {
		error = view_record(mb, seq, &v, NULL, &m);
		if (error != STORE_OK)
			return (error);
		/* Just made, and not written yet. */
		e = v.uid == mb->cached_uid ? buf_data(&mb->cached) :
		    cachefile_get(mb->f, m.cache, v.uid, what);
		cached_near(mb, seq + AHEAD);
	}
	if (e == NULL || (what & ~(e->has | e->over)) != 0) {
		if (e != NULL && v.uid != mb->cached_uid)
			e = cachefile_get(mb->f, m.cache, v.uid, CACHED_ALL);
		if ((error = cached_make(mb, seq, what, e)) != STORE_OK)
			return (error);
		if (mb->mbox == NULL && view_at(mb, seq, &v) == 0 &&
		    v.slot != UINT32_MAX) {
			mb->cached_uid = v.uid;
			cachefile_later(mb->f, &mb->cached, v.slot, v.uid);
		}
		e = buf_data(&mb->cached);
	}
	cache_entry_items(e, out);
	return ((what & ~e->has) != 0 ? STORE_LIMIT : STORE_OK);
}

/* Most who ask go through all. */
static void
cached_near(struct mailbox *mb, uint32_t seq)
{
	struct view_entry v;

	if (view_at(mb, seq, &v) == 0)
		cachefile_near(mb->f, index_cache_hint(&mb->f->ix, v.slot));
}

/* From the message itself, and from what the entry has that is there. */
static enum store_error
cached_make(struct mailbox *mb, uint32_t seq, unsigned int what,
    const struct cache_entry *e)
{
	enum store_error error = STORE_LIMIT;
	struct buf had, made;

	/* A copy, because the cache may be mapped anew meanwhile. */
	buf_init(&had, CACHE_ENTRY_MAX);
	if (e != NULL && buf_add(&had, e, e->len) == -1)
		return (STORE_SYS);
	e = e != NULL ? buf_data(&had) : NULL;
	buf_init(&made, CACHE_ENTRY_MAX);
	if ((what & ~CACHED_HEADER) == 0 && mb->mbox == NULL)
		error = cached_head(mb, seq, what, &made, e);
	if (error == STORE_LIMIT)
		error = cached_text(mb, seq, what, &made, e);
	buf_free(&had);
	buf_free(&mb->cached);
	mb->cached = made;
	mb->cached_uid = 0;
	return (error);
}

static enum store_error
cached_text(struct mailbox *mb, uint32_t seq, unsigned int what,
    struct buf *made, const struct cache_entry *had)
{
	struct message_text text;
	enum store_error error;

	if ((error = mailbox_message_text(mb, seq, &text)) != STORE_OK)
		return (error);
	if (cache_entry_make(made, text.data, text.len, what, had) == -1)
		error = errno == ENOBUFS ? STORE_LIMIT : STORE_SYS;
	message_text_free(&text);
	return (error);
}

/* If the header is in the file's beginning; STORE_LIMIT if not. */
static enum store_error
cached_head(struct mailbox *mb, uint32_t seq, unsigned int what,
    struct buf *made, const struct cache_entry *had)
{
	char buf[2 * HEAD_READ];
	enum store_error error;
	size_t len, crs;
	ssize_t n;
	int fd;

	if ((error = message_open(mb, seq, &fd)) != STORE_OK)
		return (error);
	n = cached_head_read(fd, buf, &len);
	close(fd);
	if (n == -1)
		return (store_errno());
	if (len == (size_t)n && n == HEAD_READ)
		return (STORE_LIMIT);
	crs = crlf_count(buf, len);
	memmove(buf + crs, buf, len);
	crlf_expand(buf, len + crs, len);
	return (cache_entry_make(made, buf, len + crs, what, had) == -1 ?
	    STORE_SYS : STORE_OK);
}

/* What was read, of which len is the header. */
static ssize_t
cached_head_read(int fd, char *buf, size_t *len)
{
	ssize_t n, more;

	if ((n = pread(fd, buf, HEAD_FIRST, 0)) == -1)
		return (-1);
	*len = mime_header_length(buf, (size_t)n);
	if (*len < (size_t)n || n < HEAD_FIRST)
		return (n);
	if ((more = pread(fd, buf + n, HEAD_READ - (size_t)n, n)) == -1)
		return (-1);
	*len = mime_header_length(buf, (size_t)(n + more));
	return (n + more);
}
