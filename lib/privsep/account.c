/*
 * account: from root to the account of a role: chroot, groups, gid, uid, in
 * this order; then look.
 */
#include <sys/types.h>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "log/log.h"
#include "os/os.h"
#include "privsep/account.h"

#define GROUPS_MAX	64

void
account_become(const char *user, const char *root)
{
	struct passwd	*pw;
	gid_t		 groups[GROUPS_MAX];
	int		 n = GROUPS_MAX;

	if ((pw = getpwnam(user)) == NULL)
		fatalx("no account %s: run \"make users\" or see smtpd(8)",
		    user);
	if (pw->pw_uid == 0)
		fatalx("account %s has uid 0", user);
	if (getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) == -1)
		fatalx("account %s is in too many groups", user);
	if (root != NULL && (chroot(root) == -1 || chdir("/") == -1))
		fatal("chroot %s", root);
	if (os_cap_drop_bounding() == -1 || setgroups(n, groups) == -1 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1)
		fatal("cannot become %s", user);
	account_verify(pw->pw_uid, pw->pw_gid);
}
