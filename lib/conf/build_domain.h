/*
 * build_domain: what is delivered here.
 */
#ifndef CONF_BUILD_DOMAIN_H
#define CONF_BUILD_DOMAIN_H

#include "conf/lex.h"

struct build;

/* NULL: the head is in error; the statements inside are still read. */
void	build_domain(struct build *, const struct list *);
/* A statement inside is in error: the domain is not judged as a whole. */
void	build_domain_broken(struct build *);
void	build_domain_end(struct build *);
void	build_domain_alias(struct build *, const struct list *);
void	build_domain_users(struct build *, const struct word *);
/* include NULL: no lists in files */
void	build_domain_aliases(struct build *, const struct word *table,
	    const struct word *include, const struct word *as);
void	build_domain_catchall(struct build *, const struct word *);
void	build_domain_archive(struct build *, const struct word *);
void	build_domain_forward(struct build *, const struct word *, int commands);
void	build_domain_quota(struct build *, const struct word *size,
	    const struct word *messages);
void	build_domain_sieve(struct build *, const struct word *);
void	build_deliver(struct build *, enum conf_deliver, const struct word *);
void	build_deliver_as(struct build *, const struct word *);

#endif
