/*
 * lookup_dns: what the lookup role asks the dns role for its rules, and what
 * it remembers of the answers.
 */
#ifndef SMTPD_LOOKUP_DNS_H
#define SMTPD_LOOKUP_DNS_H

#include "rules/rules.h"

struct msg;
struct peer;

/* rules_env.dns; without a resume() in the environment nobody is told. */
enum rules_result lookup_dns(const struct rules_env *, unsigned int type,
	    const char *name, struct rules_names *);
/* Handlers of DNS_RECORD and DNS_DONE. */
void	lookup_dns_record(struct peer *, struct msg *);
void	lookup_dns_done(struct peer *, struct msg *);
/* The dns role has gone: what was asked is not to be found out. */
void	lookup_dns_gone(void);
size_t	lookup_dns_known(void);

#endif
