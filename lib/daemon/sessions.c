/*
 * sessions: the parent's part of a login in imapd and pop3d.
 *
 * One process a user: a second login of the same user is handed to the one
 * that runs.  A session that reports to be idle is ended only if no client was
 * sent to it after the last one that it knows of; both are numbered here.  Each
 * client that it was sent is in the register (visits.h) until it has ended.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <sys/types.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/uidl.h"
#include "daemon/child.h"
#include "daemon/mailplace.h"
#include "daemon/sessions.h"
#include "daemon/visits.h"
#include "log/log.h"

#define BUCKETS		256
#define END_SECONDS	10		/* to say good-bye */

struct session {
	LIST_ENTRY(session) link;	/* unless ending */
	struct peer	*peer;
	uint32_t	 generation;
	uint64_t	 last;		/* the number of its latest client */
	int		 ending;
	struct session_owner *owner;
};
LIST_HEAD(bucket, session);

static struct {
	const char	*program;
	struct bucket	 buckets[BUCKETS];
	uint32_t	 last;
} self;

static struct bucket *bucket_of(const char *);
static struct session *session_find(const struct msg_SESSION_OPEN *);
static struct session *session_start(const struct msg_SESSION_OPEN *);
static struct session *session_get(const struct msg_SESSION_OPEN *);
static void	session_free(struct session *);
static uint64_t	next_number(unsigned int);
static struct peer *start(const struct msg_SESSION_OPEN *,
		    const struct mailplace *, struct session *);
static void	pop3_settings(const struct conf *, struct msg_MAILBOX *);
static int	find_place(const struct msg_SESSION_OPEN *,
		    struct mailplace *);
static const struct conf_domain *find_domain(const struct conf *,
		    const struct msg_SESSION_OPEN *);

void
sessions_program(const char *program)
{
	self.program = program;
}

int
sessions_prepare(const struct conf *conf)
{
	(void)conf;
	mailplace_prepare();
	return (0);
}

/*
 * The session gets its end before net gets the other one, so whatever net
 * writes finds a reader.
 */
void
parent_session_open(struct peer *auth, struct msg *m)
{
	static struct log_limit too_many;
	const struct msg_SESSION_OPEN *ask = m->body;
	struct msg_SESSION_CONN client = { .tls = ask->tls };
	struct msg_SESSION answer = { .conn = ask->conn, .ok = 1 };
	struct msg_AUTH_DONE failed = { .conn = ask->conn,
	    .result = AUTH_TEMPFAIL };
	uint32_t generation = supervise_peer_generation(auth);
	struct session *s;
	struct visit *v;
	struct peer *net;
	int sp[2];

	if ((net = supervise_role_of(ROLE_NET, generation)) == NULL)
		return;
	if ((s = session_get(ask)) == NULL)
		goto fail;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    sp) == -1) {
		log_warn("socketpair");
		goto fail;
	}
	if ((v = visits_new(s->owner, ask, generation, sp[0])) == NULL) {
		close(sp[0]);
		close(sp[1]);
		if (log_allowed(&too_many))
			log_warnx("user=%s addr=%s: too many connections",
			    ask->user, ask->addr);
		goto fail;
	}
	v->session = s->peer;
	v->id = client.id = s->last = next_number((unsigned int)ask->conn);
	strlcpy(client.addr, ask->addr, sizeof(client.addr));
	strlcpy(answer.user, ask->user, sizeof(answer.user));
	log_debug("opening: user=%s addr=%s conn=%llu", ask->user, client.addr,
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
parent_conn_ended(struct peer *p, struct msg *m)
{
	const struct msg_CONN_ENDED *ended = m->body;
	struct visit *v = visits_find(p, ended->id);

	if (v == NULL)
		supervise_kill(p, "ends what it was not given");
	else
		visits_free(v);
}

void
sessions_end(struct peer *p)
{
	struct session *s = child_of(p)->arg;

	if (!s->ending)
		LIST_REMOVE(s, link);
	s->ending = 1;
	child_drain(child_of(p), END_SECONDS);
}

void
sessions_gone(struct peer *p, void *arg)
{
	struct session *s = arg;

	visits_session_gone(p);
	if (!s->ending)
		LIST_REMOVE(s, link);
	session_free(s);
}

const struct session_owner *
sessions_owner(struct peer *p)
{
	const struct session *s = child_of(p)->arg;

	return (s->owner);
}

struct peer *
sessions_reach(const struct session_owner *o, unsigned int conn,
    uint64_t *number)
{
	struct msg_SESSION_OPEN ask = {
		.conn = conn, .system = (uint64_t)o->system, .uid = o->uid,
		.gid = o->gid, .quota = o->quota.bytes,
		.quota_messages = o->quota.messages
	};
	struct session *s;

	/* They were in a message of this kind before. */
	strlcpy(ask.user, o->user, sizeof(ask.user));
	strlcpy(ask.home, o->home, sizeof(ask.home));
	if ((s = session_get(&ask)) == NULL)
		return (NULL);
	*number = s->last = next_number(conn);
	return (s->peer);
}

static uint64_t
next_number(unsigned int conn)
{
	return ((uint64_t)++self.last << 32 | conn);
}

static struct session *
session_get(const struct msg_SESSION_OPEN *ask)
{
	struct session *s = session_find(ask);

	return (s != NULL ? s : session_start(ask));
}

static struct bucket *
bucket_of(const char *user)
{
	return (&self.buckets[sessions_hash(user) % BUCKETS]);
}

uint32_t
sessions_hash(const char *user)
{
	uint32_t h = 2166136261u;

	for (; *user != '\0'; user++)
		h = (h ^ (unsigned char)*user) * 16777619u;
	return (h);
}

static struct session *
session_find(const struct msg_SESSION_OPEN *ask)
{
	struct session *s;

	LIST_FOREACH(s, bucket_of(ask->user), link) {
		if (s->generation == supervise_generation() &&
		    owner_is(s->owner, ask))
			return (s);
	}
	return (NULL);
}

static struct session *
session_start(const struct msg_SESSION_OPEN *ask)
{
	struct mailplace place;
	struct session *s;

	if (find_place(ask, &place) == -1)
		return (NULL);
	if (supervise_peruser_count() >= supervise_conf()->max_sessions) {
		log_warnx("user=%s: %zu sessions run, no more are started",
		    ask->user, supervise_peruser_count());
		return (NULL);
	}
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	s->generation = supervise_generation();
	if ((s->owner = owner_new(ask)) == NULL ||
	    (s->peer = start(ask, &place, s)) == NULL) {
		session_free(s);
		return (NULL);
	}
	LIST_INSERT_HEAD(bucket_of(s->owner->user), s, link);
	return (s);
}

static void
session_free(struct session *s)
{
	owner_drop(s->owner);
	free(s);
}

static struct peer *
start(const struct msg_SESSION_OPEN *ask, const struct mailplace *place,
    struct session *s)
{
	struct msg_MAILBOX mailbox = { 0 };
	struct sandbox_path path = { .path = place->dir, .perm = "rwc" };
	struct peer *p;

	if ((p = supervise_peruser(ROLE_SESSION, self.program,
	    (uid_t)ask->uid, (gid_t)ask->gid, ask->user, &path, 1, s)) == NULL)
		return (NULL);
	mailbox.mbox = (uint64_t)place->mbox;
	mailbox.quota = place->quota.bytes;
	mailbox.quota_messages = place->quota.messages;
	pop3_settings(supervise_conf(), &mailbox);
	strlcpy(mailbox.user, ask->user, sizeof(mailbox.user));
	strlcpy(mailbox.path, place->path, sizeof(mailbox.path));
	strlcpy(mailbox.special, place->special, sizeof(mailbox.special));
	strlcpy(mailbox.expire, place->expire, sizeof(mailbox.expire));
	peer_send(p, M_MAILBOX, &mailbox, -1);
	supervise_go(p);
	return (p);
}

/* The builder saw to it that the format is short. */
static void
pop3_settings(const struct conf *conf, struct msg_MAILBOX *m)
{
	m->pop3_delay = conf->pop3_delay;
	m->pop3_expire = conf_expire_after(conf, "INBOX");
	strlcpy(m->pop3_uidl, conf->pop3_uidl != NULL ? conf->pop3_uidl :
	    UIDL_DEFAULT, sizeof(m->pop3_uidl));
}

static int
find_place(const struct msg_SESSION_OPEN *ask, struct mailplace *place)
{
	const struct conf_quota own = { ask->quota, ask->quota_messages };
	const struct conf_domain *d;
	const char *why;

	if (!mailplace_owner_ok((uid_t)ask->uid, (gid_t)ask->gid))
		why = "no mailbox is opened as this account";
	else if ((d = find_domain(supervise_conf(), ask)) == NULL)
		why = "no domain says where the mailbox is";
	else
		why = mailplace_find(d, ask->user, ask->home, &own, place);
	if (why == NULL)
		return (0);
	log_warnx("user=%s uid=%llu gid=%llu: %s", ask->user,
	    (unsigned long long)ask->uid, (unsigned long long)ask->gid, why);
	return (-1);
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
