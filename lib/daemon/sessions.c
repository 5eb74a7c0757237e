/*
 * sessions: the parent's part of a login in imapd and pop3d.
 *
 * One process a user: a second login of the same user is handed to the one
 * that runs.  A session that reports to be idle is ended only if no client was
 * sent to it after the last one that it knows of; both are numbered here.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <sys/types.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "daemon/child.h"
#include "daemon/sessions.h"
#include "log/log.h"

#define BUCKETS		256
#define ID_MIN		100		/* below are the system's accounts */
#define ACCOUNTS_MAX	16

struct session {
	LIST_ENTRY(session) link;	/* unless ending */
	struct peer	*peer;
	uint32_t	 generation;
	uint64_t	 last;		/* the number of its latest client */
	uid_t		 uid;
	int		 ending;
	char		 user[C_USER];
};
LIST_HEAD(bucket, session);

/* Where a user's mail is, as the configuration says. */
struct place {
	int		 mbox;
	uint64_t	 quota;
	char		 user[C_USER];
	char		 path[C_PATH];
	char		 dir[C_PATH];	/* what the session may see */
};

static const char *const role_accounts[] = {
	"_smtpd", "_imapd", "_pop3d", "_mailauth", "_mailkey", "_maillook",
	"_maildns", "_mailq", "_mailout", "_mailwatch", NULL
};

static struct {
	const char	*program;
	struct bucket	 buckets[BUCKETS];
	uint32_t	 last;
	uid_t		 uids[ACCOUNTS_MAX];
	gid_t		 gids[ACCOUNTS_MAX];
	size_t		 nids;
} self;

static struct bucket *bucket_of(const char *);
static struct session *session_find(const struct msg_SESSION_OPEN *);
static struct session *session_start(const struct msg_SESSION_OPEN *);
static int	owner_ok(const struct msg_SESSION_OPEN *);
static int	find_place(const struct msg_SESSION_OPEN *, struct place *);
static const struct conf_domain *find_domain(const struct conf *,
		    const struct msg_SESSION_OPEN *);
static int	expand(const struct conf_domain *,
		    const struct msg_SESSION_OPEN *, struct place *);
static int	path_ok(const char *);

void
sessions_program(const char *program)
{
	self.program = program;
}

/* Nobody's mail is opened as one of our own roles. */
int
sessions_prepare(const struct conf *conf)
{
	const struct passwd *pw;
	size_t i;

	(void)conf;
	for (i = 0; role_accounts[i] != NULL && i < ACCOUNTS_MAX; i++) {
		if ((pw = getpwnam(role_accounts[i])) == NULL)
			continue;
		self.uids[self.nids] = pw->pw_uid;
		self.gids[self.nids++] = pw->pw_gid;
	}
	return (0);
}

/*
 * The session gets its end before net gets the other one, so whatever net
 * writes finds a reader.
 */
void
parent_session_open(struct peer *auth, struct msg *m)
{
	const struct msg_SESSION_OPEN *ask = m->body;
	struct msg_SESSION_CONN client = { .tls = ask->tls };
	struct msg_SESSION answer = { .conn = ask->conn, .ok = 1 };
	struct msg_AUTH_DONE failed = { .conn = ask->conn,
	    .result = AUTH_TEMPFAIL };
	struct session *s;
	struct peer *net;
	int sp[2];

	net = supervise_role_of(ROLE_NET, supervise_peer_generation(auth));
	if (net == NULL)
		return;
	if ((s = session_find(ask)) == NULL && (s = session_start(ask)) == NULL)
		goto fail;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    sp) == -1) {
		log_warn("socketpair");
		goto fail;
	}
	client.id = s->last = (uint64_t)++self.last << 32 |
	    ask->conn;
	strlcpy(client.addr, ask->addr, sizeof(client.addr));
	log_debug("opening: user=%s addr=%s conn=%llu", s->user, client.addr,
	    (unsigned long long)ask->conn);
	peer_send(s->peer, M_SESSION_CONN, &client, sp[0]);
	peer_send(net, M_SESSION, &answer, sp[1]);
	return;
fail:
	peer_send(net, M_AUTH_DONE, &failed, -1);
}

void
parent_session_idle(struct peer *p, struct msg *m)
{
	const struct msg_SESSION_IDLE *idle = m->body;
	struct session *s = child_of(p)->arg;

	if (s->ending || idle->id != s->last)
		return;			/* another client is on its way */
	s->ending = 1;
	LIST_REMOVE(s, link);
	supervise_end(p);
}

void
sessions_gone(struct peer *p, void *arg)
{
	struct session *s = arg;

	(void)p;
	if (!s->ending)
		LIST_REMOVE(s, link);
	free(s);
}

static struct bucket *
bucket_of(const char *user)
{
	uint32_t h = 2166136261u;

	for (; *user != '\0'; user++)
		h = (h ^ (unsigned char)*user) * 16777619u;
	return (&self.buckets[h % BUCKETS]);
}

static struct session *
session_find(const struct msg_SESSION_OPEN *ask)
{
	struct session *s;

	LIST_FOREACH(s, bucket_of(ask->user), link) {
		if (s->generation == supervise_generation() &&
		    s->uid == ask->uid && strcmp(s->user, ask->user) == 0)
			return (s);
	}
	return (NULL);
}

static struct session *
session_start(const struct msg_SESSION_OPEN *ask)
{
	struct msg_MAILBOX mailbox = { 0 };
	struct sandbox_path path = { .perm = "rwc" };
	struct place place;
	struct session *s;

	if (!owner_ok(ask) || find_place(ask, &place) == -1)
		return (NULL);
	if (supervise_peruser_count() >= supervise_conf()->max_sessions) {
		log_warnx("user=%s: %zu sessions run, no more are started",
		    ask->user, supervise_peruser_count());
		return (NULL);
	}
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	strlcpy(s->user, ask->user, sizeof(s->user));
	s->generation = supervise_generation();
	s->uid = (uid_t)ask->uid;
	path.path = place.dir;
	if ((s->peer = supervise_peruser(ROLE_SESSION, self.program,
	    (uid_t)ask->uid, (gid_t)ask->gid, ask->user, &path, 1, s)) ==
	    NULL) {
		free(s);
		return (NULL);
	}
	LIST_INSERT_HEAD(bucket_of(s->user), s, link);
	mailbox.mbox = (uint64_t)place.mbox;
	mailbox.quota = place.quota;
	strlcpy(mailbox.user, place.user, sizeof(mailbox.user));
	strlcpy(mailbox.path, place.path, sizeof(mailbox.path));
	peer_send(s->peer, M_MAILBOX, &mailbox, -1);
	supervise_go(s->peer);
	return (s);
}

/* Root owns no mailbox here, nor does any system account or role. */
static int
owner_ok(const struct msg_SESSION_OPEN *ask)
{
	size_t i;

	if (supervise_unprivileged())
		return (1);
	if (ask->uid < ID_MIN || ask->gid < ID_MIN)
		goto bad;
	for (i = 0; i < self.nids; i++) {
		if (ask->uid == self.uids[i] || ask->gid == self.gids[i])
			goto bad;
	}
	return (1);
bad:
	log_warnx("user=%s: no mailbox is opened as uid %llu gid %llu",
	    ask->user, (unsigned long long)ask->uid,
	    (unsigned long long)ask->gid);
	return (0);
}

static int
find_place(const struct msg_SESSION_OPEN *ask, struct place *place)
{
	const struct conf_domain *d;
	char *slash;

	memset(place, 0, sizeof(*place));
	if ((d = find_domain(supervise_conf(), ask)) == NULL) {
		log_warnx("user=%s: no domain says where the mailbox is",
		    ask->user);
		return (-1);
	}
	if (d->deliver != DELIVER_MAILDIR && d->deliver != DELIVER_MBOX) {
		log_warnx("user=%s: domain \"%s\" delivers to no mailbox",
		    ask->user, d->names.v[0]);
		return (-1);
	}
	place->mbox = d->deliver == DELIVER_MBOX;
	place->quota = ask->quota;		/* the user's own wins */
	if (place->quota == 0)
		place->quota = d->quota;
	if (place->quota == 0)
		place->quota = supervise_conf()->mailbox_quota;
	if (expand(d, ask, place) == -1 || !path_ok(place->path)) {
		log_warnx("user=%s: no path from \"%s\"", ask->user,
		    d->target);
		return (-1);
	}
	strlcpy(place->dir, place->path, sizeof(place->dir));
	if (place->mbox && (slash = strrchr(place->dir, '/')) != NULL)
		*slash = '\0';
	return (0);
}

/* The domain after the '@', or the first whose users have none. */
static const struct conf_domain *
find_domain(const struct conf *conf, const struct msg_SESSION_OPEN *ask)
{
	enum conf_users kind = ask->system ? USERS_SYSTEM : USERS_TABLE;
	const struct conf_domain *d;
	const char *at;

	if ((at = strrchr(ask->user, '@')) != NULL) {
		d = conf_domain_find(conf, at + 1);
		return (d != NULL && d->has_users && d->users == kind ? d :
		    NULL);
	}
	TAILQ_FOREACH(d, &conf->domains, entry) {
		if (d->has_users && d->users == kind)
			return (d);
	}
	return (NULL);
}

/* A name without a domain gets its domain's, for the sake of %d. */
static int
expand(const struct conf_domain *d, const struct msg_SESSION_OPEN *ask,
    struct place *place)
{
	const char *at = "", *domain = "";
	char full[2 * C_USER];
	int n;

	if (strchr(ask->user, '@') == NULL && strstr(d->target, "%d") != NULL) {
		at = "@";
		domain = d->names.v[0];
	}
	n = snprintf(full, sizeof(full), "%s%s%s", ask->user, at, domain);
	if (n < 0 || (size_t)n >= sizeof(full))
		return (-1);
	strlcpy(place->user, ask->user, sizeof(place->user));
	return (conf_expand(d->target, full, ask->home, place->path,
	    sizeof(place->path)));
}

/* Absolute, not the root itself, and nowhere upwards. */
static int
path_ok(const char *path)
{
	const char *p;

	if (path[0] != '/' || path[1] == '\0')
		return (0);
	for (p = path; (p = strstr(p, "/..")) != NULL; p += 3) {
		if (p[3] == '/' || p[3] == '\0')
			return (0);
	}
	return (1);
}
