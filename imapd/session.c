/*
 * session: one user's IMAP connections, as the user, confined to the mailbox.
 *
 * A program of its own, without TLS.  Believes the parent; reads what clients
 * write after the login, which net passes through as it came.  May touch the
 * user's mailbox and nothing else.
 */
#include "cmd_idle.h"
#include "contract.h"
#include "daemon/mailsession.h"
#include "os/os.h"
#include "roles.h"
#include "session_conn.h"
#include "session_park.h"

/*
 * Free memory that stays for the next command: to give it back and to take it
 * again page by page can cost as much as the command does.
 */
#define HEAP_KEPT	(4 << 20)

/*
 * A client that comes back soon finds the process still there; each opens
 * several connections.
 */
static const struct mailsession_ops ops = {
	.linger = 60,
	.start = session_conn_new,
	.resume = session_park_resume,
	.changed = cmd_idle_changed,
	.unwatched = cmd_idle_unwatched,
	.kick = session_conn_kick,
	.drain = session_conn_drain,
};

static const struct role_def roles[] = {
	SESSION_ROLE(&mailsession_park_code),
	{ ROLE_PARENT, NULL, NULL, NULL, 0, 0, 0, NULL }
};

static const struct daemon_def imapd = { "imapd", &imapd_contract, roles,
	NULL };

int
main(int argc, char **argv)
{
	os_heap_keep(HEAP_KEPT);
	mailsession_run(&ops, &imapd, &roles[0], argc, argv);
}
