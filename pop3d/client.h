/*
 * client: a POP3 connection after the login, as a session sees it: a
 * descriptor that net copies from and to.
 */
#ifndef POP3D_CLIENT_H
#define POP3D_CLIENT_H

#include <stdint.h>

struct client;
struct event_base;
struct store;

struct client_settings {
	struct event_base *base;
	struct store	*store;
	const char	*user;
	/* It is over; the client has been freed. */
	void		(*ended)(void);
};

/*
 * Takes fd over and opens the maildrop; the answer to the login, good or bad,
 * is what it writes first.  id is for the log.  -1 (fd closed) if there is no
 * memory.
 */
int	client_start(const struct client_settings *, int fd, unsigned int id,
	    const char *addr);
/* Cut all of them off; nothing is deleted. */
void	client_end_all(void);

#endif
