/*
 * lookup: the role that knows rules, aliases, users and routes.
 */
#ifndef SMTPD_LOOKUP_H
#define SMTPD_LOOKUP_H

#include "privsep/role.h"

extern const struct role_code	lookup_code;

#endif
