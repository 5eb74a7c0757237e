/*
 * spawn: fork and exec of roles and of per-user programs.  Runs as root.
 *
 * A child inherits descriptors 0 to 2 and its channel (ROLE_FD), an
 * environment of three variables, default signals, and nothing else.  vfork
 * keeps the cost of a per-user start independent of the parent's size.  The
 * uid is changed after exec (role.c): a user could stop what has his uid
 * before, and the parent would wait for it; and exec would let him trace what
 * was not confined yet.
 */
#include <sys/socket.h>
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/child.h"
#include "daemon/counter.h"
#include "log/log.h"
#include "os/os.h"

#define PERUSER_MAX	10000

struct spawn {
	const char	*path;
	char		*argv[6];
	int		 fd;		/* becomes ROLE_FD */
};

/* Between vfork and exec: system calls only, nothing that is written to. */
static void
child_side(const struct spawn *s)
{
	static char	 path[] = "PATH=/usr/bin:/bin", lang[] = "LANG=C";
	/* setproctitle() writes over this: "session user@example.org" */
	static char	 room[] = "TITLE=......................................"
			    "........................................";
	static char	*const envp[] = { path, lang, room, NULL };
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t	 none;
	int		 sig;

	for (sig = 1; sig < 32; sig++)
		(void)sigaction(sig, &sa, NULL); /* KILL, STOP: refused */
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) == -1 ||
	    dup2(s->fd, ROLE_FD) == -1)
		_exit(126);
	if (s->fd == ROLE_FD && fcntl(ROLE_FD, F_SETFD, 0) == -1)
		_exit(126);
	closefrom(ROLE_FD + 1);
	execve(s->path, s->argv, envp);
	_exit(127);
}

static pid_t
do_spawn(struct spawn *s)
{
	pid_t	pid;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	pid = vfork();
#pragma GCC diagnostic pop
	if (pid == 0)
		child_side(s);
	return (pid);
}

static struct child *
child_new(const struct role_def *def, uint32_t gen, struct spawn *s)
{
	struct child	*c;
	int		 sp[2];

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sp) == -1) {
		free(c);
		return (NULL);
	}
	s->fd = sp[1];
	c->pid = do_spawn(s);
	close(sp[1]);
	if (c->pid == -1 || (c->peer = peer_new(sv.base, &sv.peer_ops,
	    def->role, sp[0])) == NULL) {
		if (c->pid == -1)
			close(sp[0]);
		else
			(void)kill(c->pid, SIGKILL);
		free(c);
		return (NULL);
	}
	peer_set_arg(c->peer, c);
	peer_set_pid(c->peer, c->pid);
	c->def = def;
	c->gen = gen;
	c->started = sv_now();
	TAILQ_INSERT_TAIL(&sv.children, c, entry);
	return (c);
}

struct child *
spawn_role(const struct role_def *def, uint32_t gen)
{
	char		 name[32], flag[] = "-x", role[32];
	struct spawn	 s = { .path = sv.program, .fd = -1 };

	strlcpy(name, sv.daemon->name, sizeof(name));
	strlcpy(role, role_name(def->role), sizeof(role));
	s.argv[0] = name;
	s.argv[1] = flag;
	s.argv[2] = role;
	return (child_new(def, gen, &s));
}

/* The descriptor that a role logs to; stderr if the log cannot be opened. */
void
send_log(struct peer *p, const struct conf *conf)
{
	struct msg_LOG	l = { 0 };
	int		fd;

	l.dest = sv.foreground ? LOG_TO_STDERR :
	    (enum log_dest)conf->log_dest;
	l.json = conf->log_json;
	if ((fd = log_open(l.dest, conf->log_path)) == -1) {
		l.dest = LOG_TO_STDERR;
		sv.log_missing = 1;		/* tried again by tick() */
		if ((fd = log_open(l.dest, NULL)) == -1) {
			log_warn("log");
			return;
		}
	}
	peer_send(p, M_LOG, &l, fd);
}

void
spawn_settings(struct child *c, const struct conf *conf,
    const struct sandbox_path *paths, size_t n)
{
	struct msg_START	 start = { 0 };
	struct msg_PATH		 path;
	struct msg_ENTER	 enter = { .npaths = n };
	size_t			 i;

	send_log(c->peer, conf);
	start.contract = contract_hash(sv.daemon->contract);
	start.generation = c->gen;
	start.verbose = sv.verbose;
	start.unprivileged = sv.unprivileged;
	start.max_memory = conf->max_memory;
	strlcpy(start.hostname, conf->hostname, sizeof(start.hostname));
	peer_send(c->peer, M_START, &start, -1);
	for (i = 0; i < n; i++) {
		memset(&path, 0, sizeof(path));
		strlcpy(path.path, paths[i].path, sizeof(path.path));
		strlcpy(path.perm, paths[i].perm, sizeof(path.perm));
		peer_send(c->peer, M_PATH, &path, -1);
	}
	peer_send(c->peer, M_ENTER, &enter, -1);
}

struct peer *
supervise_peruser(enum role role, const char *program, uid_t uid, gid_t gid,
    const char *user, const struct sandbox_path *paths, size_t n, void *arg)
{
	const struct role_def	*def = role_find(sv.daemon, role);
	struct child		*c;
	struct spawn		 s = { .fd = -1 };
	char			 path[C_PATH], name[32], flag[] = "-u";
	char			 ids[2][16];

	if (def == NULL || (!sv.unprivileged && (uid == 0 || gid == 0))) {
		log_warnx("no process as root for %s", user);
		errno = EPERM;
		return (NULL);
	}
	if (sv.nperuser >= PERUSER_MAX) {
		log_warnx("too many per-user processes");
		errno = EAGAIN;
		return (NULL);
	}
	snprintf(path, sizeof(path), "%s/%s", sv.libexec, program);
	strlcpy(name, sv.daemon->name, sizeof(name));
	s.path = path;
	s.argv[0] = name;
	if (!sv.unprivileged) {
		s.argv[1] = flag;
		s.argv[2] = ids[0];
		s.argv[3] = ids[1];
		snprintf(ids[0], sizeof(ids[0]), "%u", (unsigned int)uid);
		snprintf(ids[1], sizeof(ids[1]), "%u", (unsigned int)gid);
	}
	if ((c = child_new(def, supervise_generation(), &s)) == NULL) {
		log_warn("cannot start %s", path);
		return (NULL);
	}
	strlcpy(c->user, user, sizeof(c->user));
	c->arg = arg;
	counter_add(COUNTER_PROCESSES, 1);
	counter_now(COUNTER_PROCESSES, (unsigned int)++sv.nperuser);
	spawn_settings(c, supervise_conf(), paths, n);
	return (c->peer);
}

void
supervise_go(struct peer *p)
{
	struct msg_GO	go = { .generation = child_of(p)->gen };

	peer_send(p, M_GO, &go, -1);
}

void
child_drain(struct child *c, unsigned int seconds)
{
	struct msg_DRAIN	drain = { .seconds = seconds };

	time_t			at = sv_now() + seconds + 5;

	/* Again only if it has less time than it was told before. */
	if (c->peer == NULL || (c->kill_at != 0 && c->kill_at <= at))
		return;
	c->kill_at = at;
	peer_send(c->peer, M_DRAIN, &drain, -1);
}

void
child_overdue(void)
{
	struct child	*c;

	TAILQ_FOREACH(c, &sv.children, entry)
		if (c->kill_at != 0 && sv_now() > c->kill_at &&
		    kill(c->pid, SIGKILL) == -1)
			log_warn("kill");
}

/* Its user may stop it, which is no reason to wait for ever. */
void
supervise_lifetime(struct peer *p, unsigned int seconds)
{
	child_of(p)->kill_at = sv_now() + seconds;
}

void
supervise_end(struct peer *p)
{
	child_drain(child_of(p), 60);
}

void
supervise_kill(struct peer *p, const char *why)
{
	struct child	*c = child_of(p);

	log_warnx("killing %s[%d]%s%s: %s", role_name(c->def->role),
	    (int)c->pid, c->user[0] != '\0' ? " of " : "", c->user, why);
	if (kill(c->pid, SIGKILL) == -1)
		log_warn("kill");
}

struct child *
child_of(struct peer *p)
{
	return (peer_arg(p));
}

struct child *
child_by_pid(pid_t pid)
{
	struct child	*c;

	TAILQ_FOREACH(c, &sv.children, entry)
		if (c->pid == pid)
			return (c);
	return (NULL);
}

void
child_free(struct child *c)
{
	TAILQ_REMOVE(&sv.children, c, entry);
	if (c->def->flags & ROLE_PERUSER)
		counter_now(COUNTER_PROCESSES, (unsigned int)--sv.nperuser);
	peer_free(c->peer);
	free(c);
}
