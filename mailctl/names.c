/*
 * names: questions to the resolver of /etc/resolv.conf.  What comes back is
 * read by the same code as in the dns role.
 */
#include <stdio.h>
#include <string.h>
#include <unbound.h>

#include "dns/wire.h"
#include "os/compat.h"
#include "names.h"

#define CLASS_IN	1

static struct ub_ctx	*ctx;

static int
open_context(void)
{
	if (ctx != NULL)
		return (0);
	if ((ctx = ub_ctx_create()) == NULL)
		return (-1);
	(void)ub_ctx_debugout(ctx, NULL);
	if (ub_ctx_set_option(ctx, "do-not-query-localhost:", "no") == 0 &&
	    ub_ctx_set_option(ctx, "unblock-lan-zones:", "yes") == 0 &&
	    ub_ctx_set_option(ctx, "insecure-lan-zones:", "yes") == 0 &&
	    ub_ctx_resolvconf(ctx, NULL) == 0)
		return (0);
	names_close();
	return (-1);
}

static enum rules_result
take(const struct ub_result *res, unsigned int type, struct rules_names *names)
{
	static struct dns_answer	ans;
	size_t				i;

	if (res->answer_packet == NULL || dns_wire_parse(res->answer_packet,
	    (size_t)res->answer_len, type, &ans) == -1)
		return (RULES_TEMPFAIL);
	if (ans.rcode == 3 || (ans.rcode == 0 && ans.found == 0))
		return (RULES_NO);
	if (ans.rcode != 0)
		return (RULES_TEMPFAIL);
	for (i = 0; i < ans.n && names->n < RULES_NAMES; i++)
		strlcpy(names->v[names->n++], ans.rec[i].name, DNS_NAME);
	return (RULES_OK);
}

enum rules_result
names_ask(const struct rules_env *env, unsigned int type, const char *name,
    struct rules_names *names)
{
	struct ub_result	*res;
	char			 reverse[DNS_NAME];
	enum rules_result	 r;

	names->n = 0;
	if (type == DNS_WIRE_PTR) {
		if (dns_reverse_name(name, reverse, sizeof(reverse)) == -1)
			return (RULES_NO);
		name = reverse;
	} else if (!dns_name_ok(name))
		return (RULES_NO);
	if (open_context() == -1 || ub_resolve(ctx, name, (int)type, CLASS_IN,
	    &res) != 0)
		r = RULES_TEMPFAIL;
	else {
		r = take(res, type, names);
		ub_resolve_free(res);
	}
	if (r == RULES_TEMPFAIL)
		fprintf(stderr, "no name server answers for %s\n", name);
	return (r);
}

void
names_close(void)
{
	if (ctx != NULL)
		ub_ctx_delete(ctx);
	ctx = NULL;
}
