/*
 * maildrop: INBOX as POP3 sees it.
 *
 * Sizes and UIDs come from the index: opening costs one pass over it and a
 * byte a message, and no message is opened before it is asked for.  A size is
 * that of the text with CRLF line ends.
 */
#include "os/compat.h"
#include <stdio.h>
#include <stdlib.h>

#include "maildrop.h"

#define MARK_DELETED	0x01
#define MARK_RETRIEVED	0x02

struct maildrop {
	struct mailbox	*mb;
	unsigned char	*marks;		/* a byte a message */
	uint32_t	 last;
	uint32_t	 count;
	uint64_t	 size;
	uint32_t	 uidvalidity;
};

static void	add_up(struct maildrop *);
static enum store_error	expunge_marked(struct maildrop *);

enum store_error
maildrop_open(struct store *st, struct maildrop **mdp)
{
	struct mailbox_status status;
	struct maildrop *md;
	enum store_error e;

	if ((md = calloc(1, sizeof(*md))) == NULL)
		return (STORE_SYS);
	if ((e = mailbox_open(st, "INBOX", MAILBOX_EXCLUSIVE, &md->mb)) !=
	    STORE_OK) {
		free(md);
		return (e);
	}
	mailbox_status(md->mb, &status);
	md->uidvalidity = status.uidvalidity;
	md->last = mailbox_count(md->mb);
	if ((md->marks = calloc((size_t)md->last + 1, 1)) == NULL) {
		maildrop_close(md);
		return (STORE_SYS);
	}
	add_up(md);
	*mdp = md;
	return (STORE_OK);
}

void
maildrop_close(struct maildrop *md)
{
	if (md == NULL)
		return;
	mailbox_close(md->mb);
	free(md->marks);
	free(md);
}

uint32_t
maildrop_last(const struct maildrop *md)
{
	return (md->last);
}

uint32_t
maildrop_count(const struct maildrop *md)
{
	return (md->count);
}

uint64_t
maildrop_size(const struct maildrop *md)
{
	return (md->size);
}

int64_t
maildrop_message(struct maildrop *md, uint32_t n)
{
	const struct store_message *m;

	if (n == 0 || n > md->last || (md->marks[n] & MARK_DELETED) ||
	    (m = mailbox_message(md->mb, n)) == NULL || m->size > INT64_MAX)
		return (-1);
	return ((int64_t)m->size);
}

/*
 * The UID and UIDVALIDITY in hex, which is what Dovecot's pop3_uidl_format
 * has as its default: whoever comes from there downloads nothing twice.
 */
void
maildrop_uid(struct maildrop *md, uint32_t n, char uid[MAILDROP_UID_MAX])
{
	const struct store_message *m = mailbox_message(md->mb, n);

	snprintf(uid, MAILDROP_UID_MAX, "%08x%08x", m != NULL ? m->uid : 0,
	    md->uidvalidity);
}

enum store_error
maildrop_text(struct maildrop *md, uint32_t n, int *fd)
{
	return (mailbox_message_fd(md->mb, n, fd));
}

void
maildrop_retrieved(struct maildrop *md, uint32_t n)
{
	md->marks[n] |= MARK_RETRIEVED;
}

void
maildrop_delete(struct maildrop *md, uint32_t n)
{
	int64_t size;

	if ((size = maildrop_message(md, n)) == -1)
		return;
	md->marks[n] |= MARK_DELETED;
	md->count--;
	md->size -= (uint64_t)size;
}

void
maildrop_reset(struct maildrop *md)
{
	uint32_t n;

	for (n = 1; n <= md->last; n++)
		md->marks[n] &= (unsigned char)~MARK_DELETED;
	add_up(md);
}

/*
 * The flags come first, while the numbers still hold.  A \Seen that could not
 * be set is no reason to tell the client that QUIT failed.
 */
enum store_error
maildrop_update(struct maildrop *md)
{
	const struct store_message *m;
	enum store_error e;
	uint32_t n;

	for (n = 1; n <= md->last; n++) {
		if (md->marks[n] != MARK_RETRIEVED ||
		    (m = mailbox_message(md->mb, n)) == NULL ||
		    (m->flags & MSG_SEEN))
			continue;
		if ((e = mailbox_store(md->mb, n, FLAGS_ADD, MSG_SEEN, 0)) !=
		    STORE_OK)
			break;
	}
	return (expunge_marked(md));
}

static void
add_up(struct maildrop *md)
{
	const struct store_message *m;
	uint32_t n;

	md->count = 0;
	md->size = 0;
	for (n = 1; n <= md->last; n++) {
		if ((m = mailbox_message(md->mb, n)) == NULL)
			continue;
		md->count++;
		md->size += m->size;
	}
}

static enum store_error
expunge_marked(struct maildrop *md)
{
	static const struct mailbox_changes none;
	uint32_t *seqs, n;
	enum store_error e;
	size_t count = 0;

	if ((seqs = calloc((size_t)md->last + 1, sizeof(*seqs))) == NULL)
		return (STORE_SYS);
	for (n = 1; n <= md->last; n++) {
		if (md->marks[n] & MARK_DELETED)
			seqs[count++] = n;
	}
	e = count == 0 ? STORE_OK :
	    mailbox_expunge(md->mb, seqs, count, &none, NULL);
	free(seqs);
	return (e);
}
