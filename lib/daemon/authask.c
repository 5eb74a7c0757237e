/*
 * authask: see authask.h.  Messages with a password or a proof are wiped here;
 * the caller wipes its own.
 */
#include <string.h>

#include "daemon/authask.h"
#include "os/compat.h"
#include "privsep/role.h"
#include "sasl/sasl.h"

int
authask_try(struct peer *auth, const struct authask *who, const char *user,
    const char *pass)
{
	struct msg_AUTH_TRY	ask = { .conn = who->conn,
				    .tls = who->tls != 0 };
	int			rv = -1;

	strlcpy(ask.proto, who->proto, sizeof(ask.proto));
	strlcpy(ask.addr, who->addr, sizeof(ask.addr));
	if (strlcpy(ask.user, user, sizeof(ask.user)) < sizeof(ask.user) &&
	    strlcpy(ask.pass, pass, sizeof(ask.pass)) < sizeof(ask.pass)) {
		peer_send(auth, M_AUTH_TRY, &ask, -1);
		rv = 0;
	}
	explicit_bzero(&ask, sizeof(ask));
	return (rv);
}

void
authask_exchange(struct peer *auth, const struct authask *who,
    const struct sasl_server *s)
{
	struct msg_AUTH_START	start = { .conn = who->conn,
				    .tls = who->tls != 0 };
	struct msg_AUTH_STEP	step = { .conn = who->conn };

	/* SASL_MESSAGE and C_SASL are the same */
	if (sasl_server_begins(s)) {
		strlcpy(start.proto, who->proto, sizeof(start.proto));
		strlcpy(start.addr, who->addr, sizeof(start.addr));
		strlcpy(start.text, sasl_server_message(s),
		    sizeof(start.text));
		peer_send(auth, M_AUTH_START, &start, -1);
	} else {
		strlcpy(step.text, sasl_server_message(s), sizeof(step.text));
		peer_send(auth, M_AUTH_STEP, &step, -1);
	}
	explicit_bzero(&start, sizeof(start));
	explicit_bzero(&step, sizeof(step));
}

void
authask_cancel(struct peer *auth, uint32_t conn)
{
	struct msg_AUTH_CANCEL	cancel = { .conn = conn };

	if (auth != NULL)
		peer_send(auth, M_AUTH_CANCEL, &cancel, -1);
}
