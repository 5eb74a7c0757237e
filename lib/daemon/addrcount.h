/*
 * addrcount: how many connections each client address has now.
 *
 * An IPv6 client counts by its /64, which is what one customer gets, and
 * every client also by its network: an IPv4 /24, an IPv6 /48.  Memory is
 * bounded by the connections that the caller lets in.
 */
#ifndef DAEMON_ADDRCOUNT_H
#define DAEMON_ADDRCOUNT_H

#include <sys/types.h>
#include <sys/socket.h>

struct addrcount;

struct addrcount *addrcount_new(void);	/* NULL with errno */
enum addrcount_result {
	ADDRCOUNT_OK,
	ADDRCOUNT_ADDRESS,	/* max are there of the address */
	ADDRCOUNT_NETWORK,	/* max_net are there of its network */
	ADDRCOUNT_MEMORY
};

/*
 * One more from this address; a max of 0 is any number.  *key is what
 * addrcount_drop() takes.  Clients without an address, on local sockets, are
 * not counted.
 */
enum addrcount_result addrcount_add(struct addrcount *,
	    const struct sockaddr *, unsigned int max, unsigned int max_net,
	    void **key);
/* The same for a local user. */
enum addrcount_result addrcount_add_uid(struct addrcount *, uid_t,
	    unsigned int max, void **key);
/* How many of this address, and of its network, there are now. */
unsigned int addrcount_address(const void *key);
unsigned int addrcount_network(const void *key);
void	addrcount_drop(struct addrcount *, void *key);

#endif
