/*
 * generation: a configuration, the roles started for it, and their channels.
 *
 * A reload starts a whole new set of roles beside the old ones.  Only when
 * every one of them is ready does it become the current generation; then the
 * old net processes stop accepting and finish their connections, and the rest
 * of the old set ends when they have gone.  If a new role fails to start, the
 * new set is killed and nothing has changed.
 *
 * A role marked ROLE_KEEPS (the owner of the spool) is started once.  It gets
 * channels to the new roles when they start and the new configuration when
 * they are ready.
 */
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/child.h"
#include "log/log.h"
#include "os/os.h"

#define START_LIMIT	30	/* seconds until every role is ready */
#define DRAIN_LIMIT	3600	/* seconds an old connection may still last */
#define DRAIN_MAX	8	/* old generations that finish at a time */
#define BACKOFF_MAX	60	/* seconds between two starts of a role */

struct restart {
	struct event		*timer;
	uint32_t		 gen;
	const struct role_def	*def;
};

struct gen *
gen_find(uint32_t id)
{
	struct gen	*g;

	TAILQ_FOREACH(g, &sv.gens, entry)
		if (g->id == id)
			return (g);
	return (NULL);
}

struct child *
gen_role(uint32_t id, enum role role)
{
	struct child	*c;

	TAILQ_FOREACH(c, &sv.children, entry)
		if (c->def->role == role && c->peer != NULL &&
		    c->kill_at == 0 && (c->gen == id ||
		    (c->def->flags & ROLE_KEEPS)))
			return (c);
	return (NULL);
}

static int
conf_to_fd(struct gen *g)
{
	char	*text;
	int	 ret = -1;

	if ((text = conf_print(g->conf)) == NULL)
		return (-1);
	g->conflen = strlen(text);
	if ((g->conffd = os_anonfile("mail.conf")) != -1 &&
	    write(g->conffd, text, g->conflen) == (ssize_t)g->conflen &&
	    os_anonfile_seal(g->conffd) == 0)
		ret = 0;
	free(text);
	return (ret);
}

static int
wants_channel(const struct role_def *a, const struct role_def *b)
{
	if ((a->flags | b->flags) & ROLE_PERUSER)
		return (0);
	return ((a->channels & (1u << b->role)) != 0 ||
	    (b->channels & (1u << a->role)) != 0);
}

static int
join(struct child *a, struct child *b)
{
	struct msg_CHANNEL	ma = { .role = b->def->role, .pid = b->pid };
	struct msg_CHANNEL	mb = { .role = a->def->role, .pid = a->pid };
	int			sp[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sp) == -1) {
		log_warn("socketpair");
		return (-1);
	}
	/* What stays belongs to no generation: the other one's counts. */
	ma.generation = mb.generation = a->def->flags & ROLE_KEEPS ?
	    b->gen : a->gen;
	peer_send(a->peer, M_CHANNEL, &ma, sp[0]);
	peer_send(b->peer, M_CHANNEL, &mb, sp[1]);
	return (0);
}

static int
give_conf(struct peer *p, struct gen *g)
{
	struct msg_CONF	m = { .size = g->conflen, .generation = g->id };
	int		fd;

	if ((fd = dup(g->conffd)) == -1)
		return (-1);
	peer_send(p, M_CONF, &m, fd);
	return (0);
}

/* Does this generation only finish the connections that it has? */
static int
finishes(uint32_t id)
{
	const struct gen	*g = gen_find(id);

	return (g != NULL && g->state == GEN_DRAINING);
}

/* Of one generation, or one of them is of all. */
static int
work_together(const struct child *a, const struct child *b)
{
	return (((a->def->flags | b->def->flags) & ROLE_KEEPS ||
	    a->gen == b->gen) && wants_channel(a->def, b->def));
}

/* Everybody whom a new child may talk to. */
static int
join_all(struct child *c)
{
	struct child	*o;

	TAILQ_FOREACH(o, &sv.children, entry) {
		if (o == c || o->peer == NULL || !work_together(c, o))
			continue;
		/* One that finishes still needs what it worked with. */
		if (o->kill_at != 0 && !(c->def->flags & ROLE_KEEPS) &&
		    !finishes(c->gen))
			continue;
		if (join(c, o) == -1)
			return (-1);
	}
	return (0);
}

void
gen_join_again(struct child *a, struct child *b)
{
	if (a->joined != sv_now())
		a->njoined = 0;
	a->joined = sv_now();
	if (++a->njoined > PEER_BAD_MAX)
		return;
	if (a->peer != NULL && b->peer != NULL && a->kill_at == 0 &&
	    b->kill_at == 0 && a != b && work_together(a, b))
		(void)join(a, b);	/* said why not */
}

static int
tell_role(struct gen *g, struct child *c)
{
	const struct role_def	*def = c->def;
	struct sandbox_path	 paths[SANDBOX_PATHS];
	size_t			 n = 0;

	if (sv.ops->paths != NULL)
		n = sv.ops->paths(def->role, g->conf, paths, SANDBOX_PATHS);
	spawn_settings(c, g->conf, paths, n);
	if ((def->flags & ROLE_CONFTEXT) && give_conf(c->peer, g) == -1)
		return (-1);
	if (join_all(c) == -1 || give_role(c, g) == -1)
		return (-1);
	if (sv.ops->tell != NULL)
		sv.ops->tell(c->peer, def->role, g->conf);
	supervise_go(c->peer);
	return (0);
}

/* -1 if there is no process; one that lacks something is killed again. */
static int
start_role(struct gen *g, const struct role_def *def)
{
	struct child	*c;

	if ((c = spawn_role(def, g->id)) == NULL) {
		log_warn("cannot start %s", role_name(def->role));
		return (-1);
	}
	if (tell_role(g, c) == -1) {
		c->kill_at = sv_now();
		supervise_kill(c->peer, "cannot be given what it needs");
	}
	return (0);
}

static void
gen_free(struct gen *g)
{
	TAILQ_REMOVE(&sv.gens, g, entry);
	if (g->conffd != -1)
		close(g->conffd);
	conf_free(g->conf);
	free(g);
}

static void
reload_pending(void)
{
	if (!sv.reload_again)
		return;
	sv.reload_again = 0;
	gen_reload();
}

/* A new generation that did not come up: as if it had never been tried. */
static void
gen_fail(struct gen *g, const char *why)
{
	struct child	*c;

	log_warnx("generation %u did not start: %s%s", g->id, why,
	    sv.current == NULL ? "" : "; the old configuration stays");
	if (sv.current == NULL)
		exit(1);
	TAILQ_FOREACH(c, &sv.children, entry)
		if (c->gen == g->id && !(c->def->flags & ROLE_KEEPS)) {
			c->kill_at = sv_now();
			(void)kill(c->pid, SIGKILL);
		}
	g->state = GEN_DRAINING;
	g->until = sv_now() + START_LIMIT;
	give_unbind(sv.current->conf);
	reload_pending();
}

int
gen_start(struct conf *conf)
{
	static uint32_t		 last;
	const struct role_def	*def;
	struct gen		*g;

	if ((g = calloc(1, sizeof(*g))) == NULL) {
		conf_free(conf);
		return (-1);
	}
	g->id = ++last;
	g->conf = conf;
	g->conffd = -1;
	g->until = sv_now() + START_LIMIT;
	TAILQ_INSERT_TAIL(&sv.gens, g, entry);
	if (conf_to_fd(g) == -1) {
		log_warn("configuration text");
		gen_free(g);
		return (-1);
	}
	for (def = sv.daemon->roles; def->role != ROLE_PARENT; def++) {
		if (def->flags & ROLE_PERUSER)
			continue;
		/* It runs, or will be started again. */
		if ((def->flags & ROLE_KEEPS) && sv.current != NULL)
			continue;
		if (start_role(g, def) == -1) {
			gen_fail(g, "a role cannot be started");
			return (-1);
		}
	}
	return (0);
}

/* Clients that stay must not make each reload cost a set of processes. */
static void
end_oldest(void)
{
	struct gen	*g;
	unsigned int	 n = 0;

	TAILQ_FOREACH_REVERSE(g, &sv.gens, gens, entry)
		if (g->state == GEN_DRAINING && ++n > DRAIN_MAX &&
		    g->until > sv_now()) {
			log_info("generation %u ends: %d newer ones are "
			    "finishing", g->id, DRAIN_MAX);
			g->until = sv_now();
		}
}

static void
hand_over(struct gen *g)
{
	struct gen	*old = sv.current;
	struct child	*c;

	sv.current = g;
	g->state = GEN_RUNNING;
	TAILQ_FOREACH(c, &sv.children, entry)
		if ((c->def->flags & ROLE_KEEPS) && c->gen != g->id &&
		    c->peer != NULL) {
			c->gen = g->id;
			if (give_conf(c->peer, g) == -1)
				log_warn("configuration for %s",
				    role_name(c->def->role));
		}
	if (old != NULL) {
		logs_again(g->conf);
		give_unbind(g->conf);
		gen_drain(old, DRAIN_LIMIT);
		end_oldest();
	}
	log_info("%s generation %u, sandbox: %s",
	    old == NULL ? "ready," : "reloaded,", g->id, sandbox_describe());
}

/*
 * The first role that is not ready, or NULL.  Per-user processes do not count:
 * queue may be delivering what it found in the spool.
 */
static struct child *
gen_waits_for(struct gen *g)
{
	struct child	*o;

	TAILQ_FOREACH(o, &sv.children, entry)
		if (o->gen == g->id && !o->ready &&
		    !(o->def->flags & ROLE_PERUSER))
			return (o);
	return (NULL);
}

void
gen_ready(struct child *c)
{
	struct gen	*g = gen_find(c->gen);

	if (g == NULL || g->state != GEN_STARTING)
		return;
	if (g->conf->sandbox_full &&
	    (c->level & sandbox_full()) != sandbox_full()) {
		gen_fail(g, "\"sandbox require full\", and this system gives "
		    "less; see -C");
		return;
	}
	if (gen_waits_for(g) != NULL)
		return;
	hand_over(g);
	reload_pending();
}

/* First net, which has the connections; the others when it has gone. */
void
gen_drain(struct gen *g, unsigned int seconds)
{
	struct child	*c;

	g->state = GEN_DRAINING;
	g->until = sv_now() + seconds;
	TAILQ_FOREACH(c, &sv.children, entry)
		if (c->gen == g->id && (c->def->role == ROLE_NET ||
		    c->def->role == ROLE_RELAY))
			child_drain(c, seconds);
}

/* What is left of a draining generation when its net has gone. */
static void
drain_rest(struct gen *g)
{
	struct child	*c;
	int		 left = 0;

	TAILQ_FOREACH(c, &sv.children, entry) {
		if (c->gen != g->id || (c->def->flags & ROLE_KEEPS))
			continue;
		if (c->def->role == ROLE_NET || c->def->role == ROLE_RELAY)
			return;
		left++;
		if (!(c->def->flags & ROLE_PERUSER))
			child_drain(c, 10);
	}
	if (left == 0)
		gen_free(g);
}

static void	schedule(struct gen *, const struct role_def *, time_t);

/* What a net that finishes its connections works with: keys, logins, rules. */
static int
is_needed(const struct gen *g, const struct role_def *def)
{
	const struct child	*c;

	if (g->state == GEN_RUNNING)
		return (1);
	if (g->state != GEN_DRAINING || def->role == ROLE_NET ||
	    def->role == ROLE_RELAY || sv_now() > g->until)
		return (0);
	TAILQ_FOREACH(c, &sv.children, entry)
		if (c->gen == g->id && c->peer != NULL &&
		    c->def->role == ROLE_NET)
			return (1);
	return (0);
}

static void
restart(evutil_socket_t fd, short ev, void *arg)
{
	struct restart	*r = arg;
	struct gen	*g = gen_find(r->gen);

	if (r->def->flags & ROLE_KEEPS)
		g = sv.current;
	if (g != NULL && is_needed(g, r->def) && !sv.stopping) {
		log_info("starting %s again", role_name(r->def->role));
		if (start_role(g, r->def) == -1)
			schedule(g, r->def, 0);
	}
	event_free(r->timer);
	free(r);
}

/* A role that keeps dying is started less and less often. */
static void
schedule(struct gen *g, const struct role_def *def, time_t ran)
{
	struct restart	*r;
	struct timeval	 tv = { 0 };
	unsigned int	*fails = &g->fails[def->role];

	if (ran >= BACKOFF_MAX)
		*fails = 0;
	if (*fails > 0)
		tv.tv_sec = 1u << (*fails < 6 ? *fails - 1 : 6);
	if (tv.tv_sec > BACKOFF_MAX)
		tv.tv_sec = BACKOFF_MAX;
	(*fails)++;
	if ((r = calloc(1, sizeof(*r))) == NULL ||
	    (r->timer = evtimer_new(sv.base, restart, r)) == NULL) {
		free(r);
		log_warn("restart of %s", role_name(def->role));
		return;
	}
	r->gen = g->id;
	r->def = def;
	if (tv.tv_sec > 0)
		log_warnx("%s died %u times; next start in %ld s",
		    role_name(def->role), *fails, (long)tv.tv_sec);
	evtimer_add(r->timer, &tv);
}

void
gen_child_exited(struct child *c)
{
	const struct role_def	*def = c->def;
	struct gen		*g = gen_find(c->gen);
	time_t			 ran = sv_now() - c->started;

	child_free(c);
	if (def->flags & ROLE_KEEPS && sv.current != NULL)
		g = sv.current;
	if (g == NULL || (def->flags & ROLE_PERUSER) || sv.stopping)
		return;
	switch (g->state) {
	case GEN_STARTING:
		gen_fail(g, role_name(def->role));
		break;
	case GEN_RUNNING:
		schedule(g, def, ran);
		break;
	case GEN_DRAINING:
		if (is_needed(g, def))
			schedule(g, def, ran);
		else
			drain_rest(g);
		break;
	}
}

void
gen_tick(void)
{
	struct gen	*g, *next;
	struct child	*c;

	TAILQ_FOREACH_SAFE(g, &sv.gens, entry, next) {
		if (g->state == GEN_STARTING && sv_now() > g->until) {
			c = gen_waits_for(g);
			log_warnx("%s is not ready after %d seconds",
			    c != NULL ? role_name(c->def->role) : "nobody",
			    START_LIMIT);
			gen_fail(g, "not ready in time");
		}
		if (g->state != GEN_DRAINING || sv.stopping)
			continue;
		if (sv_now() > g->until)
			TAILQ_FOREACH(c, &sv.children, entry)
				if (c->gen == g->id &&
				    !(c->def->flags & ROLE_KEEPS))
					(void)kill(c->pid, SIGKILL);
		drain_rest(g);
	}
}
