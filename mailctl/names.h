/*
 * names: the name system, asked by mailctl itself.
 */
#ifndef MAILCTL_NAMES_H
#define MAILCTL_NAMES_H

#include "rules/rules.h"

/* rules_env.dns; waits for the answer. */
enum rules_result names_ask(const struct rules_env *, unsigned int type,
	    const char *name, struct rules_names *);
void	names_close(void);

#endif
