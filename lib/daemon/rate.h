/*
 * rate: so many events a time for each key, over all its connections.
 */
#ifndef DAEMON_RATE_H
#define DAEMON_RATE_H

struct rate;

/* count events in secs seconds; NULL with errno. */
struct rate	*rate_new(unsigned int count, unsigned int secs);
/*
 * Take n of them: 0, or -1 if they are too many now.  A key that has rested
 * may have count of them at once, and from then on one each secs/count.  If
 * memory runs out nobody is refused.
 */
int		 rate_take(struct rate *, const char *key, unsigned int n);

#endif
