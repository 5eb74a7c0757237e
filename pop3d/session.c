/*
 * session: one user's POP3 clients, as the user, confined to the mailbox.
 *
 * A program of its own, without TLS.  Believes the parent; reads what clients
 * write after the login, which net passes through as it came.  May touch the
 * user's mailbox and nothing else.
 */
#include "client.h"
#include "contract.h"
#include "daemon/mailsession.h"
#include "roles.h"

/*
 * Who comes back at once finds the process still there.  It costs a start, a
 * millisecond, to end it too soon, and memory to end it too late: clients ask
 * once a minute, mostly.
 */
static const struct mailsession_ops ops = {
	.linger = 5,
	.start = client_start,
	.kick = client_kick,
	.stop = client_end_all,
};

static const struct role_def roles[] = {
	SESSION_ROLE(&mailsession_code),
	{ ROLE_PARENT, NULL, NULL, NULL, 0, 0, 0, NULL }
};

static const struct daemon_def pop3d = { "pop3d", &pop3d_contract, roles,
	NULL };

int
main(int argc, char **argv)
{
	mailsession_run(&ops, &pop3d, &roles[0], argc, argv);
}
