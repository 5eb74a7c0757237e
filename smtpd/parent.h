/*
 * parent: what smtpd's parent does beyond lib/daemon.
 */
#ifndef SMTPD_PARENT_H
#define SMTPD_PARENT_H

#include "daemon/supervise.h"

extern const struct parent_ops	parent_ops;

#endif
