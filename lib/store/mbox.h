/*
 * mbox: INBOX as one mbox file.  store.h's calls come here when the store was
 * opened with settings.mbox and the mailbox is INBOX.
 */
#ifndef STORE_MBOX_H
#define STORE_MBOX_H

#include "store/mboxfile.h"
#include "store/store.h"

struct mboxview;

enum store_error mbox_open(struct mbox **, int dirfd, const char *name,
		    unsigned int flags);
void		 mbox_close(struct mbox *);

enum store_error mbox_view(struct mbox *, unsigned int flags,
		    struct mboxview **);
void		 mbox_view_close(struct mboxview *);
void		 mbox_status(struct mboxview *, struct mailbox_status *);
const char	*mbox_keyword(struct mboxview *, unsigned int);
int		 mbox_keyword_find(struct mboxview *, const char *, int);
uint32_t	 mbox_count(const struct mboxview *);
const struct store_message *mbox_message(struct mboxview *, uint32_t seq);
enum store_error mbox_sync(struct mboxview *, int no_expunge,
		    const struct mailbox_changes *, void *arg);
enum store_error mbox_text(struct mboxview *, uint32_t seq,
		    struct message_text *);
enum store_error mbox_store(struct mboxview *, uint32_t seq, enum flag_op,
		    uint32_t flags, uint32_t keywords);
enum store_error mbox_expunge(struct mboxview *, const uint32_t *, size_t,
		    const struct mailbox_changes *, void *);

/* Add a message whose lines end in LF or CRLF; *uid may be NULL. */
enum store_error mbox_add(struct mbox *, const struct mbox_new *, uint32_t *uid,
		    uint32_t *uidvalidity);
/* Whether a delivery of this id is in the file. */
enum store_error mbox_delivered(struct mbox *, const char *id, int *found);
enum store_error mbox_fsync(struct mbox *);

#endif
