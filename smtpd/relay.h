/*
 * relay: the process that hands mail to other servers.
 */
#ifndef SMTPD_RELAY_H
#define SMTPD_RELAY_H

#include "privsep/role.h"

extern const struct role_code	relay_code;

#endif
