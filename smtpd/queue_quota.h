/*
 * queue_quota: mailboxes that are nearly full, as their deliverers last said.
 */
#ifndef SMTPD_QUEUE_QUOTA_H
#define SMTPD_QUEUE_QUOTA_H

#include <stdint.h>

struct place;

struct quota_fill {
	uint64_t	 used, limit;		/* bytes; limit 0: none */
	uint64_t	 messages, max_messages;
};

/* A deliverer's report. */
void	quota_told(const struct place *, const struct quota_fill *);
/* What was known before the start; once, with the spool open. */
void	quotas_load(void);
/* If something changed and the last time is long enough ago, or now. */
void	quotas_save(int now);
/*
 * Is there no room for a message of that size (0: not known) in a mailbox?
 * NULL: there is, or nobody knows; else a reply.
 */
const char *quota_refusal(const struct place *, uint64_t size);

#endif
