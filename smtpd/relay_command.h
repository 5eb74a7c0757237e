/*
 * relay_command: what is said to a server of one message.
 */
#ifndef SMTPD_RELAY_COMMAND_H
#define SMTPD_RELAY_COMMAND_H

#include <stddef.h>

struct session;

/*
 * How will the content be sent to this server?  NULL, or the reply that every
 * recipient gets because it cannot be.
 */
const char	*command_prepare(struct session *, char *text, size_t size);
/* Why this recipient cannot be named to the server, or NULL. */
const char	*command_objection(const struct session *, unsigned int rcpt);
/* Command n of a transaction: MAIL is 0, then the recipients, then DATA. */
void		 command_write(struct session *, unsigned int n);

#endif
