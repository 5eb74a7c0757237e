/*
 * deliver_quota: how full the mailbox is, and telling its owner.
 */
#ifndef SMTPD_DELIVER_QUOTA_H
#define SMTPD_DELIVER_QUOTA_H

#include <stdint.h>

#include "smtpd/contract.h"

struct store;

/* In use and allowed: bytes, and messages; a limit of 0 is none. */
struct deliver_fill {
	uint64_t	used, limit;
	uint64_t	messages, max_messages;
};

/*
 * For queue; all 0 if there is no limit.  Delivers a warning when a threshold
 * was passed since the last call, by whatever means; it is synced with what was
 * delivered before.
 */
struct deliver_fill deliver_quota(struct store *,
		    const struct msg_DELIVER_BOX *, const char *hostname);
/* Whatever was counted: a message of that size did not fit. */
void		deliver_quota_missed(struct deliver_fill *, uint64_t size);

#endif
