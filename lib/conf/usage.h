/*
 * usage: each statement as a user types it, for messages.
 */
#ifndef CONF_USAGE_H
#define CONF_USAGE_H

/* The form of the statement that a token opens, NULL if it opens none. */
const char	*usage_statement(int token);
const char	*usage_domain(int token);	/* inside of a domain */

#endif
