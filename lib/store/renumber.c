/*
 * renumber: UIDs that messages had elsewhere.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/files.h"
#include "store/name.h"
#include "store/recover.h"
#include "store/reserve.h"
#include "store/sync.h"
#include "store/uidlist.h"

static enum store_error set_validity(struct folder *, uint32_t);
static enum store_error set_next(struct folder *, uint32_t);

enum store_error
store_set_uids(struct store *st, const char *name, uint32_t uidvalidity,
    uint32_t uidnext)
{
	struct folder *f;
	enum store_error error;

	if (uidvalidity == 0 || uidnext == 0 || (st->mbox != NULL &&
	    name_is_inbox(name)))
		return (STORE_LIMIT);
	if ((error = folder_get(st, name, &f)) != STORE_OK)
		return (error);
	if ((error = folder_lock(f, LOCK_LONG)) == STORE_OK) {
		error = folder_sync(f, 0);
		if (error == STORE_OK && f->ix.hdr.uidvalidity != uidvalidity)
			error = set_validity(f, uidvalidity);
		if (error == STORE_OK)
			error = set_next(f, uidnext);
		folder_unlock(f);
	}
	folder_release(f);
	return (error);
}

static enum store_error
set_validity(struct folder *f, uint32_t uidvalidity)
{
	struct stat sb;

	if (f->ix.hdr.messages != 0 || fstatat(f->dir, UIDLIST_FILE, &sb,
	    AT_SYMLINK_NOFOLLOW) == 0)
		return (STORE_MODIFIED);
	return (recover_empty(f, uidvalidity));
}

/* What was reserved says it too, should the index be lost. */
static enum store_error
set_next(struct folder *f, uint32_t uidnext)
{
	if (uidnext < f->ix.hdr.uidnext)
		return (STORE_MODIFIED);
	index_begin(&f->ix);
	f->ix.hdr.uidnext = uidnext;
	index_end(&f->ix);
	return (folder_reserve(f, 1, RESERVE_SYNC) == -1 ? store_errno() :
	    STORE_OK);
}
