/*
 * doors: the listening sockets of a net role, with the configuration and the
 * certificates that belong to them, as the parent tells them.
 *
 * accept() only; the sockets were bound by the parent.
 */
#ifndef DAEMON_DOORS_H
#define DAEMON_DOORS_H

#include <sys/socket.h>

#include "conf/conf.h"
#include "privsep/role.h"

/* A client came in: fd is non-blocking and the callee's. */
typedef void (*doors_take)(const struct conf_listen *, int fd,
	    const struct sockaddr *, socklen_t);

/* Handlers for the messages of these names. */
void	net_conf(struct peer *, struct msg *);
void	net_cert(struct peer *, struct msg *);
void	net_listener(struct peer *, struct msg *);

/* What net_conf() read; NULL before. */
const struct conf *doors_conf(void);
/* How many clients there may be, with two descriptors each. */
unsigned int doors_most(void);
/*
 * Start accepting.  Exits if a listener's certificate cannot be used.
 */
void	doors_open(const char *alpn, doors_take);
void	doors_close(void);

#endif
