/*
 * facts: what is found out of a message that others brought when somebody asks
 * for it: its dates, and whether the size in its name is right, or else which
 * is.  Then the index has them.
 *
 * Cost: a stat if there are no dates yet; if the size is not in the name or
 * wrong there, an open, a read of the file and a close.
 * Messages that are asked for one after the other are looked at in runs that
 * double, so that the lock and the header are taken once for many.  Nobody
 * waits long for that: what is not kept is only found out again.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/crlf.h"
#include "store/file.h"
#include "store/files.h"
#include "store/view.h"

#define RUN_MAX		PROVE_MAX	/* messages */

struct fact {
	uint32_t	 seq;
	unsigned int	 known;		/* FACT_* */
	uint64_t	 size;
	unsigned int	 text;
	int64_t		 internal, saved;
};

static unsigned int facts_missing(const struct index_mut *, unsigned int);
static enum store_error facts_find(struct mailbox *, uint32_t, unsigned int,
    struct fact *);
static int fact_look(struct mailbox *, uint32_t, unsigned int, struct fact *);
static void fact_dates(struct fact *, const struct stat *);
static void fact_apply(const struct fact *, struct index_mut *);
static void facts_keep(struct mailbox *, const struct fact *, size_t);
static int facts_lock(struct mailbox *);

const struct store_message *
mailbox_facts(struct mailbox *mb, uint32_t seq, unsigned int what)
{
	struct store_message *msg = &mb->msg;
	struct view_entry e;
	struct index_fix fix;
	struct index_mut m;
	struct fact fact;

	if (mb->mbox != NULL)
		return (mbox_message(mb->mbox, seq));
	memset(msg, 0, sizeof(*msg));
	if (view_record(mb, seq, &e, &fix, &m) != STORE_OK) {
		/* Expunged elsewhere, it still has its number. */
		if (view_at(mb, seq, &e) == -1)
			return (NULL);
		msg->uid = e.uid;
		msg->gone = 1;
		return (msg);
	}
	if (facts_missing(&m, what) != 0 && facts_find(mb, seq, what, &fact) ==
	    STORE_OK)
		fact_apply(&fact, &m);
	msg->uid = e.uid;
	msg->flags = m.flags | (e.recent ? MSG_RECENT : 0);
	msg->keywords = m.keywords;
	msg->modseq = m.modseq;
	msg->emailid = fix.emailid;
	msg->size = m.size == INDEX_UNSIZED ? 0 : m.size;
	msg->text = m.text;
	msg->told = (facts_missing(&m, FACT_DATES) & FACT_DATES) != 0 &&
	    m.size != INDEX_UNSIZED;
	if (m.internal != INDEX_UNDATED) {
		msg->internal = m.internal;
		msg->saved = m.saved;
	}
	return (msg);
}

/* What has no date was not looked at, and its size is its name's word. */
static unsigned int
facts_missing(const struct index_mut *m, unsigned int what)
{
	unsigned int missing = 0;

	if ((m->state & REC_LIVE) == 0)
		return (0);
	if (m->size == INDEX_UNSIZED)
		missing = FACT_SIZE & what;
	if (m->internal == INDEX_UNDATED && what != 0)
		missing |= FACT_DATES;
	return (missing);
}

/* Those of seq, and on the way those of some after it. */
static enum store_error
facts_find(struct mailbox *mb, uint32_t seq, unsigned int what,
    struct fact *fact)
{
	struct fact run[RUN_MAX];
	uint32_t i, max = 1;
	size_t n = 0;

	if (fact_look(mb, seq, what, &run[n]) == -1)
		return (store_errno());
	*fact = run[n++];
	if (mb->facts.next == seq && !mb->facts.busy)
		max = mb->facts.run < RUN_MAX / 2 ? mb->facts.run * 2 :
		    RUN_MAX;
	for (i = 1; i < max && seq + i <= mb->n; i++)
		if (fact_look(mb, seq + i, what, &run[n]) == 0)
			n++;
	mb->facts.next = seq + i;
	mb->facts.run = max;
	facts_keep(mb, run, n);
	return (STORE_OK);
}

/* A file that cannot be looked at is none whose size is right. */
size_t
mailbox_prove(struct mailbox *mb, const uint32_t *seqs, size_t n)
{
	struct fact run[RUN_MAX];
	const struct store_message *msg;
	size_t i, found = 0, wrong = 0;
	uint64_t size;

	for (i = 0; i < n && i < RUN_MAX; i++) {
		if ((msg = mailbox_facts(mb, seqs[i], 0)) == NULL ||
		    !msg->told)
			continue;
		size = msg->size;
		if (fact_look(mb, seqs[i], FACT_SIZE, &run[found]) == -1) {
			wrong++;
			continue;
		}
		if ((run[found].known & FACT_SIZE) && run[found].size != size)
			wrong++;
		found++;
	}
	if (found > 0)
		facts_keep(mb, run, found);
	return (wrong);
}

/* Look at the file; -1 if there is nothing to know. */
static int
fact_look(struct mailbox *mb, uint32_t seq, unsigned int what,
    struct fact *fact)
{
	char name[NAME_MAX + 1];
	struct view_entry e;
	struct index_fix fix;
	struct index_mut m;
	struct stat st;
	int dirfd, fd, ret = 0;

	if (view_record(mb, seq, &e, &fix, &m) != STORE_OK)
		return (-1);
	memset(fact, 0, sizeof(*fact));
	fact->seq = seq;
	if ((fact->known = facts_missing(&m, what)) == 0)
		return (-1);
	if (fact->known == FACT_DATES &&
	    files_path(mb->f, e.slot, &m, &dirfd, name) == 0 &&
	    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (uint64_t)st.st_size == fix.fsize) {
		fact_dates(fact, &st);
		return (0);
	}
	if (message_open(mb, seq, &fd) != STORE_OK)
		return (-1);
	if ((fact->known & FACT_DATES) && (ret = file_stat(fd, &st)) == 0)
		fact_dates(fact, &st);
	if (ret == 0)
		ret = crlf_measure(fd, &fact->size, &fact->text);
	fact->known |= FACT_SIZE;
	close(fd);
	return (ret);
}

static void
fact_dates(struct fact *fact, const struct stat *st)
{
	fact->known |= FACT_DATES;
	fact->internal = st->st_mtime;
	fact->saved = st->st_ctime;
}

/* Dates that are known already stay. */
static void
fact_apply(const struct fact *fact, struct index_mut *m)
{
	if (fact->known & FACT_SIZE) {
		m->size = fact->size;
		m->text = (uint8_t)fact->text;
	}
	if ((fact->known & FACT_DATES) && m->internal == INDEX_UNDATED) {
		m->internal = fact->internal;
		if (m->saved == INDEX_UNDATED)
			m->saved = fact->saved;
	}
}

/* If they cannot be kept they are found out again. */
static void
facts_keep(struct mailbox *mb, const struct fact *run, size_t n)
{
	struct folder *f = mb->f;
	struct view_entry e;
	struct index_mut m;
	size_t i;

	if (facts_lock(mb) == -1)
		return;
	if (view_fresh(mb) == STORE_OK) {
		index_begin(&f->ix);
		for (i = 0; i < n; i++) {
			if (view_at(mb, run[i].seq, &e) == -1 ||
			    e.slot == UINT32_MAX ||
			    index_get(&f->ix, e.slot, &m) == -1)
				continue;
			fact_apply(&run[i], &m);
			index_set(&f->ix, e.slot, &m);
		}
		index_end(&f->ix);
	}
	folder_unlock(f);
}

/* Who has it may have it for long; then it is tried, and not waited for. */
static int
facts_lock(struct mailbox *mb)
{
	mb->facts.busy = folder_lock(mb->f, mb->facts.busy ? LOCK_NOW :
	    LOCK_SHORT) != STORE_OK;
	return (mb->facts.busy ? -1 : 0);
}

void
message_sized(struct mailbox *mb, uint32_t seq, uint64_t size,
    unsigned int text)
{
	struct folder *f = mb->f;
	struct view_entry e;
	struct index_mut m;

	if (view_record(mb, seq, &e, NULL, &m) != STORE_OK ||
	    (m.size == size && m.text == text) ||
	    facts_lock(mb) == -1)
		return;
	if (view_record(mb, seq, &e, NULL, &m) == STORE_OK) {
		m.size = size;
		m.text = (uint8_t)text;
		index_begin(&f->ix);
		index_set(&f->ix, e.slot, &m);
		index_end(&f->ix);
	}
	folder_unlock(f);
}
