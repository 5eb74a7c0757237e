/*
 * session: the verdict goes to the parent, not back to the network process,
 * which could otherwise grant itself a mailbox.
 */
#include <string.h>

#include "auth/session.h"
#include "log/log.h"
#include "os/compat.h"
#include "privsep/contract.h"

void (*const auth_granted)(const struct auth_grant *) = auth_granted_session;

void
auth_granted_session(const struct auth_grant *g)
{
	struct msg_SESSION_OPEN	open = { 0 };

	open.conn = g->conn;
	open.tls = g->tls != 0;
	open.system = g->system != 0;
	open.uid = g->uid;
	open.gid = g->gid;
	open.quota = g->quota.bytes;
	open.quota_messages = g->quota.messages;
	/* the same sizes as in the grant, which was filled with tests */
	if (strlcpy(open.addr, g->addr, sizeof(open.addr)) >=
	    sizeof(open.addr) || strlcpy(open.user, g->user,
	    sizeof(open.user)) >= sizeof(open.user) || strlcpy(open.home,
	    g->home, sizeof(open.home)) >= sizeof(open.home)) {
		log_warnx("user=%s: a field is too long", g->user);
		return;
	}
	peer_send(role_parent(), M_SESSION_OPEN, &open, -1);
	peer_push(role_parent());
}
