/*
 * net: POP3 up to the login.
 */
#ifndef POP3D_NET_H
#define POP3D_NET_H

#include "privsep/role.h"

extern const struct role_code net_code;

#endif
