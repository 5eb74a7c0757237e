/*
 * mbox: INBOX as one mbox file.
 */
#ifndef STORE_MBOX_H
#define STORE_MBOX_H

#include <sys/stat.h>

#include "store/mboxfile.h"
#include "store/store.h"

struct mbox {
	int		 dir;		/* the store's */
	char		*name;
	int		 readonly;
	struct stat	 st;		/* of what text was read from */
	struct mbox_text text;
	int		 loaded;
	int		 dirty;		/* text's list is ahead of the file */
	int		 changed;	/* by a client, who waits for it */
	int		 unsynced;	/* the file is ahead of the disk */
};

enum store_error mbox_open(struct mbox **, int dirfd, const char *name,
		    unsigned int flags);
void		 mbox_close(struct mbox *);
/* Read the file if it changed; write it if there is something to write. */
enum store_error mbox_refresh(struct mbox *, int write);
struct mbox_message *mbox_find(struct mbox *, uint32_t uid);
enum store_error mbox_remove(struct mbox *, const uint32_t *uids, size_t);

/*
 * Add a message whose lines end in LF or CRLF; killed in the middle, a part of
 * it stays until it is delivered again.
 */
enum store_error mbox_add(struct mbox *, const struct mbox_new *);
/* The same with n of them, all or none, and synced. */
enum store_error mbox_append(struct mbox *, const struct mbox_new *, size_t n,
		    uint32_t *uids, uint32_t *uidvalidity);
/* Whether a delivery of this id is in the file. */
enum store_error mbox_delivered(struct mbox *, const struct mbox_new *,
		    int *found);
/* Its length, and if messages is not NULL how many are in it. */
enum store_error mbox_usage(struct mbox *, uint64_t *bytes,
		    uint64_t *messages);
/* Write what is not yet written, and sync it. */
enum store_error mbox_flush(struct mbox *);

#endif
