/*
 * imapd's messages: what every daemon has, and the login.  There are no
 * others.
 */
#ifndef IMAPD_CONTRACT_H
#define IMAPD_CONTRACT_H

#include "privsep/contract.h"

extern const struct contract imapd_contract;

#endif
