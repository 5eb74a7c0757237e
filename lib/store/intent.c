/*
 * intent: messages that are expunged together, or not at all.
 *
 * Files go one by one, and we may be killed between two of them.  So the list
 * is written first:
 *
 *	postern.expunge		what it means
 *	none			nothing was begun, or all of it is done
 *	there			its messages are gone: whoever has the
 *				mailbox for himself next finishes the work
 *
 * Only the owner of the exclusive lock writes, reads or removes it.  Without
 * room for it on the disk some are expunged before it is written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf/buf.h"
#include "os/compat.h"
#include "store/change.h"
#include "store/file.h"
#include "store/intent.h"
#include "store/view.h"

#define INTENT_FILE	"postern.expunge"
#define INTENT_MAX	(16U << 20)	/* bytes of it */

static enum store_error intent_write(struct mailbox *, const uint32_t *,
    size_t);
static enum store_error intent_room(struct mailbox *, const uint32_t *,
    size_t *);
static enum store_error intent_drop(struct mailbox *);
static size_t	intent_parse(struct mailbox *, char *, uint32_t *, size_t);
static size_t	lines_in(const char *);

enum store_error
mailbox_expunge_together(struct mailbox *mb, const uint32_t *seqs, size_t n)
{
	enum store_error error = STORE_OK, dropped;
	int together = mb->mbox == NULL && n > 1;

	if (together)
		error = intent_write(mb, seqs, n);
	if (error == STORE_FULL)
		error = intent_room(mb, seqs, &n);
	if (error != STORE_OK)
		return (error);
	if ((error = mailbox_expunge(mb, seqs, n, NULL, NULL)) == STORE_OK)
		error = store_flush(mb->store);
	/* Whoever is told that it failed must not see it done later. */
	dropped = together ? intent_drop(mb) : STORE_OK;
	return (error == STORE_OK ? dropped : error);
}

enum store_error
intent_finish(struct mailbox *mb)
{
	enum store_error error = STORE_OK;
	uint32_t *seqs;
	char *text;
	size_t len, n;

	text = file_read(mb->f->dir, INTENT_FILE, INTENT_MAX, &len);
	if (text == NULL)
		return (errno == ENOENT ? STORE_OK : store_errno());
	n = lines_in(text);
	if ((seqs = calloc(n + 1, sizeof(*seqs))) == NULL) {
		free(text);
		return (STORE_SYS);
	}
	if ((n = intent_parse(mb, text, seqs, n)) > 0)
		error = mailbox_expunge(mb, seqs, n, NULL, NULL);
	free(seqs);
	free(text);
	if (error == STORE_OK && (error = store_flush(mb->store)) == STORE_OK)
		error = intent_drop(mb);
	return (error);
}

/* The UIDVALIDITY, then a UID a line. */
static enum store_error
intent_write(struct mailbox *mb, const uint32_t *seqs, size_t n)
{
	enum store_error error = STORE_OK;
	struct view_entry e;
	struct buf b;
	size_t i;
	int bad;

	buf_init(&b, INTENT_MAX);
	bad = buf_printf(&b, "%" PRIu32 "\n", mb->uidvalidity);
	for (i = 0; i < n && bad == 0; i++)
		if (view_at(mb, seqs[i], &e) == 0)
			bad = buf_printf(&b, "%" PRIu32 "\n", e.uid);
	if (bad != 0 || file_replace(mb->f->dir, INTENT_FILE, buf_data(&b),
	    buf_len(&b)) == -1)
		error = store_errno();
	/* Its name must be on the disk before the first file goes. */
	else if (fsync(mb->f->dir) == -1) {
		error = store_errno();
		(void)intent_drop(mb);
	}
	buf_free(&b);
	return (error);
}

/*
 * The disk is full, and it is the mail that makes room: the last ones go, more
 * each time, until the list of the others fits.  Who is killed meanwhile has
 * removed some and not all; otherwise he could remove none for ever.
 */
static enum store_error
intent_room(struct mailbox *mb, const uint32_t *seqs, size_t *n)
{
	enum store_error error = STORE_FULL;
	size_t some;

	for (some = 1; error == STORE_FULL && *n > 0; some *= 2) {
		if (some > *n)
			some = *n;
		*n -= some;
		if ((error = change_expunge(mb, seqs + *n, some)) ==
		    STORE_OK && *n > 0)
			error = intent_write(mb, seqs, *n);
	}
	return (error);
}

static enum store_error
intent_drop(struct mailbox *mb)
{
	if (unlinkat(mb->f->dir, INTENT_FILE, 0) == -1)
		return (errno == ENOENT ? STORE_OK : store_errno());
	return (fsync(mb->f->dir) == -1 ? store_errno() : STORE_OK);
}

/* The sequence numbers of those that are still there, ascending. */
static size_t
intent_parse(struct mailbox *mb, char *text, uint32_t *seqs, size_t max)
{
	const char *line, *bad;
	uint32_t last = 0;
	size_t n = 0;
	char *rest = text;

	line = strsep(&rest, "\n");
	if (strtonum(line, 1, UINT32_MAX, &bad) != mb->uidvalidity ||
	    bad != NULL)
		return (0);
	while ((line = strsep(&rest, "\n")) != NULL && n < max) {
		seqs[n] = mailbox_seq_of_uid(mb,
		    (uint32_t)strtonum(line, 1, UINT32_MAX, &bad));
		if (bad == NULL && seqs[n] > last)
			last = seqs[n++];
	}
	return (n);
}

static size_t
lines_in(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return (n);
}
