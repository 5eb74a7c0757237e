/*
 * conn_tls: a connection that begins TLS, and what was agreed.
 */
#include <string.h>
#include <tls.h>

#include "net/conn_own.h"
#include "os/compat.h"

static void
forget_clear(struct conn *c)
{
	buf_wipe(&c->in);
	c->want_tls = 1;
	conn_kick(c);
}

int
conn_accept_tls(struct conn *c, struct tls *server)
{
	if (c->tls != NULL ||
	    tls_accept_socket(server, &c->tls, c->fd) == -1) {
		strlcpy(c->error, "TLS", sizeof(c->error));
		return (-1);
	}
	forget_clear(c);
	return (0);
}

int
conn_connect_tls(struct conn *c, struct tls *client, const char *name)
{
	if (c->tls != NULL || tls_connect_socket(client, c->fd, name) == -1) {
		strlcpy(c->error, tls_error(client), sizeof(c->error));
		return (-1);
	}
	c->tls = client;
	forget_clear(c);
	return (0);
}

int
conn_is_tls(const struct conn *c)
{
	return (c->tls != NULL && !c->handshake && !c->want_tls);
}

const char *
conn_cipher(const struct conn *c)
{
	return (c->cipher);
}

const char *
conn_alpn(const struct conn *c)
{
	const char	*p = NULL;

	if (conn_is_tls(c))
		p = tls_conn_alpn_selected(c->tls);
	return (p != NULL ? p : "");
}

struct tls *
conn_tls(struct conn *c)
{
	return (c->tls);
}
