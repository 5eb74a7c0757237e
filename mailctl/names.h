/*
 * names: the name system, asked by a process of mailctl that can do nothing
 * else: what comes back was written by strangers, and mailctl is often root.
 */
#ifndef MAILCTL_NAMES_H
#define MAILCTL_NAMES_H

#include <stdint.h>

#include "rules/rules.h"

struct names_question {
	unsigned int		type;		/* DNS_WIRE_* */
	char			name[DNS_NAME];	/* or an address, of PTR */
	enum rules_result	result;		/* PENDING: no answer came */
	struct rules_names	names;
};

/*
 * Start that process.  To be called first of all, before a configuration with
 * passwords in it is read, for the process has what we have.
 */
void	names_open(void);
/* Ask all at once; back when all were answered or ms have passed. */
void	names_ask_all(struct names_question *, size_t, int ms);
/* Why there was no answer. */
const char *names_why(void);
/* rules_env.dns; waits for the answer. */
enum rules_result names_ask(const struct rules_env *, unsigned int type,
	    const char *name, struct rules_names *);
void	names_close(void);

#endif
