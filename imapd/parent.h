/*
 * parent: what imapd's parent does beyond lib/daemon.
 */
#ifndef IMAPD_PARENT_H
#define IMAPD_PARENT_H

#include "daemon/supervise.h"

extern const struct parent_ops parent_ops;

#endif
