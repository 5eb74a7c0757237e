/*
 * pop3d's messages: what every daemon has, and the login.  There are no
 * others.
 */
#ifndef POP3D_CONTRACT_H
#define POP3D_CONTRACT_H

#include "privsep/contract.h"

extern const struct contract pop3d_contract;

#endif
