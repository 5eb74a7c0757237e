/*
 * deliver_head: the lines that a delivery puts before a message, and whether
 * it was here before.  Shared by the programs that deliver.
 */
#ifndef SMTPD_DELIVER_HEAD_H
#define SMTPD_DELIVER_HEAD_H

#include <stddef.h>

#include "smtpd/contract.h"

#define DELIVER_HEAD	(3 * C_MAILADDR + 96)

/*
 * Return-Path, Delivered-To, and X-Original-To if the client wrote another
 * address.  Their length, or -1 if they do not fit.
 */
int	deliver_head(const struct msg_DELIVER_MSG *, char out[DELIVER_HEAD]);
/*
 * Is the message what queue says, and is this the first time?  NULL, or the
 * reply to give.
 */
const char *deliver_objection(const struct msg_DELIVER_MSG *, int fd);

#endif
