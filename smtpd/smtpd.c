/*
 * smtpd: the role table.
 */
#include "auth/auth.h"
#include "daemon/supervise.h"
#include "smtpd/contract.h"
#include "smtpd/dns.h"
#include "smtpd/lookup.h"
#include "smtpd/net.h"
#include "smtpd/parent.h"
#include "smtpd/queue.h"
#include "smtpd/relay.h"
#include "smtpd/roles.h"
#include "privsep/account.h"
#include "tls/signer.h"

static const struct role_def roles[] = {
	{ ROLE_NET, "_smtpd", "/var/empty", "stdio accept recvfd sendfd",
	    ROLE_CONFTEXT | ROLE_NETFACING, 16384,
	    R_AUTH | R_SIGNER | R_LOOKUP | R_QUEUE, &net_code },
	{ ROLE_AUTH, "_mailauth", NULL, "stdio rpath getpw thread recvfd",
	    ROLE_CONFTEXT, 128, R_LOOKUP, &auth_code },
	{ ROLE_SIGNER, "_mailkey", "/var/empty", "stdio recvfd",
	    0, 64, 0, &signer_code },
	{ ROLE_LOOKUP, "_maillook", NULL, "stdio rpath getpw recvfd",
	    ROLE_CONFTEXT, 256, R_QUEUE | R_RELAY, &lookup_code },
	{ ROLE_DNS, "_maildns", "/var/empty", "stdio dns recvfd",
	    ROLE_NETFACING, 1024, R_RELAY | R_LOOKUP, &dns_code },
	{ ROLE_QUEUE, "_mailq", NULL,
	    "stdio accept rpath wpath cpath flock thread sendfd recvfd",
	    ROLE_CONFTEXT | ROLE_KEEPS, 16384, R_RELAY, &queue_code },
	{ ROLE_RELAY, "_mailout", "/var/empty", "stdio inet recvfd",
	    ROLE_CONFTEXT | ROLE_NETFACING, 2048, 0, &relay_code },
	DELIVER_ROLE(NULL),
	PIPE_ROLE(NULL),
	SUBMIT_ROLE(NULL),
	{ ROLE_PARENT, NULL, NULL, NULL, 0, 0, 0, NULL }
};

static const struct daemon_def smtpd = {
	"smtpd", &smtpd_contract, roles, account_become
};

int
main(int argc, char **argv)
{
	return (supervise_main(&smtpd, &parent_ops, argc, argv));
}
