/*
 * files: a folder's messages as files: where each is, and moving it.
 *
 * A message is found by its base name; where its file is follows from the
 * record (new/base, cur/base:2,flags), so that no directory has to be read.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/files.h"

static int files_match(void *, uint32_t, const char *, size_t);
static size_t odd_place(const struct folder *, uint32_t);

void
files_unique(struct folder *f, char *name, size_t len)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	snprintf(name, len, "%lld.M%06ldP%ldQ%u.%.64s", (long long)ts.tv_sec,
	    ts.tv_nsec / 1000, (long)getpid(), ++f->store->serial,
	    f->store->hostname);
}

size_t
files_tmplen(const char *base, size_t len)
{
	size_t i;

	for (i = 0; i + 3 <= len; i++)
		if (memcmp(base + i, ",S=", 3) == 0)
			return (i);
	return (len);
}

int
files_path(struct folder *f, uint32_t slot, const struct index_mut *m,
    int *dirfd, char *name)
{
	const char *base;
	size_t len;

	if ((base = index_name(&f->ix, slot, &len)) == NULL)
		return (-1);
	if (memchr(base, '/', len) != NULL || memchr(base, '\0', len) != NULL) {
		errno = EBADMSG;
		return (-1);
	}
	if ((m->state & (REC_NEW | REC_PENDING)) == 0) {
		*dirfd = f->cur;
		return (info_format(base, len, m->flags, m->keywords,
		    files_extra(f, slot), name));
	}
	*dirfd = m->state & REC_NEW ? f->new : f->tmp;
	/* In tmp/ its sizes were not known yet. */
	if (m->state & REC_PENDING)
		len = files_tmplen(base, len);
	memcpy(name, base, len);
	name[len] = '\0';
	return (0);
}

enum store_error
files_rename(struct folder *f, uint32_t slot, const struct index_mut *m)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];
	struct index_mut old;
	int fromfd, tofd;

	if (index_get(&f->ix, slot, &old) == -1 ||
	    files_path(f, slot, &old, &fromfd, from) == -1 ||
	    files_path(f, slot, m, &tofd, to) == -1)
		return (STORE_CORRUPT);
	if ((fromfd != tofd || strcmp(from, to) != 0) &&
	    renameat(fromfd, from, tofd, to) == -1)
		return (store_errno());
	index_set(&f->ix, slot, m);
	return (STORE_OK);
}

static int
files_match(void *arg, uint32_t slot, const char *name, size_t len)
{
	const struct folder *f = arg;
	struct index_mut m;
	const char *base;
	size_t baselen;

	return ((base = index_name(&f->ix, slot, &baselen)) != NULL &&
	    baselen == len && memcmp(base, name, len) == 0 &&
	    index_get(&f->ix, slot, &m) == 0 && (m.state & REC_LIVE));
}

int
files_find(struct folder *f, const char *name, size_t len, uint32_t *slot)
{
	struct index_mut m;
	const char *base;
	size_t baselen;

	for (; f->named < f->ix.hdr.slots;
	    f->named = index_next(&f->ix, f->named)) {
		if (index_get(&f->ix, f->named, &m) == -1 ||
		    (m.state & REC_LIVE) == 0 ||
		    (base = index_name(&f->ix, f->named, &baselen)) == NULL)
			continue;
		if (nametab_add(&f->names, base, baselen, f->named) == -1)
			return (-1);
	}
	return (nametab_find(&f->names, name, len, files_match, f, slot));
}

void
files_forget(struct folder *f)
{
	nametab_free(&f->names);
	f->named = 0;
	f->nodd = 0;
}

static size_t
odd_place(const struct folder *f, uint32_t slot)
{
	size_t lo = 0, hi = f->nodd, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (f->odd[mid].slot < slot)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

const char *
files_extra(const struct folder *f, uint32_t slot)
{
	size_t i = odd_place(f, slot);

	return (i < f->nodd && f->odd[i].slot == slot ? f->odd[i].extra : "");
}

int
files_extra_set(struct folder *f, uint32_t slot, const char *extra)
{
	size_t i = odd_place(f, slot), cap;
	struct odd *p;

	if (i == f->nodd || f->odd[i].slot != slot) {
		if (*extra == '\0')
			return (0);
		if (f->nodd == f->oddcap) {
			cap = f->oddcap == 0 ? 16 : f->oddcap * 2;
			if ((p = reallocarray(f->odd, cap, sizeof(*p))) ==
			    NULL)
				return (-1);
			f->odd = p;
			f->oddcap = cap;
		}
		memmove(&f->odd[i + 1], &f->odd[i],
		    (f->nodd - i) * sizeof(*f->odd));
		f->nodd++;
		f->odd[i].slot = slot;
	}
	strlcpy(f->odd[i].extra, extra, sizeof(f->odd[i].extra));
	return (0);
}

int
files_times(const struct folder *f, struct index_time *new,
    struct index_time *cur)
{
	struct stat st;

	if (fstat(f->new, &st) == -1)
		return (-1);
	new->sec = st.st_mtim.tv_sec;
	new->nsec = st.st_mtim.tv_nsec;
	if (fstat(f->cur, &st) == -1)
		return (-1);
	cur->sec = st.st_mtim.tv_sec;
	cur->nsec = st.st_mtim.tv_nsec;
	return (0);
}

void
files_mark(struct folder *f, struct files_mark *m)
{
	struct index_header *h = &f->ix.hdr;
	struct index_time new = { 0 }, cur = { 0 };

	memset(m, 0, sizeof(*m));
	if (files_times(f, &new, &cur) == -1)
		return;
	m->new_same = memcmp(&new, &h->newtime, sizeof(new)) == 0;
	m->cur_same = memcmp(&cur, &h->curtime, sizeof(cur)) == 0;
}

void
files_unmark(struct folder *f, const struct files_mark *m)
{
	struct index_header *h = &f->ix.hdr;
	struct index_time new = { 0 }, cur = { 0 };

	if (files_times(f, &new, &cur) == -1)
		return;
	if (m->new_same)
		h->newtime = new;
	if (m->cur_same)
		h->curtime = cur;
	/*
	 * Another's change in the same tick of the clock has not shown.  Who
	 * is always at work must not put off the look at it for ever.
	 */
	if (h->racy == 0)
		h->racy = folder_now();
}
