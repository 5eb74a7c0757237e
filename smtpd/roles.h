/*
 * roles: the lines of smtpd's role table that two programs need: the parent,
 * which starts deliverers and submitters, and those themselves.
 */
#ifndef SMTPD_ROLES_H
#define SMTPD_ROLES_H

#include "privsep/role.h"

#define DELIVER_ROLE(code)						\
	{ ROLE_DELIVER, NULL, NULL,					\
	    "stdio rpath wpath cpath fattr flock recvfd",		\
	    ROLE_PERUSER, 1024, R_QUEUE | R_LOOKUP, code }

/* It starts programs, which have to reach what they need themselves. */
#define PIPE_ROLE(code)							\
	{ ROLE_PIPE, NULL, NULL, "stdio proc exec recvfd",		\
	    ROLE_PERUSER, 256, R_QUEUE, code }

#define SUBMIT_ROLE(code)						\
	{ ROLE_SUBMIT, NULL, NULL,					\
	    "stdio rpath wpath cpath flock unix recvfd",		\
	    ROLE_PERUSER, 64, 0, code }

#endif
