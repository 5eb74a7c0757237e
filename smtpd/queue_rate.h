/*
 * queue_rate: how many reports may go out, to one address and in all, so that
 * whoever forges a sender cannot make us flood him.  Pure; not for two
 * threads.
 */
#ifndef SMTPD_QUEUE_RATE_H
#define SMTPD_QUEUE_RATE_H

#include <stdint.h>

/*
 * 1 and counted; 0: not now to this address, -1: to nobody.  Each is so many
 * an hour, and as many at once.  now is in seconds and never goes back.
 */
int	rate_allows(const char *addr, unsigned int each, unsigned int most,
	    int64_t now);

#endif
