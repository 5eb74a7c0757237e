/*
 * queueid: the name of a message, the same in the log, in the reply after
 * DATA, in Received and for mailctl: 11 characters of [0-9a-v].
 */
#ifndef SMTP_QUEUEID_H
#define SMTP_QUEUEID_H

#include <stdint.h>

#define QUEUEID_SIZE	12

void	queueid_text(uint64_t id, char to[QUEUEID_SIZE]);
/* -1 if it is none. */
int	queueid_parse(const char *, uint64_t *id);

#endif
