/*
 * flush: making changes durable, many at a time.
 *
 * A message's file is renamed to where it belongs before its bytes are synced,
 * so that one flush does for all that a turn of the event loop brought, and
 * nothing is told to be done before that.  What a power cut leaves of a file
 * in between is no message (sync.c) or is delivered again (deliver.c).  The
 * index need not be synced (index.c).
 *
 * Cost: a sync for each new file, or one of the file system for many, and one
 * for each directory that was changed, whatever the number of changes; nothing
 * if there were none.
 */
#include <errno.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "store/flush.h"
#include "store/mbox.h"

void
folder_dirty(struct folder *f, int what)
{
	f->unsynced.what |= what;
}

void
folder_dirty_file(struct folder *f, int fd)
{
	struct unsynced *u = &f->unsynced;

	if (fd == -1)
		return;
	if (u->n == FLUSH_FILES) {
		/* Too many to do each; where that is all there is, do it. */
		if (os_syncfs_works())
			u->what |= FLUSH_ALL;
		else if (fsync(fd) == -1)
			f->store->failed = store_errno();
		close(fd);
		return;
	}
	u->fd[u->n++] = fd;
}

static int
flush_files(struct folder *f)
{
	struct unsynced *u = &f->unsynced;
	int i, ret = 0;

	for (i = 0; u->n > 1 && i < u->n; i++)
		os_start_write(u->fd[i]);
	for (i = 0; i < u->n && ret == 0; i++)
		ret = fsync(u->fd[i]);
	if (ret == 0 && (u->what & FLUSH_NEW))
		ret = fsync(f->new);
	if (ret == 0 && (u->what & FLUSH_CUR))
		ret = fsync(f->cur);
	return (ret);
}

enum store_error
folder_flush(struct folder *f)
{
	struct unsynced *u = &f->unsynced;
	enum store_error error = STORE_OK;

	if (u->what == 0 && u->n == 0)
		return (STORE_OK);
	if (((u->what & FLUSH_ALL) ? os_syncfs(f->dir) : flush_files(f)) == -1)
		error = store_errno();
	while (u->n > 0)
		close(u->fd[--u->n]);
	u->what = 0;
	return (error);
}

enum store_error
store_flush(struct store *st)
{
	struct folder *f;
	enum store_error error, first = st->failed;

	st->failed = STORE_OK;
	if (st->mbox != NULL)
		return (mbox_flush(st->mbox));
	TAILQ_FOREACH(f, &st->folders, entry) {
		error = folder_flush(f);
		if (first == STORE_OK)
			first = error;
	}
	return (first);
}
