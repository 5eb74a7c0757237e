/*
 * dns: the process that asks the domain name system.
 */
#ifndef SMTPD_DNS_H
#define SMTPD_DNS_H

#include "privsep/role.h"

extern const struct role_code	dns_code;

#endif
