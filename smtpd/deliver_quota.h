/*
 * deliver_quota: how full the mailbox is, and telling its owner.
 */
#ifndef SMTPD_DELIVER_QUOTA_H
#define SMTPD_DELIVER_QUOTA_H

#include <stdint.h>

#include "smtpd/contract.h"

struct store;

/*
 * Bytes in use, for queue; 0 if there is no limit.  Delivers a warning when a
 * threshold was passed since the last call, by whatever means; it is synced
 * with what was delivered before.
 */
uint64_t	deliver_quota(struct store *, const struct msg_DELIVER_BOX *,
		    const char *hostname);

#endif
