/*
 * build_rule: who may hand us mail, and where the rest goes.
 */
#ifndef CONF_BUILD_RULE_H
#define CONF_BUILD_RULE_H

#include "conf/lex.h"

struct build;

void	build_rule(struct build *, int permit);
void	build_rule_source(struct build *, enum conf_source);
void	build_rule_network(struct build *, const struct word *);
void	build_rule_scope(struct build *, enum conf_scope);
void	build_rule_unsafe(struct build *);
void	build_rule_reply(struct build *, const struct word *);
/* The rules that hold if there is none. */
void	build_rule_implied(struct build *);
void	build_cond(struct build *, enum conf_cond_kind);
void	build_cond_word(struct build *, enum conf_cond_kind,
	    const struct word *);
/* codes NULL: whatever the zone answers */
void	build_cond_dnsbl(struct build *, const struct word *zone,
	    const struct list *codes);
void	build_cond_set(struct build *, enum conf_cond_kind,
	    const struct set *);

void	build_route(struct build *, int bounce);
void	build_route_any(struct build *);
void	build_route_to(struct build *, const struct set *);
void	build_route_from(struct build *, const struct set *);
void	build_route_via(struct build *, const struct word *);
void	build_route_auth(struct build *, const struct word *);
void	build_route_source(struct build *, const struct word *);
void	build_route_reply(struct build *, const struct word *);
void	build_route_end(struct build *);

#endif
