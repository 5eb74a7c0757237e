/*
 * roles: the line of pop3d's role table that two programs need: the parent,
 * which starts sessions, and the session itself.
 */
#ifndef POP3D_ROLES_H
#define POP3D_ROLES_H

#include "privsep/role.h"

#define SESSION_ROLE(code)						\
	{ ROLE_SESSION, NULL, NULL,					\
	    "stdio rpath wpath cpath fattr flock recvfd",		\
	    ROLE_PERUSER, 256, 0, code }

#endif
