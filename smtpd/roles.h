/*
 * roles: the line of smtpd's role table that two programs need: the parent,
 * which starts deliverers, and the deliverer itself.
 */
#ifndef SMTPD_ROLES_H
#define SMTPD_ROLES_H

#include "privsep/role.h"

#define DELIVER_ROLE(code)						\
	{ ROLE_DELIVER, NULL, NULL,					\
	    "stdio rpath wpath cpath fattr flock recvfd",		\
	    ROLE_PERUSER, 1024, R_QUEUE, code }

#endif
