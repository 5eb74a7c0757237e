/*
 * recover: making an index.
 *
 * The new one is written under another name and renamed over the old one, so
 * that at each instant there is one that can be opened or salvaged.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/files.h"
#include "store/index_map.h"
#include "store/index_old.h"
#include "store/recover.h"
#include "store/reserve.h"
#include "store/seeds.h"
#include "store/sync.h"
#include "store/uidlist.h"

#define INDEX_TMP	"postern.index.tmp"
#define VALIDITY_LOOK	1000	/* names of files */
#define MODSEQ_LOST	10	/* bits: more changes than that a second are
				   not made */
#define COMPACT_MIN	512	/* dead slots that nobody minds */

static void recover_validity(struct folder *, struct index_header *);
static void recover_names(struct folder *, const char *, uint32_t *,
    uint32_t *);
static int salvage(struct folder *, struct seeds *, struct index_header *);
static enum store_error install(struct folder *, int, int);
static enum store_error pending_forward(struct folder *, uint32_t,
    struct index_mut);
static enum store_error pending_back(struct folder *, uint32_t,
    struct index_mut);
static int compact_copy(const struct index *, struct index *);

enum store_error
recover_rebuild(struct folder *f, int damaged)
{
	struct index_header h = { 0 };
	struct seeds seeds = { 0 };
	struct index ix;
	enum store_error error = STORE_SYS;
	uint32_t validity, uidmax;
	int first = 0;

	h.uidnext = 1;
	/* Above all that were told, if nobody knows what these were. */
	h.modseq = (uint64_t)time(NULL) << MODSEQ_LOST;
	if (getentropy(h.id, sizeof(h.id)) == -1)
		return (STORE_SYS);
	if (damaged) {
		if (salvage(f, &seeds, &h) == -1 && recover_unknown(errno))
			goto done;
	} else if (uidlist_read(f->dir, &seeds, &h.uidvalidity, &h.uidnext) ==
	    -1 && recover_unknown(errno))
		goto done;
	if (folder_reserved(f, &validity, &uidmax) == 0 &&
	    (h.uidvalidity == 0 || h.uidvalidity == validity)) {
		h.uidvalidity = validity;
		if (uidmax > h.uidmax)
			h.jump = h.uidmax = uidmax;
	}
	if (h.uidmax == 0)
		recover_validity(f, &h);
	if (h.uidvalidity == 0) {
		first = SCAN_FIRST;
		/* UIDs of another validity mean nothing. */
		seeds_free(&seeds);
		h.uidvalidity = uidvalidity_next(f->store->root);
		h.uidnext = h.modseq = 1;
	}
	h.logfloor = h.floor = h.modseq;
	if (index_create(&ix, f->dir, INDEX_TMP, &h) == -1) {
		error = store_errno();
		goto done;
	}
	folder_use(f, &ix);
	error = folder_scan(f, SCAN_NEW | SCAN_CUR | first, &seeds);
	if (error == STORE_OK)
		error = install(f, damaged, !first);
	else
		(void)unlinkat(f->dir, INDEX_TMP, 0);
done:
	seeds_free(&seeds);
	return (error);
}

int
recover_unknown(int error)
{
	return (error != ENOENT && error != EBADMSG && error != ELOOP &&
	    error != EFBIG && error != EINVAL);
}

enum store_error
recover_old(struct folder *f)
{
	struct index ix;
	enum store_error error;

	if (index_from_old(&ix, f->dir, INDEX_FILE, INDEX_TMP) == -1)
		return (store_errno());
	folder_use(f, &ix);
	if ((error = install(f, 1, 1)) != STORE_OK)
		(void)unlinkat(f->dir, INDEX_TMP, 0);
	return (error);
}

enum store_error
recover_empty(struct folder *f, uint32_t validity)
{
	struct index_header h = { .uidvalidity = validity, .uidnext = 1,
	    .modseq = f->ix.hdr.modseq + 1 };
	struct index ix;
	enum store_error error;

	memcpy(h.id, f->ix.hdr.id, sizeof(h.id));
	h.logfloor = h.floor = h.modseq;
	if (index_create(&ix, f->dir, INDEX_TMP, &h) == -1)
		return (store_errno());
	folder_use(f, &ix);
	if ((error = install(f, 0, 1)) != STORE_OK)
		(void)unlinkat(f->dir, INDEX_TMP, 0);
	return (error);
}

/*
 * An index that was lost, and what was reserved with it: our files still say
 * whose they are, but not which UIDs were given to others.  Nor does Dovecot's
 * list if it is behind one of them; else it is right.
 */
static void
recover_validity(struct folder *f, struct index_header *h)
{
	uint32_t last = 0;

	recover_names(f, "cur", &h->uidvalidity, &last);
	recover_names(f, "new", &h->uidvalidity, &last);
	if (last < h->uidnext)
		return;
	if (last > UINT32_MAX - 2 * UIDS_LOST)
		h->uidvalidity = 0;
	else if (last != 0)
		h->jump = last + UIDS_LOST;
}

static void
recover_names(struct folder *f, const char *sub, uint32_t *uidvalidity,
    uint32_t *last)
{
	struct info info;
	struct dirent *e;
	uint32_t validity, uid;
	DIR *dir;
	int fd, n;

	fd = openat(f->dir, sub, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	for (n = 0; (*uidvalidity != 0 || n < VALIDITY_LOOK) &&
	    (e = readdir(dir)) != NULL; n++) {
		if (info_parse(e->d_name, &info) == -1 ||
		    info_uid(e->d_name, info.baselen, &validity, &uid) == -1)
			continue;
		if (*uidvalidity == 0)
			*uidvalidity = validity;
		if (*uidvalidity == validity && uid > *last)
			*last = uid;
	}
	closedir(dir);
}

enum store_error
store_rebuild(struct store *st, const char *name)
{
	struct folder *f;
	enum store_error error;

	if (st->mbox != NULL)
		return (STORE_OK);
	if ((error = folder_get(st, name, &f)) != STORE_OK)
		return (error);
	if ((error = folder_lock(f, LOCK_LONG)) == STORE_OK) {
		(void)unlinkat(f->dir, CACHE_FILE, 0);
		error = recover_rebuild(f, 1);
		folder_unlock(f);
	}
	folder_release(f);
	return (error);
}

/* Make the index that is open under its temporary name the folder's. */
static enum store_error
install(struct folder *f, int keep, int sync)
{
	if (keep) {
		/* For whoever wants to know what happened. */
		(void)unlinkat(f->dir, INDEX_BAD, 0);
		if (linkat(f->dir, INDEX_FILE, f->dir, INDEX_BAD, 0) == -1 &&
		    errno == ENOSPC)
			return (STORE_FULL);
	}
	if ((sync && index_sync(&f->ix) == -1) ||
	    renameat(f->dir, INDEX_TMP, f->dir, INDEX_FILE) == -1)
		return (store_errno());
	return (sync && fsync(f->dir) == -1 ? store_errno() : STORE_OK);
}

/* The UIDs of records that are whole, and the header if one is. */
static int
salvage(struct folder *f, struct seeds *seeds, struct index_header *h)
{
	struct index ix;
	const struct index_record *r;
	struct index_mut mut;
	struct seed *seed;
	int64_t saved;
	uint32_t s, last = 0;
	int ret = 0;

	if (index_open_damaged(&ix, f->dir, INDEX_FILE) == -1)
		return (-1);
	if (ix.hdr.uidvalidity != 0) {
		memcpy(h->id, ix.hdr.id, sizeof(h->id));
		h->uidvalidity = ix.hdr.uidvalidity;
		h->uidnext = ix.hdr.uidnext;
		h->modseq = ix.hdr.modseq + 1;
		h->uidmax = ix.hdr.uidmax;
		if (index_rebooted(&ix))
			h->jump = h->uidmax;
	}
	for (s = 0; s < ix.cap && ret == 0; s++) {
		r = index_record(&ix, s);
		if (h->uidvalidity == 0)	/* the sum vouches for it */
			ix.hdr.uidvalidity = r->fix.uidvalidity;
		if (!index_record_ok(&ix, s) || r->fix.uid <= last)
			continue;
		h->uidvalidity = r->fix.uidvalidity;
		last = r->fix.uid;
		if (last >= h->uidnext && last != UINT32_MAX)
			h->uidnext = last + 1;
		saved = 0;
		if (index_get(&ix, s, &mut) == 0) {
			if (mut.modseq >= h->modseq)
				h->modseq = mut.modseq + 1;
			if ((mut.state & REC_LIVE) == 0)
				continue;
			if (mut.saved != INDEX_UNDATED)
				saved = mut.saved;
		}
		seed = seeds_add(seeds, index_record_name(r),
		    r->fix.namelen, last);
		if (seed != NULL) {
			seed->saved = saved;
			seed->emailid = r->fix.emailid;
		} else
			ret = -1;
	}
	index_close(&ix);
	return (ret);
}

enum store_error
recover_pending(struct folder *f)
{
	enum store_error error;
	struct index_mut m;
	uint32_t s;

	for (s = 0; s < f->ix.hdr.slots; s = index_next(&f->ix, s)) {
		if (index_get(&f->ix, s, &m) == -1 ||
		    (m.state & (REC_PENDING | REC_LINKED)) == 0)
			continue;
		error = m.state & REC_PENDING ? pending_forward(f, s, m) :
		    pending_back(f, s, m);
		if (error != STORE_OK)
			return (error);
	}
	f->ix.hdr.intent = 0;
	index_end(&f->ix);
	return (STORE_OK);
}

/* What the batch was decided to be. */
static enum store_error
pending_forward(struct folder *f, uint32_t slot, struct index_mut m)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];
	struct index_mut before = m;
	int fromfd, tofd;

	m.state &= ~(REC_PENDING | REC_LINKED);
	if (files_path(f, slot, &before, &fromfd, from) == -1 ||
	    files_path(f, slot, &m, &tofd, to) == -1)
		return (STORE_CORRUPT);
	/* Not there: it was renamed already; the next scan sees. */
	if (renameat(fromfd, from, tofd, to) == -1 && errno != ENOENT)
		return (store_errno());
	index_set(&f->ix, slot, &m);
	return (STORE_OK);
}

/* A link of a copy that was not completed; the message is elsewhere, too. */
static enum store_error
pending_back(struct folder *f, uint32_t slot, struct index_mut m)
{
	char name[NAME_MAX + 1];
	int dirfd;

	m.state = 0;
	if (files_path(f, slot, &m, &dirfd, name) == -1)
		return (STORE_CORRUPT);
	if (unlinkat(dirfd, name, 0) == -1 && errno != ENOENT)
		return (store_errno());
	index_set(&f->ix, slot, &m);
	return (STORE_OK);
}

enum store_error
recover_compact(struct folder *f)
{
	struct index_header h = f->ix.hdr;
	struct index ix;

	if (h.dead < COMPACT_MIN || h.dead < h.slots / 2)
		return (STORE_OK);
	h.slots = h.messages = h.unseen = h.deleted = h.unsized = h.dead = 0;
	h.size = h.fsize = h.logged = 0;
	h.dense = h.unseenlow = 0;
	h.newlow = UINT32_MAX;
	h.floor = h.logfloor = h.modseq;
	if (index_create(&ix, f->dir, INDEX_TMP, &h) == -1)
		return (STORE_OK);		/* another time */
	if (compact_copy(&f->ix, &ix) == -1) {
		index_close(&ix);
		(void)unlinkat(f->dir, INDEX_TMP, 0);
		return (STORE_OK);
	}
	cachefile_compact(f, &ix);
	folder_use(f, &ix);
	return (install(f, 0, 1));
}

static int
compact_copy(const struct index *from, struct index *to)
{
	struct index_header *h = &to->hdr;
	struct index_fix fix;
	struct index_mut mut;
	const char *name;
	uint32_t s, next, at;
	size_t len;

	for (s = 0; s < from->hdr.slots; s = next) {
		next = index_next(from, s);
		if (index_get(from, s, &mut) == -1 ||
		    index_fixed(from, s, &fix) == -1 ||
		    (name = index_name(from, s, &len)) == NULL)
			return (-1);
		/* The last stays, dead or not: no UID below it is free. */
		if ((mut.state & REC_LIVE) == 0 && next < from->hdr.slots)
			continue;
		at = h->slots;
		if (index_put(to, &h->slots, &fix, name, &mut) == -1)
			return (-1);
		index_count(to, &fix, &mut, 1);
		if ((mut.state & REC_LIVE) == 0)
			h->dead += h->slots - at;
		if ((mut.state & (REC_NEW | REC_RECENT)) && at < h->newlow)
			h->newlow = at;
	}
	if (h->newlow > h->slots)
		h->newlow = h->slots;
	index_advance(to, UINT32_MAX);
	index_publish(to);
	index_publish(to);
	return (0);
}

int
recover_count(const struct folder *f, int max)
{
	static const char *const sub[] = { "new", "cur" };
	struct dirent *e;
	DIR *dir;
	size_t i;
	int fd, n = 0;

	for (i = 0; i < 2 && n < max; i++) {
		fd = openat(f->dir, sub[i], O_RDONLY | O_DIRECTORY |
		    O_NOFOLLOW | O_CLOEXEC);
		if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
			if (fd != -1)
				close(fd);
			continue;
		}
		while (n < max && (e = readdir(dir)) != NULL)
			n += e->d_name[0] != '.';
		closedir(dir);
	}
	return (n);
}
