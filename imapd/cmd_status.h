/*
 * cmd_status: what STATUS and LIST's RETURN (STATUS ...) share.
 */
#ifndef IMAPD_CMD_STATUS_H
#define IMAPD_CMD_STATUS_H

#include "session_client.h"

/* "(MESSAGES UIDNEXT)"; -1 with the parser's error. */
int		 status_items_parse(struct imap_parser *, unsigned int *items);
/* The client asked for mod-sequences: it is told of them from now on. */
void		 status_enables(struct client *, unsigned int items);
/* "* STATUS name (...)" */
enum store_error status_tell(struct client *, const char *name,
		    unsigned int items);

#endif
