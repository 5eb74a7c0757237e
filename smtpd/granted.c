/*
 * granted: what auth does in smtpd when a password was right: lookup is told,
 * which judges transactions by it and lets net know.  net itself cannot say
 * that somebody has logged in.
 */
#include "auth/auth.h"
#include "os/compat.h"
#include "smtpd/contract.h"

static void
granted(const struct auth_grant *g)
{
	struct msg_CLIENT_AUTH	 a = { .conn = g->conn };
	struct msg_AUTH_DONE	 later = { .conn = g->conn,
				    .result = AUTH_TEMPFAIL };
	struct peer		*lookup = role_peer(ROLE_LOOKUP);

	if (lookup == NULL) {
		peer_send(g->net, M_AUTH_DONE, &later, -1);
		return;
	}
	strlcpy(a.user, g->user, sizeof(a.user));
	peer_send(lookup, M_CLIENT_AUTH, &a, -1);
}

void (*const auth_granted)(const struct auth_grant *) = granted;
