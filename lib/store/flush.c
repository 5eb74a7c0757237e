/*
 * flush: making changes durable, many at a time.
 *
 * Cost: two synchronous writes a folder that was changed, whatever the number
 * of changes; nothing if there were none.
 */
#include <errno.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/flush.h"

enum store_error
folder_flush(struct folder *f)
{
	if (!f->dirty)
		return (STORE_OK);
	f->dirty = 0;
	if (fsync(f->cur) == -1 || index_sync(&f->ix) == -1)
		return (store_errno());
	return (STORE_OK);
}

enum store_error
store_flush(struct store *st)
{
	struct folder *f;
	enum store_error error, first = STORE_OK;

	TAILQ_FOREACH(f, &st->folders, entry) {
		error = folder_flush(f);
		if (first == STORE_OK)
			first = error;
	}
	return (first);
}
