/*
 * client: conditions about a client that the name system has to be asked for,
 * and about the name that it gives.
 *
 * 1 it is so, 0 it is not, with *r RULES_OK; *r RULES_PENDING if the answer is
 * not there yet.  What cannot be found out counts as not so: a name server
 * that does not answer must not stop the mail (the environment says so in the
 * log).
 */
#ifndef RULES_CLIENT_H
#define RULES_CLIENT_H

#include "rules/rules.h"

int	client_listed(const struct rules_env *, const struct conf_cond *,
	    const char *addr, enum rules_result *r);
int	client_no_rdns(const struct rules_env *, const char *addr,
	    enum rules_result *r);
/* Not even the form of a host name or an address literal. */
int	client_helo_malformed(const char *helo);
/* Says that it is us. */
int	client_helo_ours(const struct conf *, const char *helo);
int	client_helo_unknown(const struct rules_env *, const char *helo,
	    enum rules_result *r);

#endif
