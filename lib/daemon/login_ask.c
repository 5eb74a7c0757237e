/*
 * login_ask: what a protocol may ask of a connection that has not logged in
 * yet, and how auth is asked.
 */
#include <string.h>

#include "daemon/authask.h"
#include "daemon/login_own.h"
#include "log/log.h"
#include "net/conn.h"
#include "sasl/sasl.h"

#define BYE_SECONDS	5		/* to take our last words */
#define COMMANDS_MAX	100		/* of one client */

struct conn *
login_conn(struct login *l)
{
	return (l->conn);
}

const char *
login_addr(const struct login *l)
{
	return (l->addr);
}

unsigned int
login_id(const struct login *l)
{
	return (l->id);
}

int
login_command(struct login *l)
{
	return (++l->commands <= COMMANDS_MAX);
}

int
login_may_auth(const struct login *l)
{
	if (l->conf->no_auth)
		return (0);
	if (conn_is_tls(l->conn))
		return (1);
	if (l->conf->require_tls)
		return (0);
	return (l->conf->plaintext_auth || addr_is_loopback(l->addr));
}

int
login_may_starttls(const struct login *l)
{
	return (!conn_is_tls(l->conn) && login_context(l->conf) != NULL);
}

void
login_starttls(struct login *l)
{
	l->phase = PHASE_HANDSHAKE;
	if (conn_accept_tls(l->conn, login_context(l->conf)) == -1) {
		log_warnx("tls: conn=%u %s", l->id, conn_error(l->conn));
		login_close(l);
	}
}

/* What auth is asked; NULL: the client has been refused. */
static struct peer *
ask_auth(struct login *l, struct authask *who)
{
	struct peer *auth = role_peer(ROLE_AUTH);

	l->phase = PHASE_WAIT;
	conn_pause(l->conn);
	who->conn = l->id;
	who->tls = conn_is_tls(l->conn);
	who->proto = login_proto()->name;
	who->addr = l->addr;
	if (auth != NULL && !login_stopping())
		return (auth);
	login_refuse(l, AUTH_TEMPFAIL);
	return (NULL);
}

void
login_try(struct login *l, const char *mech, const char *user,
    const char *pass)
{
	struct authask who;
	struct peer *auth;

	l->method = counter_method(mech);
	if ((auth = ask_auth(l, &who)) == NULL)
		return;
	if (authask_try(auth, &who, user, pass) == -1) {
		login_refuse(l, AUTH_DENIED);
		return;
	}
	l->user = strdup(user);
	l->asked = 1;
}

void
login_exchange(struct login *l, const struct sasl_server *s)
{
	struct authask who;
	struct peer *auth;

	l->method = counter_method(sasl_server_mech(s));
	if ((auth = ask_auth(l, &who)) == NULL)
		return;
	authask_exchange(auth, &who, s);
	l->asked = l->exchange = 1;
}

void
login_cancel(struct login *l)
{
	if (l->exchange)
		authask_cancel(role_peer(ROLE_AUTH), l->id);
	l->exchange = 0;
}

int
login_has_keys(void)
{
	return (conf_has_keys(login_conf()));
}

void
login_close(struct login *l)
{
	l->phase = PHASE_BYE;
	login_set_timer(l, BYE_SECONDS);
	conn_finish(l->conn);
}
