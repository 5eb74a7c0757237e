/*
 * net: IMAP up to the login.
 */
#ifndef IMAPD_NET_H
#define IMAPD_NET_H

#include "privsep/role.h"

extern const struct role_code net_code;

#endif
