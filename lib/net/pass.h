/*
 * pass: a client's own socket on its way from net to the user's session.
 */
#ifndef NET_PASS_H
#define NET_PASS_H

#include <sys/types.h>

/*
 * Send a line (or more) of text, and with it the descriptor client, which
 * stays open here.  channel is a local stream socket that nothing was sent
 * through yet.  -1 with errno; then nothing was sent.
 */
int	pass_client(int channel, int client, const void *text, size_t);

/*
 * As recv(), and *client is the descriptor that came with the text, or -1.
 * The caller believes nothing of it: it makes calls for sockets only, each
 * with MSG_DONTWAIT, since the sender may still hold the other end.  More than
 * one descriptor is an error (EPROTO), and all are closed.
 */
ssize_t	pass_take(int channel, void *text, size_t, int *client);

#endif
