/*
 * resolver: libunbound as our processes use it: the resolver that
 * /etc/resolv.conf names, asked from an event loop.
 *
 * The library reads its files with the first question, so that one is asked
 * here; afterwards a process needs sandbox promise "dns" only.
 */
#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include <unbound-event.h>
#include <unbound.h>

#define RESOLVER_IN	1		/* class */
#define RESOLVER_BOGUS	1		/* "sec" of a callback */
#define RESOLVER_SECURE	2

/*
 * anchor is the file of a trust anchor, NULL: nothing is validated.  probed
 * is called with the answer to the first question.  NULL: *why says so.
 * ub_ctx_delete() it.
 */
struct ub_ctx	*resolver_new(struct event_base *, const char *anchor,
		    ub_event_callback_type probed, const char **why);

#endif
