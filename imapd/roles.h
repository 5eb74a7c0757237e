/*
 * roles: the line of imapd's role table that two programs need: the parent,
 * which starts sessions, and the session itself.
 */
#ifndef IMAPD_ROLES_H
#define IMAPD_ROLES_H

#include "privsep/role.h"

#define SESSION_ROLE(code)						\
	{ ROLE_SESSION, NULL, NULL,					\
	    "stdio rpath wpath cpath fattr flock sendfd recvfd",	\
	    ROLE_PERUSER, 1024, 0, code }

#endif
