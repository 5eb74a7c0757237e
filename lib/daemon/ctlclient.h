/*
 * ctlclient: asking a running daemon over its control socket.
 */
#ifndef DAEMON_CTLCLIENT_H
#define DAEMON_CTLCLIENT_H

#include <stdio.h>

#include "imsg/contract.h"

/*
 * Ask STATE/NAME.sock and write its answer to f.  0 with the daemon's status,
 * -1 with errno if there is no daemon or it went away.  Lines of text come as
 * they may be shown (buf/shown.h), a message of the queue as it is, or why
 * there is none to stderr.
 */
int	ctl_ask(const struct contract *, const char *state, const char *name,
	    unsigned int what, int json, const char *arg, FILE *f,
	    int *status);

#endif
