/*
 * lookup_rcpt: what queue hears of a recipient: the places that it ends at,
 * the archives that want a copy, and the verdict.
 */
#ifndef SMTPD_LOOKUP_RCPT_H
#define SMTPD_LOOKUP_RCPT_H

#include "rules/rules.h"

/* Archives that have their copy of the transaction already. */
struct archived {
	size_t		 n;
	const char	*v[RULES_ARCHIVES];
};

struct msg_TX_RCPT;

struct resolving {
	const struct msg_TX_RCPT *ask;	/* NULL: queue's own question */
	uint64_t	 internal, conn, seq;
	const char	*sender, *rcpt;
	int		 expand;
	uint64_t	 notify;
	const char	*orcpt;
	struct archived	*archived;	/* NULL: nothing is archived */
};

void	lookup_verdict(uint64_t internal, uint64_t conn, uint64_t seq,
	    int accepted, const char *reply);
/* lookup.c: the verdict no to a client's question, with its line in the log. */
void	lookup_refuse(const struct msg_TX_RCPT *ask, const char *reply);
/* RULES_PENDING: not done.  Else queue has been told. */
enum rules_result lookup_places(const struct rules_env *,
	    const struct resolving *);

#endif
