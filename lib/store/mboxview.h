/*
 * mboxview: what one session has been told of an mbox.  store.h's calls come
 * here when the store was opened with settings.mbox.
 */
#ifndef STORE_MBOXVIEW_H
#define STORE_MBOXVIEW_H

#include "store/mbox.h"
#include "store/store.h"

struct mboxview;

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
int		 mbox_untold(const struct mboxview *);
enum store_error mbox_text(struct mboxview *, uint32_t seq,
		    struct message_text *);
enum store_error mbox_store(struct mboxview *, uint32_t seq, enum flag_op,
		    uint32_t flags, uint32_t keywords);
enum store_error mbox_expunge(struct mboxview *, const uint32_t *, size_t,
		    const struct mailbox_changes *, void *);

#endif
