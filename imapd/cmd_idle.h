/*
 * cmd_idle: IDLE as others see it.
 */
#ifndef IMAPD_CMD_IDLE_H
#define IMAPD_CMD_IDLE_H

#include <stdint.h>

struct client;

int	cmd_idle_is(const struct client *);
/* Go on where another process stopped; -1 if that is impossible. */
int	cmd_idle_resume(struct client *);
/* Something may have changed: look, and tell. */
void	cmd_idle_look(struct client *);
/* The same for the client with this number of the parent's. */
void	cmd_idle_changed(uint64_t number);
/* That will not be told: it has to be looked at, and stays here. */
void	cmd_idle_unwatched(uint64_t number);
/* Is a change told, so that it need not be looked at? */
int	cmd_idle_watched(const struct client *);
/* The watch on the mailbox stays when the connection is freed. */
void	cmd_idle_keep(struct client *);

#endif
