/*
 * addrcount: how many connections each client address has now.
 *
 * An IPv6 client counts by its /64, which is what one customer gets.  Memory
 * is bounded by the connections that the caller lets in.
 */
#ifndef DAEMON_ADDRCOUNT_H
#define DAEMON_ADDRCOUNT_H

#include <sys/socket.h>

struct addrcount;

struct addrcount *addrcount_new(void);	/* NULL with errno */
/*
 * One more from this address: 0, or -1 if max (0: any number) are there or no
 * memory is.  *key is what addrcount_drop() takes.
 */
int	addrcount_add(struct addrcount *, const struct sockaddr *,
	    unsigned int max, void **key);
void	addrcount_drop(struct addrcount *, void *key);

#endif
