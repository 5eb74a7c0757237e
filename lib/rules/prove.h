/*
 * prove: that no rule relays for a stranger.
 *
 * A stranger is a client that did not log in and whose address no rule names:
 * neither loopback, nor within a prefix (not a part of the world, see
 * prove_net.c) that a permit lists or that a reject leaves out.  Relaying is
 * taking mail for a domain that is not ours; a rule that lists its recipients
 * (a backup MX) may do so for these, and one that says "unsafe" for all.
 * Where aliases of ours lead is the administrator's own doing.
 */
#ifndef RULES_PROVE_H
#define RULES_PROVE_H

#include "rules/rules.h"

/* A client that could relay. */
struct rules_witness {
	const struct conf_rule	*rule;		/* that lets it */
	char			 addr[ADDR_TEXT];
	char			 tag[64];	/* of the listener; "" none */
	int			 tls;
	char			 helo[256];
	char			 sender[SMTP_ADDR_SIZE];
	char			 rcpt[SMTP_ADDR_SIZE];
	/* what else must be so, as in "its address is listed in x"; or "" */
	char			 given[512];
};

enum rules_proof {
	PROOF_SAFE,
	PROOF_RELAYS,		/* the witness says how */
	PROOF_UNKNOWN		/* no memory, or too many combinations */
};

enum rules_proof rules_prove(const struct conf *, struct rules_witness *);
/* As "mailctl explain" takes it. */
void	rules_witness_print(FILE *, const struct rules_witness *);

/* prove_net.c: the address space, cut where any network begins or ends. */
struct prove_cells {
	size_t		 n;
	char		(*text)[ADDR_TEXT];	/* an address of each */
	unsigned char	*stranger;
	struct prove_key *low;			/* the first address of each */
};
struct prove_key {
	unsigned char	b[17];		/* family, then the address */
};

int	prove_cells_new(struct prove_cells *, const struct conf *);
void	prove_cells_free(struct prove_cells *);
/* Which cells a network has; have[] has room for n. -1 without memory. */
int	prove_cells_have(const struct prove_cells *,
	    const struct conf_network *, unsigned char *have);

#endif
