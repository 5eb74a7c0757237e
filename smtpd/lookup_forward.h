/*
 * lookup_forward: what stands in users' forward files, as their own processes
 * read it.
 */
#ifndef SMTPD_LOOKUP_FORWARD_H
#define SMTPD_LOOKUP_FORWARD_H

#include "rules/rules.h"

struct msg;
struct peer;

/* The clock of rules_env.since. */
time_t	lookup_forward_now(void);
/* rules_env.forward */
enum rules_result lookup_forward(const struct rules_env *,
	    const struct conf_domain *, const struct rules_account *,
	    char **text);
/* Handlers. */
void	lookup_forward_reader(struct peer *, struct msg *);
void	lookup_no_forward(struct peer *, struct msg *);
void	lookup_forward_text(struct peer *, struct msg *);
/* A reader's channel has gone. */
void	lookup_forward_gone(struct peer *);

#endif
