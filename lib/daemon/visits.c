/*
 * visits: see visits.h.  Runs as root.
 *
 * By user, for what a session says, and by net's number, for what net says.
 */
#include <sys/stat.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/parked.h"
#include "daemon/sessions.h"
#include "daemon/visits.h"

#define BUCKETS		1024

LIST_HEAD(bucket, visit);

static struct {
	struct bucket	 users[BUCKETS];
	struct bucket	 conns[BUCKETS];
	unsigned int	 count;
	uint32_t	 last;		/* serial */
} self;

static struct bucket *bucket_of(const char *);
static unsigned int count_of(const char *);

struct session_owner *
owner_new(const struct msg_SESSION_OPEN *ask)
{
	struct session_owner *o;

	if ((o = calloc(1, sizeof(*o))) == NULL)
		return (NULL);
	o->refs = 1;
	o->uid = (uid_t)ask->uid;
	o->gid = (gid_t)ask->gid;
	o->system = ask->system != 0;
	o->quota.bytes = ask->quota;
	o->quota.messages = ask->quota_messages;
	if ((o->user = strdup(ask->user)) == NULL ||
	    (o->home = strdup(ask->home)) == NULL) {
		owner_drop(o);
		return (NULL);
	}
	return (o);
}

void
owner_drop(struct session_owner *o)
{
	if (o == NULL || --o->refs > 0)
		return;
	free(o->user);
	free(o->home);
	free(o);
}

/* A quota may change; where the mailbox is, and as whom, makes it another. */
int
owner_is(const struct session_owner *o, const struct msg_SESSION_OPEN *ask)
{
	return (o->uid == ask->uid && o->gid == ask->gid &&
	    o->system == (ask->system != 0) &&
	    strcmp(o->user, ask->user) == 0 && strcmp(o->home, ask->home) == 0);
}

struct visit *
visits_new(struct session_owner *o, const struct msg_SESSION_OPEN *ask,
    uint32_t generation, int fd)
{
	unsigned int conn = SESSION_NET_CONN(ask->conn);
	struct visit *v;
	struct stat st;

	if (self.count >= VISITS_MAX || count_of(o->user) >= SESSION_CONNS ||
	    fstat(fd, &st) == -1 || (v = calloc(1, sizeof(*v))) == NULL)
		return (NULL);
	v->serial = ++self.last;
	v->generation = generation;
	v->owner = o;
	o->refs++;
	v->since = time(NULL);
	v->tls = ask->tls != 0;
	v->dev = st.st_dev;
	v->ino = st.st_ino;
	strlcpy(v->addr, ask->addr, sizeof(v->addr));
	LIST_INSERT_HEAD(bucket_of(o->user), v, byuser);
	LIST_INSERT_HEAD(&self.conns[conn % BUCKETS], v, byconn);
	self.count++;
	return (v);
}

void
visits_free(struct visit *v)
{
	parked_forget(v);
	LIST_REMOVE(v, byuser);
	LIST_REMOVE(v, byconn);
	self.count--;
	owner_drop(v->owner);
	free(v);
}

struct visit *
visits_find(struct peer *session, uint64_t id)
{
	struct visit *v;

	LIST_FOREACH(v, bucket_of(sessions_owner(session)->user), byuser)
		if (v->session == session && v->id == id)
			return (v);
	return (NULL);
}

/* net may reuse a number before the session has told: the newest it is. */
struct visit *
visits_find_conn(uint32_t generation, unsigned int conn)
{
	struct visit *v;

	LIST_FOREACH(v, &self.conns[conn % BUCKETS], byconn)
		if (v->generation == generation &&
		    SESSION_NET_CONN(v->id) == conn)
			return (v);
	return (NULL);
}

int
visits_same_socket(const struct visit *v, int fd)
{
	struct stat st;

	return (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    st.st_dev == v->dev && st.st_ino == v->ino);
}

void
visits_each(void (*fn)(struct visit *, void *), void *arg)
{
	struct visit *v, *next;
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		for (v = LIST_FIRST(&self.users[i]); v != NULL; v = next) {
			next = LIST_NEXT(v, byuser);
			fn(v, arg);
		}
}

unsigned int
visits_count(void)
{
	return (self.count);
}

void
visits_session_gone(struct peer *session)
{
	struct visit *v, *next;

	for (v = LIST_FIRST(bucket_of(sessions_owner(session)->user));
	    v != NULL; v = next) {
		next = LIST_NEXT(v, byuser);
		if (v->session == session)
			visits_free(v);
	}
}

static struct bucket *
bucket_of(const char *user)
{
	return (&self.users[sessions_hash(user) % BUCKETS]);
}

static unsigned int
count_of(const char *user)
{
	struct visit *v;
	unsigned int n = 0;

	LIST_FOREACH(v, bucket_of(user), byuser)
		n += strcmp(v->owner->user, user) == 0;
	return (n);
}
