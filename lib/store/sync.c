/*
 * sync: what other programs did to a folder's files.
 *
 * Directories are read only when their mtime is not the one that we left or
 * saw.  An mtime that is younger than its clock's grain proves nothing; such
 * a folder is read once more later, the later the larger it is, so that this
 * never costs more than a thousandth of the time.  Names on disk are
 * anybody's; info_parse() bounds them.
 *
 * Cost: reading the directories.  A file that is new to us and has its size in
 * its name is not looked at before somebody asks for what is in it (facts.c).
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/file.h"
#include "store/files.h"
#include "store/found.h"
#include "store/index_map.h"
#include "store/quota.h"
#include "store/recover.h"
#include "store/reserve.h"
#include "store/sync.h"
#include "store/uidlist_follow.h"

#define SCAN_TRIES	5
#define RACY_MS		2000	/* the coarsest mtime we expect */
#define TICK_MS		20	/* of the clock that most of them come from */

struct scan {
	struct folder		*f;
	const struct seeds	*seeds;
	int			 what;
	int			 first;		/* see folder_reserve() */
	uint32_t		 slots;		/* as it began */
	unsigned char		*seen;		/* a byte a slot */
	uint64_t		 modseq;	/* of what is found */
	struct found_list	 found;
	int			 twice;		/* a name was */
};

static int folder_changed(struct folder *);
static enum store_error scan_run(struct scan *);
static int scan_dir(struct scan *, int);
static int scan_entry(struct scan *, int, const char *, unsigned char);
static int scan_odd(struct scan *, int, const char *);
static int scan_known(struct scan *, int, const char *, const struct info *,
    uint32_t);
static int scan_duplicate(struct scan *, int, const char *, uint32_t);
static void scan_canonical(struct scan *, const char *, uint32_t,
    const struct index_mut *);
static int scan_found(struct scan *, int, const char *, const struct info *,
    unsigned char);
static void scan_seed(const struct scan *, struct found *, const char *);
static int scan_torn(const struct scan *, int, const char *,
    const struct stat *);
static int scan_missing(struct scan *, int);
static int scan_tick(const struct index_time *, int64_t);
static int scan_reserve(struct scan *, size_t);
static enum store_error scan_add(struct scan *);
static void scan_reset(struct scan *);

enum store_error
folder_sync(struct folder *f, int force)
{
	enum store_error error;
	int what;

	if (!force && f->locked == 0 && folder_current(f) &&
	    index_load(&f->ix) == 0 && !f->ix.hdr.busy && !f->ix.damaged &&
	    !index_rebooted(&f->ix) && index_sound(&f->ix) &&
	    folder_changed(f) == 0)
		return (STORE_OK);
	if ((error = folder_lock(f, LOCK_LONG)) != STORE_OK)
		return (error);
	what = force ? SCAN_NEW | SCAN_CUR : folder_changed(f);
	if (what != 0)
		error = folder_scan(f, what, NULL);
	if (error == STORE_OK)
		error = recover_compact(f);
	folder_unlock(f);
	return (error);
}

/* Which directories must be read. */
static int
folder_changed(struct folder *f)
{
	const struct index_header *h = &f->ix.hdr;
	struct index_time new = { 0 }, cur = { 0 };
	int what = 0;
	int64_t wait;

	if (files_times(f, &new, &cur) == -1)
		return (SCAN_NEW | SCAN_CUR);
	if (memcmp(&new, &h->newtime, sizeof(new)) != 0)
		what |= SCAN_NEW;
	if (memcmp(&cur, &h->curtime, sizeof(cur)) != 0)
		what |= SCAN_CUR;
	wait = h->messages > RACY_MS ? h->messages : RACY_MS;
	if (h->racy != 0 && (folder_now() - h->racy > wait ||
	    folder_now() < h->racy))
		what = SCAN_NEW | SCAN_CUR;
	return (what);
}

enum store_error
folder_scan(struct folder *f, int what, const struct seeds *seeds)
{
	struct scan s = { .f = f, .seeds = seeds, .what = what,
	    .first = what & SCAN_FIRST ? RESERVE_FIRST : RESERVE_SYNC };
	const struct index_header *h = &f->ix.hdr;
	struct index_mut m;
	enum store_error error;
	uint32_t slot, slots, dead;

	/* A record that cannot be read would not be found by its name. */
	if (index_verify(&f->ix) == -1)
		return (recover_rebuild(f, 1));
	for (slot = 0; slot < f->ix.hdr.slots; slot = index_next(&f->ix, slot))
		if (index_get(&f->ix, slot, &m) == -1)
			break;
	if (slot < f->ix.hdr.slots) {
		if (index_repair(&f->ix) == -1)
			return (store_errno());
		files_forget(f);
		quota_forget(f->store);
		s.what = SCAN_NEW | SCAN_CUR;
	}
	slots = h->slots;
	dead = h->dead;
	s.slots = f->ix.hdr.slots;
	s.modseq = f->ix.hdr.modseq + 1;
	if ((s.seen = calloc(1, (size_t)s.slots + 1)) == NULL)
		return (STORE_SYS);
	index_begin(&f->ix);
	error = scan_run(&s);
	if (h->slots != slots || h->dead != dead)
		quota_forget(f->store);
	index_advance(&f->ix, UINT32_MAX);
	index_end(&f->ix);
	found_free(&s.found);
	free(s.seen);
	return (error);
}

static enum store_error
scan_run(struct scan *s)
{
	struct index_header *h = &s->f->ix.hdr;
	struct index_time new = { 0 }, cur = { 0 }, new2 = { 0 }, cur2 = { 0 };
	enum store_error error;
	int64_t now;
	int i, missing, steady = 0;

	for (i = 0; i < SCAN_TRIES && !steady; i++) {
		scan_reset(s);
		now = folder_now();
		if (files_times(s->f, &new, &cur) == -1)
			return (store_errno());
		if (((s->what & SCAN_NEW) && scan_dir(s, SCAN_NEW) == -1) ||
		    ((s->what & SCAN_CUR) && scan_dir(s, SCAN_CUR) == -1) ||
		    files_times(s->f, &new2, &cur2) == -1)
			return (store_errno());
		missing = scan_missing(s, 0);
		/* Renamed while we read, a file may not have shown. */
		steady = memcmp(&new, &new2, sizeof(new)) == 0 &&
		    memcmp(&cur, &cur2, sizeof(cur)) == 0;
		if (missing && s->what == SCAN_NEW) {
			s->what |= SCAN_CUR;	/* moved there, most likely */
			steady = 0;
		} else if (!missing)
			break;
		else if (steady && (scan_tick(&new, now) ||
		    scan_tick(&cur, now))) {
			(void)poll(NULL, 0, TICK_MS);
			steady = 0;
		}
	}
	if (steady)
		(void)scan_missing(s, 1);
	if ((error = scan_add(s)) != STORE_OK)
		return (error);
	if (s->what & SCAN_NEW)
		h->newtime = new;
	if (s->what & SCAN_CUR)
		h->curtime = cur;
	h->racy = 0;
	if (now - new.sec * 1000 < RACY_MS || now - cur.sec * 1000 < RACY_MS)
		h->racy = now;
	if (s->twice)
		memset(&h->curtime, 0, sizeof(h->curtime));
	return (STORE_OK);
}

/* Changed so lately that a rename while we read may have left it the same. */
static int
scan_tick(const struct index_time *t, int64_t now)
{
	int64_t age = now - (t->sec * 1000 + t->nsec / 1000000);

	return (age > -TICK_MS && age < TICK_MS);
}

static void
scan_reset(struct scan *s)
{
	found_clear(&s->found);
	memset(s->seen, 0, s->slots);
}

/* -1, too, if it was not read to its end: who is not seen is not gone. */
static int
scan_dir(struct scan *s, int which)
{
	struct folder *f = s->f;
	struct dirent *e;
	DIR *dir;
	int fd, save, ret = 0;

	fd = openat(f->dir, which == SCAN_NEW ? "new" : "cur", O_RDONLY |
	    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	if (s->f->ix.hdr.slots == 0)
		found_expect(&s->found, fd);
	while (ret == 0 && (e = file_next(dir)) != NULL)
		ret = scan_entry(s, which, e->d_name, e->d_type);
	save = errno;
	closedir(dir);
	errno = save;
	return (ret == 0 && save != 0 ? -1 : ret);
}

static int
scan_entry(struct scan *s, int which, const char *name, unsigned char type)
{
	struct info info;
	struct stat st;
	uint32_t slot;

	if (type != DT_REG && type != DT_UNKNOWN)
		return (0);
	if (info_parse(name, &info) == -1)
		return (name[0] == '.' ? 0 : scan_odd(s, which, name));
	/* Some programs put flags on names in new/: cur/ is for those. */
	if (which == SCAN_NEW && name[info.baselen] != '\0') {
		if (fstatat(s->f->cur, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		    renameat(s->f->new, name, s->f->cur, name) == -1)
			return (0);
		which = SCAN_CUR;
	}
	if (files_find(s->f, name, info.baselen, &slot) == 0 &&
	    slot < s->slots)
		return (scan_known(s, which, name, &info, slot));
	return (scan_found(s, which, name, &info, type));
}

/*
 * A message whose name no index can hold, or show: it gets another.  What
 * flags it had are lost where nobody can tell what they were.
 */
static int
scan_odd(struct scan *s, int which, const char *name)
{
	struct folder *f = s->f;
	struct info info;
	struct stat st;
	char own[NAME_MAX + 1];
	const char *flags = strchr(name, ':');
	size_t len;
	int here = which == SCAN_NEW ? f->new : f->cur;

	if (fstatat(here, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		return (0);
	files_unique(f, own, sizeof(own));
	len = strlen(own);
	if (which == SCAN_CUR && flags != NULL &&
	    (strlcat(own, flags, sizeof(own)) >= sizeof(own) ||
	    info_parse(own, &info) == -1))
		own[len] = '\0';
	if (info_parse(own, &info) == -1 ||
	    renameat(here, name, here, own) == -1)
		return (0);
	return (scan_found(s, which, own, &info, DT_UNKNOWN));
}

/* Whether a message's file is where its record says, as another file. */
static int
scan_duplicate(struct scan *s, int which, const char *name, uint32_t slot)
{
	struct folder *f = s->f;
	char path[NAME_MAX + 1];
	struct index_mut m;
	struct stat a, b;
	int dirfd, here = which == SCAN_NEW ? f->new : f->cur;

	if (index_get(&f->ix, slot, &m) == -1 ||
	    files_path(f, slot, &m, &dirfd, path) == -1 ||
	    fstatat(dirfd, path, &a, AT_SYMLINK_NOFOLLOW) == -1)
		return (0);
	if (dirfd == here && strcmp(path, name) == 0)
		return (2);
	if (fstatat(here, name, &b, AT_SYMLINK_NOFOLLOW) == -1)
		return (2);
	return (a.st_ino == b.st_ino && a.st_dev == b.st_dev ? 2 : 1);
}

static int
scan_known(struct scan *s, int which, const char *name,
    const struct info *info, uint32_t slot)
{
	struct folder *f = s->f;
	char fresh[INFO_BASE_MAX + 1];
	struct index_mut m;
	struct info own;
	int in_new = which == SCAN_NEW, here = in_new ? f->new : f->cur;

	if (index_get(&f->ix, slot, &m) == -1)
		return (-1);
	if (s->seen[slot] || in_new != ((m.state & REC_NEW) != 0) ||
	    m.flags != info->flags || m.keywords != info->keywords) {
		switch (scan_duplicate(s, which, name, slot)) {
		case 1:		/* two messages, one name: give it its own */
			files_unique(f, fresh, sizeof(fresh));
			if (renameat(here, name, here, fresh) == -1 ||
			    info_parse(fresh, &own) == -1)
				return (0);
			return (scan_found(s, which, fresh, &own, DT_UNKNOWN));
		case 2:
			s->seen[slot] = 1;
			return (0);
		}
	}
	s->seen[slot] = 1;
	if (in_new) {
		if (m.state & REC_NEW)
			return (0);
		m.state |= REC_NEW;
	} else {
		m.state &= ~REC_NEW;
		if (files_extra_set(f, slot, info->extra) == -1)
			return (-1);
	}
	if (m.flags != info->flags || m.keywords != info->keywords) {
		m.flags = (uint8_t)info->flags;
		m.keywords = info->keywords;
		m.modseq = s->modseq;
	}
	if (memcmp(&m, &index_record(&f->ix, slot)->mut, sizeof(m)) != 0)
		index_set(&f->ix, slot, &m);
	if (!in_new)
		scan_canonical(s, name, slot, &m);
	return (0);
}

/* "base" and "base:2,SR" become "base:2," and "base:2,RS". */
static void
scan_canonical(struct scan *s, const char *name, uint32_t slot,
    const struct index_mut *m)
{
	char path[NAME_MAX + 1];
	struct stat st;
	int dirfd;

	if (files_path(s->f, slot, m, &dirfd, path) == 0 &&
	    strcmp(path, name) != 0 &&
	    fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		(void)renameat(dirfd, name, dirfd, path);
}

/*
 * A size in its name saves us a look at each of many files; what does not say
 * its size, or may be torn, is looked at.
 */
static int
scan_found(struct scan *s, int which, const char *name,
    const struct info *info, unsigned char type)
{
	struct found *p;
	struct stat st;

	if (s->found.n >= INDEX_SLOTS)
		return (0);
	if ((p = found_add(&s->found, name, info)) == NULL)
		return (-1);
	p->fsize = p->told[0];
	p->mtime = p->ctime = INDEX_UNDATED;
	if (type != DT_REG || p->fsize == INDEX_UNSIZED ||
	    s->f->ix.hdr.jump != 0) {
		if (fstatat(which == SCAN_NEW ? s->f->new : s->f->cur, name,
		    &st, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode) ||
		    scan_torn(s, which, name, &st)) {
			s->found.n--;
			return (0);
		}
		p->fsize = (uint64_t)st.st_size;
		p->mtime = st.st_mtime;
		p->ctime = st.st_ctime;
	}
	p->in_new = which == SCAN_NEW;
	scan_seed(s, p, name);
	return (0);
}

/* Which UID had it, by what Dovecot, a damaged index or its name says? */
static void
scan_seed(const struct scan *s, struct found *p, const char *name)
{
	const struct index_header *h = &s->f->ix.hdr;
	const struct seed *seed = NULL;
	uint32_t validity, uid;

	if (s->seeds != NULL)
		seed = seeds_find(s->seeds, name, p->baselen);
	if (seed != NULL) {
		p->uid = seed->uid;
		p->saved = seed->saved;
		p->size = seed->size;
		p->emailid = seed->emailid;
	} else if (info_uid(name, p->baselen, &validity, &uid) == 0 &&
	    validity == h->uidvalidity && (s->seeds != NULL ||
	    (uid >= h->uidnext && uid < h->uidmax)))
		p->uid = uid < UINT32_MAX ? uid : 0;
}

/*
 * What an append left that was never confirmed: the name came to the disk
 * before a power cut and the bytes did not.  It goes where others of its kind
 * wait for folder_tidy().  Only what the index did not know when the system
 * was started can be one: a file that somebody cut is his own business.
 */
static int
scan_torn(const struct scan *s, int which, const char *name,
    const struct stat *st)
{
	struct folder *f = s->f;
	struct info info;
	uint64_t size;
	uint32_t validity, uid;

	return (which == SCAN_CUR && s->seeds == NULL &&
	    f->ix.hdr.jump != 0 && info_parse(name, &info) == 0 &&
	    info_appended(name, info.baselen) &&
	    info_uid(name, info.baselen, &validity, &uid) == 0 &&
	    validity == f->ix.hdr.uidvalidity &&
	    info_size(name, info.baselen, 'S', &size) == 0 &&
	    size > (uint64_t)st->st_size &&
	    renameat(f->cur, name, f->tmp, name) == 0);
}

/* How many have lost their files; expunge them if drop is set. */
static int
scan_missing(struct scan *s, int drop)
{
	struct folder *f = s->f;
	struct index_mut m;
	uint32_t slot;
	int n = 0;

	for (slot = 0; slot < s->slots; slot = index_next(&f->ix, slot)) {
		if (s->seen[slot] || index_get(&f->ix, slot, &m) == -1 ||
		    (m.state & REC_LIVE) == 0)
			continue;
		if ((s->what & (m.state & REC_NEW ? SCAN_NEW : SCAN_CUR)) == 0)
			continue;
		n++;
		if (!drop)
			return (n);
		m.state = 0;
		m.modseq = s->modseq;
		index_set(&f->ix, slot, &m);
	}
	return (n);
}

static int
scan_add_one(struct scan *s, const struct found *p)
{
	struct index_fix fix = { 0 };
	struct index_mut mut = { 0 };
	struct index *ix = &s->f->ix;
	struct info info;
	uint32_t slot = ix->hdr.slots, next = ix->hdr.uidnext;

	fix.fsize = p->fsize;
	fix.namelen = p->baselen;
	fix.emailid = p->emailid;
	mut.modseq = s->modseq;
	mut.flags = p->in_new ? 0 : (uint8_t)p->flags;
	mut.keywords = p->in_new ? 0 : p->keywords;
	mut.state = REC_LIVE | (p->in_new ? REC_NEW | REC_RECENT : 0);
	mut.size = p->size;
	mut.internal = p->mtime;
	mut.saved = p->saved != 0 ? p->saved : p->ctime;
	/* Sizes in names are believed if the one we can check is right. */
	if (p->told[1] >= fix.fsize && p->told[1] <= 2 * fix.fsize)
		mut.size = p->told[1];
	if (p->told[0] != INDEX_UNSIZED && p->told[0] != fix.fsize)
		mut.size = INDEX_UNSIZED;
	if (p->uid != 0)
		ix->hdr.uidnext = p->uid;
	if (index_add(ix, &fix, p->name, &mut) == -1)
		return (-1);
	if (ix->hdr.uidnext < next)
		ix->hdr.uidnext = next;
	if (!p->in_new && !p->plain) {
		if (info_parse(p->name, &info) == 0 &&
		    files_extra_set(s->f, slot, info.extra) == -1)
			return (-1);
		scan_canonical(s, p->name, slot, &mut);
	}
	return (0);
}

/* Those with UIDs of their own come first; then, if need be, a jump. */
static int
scan_reserve(struct scan *s, size_t n)
{
	struct index_header *h = &s->f->ix.hdr;

	if (h->jump > h->uidnext)
		h->uidnext = h->jump;
	h->jump = 0;
	return (folder_reserve(s->f, (uint32_t)n, s->first));
}

/* UIDs that Dovecot gave while we were away. */
static void
scan_theirs(struct scan *s)
{
	struct index_header *h = &s->f->ix.hdr;
	struct seeds theirs = { 0 };
	const struct seed *seed;
	struct found *p;
	uint32_t next = 0;
	size_t i;

	if (s->seeds != NULL || s->found.n == 0 ||
	    !uidlist_changed(s->f, &theirs, &next))
		return;
	for (i = 0; i < s->found.n; i++) {
		p = &s->found.v[i];
		if ((seed = seeds_find(&theirs, s->found.names + p->off,
		    p->baselen)) != NULL && seed->uid >= h->uidnext)
			p->uid = seed->uid;
	}
	if (next > h->jump)
		h->jump = next;
	seeds_free(&theirs);
}

static enum store_error
scan_add(struct scan *s)
{
	struct index_header *h = &s->f->ix.hdr;
	struct found *p;
	uint32_t last = 0;
	size_t i;

	scan_theirs(s);
	found_sort(&s->found);
	if (index_grow(&s->f->ix, h->slots + (uint32_t)s->found.n) == -1)
		return (store_errno());
	for (i = 0; i < s->found.n; i++) {
		p = &s->found.v[i];
		if (p->uid == 0 && scan_reserve(s, s->found.n - i) == -1)
			return (store_errno());
		/* Moved while we read, or two of one name: scan again. */
		if (found_again(&s->found, i) ||
		    (p->uid != 0 && p->uid <= last)) {
			s->twice = 1;
			continue;
		}
		if (p->uid != 0)
			last = p->uid;
		if (scan_add_one(s, p) == -1)
			return (store_errno());
	}
	if (scan_reserve(s, 0) == -1)
		return (store_errno());
	if (h->slots > s->slots && s->modseq > h->modseq)
		h->modseq = s->modseq;
	return (STORE_OK);
}
