/*
 * cmd_list: what LIST and LSUB share.
 */
#ifndef IMAPD_CMD_LIST_H
#define IMAPD_CMD_LIST_H

#include "session_client.h"

/*
 * "* LIST (attributes) "/" name", without the line end.  0 if the name, which
 * another program may have made, cannot be told.
 */
int	list_begin(struct client *, const char *what, const char *attributes,
	    const char *name);
/* The same as a whole line. */
void	list_tell(struct client *, const char *what, const char *attributes,
	    const char *name);
/* The same of one that is there, with the attributes that it has. */
void	list_tell_one(struct client *, const char *name);
/*
 * reference := the pattern below the reference, both of STORE_NAME_MAX bytes
 * at most.  What is too long matches nothing.
 */
void	list_pattern(char *reference, const char *pattern);

#endif
