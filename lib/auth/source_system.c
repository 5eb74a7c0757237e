/*
 * source_system: Unix accounts.
 *
 * Reads /etc/passwd and /etc/shadow through the C library (group shadow is
 * enough), from the event loop: with files that is some 50 us; name services
 * that ask a network belong behind nscd or sssd.
 *
 * Refused are root, whoever has no password or a locked one, and accounts
 * that have expired.  A shell is not required: mail is all that they get.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#ifdef __linux__
#include <shadow.h>
#endif

#include "auth/source.h"
#include "conf/conf.h"
#include "os/compat.h"

#define NAME_BUFFER	16384

/* The local part if the domain's users are those of the system, else NULL. */
static const char *
system_name(const struct conf *conf, const char *login, char *name, size_t size)
{
	const struct conf_domain	*d;
	const char			*at;

	if ((at = strrchr(login, '@')) == NULL)
		return (strlcpy(name, login, size) < size ? name : NULL);
	d = conf_domain_find(conf, at + 1);
	if (d == NULL || !d->has_users || d->users != USERS_SYSTEM ||
	    (size_t)(at - login) >= size)
		return (NULL);
	memcpy(name, login, (size_t)(at - login));
	name[at - login] = '\0';
	return (name);
}

#ifdef __linux__
/* shadow(5): days since 1970; -1 in a field that is not used. */
static int
expired(const struct spwd *sp)
{
	long	today = (long)(time(NULL) / 86400);

	if (sp->sp_expire > 0 && today >= sp->sp_expire)
		return (1);
	if (sp->sp_lstchg == 0)			/* must be changed first */
		return (1);
	return (sp->sp_lstchg > 0 && sp->sp_max >= 0 && sp->sp_inact >= 0 &&
	    today - sp->sp_lstchg > sp->sp_max &&
	    today - sp->sp_lstchg - sp->sp_max > sp->sp_inact);
}

static enum source_result
read_shadow(struct account *a, const char **why)
{
	struct spwd		 sp, *found = NULL;
	char			 buffer[NAME_BUFFER];
	int			 error;
	enum source_result	 rv = SOURCE_FOUND;

	error = getspnam_r(a->user, &sp, buffer, sizeof(buffer), &found);
	if (found == NULL) {
		*why = "it has no entry in the shadow file";
		rv = SOURCE_REFUSED;
		if (error != 0 && error != ENOENT && error != ESRCH) {
			*why = strerror(error);
			rv = SOURCE_FAILED;
		}
	} else if (expired(&sp)) {
		*why = "the account has expired";
		rv = SOURCE_REFUSED;
	} else if (strlcpy(a->hash, sp.sp_pwdp, sizeof(a->hash)) >=
	    sizeof(a->hash)) {
		*why = "the hash is too long";
		rv = SOURCE_REFUSED;
	}
	explicit_bzero(buffer, sizeof(buffer));
	return (rv);
}
#endif

static enum source_result
read_hash(const struct passwd *pw, struct account *a, const char **why)
{
#ifdef __OpenBSD__
	/* login.conf(5) says how, and bsd_auth does it */
	if (snprintf(a->hash, sizeof(a->hash), "%s%s", VERIFY_BSDAUTH,
	    pw->pw_name) >= (int)sizeof(a->hash)) {
		*why = "the name is too long";
		return (SOURCE_REFUSED);
	}
	return (SOURCE_FOUND);
#else
	if (strlcpy(a->hash, pw->pw_passwd, sizeof(a->hash)) >=
	    sizeof(a->hash)) {
		*why = "the hash is too long";
		return (SOURCE_REFUSED);
	}
#ifdef __linux__
	if (strcmp(a->hash, "x") == 0)
		return (read_shadow(a, why));
#endif
	return (SOURCE_FOUND);
#endif
}

static enum source_result
judge(const struct passwd *pw, struct account *a, const char **why)
{
	enum source_result	rv;

	if (pw->pw_uid == 0) {
		*why = "root gets no mail this way";
		return (SOURCE_REFUSED);
	}
	a->system = 1;
	a->uid = pw->pw_uid;
	a->gid = pw->pw_gid;
	if (strlcpy(a->user, pw->pw_name, sizeof(a->user)) >=
	    sizeof(a->user) || strlcpy(a->home, pw->pw_dir,
	    sizeof(a->home)) >= sizeof(a->home)) {
		*why = "name or home is too long";
		return (SOURCE_REFUSED);
	}
	if ((rv = read_hash(pw, a, why)) != SOURCE_FOUND)
		return (rv);
	if (verify_locked(a->hash)) {
		*why = "the account is locked";
		return (SOURCE_REFUSED);
	}
	return (SOURCE_FOUND);
}

void
source_system(const struct conf *conf, const char *login, source_cb cb,
    void *arg)
{
	struct account		 a = { 0 };
	struct passwd		 pw, *found = NULL;
	char			 buffer[NAME_BUFFER], name[C_USER];
	const char		*why = NULL;
	enum source_result	 rv = SOURCE_UNKNOWN;
	int			 error;

	if (system_name(conf, login, name, sizeof(name)) == NULL) {
		cb(SOURCE_UNKNOWN, NULL, NULL, arg);
		return;
	}
	error = getpwnam_r(name, &pw, buffer, sizeof(buffer), &found);
	if (found != NULL)
		rv = judge(&pw, &a, &why);
	else if (error != 0 && error != ENOENT && error != ESRCH) {
		why = strerror(error);
		rv = SOURCE_FAILED;
	}
	explicit_bzero(buffer, sizeof(buffer));
	cb(rv, rv == SOURCE_FOUND ? &a : NULL, why, arg);
	explicit_bzero(&a, sizeof(a));
}
