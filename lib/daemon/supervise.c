/*
 * supervise: main() of a daemon's parent.
 *
 * Runs as root.  Reads the command line and mail.conf, binds sockets, starts
 * roles and waits: for signals, for messages of fixed size from its roles, and
 * for mailctl.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/child.h"
#include "daemon/counter.h"
#include "daemon/limit.h"
#include "daemon/options.h"
#include "log/log.h"
#include "os/os.h"

#define STOP_NET	5	/* seconds that connections get to finish */
#define STOP_KEEPS	4		/* and what the spool's owner began */
#define STOP_ALL	10
#define PARENT_NOFILE	32768

struct supervise sv;
static struct options	opt;
static int		ready_fd = -1;	/* tells the waiting shell */
static time_t		stop_at;

static void	stopping(void);
static int	own_log(const struct conf *);

time_t
sv_now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec);
}

/*
 * The generation in force.  While the first one starts it is that one: a
 * role that is ready asks for a mailbox before the last one is.
 */
static const struct gen *
in_force(void)
{
	return (sv.current != NULL ? sv.current : TAILQ_FIRST(&sv.gens));
}

const struct conf *
supervise_conf(void)
{
	return (in_force()->conf);
}

uint32_t
supervise_generation(void)
{
	return (in_force()->id);
}

uint32_t
supervise_peer_generation(struct peer *p)
{
	return (child_of(p)->gen);
}

const struct conf *
supervise_peer_conf(struct peer *p)
{
	const struct gen	*g = gen_find(child_of(p)->gen);

	return (g != NULL ? g->conf : supervise_conf());
}

int
supervise_unprivileged(void)
{
	return (sv.unprivileged);
}

struct peer *
supervise_role_of(enum role role, uint32_t generation)
{
	struct child	*c;

	/* One that drains still serves the connections it has. */
	if ((c = gen_role(generation, role)) != NULL)
		return (c->peer);
	TAILQ_FOREACH(c, &sv.children, entry)
		if (c->def->role == role && c->gen == generation &&
		    c->peer != NULL)
			return (c->peer);
	return (NULL);
}

struct peer *
supervise_role(enum role role)
{
	return (supervise_role_of(role, supervise_generation()));
}

size_t
supervise_peruser_count(void)
{
	return (sv.nperuser);
}

void
supervise_stats(void)
{
	struct msg_STATS	 m = { 0 };
	struct child		*c;

	log_info("generation %u, %zu per-user processes", sv.current == NULL ?
	    0 : sv.current->id, sv.nperuser);
	TAILQ_FOREACH(c, &sv.children, entry)
		if (c->peer != NULL && c->ready)
			peer_send(c->peer, M_STATS, &m, -1);
}

/* Messages that every daemon's parent gets. */

static void
parent_ready(struct peer *p, struct msg *m)
{
	const struct msg_READY	*r = m->body;
	struct child		*c = child_of(p);

	if (c->ready) {
		supervise_kill(p, "is ready twice");
		return;
	}
	c->ready = 1;
	c->level = r->sandbox;
	c->uid = r->uid;
	if (c->level & SANDBOX_RELAXED)
		log_warnx("%s runs with a relaxed sandbox",
		    role_name(c->def->role));
	if (c->def->flags & ROLE_PERUSER)
		return;
	gen_ready(c);
	if (sv.current != NULL && ready_fd != -1) {
		if (write(ready_fd, "", 1) != 1)
			log_warn("ready");
		close(ready_fd);
		ready_fd = -1;
	}
}

static void
parent_table_again(struct peer *p, struct msg *m)
{
	const struct msg_TABLE_AGAIN	*t = m->body;
	struct gen			*g = gen_find(child_of(p)->gen);

	if (g != NULL)
		give_table(p, g->conf, t->index);
}

static int
may_blame(const struct child *from, const struct child *bad)
{
	const struct role_def	*d;

	if (bad->def->flags & ROLE_PERUSER)
		return ((bad->def->channels & (1u << from->def->role)) != 0);
	d = role_find(sv.daemon, bad->def->role);
	return ((from->def->channels & (1u << bad->def->role)) != 0 ||
	    (d->channels & (1u << from->def->role)) != 0);
}

/*
 * Only auth, signer, lookup and queue are believed, and only about a weaker
 * role that they have a channel to: net cannot have anybody killed.  Others
 * have closed the channel, and get a new one.
 */
static void
parent_peer_bad(struct peer *p, struct msg *m)
{
	const struct msg_PEER_BAD	*b = m->body;
	struct child			*from = child_of(p), *c;
	const uint32_t			 believed = R_AUTH | R_SIGNER |
					     R_LOOKUP | R_QUEUE;

	if ((c = child_by_pid(b->pid)) == NULL || c->peer == NULL)
		return;
	if (!(believed & (1u << from->def->role)) ||
	    (believed & (1u << c->def->role)) || !may_blame(from, c)) {
		log_warnx("%s complains about %s: %s",
		    role_name(from->def->role), role_name(c->def->role),
		    b->why);
		gen_join_again(from, c);
		return;
	}
	supervise_kill(c->peer, b->why);
}

static void
parent_log_lost(struct peer *p, struct msg *m)
{
	send_log(p, supervise_conf());
}

static const struct handler common_handlers[] = {
	{ M_READY,		parent_ready },
	{ M_TABLE_AGAIN,	parent_table_again },
	{ M_PEER_BAD,		parent_peer_bad },
	{ M_LOG_LOST,		parent_log_lost },
	{ M_LIMIT_USE,		parent_limit_use },
	{ M_COUNTED,		parent_counted },
	{ M_CTL_ASK,		control_ask },
	{ 0,			NULL }
};

static void
child_gone(struct peer *p, const char *why)
{
	struct child	*c = child_of(p);

	if (why != NULL)
		supervise_kill(p, why);
	if ((c->def->flags & ROLE_PERUSER) && sv.ops->peruser_gone != NULL)
		sv.ops->peruser_gone(p, c->arg);
	c->peer = NULL;
	peer_free(p);
	/* A role that only closed its channel is of no use either. */
	if (why == NULL && c->kill_at == 0)
		c->kill_at = sv_now();
}

static void
log_exit(const struct child *c, int status)
{
	const char	*role = role_name(c->def->role);

	if (WIFSIGNALED(status))
		log_warnx("%s[%d]%s%s was killed by signal %d", role,
		    (int)c->pid, *c->user != '\0' ? " of " : "", c->user,
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_warnx("%s[%d]%s%s exited with status %d%s", role,
		    (int)c->pid, *c->user != '\0' ? " of " : "", c->user,
		    WEXITSTATUS(status), WEXITSTATUS(status) == 127 ?
		    " (its program cannot be started)" : "");
	else
		log_debug("%s[%d] finished", role, (int)c->pid);
}

static void
reap(evutil_socket_t sig, short ev, void *arg)
{
	struct child	*c;
	pid_t		 pid;
	int		 status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if ((c = child_by_pid(pid)) == NULL)
			continue;
		log_exit(c, status);
		if (c->peer != NULL)
			child_gone(c->peer, NULL);
		gen_child_exited(c);
	}
	if (sv.stopping)
		stopping();
}

static void
report_log(void *arg, int is_error, const char *line)
{
	log_warnx("%s", line);
}

void
gen_reload(void)
{
	struct conf	*conf;
	struct gen	*g;
	char		 err[512];

	if (sv.stopping)
		return;
	TAILQ_FOREACH(g, &sv.gens, entry)
		if (g->state == GEN_STARTING) {
			log_info("another reload follows the one going on");
			sv.reload_again = 1;
			return;
		}
	/* Whatever becomes of it: the log may have been moved away. */
	logs_again(supervise_conf());
	if ((conf = conf_load(sv.conf_path, opt.macros, opt.nmacros,
	    report_log, NULL)) == NULL) {
		log_warnx("%s has mistakes; the old configuration stays",
		    sv.conf_path);
		return;
	}
	if (sv.ops->check != NULL && sv.ops->check(conf, report_log,
	    NULL) == -1) {
		log_warnx("%s does not pass its checks; the old configuration "
		    "stays", sv.conf_path);
		conf_free(conf);
		return;
	}
	if (give_bind(conf, err, sizeof(err)) == -1) {
		log_warnx("%s; the old configuration stays", err);
		give_unbind(supervise_conf());
		conf_free(conf);
		return;
	}
	if (gen_start(conf) == -1)
		log_warnx("reload failed");
}

static void
stop(evutil_socket_t sig, short ev, void *arg)
{
	struct gen	*g;

	if (sv.stopping)
		return;
	log_info("stopping");
	sv.stopping = 1;
	stop_at = sv_now();
	TAILQ_FOREACH(g, &sv.gens, entry)
		gen_drain(g, STOP_NET);
}

/*
 * The end in order: net and relay finish what they are doing, then the spool's
 * owner hears of what was delivered, then everybody else goes; who is still
 * there is killed.
 */
static void
stopping(void)
{
	struct child	*c;
	time_t		 since = sv_now() - stop_at;
	int		 nets = 0, keepers = 0;

	TAILQ_FOREACH(c, &sv.children, entry) {
		nets += c->def->role == ROLE_NET || c->def->role == ROLE_RELAY;
		keepers += (c->def->flags & ROLE_KEEPS) != 0;
	}
	if (nets > 0 && since < STOP_NET)
		return;
	TAILQ_FOREACH(c, &sv.children, entry)
		if ((c->def->flags & ROLE_KEEPS) || keepers == 0 ||
		    since >= STOP_NET + STOP_KEEPS)
			child_drain(c, STOP_KEEPS);
	if (since > STOP_ALL)
		TAILQ_FOREACH(c, &sv.children, entry)
			(void)kill(c->pid, SIGKILL);
	if (TAILQ_EMPTY(&sv.children))
		event_base_loopbreak(sv.base);
}

static void
tick(evutil_socket_t fd, short ev, void *arg)
{
	child_overdue();
	gen_tick();
	if (sv.ops->tick != NULL && !sv.stopping)
		sv.ops->tick();
	if (sv.log_missing && own_log(supervise_conf()) == 0)
		logs_again(supervise_conf());
	if (sv.stopping)
		stopping();
}

static void
on_hup(evutil_socket_t sig, short ev, void *arg)
{
	gen_reload();
}

static void
on_usr1(evutil_socket_t sig, short ev, void *arg)
{
	supervise_stats();
}

static void
add_event(struct event *ev, const struct timeval *tv)
{
	if (ev == NULL || event_add(ev, tv) == -1)
		fatalx("event");
}

static void
watch_signals(void)
{
	static const struct timeval	second = { .tv_sec = 1 };
	struct sigaction		sa = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &sa, NULL);
	add_event(evsignal_new(sv.base, SIGCHLD, reap, NULL), NULL);
	add_event(evsignal_new(sv.base, SIGHUP, on_hup, NULL), NULL);
	add_event(evsignal_new(sv.base, SIGUSR1, on_usr1, NULL), NULL);
	add_event(evsignal_new(sv.base, SIGTERM, stop, NULL), NULL);
	add_event(evsignal_new(sv.base, SIGINT, stop, NULL), NULL);
	add_event(event_new(sv.base, -1, EV_PERSIST, tick, NULL), &second);
}

static void
merge_handlers(void)
{
	static struct handler	 all[64];
	const struct handler	*h;
	size_t			 n = 0;

	for (h = common_handlers; h->fn != NULL; h++)
		all[n++] = *h;
	for (h = sv.ops->handlers; h != NULL && h->fn != NULL; h++) {
		if (n == sizeof(all) / sizeof(all[0]) - 1)
			fatalx("too many handlers");
		all[n++] = *h;
	}
	sv.peer_ops.contract = sv.daemon->contract;
	sv.peer_ops.self = ROLE_PARENT;
	sv.peer_ops.handlers = all;
	sv.peer_ops.gone = child_gone;
	peer_check_handlers(&sv.peer_ops);
}

/*
 * Into the background; the shell's process waits until every role is ready,
 * so that "started" means serving.
 */
static void
background(void)
{
	int	p[2], null;
	char	c;
	ssize_t	n;

	if (pipe(p) == -1)
		fatal("pipe");
	switch (fork()) {
	case -1:
		fatal("fork");
	case 0:
		break;
	default:
		close(p[1]);
		do {
			n = read(p[0], &c, 1);
		} while (n == -1 && errno == EINTR);
		if (n != 1)
			fprintf(stderr, "%s was not started; see the log\n",
			    sv.daemon->name);
		_exit(n == 1 ? 0 : 1);
	}
	close(p[0]);
	ready_fd = p[1];
	if (fcntl(ready_fd, F_SETFD, FD_CLOEXEC) == -1 || setsid() == -1 ||
	    chdir("/") == -1 || (null = open("/dev/null", O_RDWR)) == -1 ||
	    dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1)
		fatal("background");
	if (null > STDERR_FILENO)
		close(null);
}

static int
own_log(const struct conf *conf)
{
	enum log_dest	dest = conf->log_dest;
	int		fd;

	if (sv.foreground)
		return (0);
	if ((fd = log_open(dest, conf->log_path)) == -1) {
		if (!sv.log_missing)
			log_warn("the log cannot be opened");
		sv.log_missing = 1;		/* tick() tries again */
		return (-1);
	}
	log_use(dest, fd, conf->log_json);
	return (0);
}

/* The log was moved away, or another one is to be used. */
void
logs_again(const struct conf *conf)
{
	struct child	*c;

	sv.log_missing = 0;
	(void)own_log(conf);		/* said so, and is tried again */
	TAILQ_FOREACH(c, &sv.children, entry)
		if (c->peer != NULL)
			send_log(c->peer, conf);
}

/* syslogd was started again. */
static void
lost_own_log(void)
{
	static time_t	last;
	time_t		now = sv_now();

	if (now - last < 2 && last != 0)
		return;
	last = now;
	(void)own_log(supervise_conf());
}

/* Who started us may wait for the end of what he reads from us. */
static void
leave_stderr(const struct conf *conf)
{
#ifndef SANDBOX_TEST_RELAX	/* sanitizers report there */
	int	null;

	if (sv.foreground || conf->log_dest == LOG_TO_STDERR)
		return;
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 ||
	    dup2(null, STDERR_FILENO) == -1)
		fatal("/dev/null");
	close(null);
#endif
}

/* One daemon a state directory; the lock goes with the process. */
static void
pid_file(const struct conf *conf)
{
	char	path[PATH_MAX], text[16];
	mode_t	old = umask(022);	/* users come to submit.sock */
	int	fd, n;

	if (mkdir(conf->state, 0755) == -1 && errno != EEXIST)
		fatal("%s", conf->state);
	umask(old);
	snprintf(path, sizeof(path), "%s/%s.pid", conf->state,
	    sv.daemon->name);
	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0644)) == -1)
		fatal("%s", path);
	if (os_lock(fd) == -1)
		fatalx("%s is already running (see %s)", sv.daemon->name, path);
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == -1 || write(fd, text, n) != n)
		fatal("%s", path);
}

/* One for each process, and one more on the way to it. */
static void
descriptors(void)
{
	struct rlimit	rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("getrlimit");
	rl.rlim_cur = rl.rlim_max == RLIM_INFINITY ||
	    rl.rlim_max > PARENT_NOFILE ? PARENT_NOFILE : rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("setrlimit");
}

static int
run(struct conf *conf)
{
	char	err[512];

	if (!opt.foreground)
		background();
	descriptors();
	sv.since = time(NULL);
	if ((sv.base = event_base_new()) == NULL)
		fatalx("event_base_new");
	pid_file(conf);
	if (sv.ops->prepare != NULL && sv.ops->prepare(conf) == -1)
		return (1);
	if (give_bind(conf, err, sizeof(err)) == -1)
		fatalx("%s", err);
	merge_handlers();
	watch_signals();
	if (control_open(conf) == -1)
		fatalx("control socket");
	/* What went wrong so far was said to whoever started us. */
	if (own_log(conf) == 0)
		leave_stderr(conf);
	if (sv.unprivileged)
		log_warnx("started by uid %u: same processes, same sandbox, "
		    "but all of them with this uid", (unsigned)getuid());
	setproctitle("[priv]");
	if (gen_start(conf) == -1)
		return (1);
	log_lost_hook(lost_own_log);
	if (event_base_dispatch(sv.base) == -1)
		fatalx("event loop");
	control_close();
	give_unlink();
	log_info("stopped");
	return (0);
}

/* A daemon without them would take mail and logins in vain. */
static int
have_programs(void)
{
	const struct role_def	*def;
	char			 path[PATH_MAX + 64];

	for (def = sv.daemon->roles; def->role != ROLE_PARENT; def++) {
		if ((def->flags & ROLE_PERUSER) == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s-%s", sv.libexec,
		    sv.daemon->name, role_name(def->role));
		if (access(path, X_OK) == -1) {
			log_warn("%s: run \"make install\"", path);
			return (0);
		}
	}
	return (1);
}

static void
as_role(int argc, char **argv)
{
	const struct role_def	*def;

	for (def = sv.daemon->roles; def->role != ROLE_PARENT; def++)
		if (argc == 3 && def->code != NULL &&
		    strcmp(role_name(def->role), argv[2]) == 0)
			role_run(sv.daemon, def, argc, argv);
	fatalx("no such role");
}

int
supervise_main(const struct daemon_def *d, const struct parent_ops *ops,
    int argc, char **argv)
{
	extern char	**environ;
	struct conf	 *conf;

	sv.daemon = d;
	sv.ops = ops;
	TAILQ_INIT(&sv.children);
	TAILQ_INIT(&sv.gens);
	log_init(d->name, "");
	if (argc >= 2 && strcmp(argv[1], "-x") == 0)
		as_role(argc, argv);
	closefrom(STDERR_FILENO + 1);
	tzset();
	umask(077);
	options_parse(&opt, argc, argv);
	sv.conf_path = opt.conf_path;
	sv.verbose = opt.verbose;
	sv.foreground = opt.foreground;
	sv.unprivileged = geteuid() != 0;
	sv.program = opt.program;
	sv.libexec = opt.libexec;
	setproctitle_init(argc, argv, environ);
	log_verbose(opt.verbose);
	if (opt.audit)
		return (options_audit(&opt));
	if ((conf = options_load(&opt, ops)) == NULL)
		return (1);
	if (opt.check)
		return (options_check(&opt, conf));
	if (!have_programs())
		return (1);
	return (run(conf));
}
