/*
 * deliver: what store_deliver() has put in place and not yet synced.
 */
#ifndef STORE_DELIVER_H
#define STORE_DELIVER_H

struct deliveries;

void	deliveries_free(struct deliveries *);

#endif
