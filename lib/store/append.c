/*
 * append: a message from a client.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/crlf.h"
#include "store/files.h"
#include "store/incoming.h"
#include "store/mbox.h"
#include "store/name.h"
#include "store/quota.h"

#define APPEND_KEYWORDS	64		/* names that a message may bring */
#define APPEND_MEMORY	(256U << 20)	/* of a message into an mbox */

struct append {
	struct store	*store;
	struct folder	*folder;	/* NULL: the mbox */
	struct incoming	 in;
	struct crlf	 crlf;
	char		*keywords[APPEND_KEYWORDS];
	size_t		 nkeywords;
	uint64_t	 expected;	/* counted in the store's coming */
	char		*text;		/* for the mbox */
	size_t		 len, cap;
};

static enum store_error append_open(struct append *, const char *);
static enum store_error append_finish(struct append *);
static enum store_error append_keywords(struct append **, size_t);
static enum store_error append_mbox(struct append **, size_t, uint32_t *,
    uint32_t *);
static void append_free(struct append *);

enum store_error
append_begin(struct store *st, const char *name, time_t internal,
    uint32_t flags, const char *const *keywords, struct append **ap)
{
	struct append *a;
	enum store_error error = STORE_SYS;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return (STORE_SYS);
	a->store = st;
	a->in.fd = -1;
	a->in.internal = internal;
	a->in.flags = flags & ~(uint32_t)MSG_RECENT;
	for (; keywords != NULL && *keywords != NULL &&
	    a->nkeywords < APPEND_KEYWORDS; keywords++, a->nkeywords++)
		if ((a->keywords[a->nkeywords] = strdup(*keywords)) == NULL)
			goto fail;
	if (st->mbox != NULL)
		error = name_is_inbox(name) ? STORE_OK : STORE_NOENT;
	else
		error = append_open(a, name);
	if (error != STORE_OK)
		goto fail;
	*ap = a;
	return (STORE_OK);
fail:
	append_abort(a);
	return (error);
}

static enum store_error
append_open(struct append *a, const char *name)
{
	char tmp[NAME_MAX + 1];
	enum store_error error;

	if ((error = folder_get(a->store, name, &a->folder)) != STORE_OK)
		return (error);
	files_unique(a->folder, a->in.base, sizeof(a->in.base));
	incoming_tmp(&a->in, tmp);
	a->in.fd = openat(a->folder->tmp, tmp, O_RDWR | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (a->in.fd == -1 || crlf_init(&a->crlf, a->in.fd) == -1)
		return (store_errno());
	return (STORE_OK);
}

/*
 * Before the commit nothing counts in the quota, and many may be written at a
 * time.  Half of the bytes may be line ends that become shorter.
 */
enum store_error
append_expect(struct append *a, uint64_t bytes)
{
	struct store *st = a->store;
	enum store_error error;

	if (a->folder == NULL)
		return (STORE_OK);
	error = quota_check(st, st->coming + bytes / 2, 1);
	if (error != STORE_OK)
		return (error);
	a->expected = bytes / 2;
	st->coming += a->expected;
	return (STORE_OK);
}

enum store_error
append_write(struct append *a, const void *data, size_t len)
{
	size_t cap;
	char *p;

	if (a->folder != NULL)
		return (crlf_write(&a->crlf, data, len) == -1 ?
		    store_errno() : STORE_OK);
	if (len > APPEND_MEMORY - a->len)
		return (STORE_LIMIT);
	if (len > a->cap - a->len) {
		cap = a->cap == 0 ? CRLF_BUFFER : a->cap * 2;
		if (cap - a->len < len)
			cap = a->len + len;
		if ((p = realloc(a->text, cap)) == NULL)
			return (STORE_SYS);
		a->text = p;
		a->cap = cap;
	}
	memcpy(a->text + a->len, data, len);
	a->len += len;
	return (STORE_OK);
}

enum store_error
append_commit(struct append **list, size_t n, uint32_t *uids,
    uint32_t *uidvalidity)
{
	struct incoming *in = NULL;
	enum store_error error = STORE_OK;
	size_t i;

	if (n == 0)
		return (STORE_OK);
	if (list[0]->folder == NULL)
		return (append_mbox(list, n, uids, uidvalidity));
	for (i = 0; i < n && error == STORE_OK; i++) {
		if (list[i]->folder != list[0]->folder)
			error = STORE_NAME;	/* one mailbox at a time */
		else
			error = append_finish(list[i]);
	}
	if (error == STORE_OK)
		error = append_keywords(list, n);
	if (error == STORE_OK && (in = calloc(n, sizeof(*in))) == NULL)
		error = STORE_SYS;
	if (error == STORE_OK) {
		for (i = 0; i < n; i++)
			in[i] = list[i]->in;
		error = incoming_commit(list[0]->folder, in, n, NULL, uids,
		    uidvalidity);
		/* The files are where they belong, or gone. */
		for (i = 0; i < n; i++) {
			list[i]->in.fd = -1;
			buf_init(&list[i]->in.entry, 0);
			append_free(list[i]);
		}
	} else {
		for (i = 0; i < n; i++)
			append_abort(list[i]);
	}
	free(in);
	return (error);
}

static enum store_error
append_finish(struct append *a)
{
	struct timespec times[2];

	if (crlf_finish(&a->crlf) == -1)
		return (store_errno());
	a->in.size = a->crlf.size;
	a->in.fsize = a->crlf.fsize;
	a->in.text = a->crlf.text;
	times[0].tv_sec = times[1].tv_sec = a->in.internal;
	times[0].tv_nsec = times[1].tv_nsec = 0;
	if (futimens(a->in.fd, times) == -1)
		return (store_errno());
	incoming_entry(&a->in);
	return (incoming_sizes(&a->in));
}

/* Letters for their keywords; those that find no room are left out. */
static enum store_error
append_keywords(struct append **list, size_t n)
{
	struct folder *f = list[0]->folder;
	enum store_error error;
	size_t i, j;
	int k;

	for (i = 0; i < n && list[i]->nkeywords == 0; i++)
		continue;
	if (i == n)
		return (STORE_OK);
	if ((error = folder_lock(f, LOCK_LONG)) != STORE_OK)
		return (error);
	for (i = 0; i < n; i++) {
		for (j = 0; j < list[i]->nkeywords; j++) {
			k = keywords_add(&f->kw, f->dir, list[i]->keywords[j]);
			if (k != -1)
				list[i]->in.keywords |= 1U << k;
		}
	}
	folder_unlock(f);
	return (STORE_OK);
}

static enum store_error
append_mbox(struct append **list, size_t n, uint32_t *uids,
    uint32_t *uidvalidity)
{
	enum store_error error = STORE_SYS;
	struct store *st = list[0]->store;
	struct mbox_new *new;
	uint64_t bytes = 0;
	size_t i;

	if ((new = calloc(n, sizeof(*new))) != NULL) {
		for (i = 0; i < n; i++) {
			new[i].fd = -1;
			new[i].head = list[i]->text;
			new[i].headlen = list[i]->len;
			new[i].internal = list[i]->in.internal;
			new[i].flags = list[i]->in.flags;
			bytes += list[i]->len;
		}
		if ((error = quota_check(st, bytes, n)) == STORE_OK)
			error = mbox_append(st->mbox, new, n, uids,
			    uidvalidity);
	}
	free(new);
	for (i = 0; i < n; i++)
		append_free(list[i]);
	return (error);
}

void
append_abort(struct append *a)
{
	if (a == NULL)
		return;
	if (a->in.fd != -1)
		incoming_drop(a->folder, &a->in, 1);
	append_free(a);
}

static void
append_free(struct append *a)
{
	size_t i;

	if (a->in.fd != -1)
		close(a->in.fd);
	a->store->coming -= a->expected;
	buf_free(&a->in.entry);
	crlf_free(&a->crlf);
	for (i = 0; i < a->nkeywords; i++)
		free(a->keywords[i]);
	folder_release(a->folder);
	free(a->text);
	free(a);
}
