/*
 * build_later: mailbox, pop3, filter, sign, verify, fetch and masquerade.
 */
#ifndef CONF_BUILD_LATER_H
#define CONF_BUILD_LATER_H

#include "conf/lex.h"

struct build;

void	build_mailbox_quota(struct build *, const struct word *size,
	    const struct word *messages);
void	build_mailbox_expire(struct build *, const struct word *,
	    const struct word *);
void	build_mailbox_special(struct build *, const struct list *);
void	build_pop3_delay(struct build *, const struct word *);
void	build_pop3_uidl(struct build *, const struct word *);
void	build_filter(struct build *, int milter, const struct word *,
	    const struct word *);
void	build_filter_failure(struct build *, const char *);
void	build_sign(struct build *, const struct word *, const struct word *,
	    const struct word *);
void	build_verify(struct build *);
void	build_verify_spf(struct build *);
void	build_verify_dkim(struct build *);
void	build_verify_dmarc(struct build *);
void	build_verify_failure(struct build *, const char *);
void	build_fetch(struct build *, const struct word *, const struct word *);
void	build_masquerade(struct build *, const struct list *,
	    const struct word *);

#endif
