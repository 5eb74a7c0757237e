/*
 * account_verify: an object of its own, because per-user programs need it
 * and not the password database that account_become() reads.
 */
#include <grp.h>
#include <unistd.h>

#include "log/log.h"
#include "os/os.h"
#include "privsep/account.h"

void
account_drop(uid_t uid, gid_t gid)
{
	if (uid == 0 || gid == 0)
		fatalx("no process of a user as root");
	if (os_cap_drop_bounding() == -1 || setgroups(1, &gid) == -1 ||
	    setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1)
		fatal("cannot become uid %u", (unsigned int)uid);
	account_verify(uid, gid);
}

void
account_verify(uid_t uid, gid_t gid)
{
	uid_t	r, e, s;
	gid_t	rg, eg, sg;

	if (getresuid(&r, &e, &s) == -1 || getresgid(&rg, &eg, &sg) == -1)
		fatal("getresuid");
	if (r != uid || e != uid || s != uid || rg != gid || eg != gid ||
	    sg != gid)
		fatalx("privilege was not dropped");
	if (uid != 0 && (setuid(0) != -1 || seteuid(0) != -1))
		fatalx("privilege can be regained");
}
