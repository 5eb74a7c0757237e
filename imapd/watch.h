/*
 * watch: notice of changes in directories.
 */
#ifndef IMAPD_WATCH_H
#define IMAPD_WATCH_H

#include "privsep/role.h"

extern const struct role_code watch_code;

#endif
