/*
 * names_take: the answers of the process that asks the name system, and what
 * of them is believed.
 */
#ifndef MAILCTL_NAMES_TAKE_H
#define MAILCTL_NAMES_TAKE_H

#include <stddef.h>
#include <stdint.h>

#include "rules/rules.h"

struct names_question;

/* As it comes over the socket: any bytes at all. */
struct names_answer {
	uint32_t	 number;
	uint32_t	 result;
	uint32_t	 n;
	char		 v[RULES_NAMES][DNS_NAME];
};

/*
 * To one of the questions that were asked, numbered from first, if it is open
 * yet; else nothing happens.  Only names, or addresses where these were asked
 * for, are kept of it.
 */
void	names_take(struct names_question *, size_t asked, uint32_t first,
	    const struct names_answer *);

#endif
