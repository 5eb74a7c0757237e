/*
 * queue_rate: how many reports may go out, to one address and in all, so that
 * whoever forges a sender cannot make us flood him.  Pure; not for two
 * threads.
 */
#ifndef SMTPD_QUEUE_RATE_H
#define SMTPD_QUEUE_RATE_H

#include <stdint.h>

#define RATE_ADDRESS	50		/* reports an hour to one address */
#define RATE_ALL	2000		/* and in all; as many at once */

/* 1 and counted, or 0: not now.  now is in seconds and never goes back. */
int	rate_allows(const char *addr, int64_t now);

#endif
