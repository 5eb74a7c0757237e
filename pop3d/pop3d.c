/*
 * pop3d: the role table.
 *
 * Everything else that a daemon's main program does is in lib/daemon.
 */
#include "auth/auth.h"
#include "contract.h"
#include "daemon/supervise.h"
#include "net.h"
#include "parent.h"
#include "roles.h"
#include "privsep/account.h"
#include "tls/signer.h"

static const struct role_def roles[] = {
	{ ROLE_NET, "_pop3d", "/var/empty", "stdio accept recvfd",
	    ROLE_CONFTEXT | ROLE_NETFACING, 16384, R_AUTH | R_SIGNER,
	    &net_code },
	{ ROLE_AUTH, "_mailauth", NULL, "stdio rpath getpw thread recvfd",
	    ROLE_CONFTEXT, 128, R_NET, &auth_code },
	{ ROLE_SIGNER, "_mailkey", "/var/empty", "stdio recvfd",
	    0, 64, R_NET, &signer_code },
	SESSION_ROLE(NULL),
	{ ROLE_PARENT, NULL, NULL, NULL, 0, 0, 0, NULL }
};

static const struct daemon_def pop3d = {
	"pop3d", &pop3d_contract, roles, account_become
};

int
main(int argc, char **argv)
{
	return (supervise_main(&pop3d, &parent_ops, argc, argv));
}
