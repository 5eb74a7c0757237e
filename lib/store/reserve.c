/*
 * reserve: UIDs that may have been given.
 *
 * The lock file holds UIDVALIDITY, the UID below which all have been given or
 * may have been, and a sum, and is synced before one is given from there; the
 * index likewise.  Cost: two syncs for UIDS_AHEAD messages.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "store/hash.h"
#include "store/reserve.h"

#define UIDS_AHEAD	512

struct kept {
	uint32_t	 uidvalidity;
	uint32_t	 uidmax;
	uint64_t	 sum;
};

static uint64_t
kept_sum(const struct kept *k)
{
	return (hash_bytes(k, offsetof(struct kept, sum)));
}

int
folder_reserved(const struct folder *f, uint32_t *uidvalidity,
    uint32_t *uidmax)
{
	struct kept k;

	if (pread(f->lock, &k, sizeof(k), 0) != (ssize_t)sizeof(k) ||
	    k.sum != kept_sum(&k) || k.uidvalidity == 0)
		return (-1);
	*uidvalidity = k.uidvalidity;
	*uidmax = k.uidmax;
	return (0);
}

static int
kept_write(struct folder *f, uint32_t uidmax)
{
	struct kept k = { .uidvalidity = f->ix.hdr.uidvalidity,
	    .uidmax = uidmax };

	k.sum = kept_sum(&k);
	return (pwrite(f->lock, &k, sizeof(k), 0) == (ssize_t)sizeof(k) ? 0 :
	    -1);
}

void
folder_reserve_again(struct folder *f)
{
	uint32_t validity, uidmax;

	if (folder_reserved(f, &validity, &uidmax) == -1 &&
	    f->ix.hdr.uidmax != 0 && kept_write(f, f->ix.hdr.uidmax) == 0)
		(void)fsync(f->lock);
}

int
folder_reserve(struct folder *f, uint32_t n, int how)
{
	struct index_header *h = &f->ix.hdr;
	uint32_t left = UINT32_MAX - h->uidnext, uidmax;

	if (n > left) {
		errno = EFBIG;
		return (-1);
	}
	if (h->uidmax >= h->uidnext && h->uidmax - h->uidnext >= n)
		return (0);
	uidmax = h->uidnext + (left - n < UIDS_AHEAD ? left : n + UIDS_AHEAD);
	if (kept_write(f, uidmax) == -1 ||
	    (how != RESERVE_FIRST && fsync(f->lock) == -1))
		return (-1);
	h->uidmax = uidmax;
	index_publish(&f->ix);
	return (how != RESERVE_SYNC ? 0 : index_sync(&f->ix));
}
