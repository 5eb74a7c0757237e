/*
 * mailplace: as whom a mailbox may be opened, and where it is.
 *
 * Runs as root, on names that a helper found.  The path comes from mail.conf;
 * of the user only what cannot leave it: conf_expand() refuses '/' and "..".
 */
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "daemon/mailplace.h"
#include "daemon/supervise.h"
#include "os/compat.h"

#define ID_MIN		100		/* below are the system's accounts */
#define ACCOUNTS_MAX	16

static const char *const role_accounts[] = {
	"_smtpd", "_imapd", "_pop3d", "_mailauth", "_mailkey", "_maillook",
	"_maildns", "_mailq", "_mailout", "_mailwatch", "_mailsub",
	NULL
};

static struct {
	uid_t	uids[ACCOUNTS_MAX];
	gid_t	gids[ACCOUNTS_MAX];
	size_t	n;
} self;

void
mailplace_prepare(void)
{
	const struct passwd	*pw;
	size_t			 i;

	for (i = 0; role_accounts[i] != NULL && i < ACCOUNTS_MAX; i++) {
		if ((pw = getpwnam(role_accounts[i])) == NULL)
			continue;
		self.uids[self.n] = pw->pw_uid;
		self.gids[self.n++] = pw->pw_gid;
	}
}

int
mailplace_owner_ok(uid_t uid, gid_t gid)
{
	size_t	i;

	if (supervise_unprivileged())
		return (1);
	/* -1 would leave setresuid() without effect. */
	if (uid < ID_MIN || gid < ID_MIN || uid == (uid_t)-1 ||
	    gid == (gid_t)-1)
		return (0);
	for (i = 0; i < self.n; i++)
		if (uid == self.uids[i] || gid == self.gids[i])
			return (0);
	return (1);
}

/* Absolute, not the root itself, and nowhere upwards. */
static int
path_ok(const char *path)
{
	const char	*p;

	if (path[0] != '/' || path[1] == '\0')
		return (0);
	for (p = path; (p = strstr(p, "/..")) != NULL; p += 3)
		if (p[3] == '/' || p[3] == '\0')
			return (0);
	return (1);
}

/* A name without a domain gets its domain's, for the sake of %d. */
static int
expand(const struct conf_domain *d, const char *user, const char *home,
    struct mailplace *place)
{
	char	full[2 * C_USER];
	int	add, n;

	add = strchr(user, '@') == NULL && strstr(d->target, "%d") != NULL;
	n = snprintf(full, sizeof(full), "%s%s%s", user, add ? "@" : "",
	    add ? d->names.v[0] : "");
	if (n < 0 || (size_t)n >= sizeof(full))
		return (-1);
	return (conf_expand(d->target, full, home, place->path,
	    sizeof(place->path)));
}

/* The builder bounds names and their numbers; what did not fit is left out. */
static void
care(const struct conf *c, struct mailplace *place)
{
	const struct conf_expire	*e;
	size_t				 i, len = 0;
	int				 n;

	for (i = 0; i < c->special.n; i++) {
		strlcat(place->special, c->special.v[i],
		    sizeof(place->special));
		strlcat(place->special, "\n", sizeof(place->special));
	}
	TAILQ_FOREACH(e, &c->expires, entry) {
		n = snprintf(place->expire + len, sizeof(place->expire) - len,
		    "%llu %s\n", (unsigned long long)e->after, e->mailbox);
		if (n < 0 || (size_t)n >= sizeof(place->expire) - len) {
			place->expire[len] = '\0';
			break;
		}
		len += (size_t)n;
	}
}

/* The user's own limit wins, then the domain's. */
static uint64_t
first_of(uint64_t own, uint64_t domain, uint64_t all)
{
	if (own == 0)
		own = domain;
	return (own == 0 ? all : own);
}

const char *
mailplace_find(const struct conf_domain *d, const char *user,
    const char *home, const struct conf_quota *own, struct mailplace *place)
{
	return (mailplace_of(supervise_conf(), d, user, home, own, place));
}

const char *
mailplace_of(const struct conf *c, const struct conf_domain *d,
    const char *user, const char *home, const struct conf_quota *own,
    struct mailplace *place)
{
	char	*slash;

	memset(place, 0, sizeof(*place));
	if (d->deliver != DELIVER_MAILDIR && d->deliver != DELIVER_MBOX)
		return ("the domain delivers to no mailbox");
	place->mbox = d->deliver == DELIVER_MBOX;
	place->quota.bytes = first_of(own->bytes, d->quota.bytes,
	    c->mailbox_quota.bytes);
	place->quota.messages = first_of(own->messages, d->quota.messages,
	    c->mailbox_quota.messages);
	if (expand(d, user, home, place) == -1 || !path_ok(place->path))
		return ("the domain's path does not fit the user");
	care(c, place);
	strlcpy(place->dir, place->path, sizeof(place->dir));
	if (place->mbox && (slash = strrchr(place->dir, '/')) != NULL)
		*slash = '\0';
	return (NULL);
}
