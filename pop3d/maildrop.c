/*
 * maildrop: INBOX as POP3 sees it.
 *
 * Sizes and UIDs come from the index: opening costs one pass over it and nine
 * bytes a message, and no message is opened before it is asked for.  A size is
 * what RETR sends before dots are added to its lines; only a header that has
 * to be made ASCII must be read for it, each time: an open, a pread, a close.
 *
 * Of mail that another program brought the size may be its file's name's word.
 * Of so many messages at a first login that a look at each file would cost more
 * than all else, some that nobody can foresee are looked at: if these names
 * speak the truth the others are believed, and looked at once the client has
 * its answer.  In nearly all cases that is done before it asks for a size.
 */
#include "os/compat.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "maildrop.h"
#include "store/pop3ids.h"

#define MARK_DELETED	0x01
#define MARK_RETRIEVED	0x02
#define MARK_GONE	0x04		/* not there: takes no number */
#define MARK_TOLD	0x08		/* the size is its name's word */

struct maildrop {
	const char	*uidl;		/* format */
	struct pop3_ids	*ids;		/* that come before it, or NULL */
	int		 ids_known;
	int		 utf8;
	struct mailbox	*mb;
	/* By number; it begins at 1. */
	unsigned char	*marks;		/* MARK_* */
	uint32_t	*sizes;
	uint32_t	*seqs;		/* in the mailbox, ascending */
	uint32_t	 last;
	uint32_t	 count;
	uint64_t	 size;
	uint32_t	 uidvalidity;
	uint32_t	 prove;		/* the next to look at */
	int		 fixed;		/* sizes stay */
};

static void	add_up(struct maildrop *);
static void	number(struct maildrop *);
static uint32_t	choose(struct maildrop *, uint32_t, uint32_t[PROVE_MAX]);
static int	is_there(struct maildrop *, uint32_t);
static uint32_t	size_of(struct maildrop *, uint32_t);
static int64_t	growth_of(struct maildrop *, uint32_t);
static void	find_size(struct maildrop *, uint32_t);
static enum store_error	expunge_marked(struct maildrop *);

enum store_error
maildrop_open(struct store *st, const char *uidl, struct maildrop **mdp)
{
	struct mailbox_status status;
	struct maildrop *md;
	enum store_error e;
	uint32_t n;

	if ((md = calloc(1, sizeof(*md))) == NULL)
		return (STORE_SYS);
	if ((e = mailbox_open(st, "INBOX", MAILBOX_EXCLUSIVE, &md->mb)) !=
	    STORE_OK) {
		free(md);
		return (e);
	}
	md->uidl = uidl;
	mailbox_status(md->mb, &status);
	md->uidvalidity = status.uidvalidity;
	md->last = mailbox_count(md->mb);
	md->marks = calloc((size_t)md->last + 1, sizeof(*md->marks));
	md->sizes = calloc((size_t)md->last + 1, sizeof(*md->sizes));
	md->seqs = calloc((size_t)md->last + 1, sizeof(*md->seqs));
	if (md->marks == NULL || md->sizes == NULL || md->seqs == NULL) {
		maildrop_close(md);
		return (STORE_SYS);
	}
	for (n = 1; n <= md->last; n++)
		md->seqs[n] = n;
	*mdp = md;
	return (STORE_OK);
}

int
maildrop_begin(struct maildrop *md, int utf8)
{
	const struct store_message *m;
	uint32_t some[PROVE_MAX], n, told = 0;
	int believe;

	md->utf8 = utf8;
	md->prove = 1;
	for (n = 1; n <= md->last; n++) {
		m = mailbox_facts(md->mb, n, 0);
		if (m != NULL && m->told && m->size > 0 &&
		    m->size <= UINT32_MAX) {
			md->marks[n] |= MARK_TOLD;
			md->sizes[n] = (uint32_t)m->size;
			told++;
		} else
			md->sizes[n] = size_of(md, n);
	}
	/* As yet our numbers are the mailbox's. */
	believe = told > PROVE_MAX && mailbox_prove(md->mb, some,
	    choose(md, told, some)) == 0;
	for (n = 1; n <= md->last && !believe && told > 0; n++) {
		if (md->marks[n] & MARK_TOLD)
			find_size(md, n);
	}
	number(md);
	return (believe);
}

/*
 * What is not there takes no number: many a client asks for 1 to what STAT
 * says (RFC 1939 5).
 */
static void
number(struct maildrop *md)
{
	uint32_t n, o, prove = md->prove;

	for (n = 1, o = 0; n <= md->last; n++) {
		if (md->marks[n] & MARK_GONE) {
			md->prove -= n < prove;
			continue;
		}
		o++;
		md->marks[o] = md->marks[n];
		md->sizes[o] = md->sizes[n];
		md->seqs[o] = md->seqs[n];
	}
	md->last = o;
	add_up(md);
}

/* Of those that are told, a random one from each PROVE_MAXth part of them. */
static uint32_t
choose(struct maildrop *md, uint32_t told, uint32_t some[PROVE_MAX])
{
	uint32_t random[PROVE_MAX], n, rank = 0, count = 0, from, next;

	arc4random_buf(random, sizeof(random));
	for (n = 1; n <= md->last && count < PROVE_MAX; n++) {
		if ((md->marks[n] & MARK_TOLD) == 0)
			continue;
		from = (uint32_t)((uint64_t)told * count / PROVE_MAX);
		next = (uint32_t)((uint64_t)told * (count + 1) / PROVE_MAX);
		if (rank++ == from + random[count] % (next - from))
			some[count++] = n;
	}
	return (count);
}

static void
find_size(struct maildrop *md, uint32_t n)
{
	md->marks[n] &= (unsigned char)~MARK_TOLD;
	md->sizes[n] = size_of(md, n);
}

int
maildrop_prove(struct maildrop *md)
{
	uint32_t some[PROVE_MAX], seqs[PROVE_MAX], count = 0, i;

	for (; md->prove <= md->last && count < PROVE_MAX; md->prove++)
		if (md->marks[md->prove] & MARK_TOLD) {
			seqs[count] = md->seqs[md->prove];
			some[count++] = md->prove;
		}
	if (mailbox_prove(md->mb, seqs, count) > 0 && !md->fixed) {
		for (i = 0; i < count; i++)
			find_size(md, some[i]);
		number(md);
	}
	return (md->prove <= md->last);
}

void
maildrop_fix(struct maildrop *md)
{
	md->fixed = 1;
}

void
maildrop_close(struct maildrop *md)
{
	if (md == NULL)
		return;
	pop3_ids_free(md->ids);
	mailbox_close(md->mb);
	free(md->marks);
	free(md->sizes);
	free(md->seqs);
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
maildrop_message(const struct maildrop *md, uint32_t n)
{
	if (n == 0 || n > md->last || (md->marks[n] & MARK_DELETED))
		return (-1);
	return (md->sizes[n]);
}

static int
is_there(struct maildrop *md, uint32_t n)
{
	int fd;

	if (mailbox_message_fd(md->mb, md->seqs[n], &fd) != STORE_OK)
		return (0);
	close(fd);
	return (1);
}

/* The octets of RETR's reply; marks what there is not. */
static uint32_t
size_of(struct maildrop *md, uint32_t n)
{
	const struct store_message *m;
	unsigned int text;
	uint64_t size;

	m = mailbox_facts(md->mb, md->seqs[n], FACT_SIZE);
	size = m == NULL ? 0 : m->size;
	text = m == NULL ? 0 : m->text;
	/* One without a size is empty, or went before it was measured. */
	if (m == NULL || m->gone || (size == 0 && !is_there(md, n))) {
		md->marks[n] |= MARK_GONE;
		return (0);
	}
	if (size > UINT32_MAX)
		return (UINT32_MAX);
	size += text & TEXT_UNENDED ? 2 : 0;
	if (!md->utf8 && (text & TEXT_8BIT))
		size += (uint64_t)growth_of(md, n);
	return (size > UINT32_MAX ? UINT32_MAX : (uint32_t)size);
}

/* If it cannot be read now, RETR will not send it either. */
static int64_t
growth_of(struct maildrop *md, uint32_t n)
{
	int64_t growth;
	int fd;

	if (mailbox_message_fd(md->mb, md->seqs[n], &fd) != STORE_OK ||
	    (growth = text_growth(fd)) < 0)
		return (0);
	return (growth);
}

/* Better none than such that make a client fetch everything again. */
int
maildrop_uids(struct maildrop *md)
{
	if (!md->ids_known && mailbox_pop3_ids(md->mb, &md->ids) == -1)
		return (-1);
	md->ids_known = 1;
	return (0);
}

int
maildrop_uid(struct maildrop *md, uint32_t n, char uid[UIDL_MAX + 1])
{
	const struct store_message *m = mailbox_message(md->mb, md->seqs[n]);
	const char *kept = NULL;
	int len;

	errno = EBADMSG;
	if (m == NULL || m->uid == 0)
		return (-1);
	if (md->ids != NULL && (kept = pop3_ids_find(md->ids, m->uid)) !=
	    NULL) {
		(void)strlcpy(uid, kept, UIDL_MAX + 1);
		return (0);
	}
	if ((len = uidl_expand(md->uidl, m->uid, md->uidvalidity, uid)) == -1)
		return (-1);
	/* No format has other dots for one message than for another. */
	for (; md->ids != NULL && pop3_ids_has(md->ids, uid); len++) {
		if (len == UIDL_MAX)
			return (-1);
		(void)strlcpy(uid + len, ".", 2);
	}
	return (0);
}

enum store_error
maildrop_text(struct maildrop *md, uint32_t n, struct text *t)
{
	enum store_error e;
	int fd;

	if ((e = mailbox_message_fd(md->mb, md->seqs[n], &fd)) == STORE_OK)
		text_begin(t, fd, !md->utf8);
	return (e);
}

/*
 * Another program may have put a wrong size into the file's name, or a right
 * one that says nothing of a last line without an end.
 */
void
maildrop_retrieved(struct maildrop *md, uint32_t n, const struct text *t)
{
	struct message_text text;

	md->marks[n] |= MARK_RETRIEVED;
	if (t->octets != md->sizes[n] &&
	    mailbox_message_text(md->mb, md->seqs[n], &text) == STORE_OK)
		message_text_free(&text);
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
		if ((md->marks[n] & ~MARK_TOLD) != MARK_RETRIEVED ||
		    (m = mailbox_message(md->mb, md->seqs[n])) == NULL ||
		    (m->flags & MSG_SEEN))
			continue;
		if ((e = mailbox_store(md->mb, md->seqs[n], FLAGS_ADD,
		    MSG_SEEN, 0)) != STORE_OK)
			break;
	}
	return (expunge_marked(md));
}

static void
add_up(struct maildrop *md)
{
	uint32_t n;

	md->count = md->last;
	md->size = 0;
	for (n = 1; n <= md->last; n++)
		md->size += md->sizes[n];
}

static enum store_error
expunge_marked(struct maildrop *md)
{
	uint32_t *seqs, n;
	enum store_error e;
	size_t count = 0;

	if ((seqs = calloc((size_t)md->last + 1, sizeof(*seqs))) == NULL)
		return (STORE_SYS);
	for (n = 1; n <= md->last; n++) {
		if (md->marks[n] & MARK_DELETED)
			seqs[count++] = md->seqs[n];
	}
	e = count == 0 ? STORE_OK :
	    mailbox_expunge_together(md->mb, seqs, count);
	free(seqs);
	return (e);
}
