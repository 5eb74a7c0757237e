/*
 * parent: what pop3d's parent does beyond lib/daemon.
 */
#ifndef POP3D_PARENT_H
#define POP3D_PARENT_H

#include "daemon/supervise.h"

extern const struct parent_ops parent_ops;

#endif
