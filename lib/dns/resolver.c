/*
 * resolver: see resolver.h.
 */
#include <errno.h>
#include <string.h>

#include "dns/resolver.h"
#include "dns/wire.h"

/*
 * The library's defaults are those of a stub: 16 ports and a cache that 2000
 * names overflow.  A resolver on this machine may be asked; addresses of
 * private networks have names in the resolver that the administrator chose.
 */
static const struct {
	const char	*name;
	const char	*value;
} options[] = {
	{ "do-not-query-localhost:", "no" },
	{ "outgoing-range:", "256" },
	{ "num-queries-per-thread:", "256" },
	{ "msg-cache-size:", "8m" },
	{ "rrset-cache-size:", "16m" },
	{ "unblock-lan-zones:", "yes" },
	{ "insecure-lan-zones:", "yes" },
};

struct ub_ctx *
resolver_new(struct event_base *base, const char *anchor,
    ub_event_callback_type probed, const char **why)
{
	struct ub_ctx	*ctx;
	size_t		 i;
	int		 r = 0;

	if ((ctx = ub_ctx_create_event(base)) == NULL) {
		*why = strerror(errno);
		return (NULL);
	}
	(void)ub_ctx_debugout(ctx, NULL);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if ((r = ub_ctx_set_option(ctx, options[i].name,
		    options[i].value)) != 0)
			goto fail;
	if ((r = ub_ctx_resolvconf(ctx, NULL)) != 0 || (anchor != NULL &&
	    (r = ub_ctx_add_ta_file(ctx, anchor)) != 0))
		goto fail;
	/* The file need not be there. */
	(void)ub_ctx_hosts(ctx, NULL);
	if ((r = ub_resolve_event(ctx, "localhost", DNS_WIRE_A, RESOLVER_IN,
	    NULL, probed, NULL)) == 0)
		return (ctx);
fail:
	*why = ub_strerror(r);
	ub_ctx_delete(ctx);
	return (NULL);
}
