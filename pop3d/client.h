/*
 * client: a POP3 connection after the login, as a session sees it: a
 * descriptor that net copies from and to.
 */
#ifndef POP3D_CLIENT_H
#define POP3D_CLIENT_H

#include <stdint.h>

struct mailsession;

/*
 * Takes fd over and opens the maildrop; the answer to the login, good or bad,
 * is what it writes first.  id is for the log.  -1 (fd closed) if there is no
 * memory.
 */
int	client_start(const struct mailsession *, int fd, unsigned int id,
	    const char *addr);
/* As mailsession_ops.kick. */
void	client_kick(uint64_t number);
/* Cut all of them off; nothing is deleted. */
void	client_end_all(void);

#endif
