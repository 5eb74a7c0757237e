/*
 * cmd_search_text: the cache first; else the file is read once into a buffer
 * that serves for all messages.
 *
 * Cost for a message that is searched whole: open, fstat, read, close.  A
 * message longer than RAW_KEPT gives its memory back.
 */
#include <sys/stat.h>
#include <errno.h>

#include "cmd_search_text.h"
#include "mime/date.h"

#define RAW_KEPT	(1024 * 1024)
#define RAW_MAX		((size_t)SESSION_APPEND_MAX * 2)

void
search_text_next(struct search_text *t, uint32_t seq)
{
	if (t->have_tree)
		mime_tree_free(&t->tree);
	if (t->rawroom > RAW_KEPT) {
		free(t->raw);
		t->raw = NULL;
		t->rawroom = 0;
	}
	t->have_tree = t->have_raw = t->have_cached = 0;
	t->seq = seq;
}

void
search_text_free(struct search_text *t)
{
	search_text_next(t, 0);
	free(t->raw);
	t->raw = NULL;
	t->rawroom = 0;
}

static int
raw_room(struct search_text *t, size_t want)
{
	char *p;

	if (want <= t->rawroom)
		return (1);
	if (want > RAW_MAX)
		return (0);
	if (want < RAW_KEPT)
		want = want < RAW_KEPT / 8 ? RAW_KEPT / 8 : RAW_KEPT;
	if ((p = realloc(t->raw, want)) == NULL) {
		t->nomem = 1;
		return (0);
	}
	t->raw = p;
	t->rawroom = want;
	return (1);
}

static int
read_file(struct search_text *t, int fd)
{
	struct stat st;
	ssize_t n;

	t->rawlen = 0;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size < 0 ||
	    !raw_room(t, (size_t)st.st_size + 1))
		return (0);
	while (t->rawlen < (size_t)st.st_size) {
		n = read(fd, t->raw + t->rawlen, (size_t)st.st_size -
		    t->rawlen);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		t->rawlen += (size_t)n;
	}
	return (1);
}

static int
need_raw(struct search_text *t)
{
	int fd;

	if (t->have_raw)
		return (t->have_raw == 1);
	t->have_raw = -1;
	if (mailbox_message_fd(t->c->mb, t->seq, &fd) != STORE_OK)
		return (0);
	if (read_file(t, fd)) {
		t->have_raw = 1;
		t->read += t->rawlen;
	}
	close(fd);
	return (t->have_raw == 1);
}

void
search_want(struct search_text *t, unsigned int bits)
{
	t->checked = bits;
	t->have_cached = mailbox_cached(t->c->mb, t->seq, bits,
	    &t->cached) == STORE_OK ? 1 : -1;
}

/* Only what is asked for: each item that is taken has its sum checked. */
static int
need_cached(struct search_text *t, enum cached_item item)
{
	if (t->have_cached == 0 || (t->have_cached == 1 &&
	    (t->checked & CACHED_BIT(item)) == 0))
		search_want(t, CACHED_BIT(item));
	return (t->have_cached == 1);
}

int
search_header(struct search_text *t, const struct imap_str *name,
    const char **p, size_t *len)
{
	const struct cached_value *v = &t->cached.item[CACHED_FIELDS];

	/* A field that is not kept: of most messages it is known not to be. */
	if (name != NULL && (cached_field(name->s, name->len) ||
	    !t->have_raw) && need_cached(t, CACHED_FIELDS) &&
	    (cached_field(name->s, name->len) ||
	    cached_lacks(&t->cached, name->s, name->len))) {
		*p = v->p;
		*len = cached_field(name->s, name->len) ? v->len : 0;
		return (1);
	}
	if (!need_raw(t))
		return (0);
	*p = t->raw;
	*len = mime_header_length(t->raw, t->rawlen);
	return (1);
}

int
search_tree(struct search_text *t)
{
	if (t->have_tree)
		return (1);
	if (!need_raw(t) ||
	    mime_tree_parse(&t->tree, t->raw, t->rawlen) == -1)
		return (0);
	t->have_tree = 1;
	return (1);
}

int
search_sent(struct search_text *t, int64_t *sent, int *zone)
{
	struct mime_field f;
	struct mime_date d;

	if (need_cached(t, CACHED_SUBJECT)) {
		*sent = t->cached.sent;
		*zone = t->cached.zone;
		return (t->cached.sent != 0);
	}
	if (!need_raw(t) || !mime_field_find(t->raw, t->rawlen, "Date", &f) ||
	    mime_date_parse(&d, f.value, f.valuelen) == -1)
		return (0);
	*sent = mime_date_time(&d);
	*zone = d.zone;
	return (1);
}

int
search_subject(struct search_text *t, const char **p, size_t *len)
{
	if (!need_cached(t, CACHED_SUBJECT))
		return (0);
	*p = t->cached.item[CACHED_SUBJECT].p;
	*len = t->cached.item[CACHED_SUBJECT].len;
	return (1);
}
