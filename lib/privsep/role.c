/*
 * role: the life of a confined process.
 *
 * In the order in which it happens: a per-user program that was started as
 * root becomes its user; the parent tells settings and paths, the libraries
 * that need files are warmed up, privilege is dropped and verified, the sandbox
 * is entered, and only then configuration, descriptors and channels are taken
 * and the role's own code runs.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "os/compat.h"
#include "os/sandbox.h"
#include "privsep/account.h"
#include "privsep/role.h"

#define ROLE_HANDLERS	128		/* of one role */
#define ROLE_CHANNELS	64		/* to other roles, all generations */

static struct {
	const struct daemon_def	*daemon;
	const struct role_def	*def;
	const struct role_code	*code;
	struct event_base	*base;
	struct peer_ops		 ops;
	struct handler		 handlers[ROLE_HANDLERS];
	struct peer		*parent;
	struct peer		*peers[ROLE_CHANNELS];	/* oldest first */
	size_t			 npeers;
	struct msg_START	 start;
	struct sandbox		 box;
	char			 paths[SANDBOX_PATHS][C_PATH];
	char			 perms[SANDBOX_PATHS][8];
	int			 entered;
	int			 going;
	int			 draining;
	int			 lacking;
	int			 level;		/* SANDBOX_* reached */
} self;

static void	enter(void);

struct event_base *
role_base(void)
{
	return (self.base);
}

struct peer *
role_parent(void)
{
	return (self.parent);
}

struct peer *
role_peer(enum role role)
{
	size_t	i;

	for (i = self.npeers; i > 0; i--)
		if (peer_role(self.peers[i - 1]) == role)
			return (self.peers[i - 1]);
	return (NULL);
}

struct peer *
role_peer_of(enum role role, uint32_t generation)
{
	size_t	i;

	for (i = self.npeers; i > 0; i--)
		if (peer_role(self.peers[i - 1]) == role &&
		    peer_generation(self.peers[i - 1]) == generation)
			return (self.peers[i - 1]);
	return (NULL);
}

const struct msg_START *
role_settings(void)
{
	return (&self.start);
}

int
role_draining(void)
{
	return (self.draining);
}

int
role_lacking(void)
{
	return (self.lacking);
}

const struct role_def *
role_find(const struct daemon_def *d, enum role role)
{
	const struct role_def	*r;

	for (r = d->roles; r->role != ROLE_PARENT; r++)
		if (r->role == role)
			return (r);
	return (NULL);
}

void
role_exit(int status)
{
	/* _exit: nothing that a library registered may run in the sandbox. */
	if (self.parent != NULL)
		(void)peer_flush(self.parent);
	_exit(status);
}

char *
role_slurp(int fd, size_t max, size_t *len)
{
	struct stat	 st;
	char		*p;
	ssize_t		 n;
	size_t		 got = 0;

	if (fstat(fd, &st) == -1)
		return (NULL);
	if (st.st_size < 0 || (uint64_t)st.st_size > max) {
		errno = EFBIG;
		return (NULL);
	}
	if ((p = malloc((size_t)st.st_size + 1)) == NULL)
		return (NULL);
	while (got < (size_t)st.st_size) {
		n = pread(fd, p + got, (size_t)st.st_size - got, got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			free(p);
			return (NULL);
		}
		if (n == 0)
			break;
		got += n;
	}
	p[got] = '\0';
	*len = got;
	return (p);
}

/*
 * Who is believed less than whom: a role may have a weaker one killed, and
 * exits itself when a stronger one breaks the contract.
 */
static int
strength(enum role role)
{
	switch (role) {
	case ROLE_PARENT:
		return (2);
	case ROLE_AUTH:
	case ROLE_SIGNER:
	case ROLE_LOOKUP:
	case ROLE_QUEUE:
		return (1);
	default:
		return (0);
	}
}

void
role_peer_bad(struct peer *p, const char *why)
{
	static time_t		second;
	static unsigned int	told;
	struct msg_PEER_BAD	bad = { 0 };
	time_t			now = time(NULL);

	log_warnx("bad message from %s: %s", role_name(peer_role(p)), why);
	if (strength(peer_role(p)) > strength(self.def->role) ||
	    peer_role(p) == ROLE_PARENT)
		role_exit(1);
	/* A crowd of bad peers must not make us one to the parent. */
	if (now != second) {
		second = now;
		told = 0;
	}
	if (++told > PEER_BAD_MAX)
		return;
	bad.pid = peer_pid(p);
	strlcpy(bad.why, why, sizeof(bad.why));
	peer_send(self.parent, M_PEER_BAD, &bad, -1);
}

static void
forget_peer(struct peer *p)
{
	size_t	i;

	for (i = 0; i < self.npeers; i++)
		if (self.peers[i] == p) {
			self.npeers--;
			memmove(&self.peers[i], &self.peers[i + 1],
			    (self.npeers - i) * sizeof(self.peers[0]));
			return;
		}
}

static void
role_gone(struct peer *p, const char *why)
{
	if (p == self.parent) {
		/* No parent, no service; nothing is left to be told. */
		if (why != NULL)
			log_warnx("channel to the parent: %s", why);
		_exit(why != NULL);
	}
	if (why != NULL)
		role_peer_bad(p, why);
	forget_peer(p);
	if (self.code->channel_gone != NULL)
		self.code->channel_gone(p);
	peer_free(p);
}

struct peer *
role_peer_new(enum role role, int fd, pid_t pid)
{
	struct peer	*p;

	if ((p = peer_new(self.base, &self.ops, role, fd)) != NULL)
		peer_set_pid(p, pid);
	return (p);
}

static void
role_start(struct peer *p, struct msg *m)
{
	const struct msg_START	*start = m->body;

	if (start->contract != contract_hash(self.daemon->contract))
		fatalx("this program is not of the same build as its parent: "
		    "restart %s", self.daemon->name);
	self.start = *start;
	log_verbose(start->verbose);
}

static void
role_path(struct peer *p, struct msg *m)
{
	const struct msg_PATH	*path = m->body;
	size_t			 n = self.box.npaths;

	if (n == SANDBOX_PATHS || self.entered)
		fatalx("too many paths");
	strlcpy(self.paths[n], path->path, sizeof(self.paths[n]));
	strlcpy(self.perms[n], path->perm, sizeof(self.perms[n]));
	self.box.paths[n].path = self.paths[n];
	self.box.paths[n].perm = self.perms[n];
	self.box.npaths++;
}

static void
role_enter(struct peer *p, struct msg *m)
{
	const struct msg_ENTER	*ask = m->body;

	if (self.entered || ask->npaths != self.box.npaths)
		fatalx("bad order of settings");
	enter();
	self.entered = 1;
	if (self.code->init != NULL)
		self.code->init();
}

static void
role_log(struct peer *p, struct msg *m)
{
	const struct msg_LOG	*l = m->body;

	log_use(l->dest, m->fd, l->json);
	m->fd = -1;
}

/* What is left of the channel that a new one takes the place of. */
static void
replace(enum role role, pid_t pid)
{
	size_t	i;

	for (i = 0; i < self.npeers; i++)
		if (peer_role(self.peers[i]) == role &&
		    peer_pid(self.peers[i]) == pid) {
			role_gone(self.peers[i], NULL);
			return;
		}
}

static void
role_channel(struct peer *p, struct msg *m)
{
	const struct msg_CHANNEL	*ch = m->body;
	struct peer			*new;

	if (ch->role >= ROLE_COUNT || ch->role == ROLE_PARENT)
		fatalx("channel to nobody");
	replace(ch->role, (pid_t)ch->pid);
	if (self.npeers == ROLE_CHANNELS) {
		log_warnx("too many channels");
		return;
	}
	new = role_peer_new(ch->role, m->fd, ch->pid);
	m->fd = -1;
	if (new == NULL) {
		log_warn("channel to %s", role_name(ch->role));
		return;
	}
	peer_set_generation(new, ch->generation);
	self.peers[self.npeers++] = new;
	if (self.code->channel != NULL)
		self.code->channel(new);
}

static void
role_go(struct peer *p, struct msg *m)
{
	if (!self.entered)
		fatalx("not confined");
	self.going = 1;
}

static void
role_drain(struct peer *p, struct msg *m)
{
	const struct msg_DRAIN	*d = m->body;

	self.draining = 1;
	if (self.code->drain == NULL)
		role_exit(0);
	self.code->drain(d->seconds);
}

static void
role_verbose(struct peer *p, struct msg *m)
{
	const struct msg_VERBOSE	*v = m->body;

	log_verbose(v->level);
}

static void
role_stats(struct peer *p, struct msg *m)
{
	if (self.code->stats != NULL)
		self.code->stats();
}

static void
role_ignore(struct peer *p, struct msg *m)
{
	/* The configuration text, for a role that needs none of it. */
}

static const struct handler common_handlers[] = {
	{ M_START,	role_start },
	{ M_PATH,	role_path },
	{ M_ENTER,	role_enter },
	{ M_LOG,	role_log },
	{ M_CHANNEL,	role_channel },
	{ M_GO,		role_go },
	{ M_DRAIN,	role_drain },
	{ M_VERBOSE,	role_verbose },
	{ M_STATS,	role_stats },
	{ M_CONF,	role_ignore },
	{ 0,		NULL }
};

static void
add_handler(const struct handler *h)
{
	size_t	i;

	for (i = 0; self.handlers[i].fn != NULL; i++)
		if (self.handlers[i].type == h->type)
			return;		/* the role's own comes first */
	if (i == ROLE_HANDLERS - 1)
		fatalx("too many handlers");
	self.handlers[i] = *h;
}

static void
merge_handlers(void)
{
	const struct handler	*h;

	for (h = self.code->handlers; h->fn != NULL; h++)
		add_handler(h);
	for (h = common_handlers; h->fn != NULL; h++)
		add_handler(h);
	self.ops.contract = self.daemon->contract;
	self.ops.self = self.def->role;
	self.ops.handlers = self.handlers;
	self.ops.gone = role_gone;
	peer_check_handlers(&self.ops);
}

static void
limit(int what, rlim_t most, const char *name)
{
	struct rlimit	rl;

	if (getrlimit(what, &rl) == -1)
		fatal("getrlimit %s", name);
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_max < most)
		most = rl.rlim_max;
	rl.rlim_cur = rl.rlim_max = most;
	if (setrlimit(what, &rl) == -1)
		fatal("setrlimit %s", name);
}

static void
limits(void)
{
	limit(RLIMIT_CORE, 0, "core");
	limit(RLIMIT_NOFILE, self.def->nofile, "nofile");
#ifndef SANDBOX_TEST_RELAX
	/* A sanitizer's shadow does not fit into any address space limit. */
	if (self.start.max_memory > 0)
		limit(RLIMIT_DATA, self.start.max_memory, "data");
#endif
}

/*
 * A user's first mail or login: the owner makes the directory, with the
 * owner's rights, while it can still be named.  The first that cannot be made
 * is told, with whom it would have to let in; -1.
 */
static int
make_missing(const char *path)
{
	char	part[C_PATH];
	size_t	n;
	int	error;

	strlcpy(part, path, sizeof(part));
	for (n = 1; n <= strlen(path); n++) {
		if (path[n] != '/' && path[n] != '\0')
			continue;
		part[n] = '\0';
		if (mkdir(part, 0700) == -1) {
			error = errno;
			/* What is there may be a link to nothing. */
			if ((error != EEXIST || path[n] == '\0') &&
			    access(part, F_OK) == -1)
				break;
		}
		part[n] = path[n];
	}
	if (n > strlen(path))
		return (0);
	log_warnx("%s: uid %u cannot make it: %s", part,
	    (unsigned int)getuid(), strerror(error));
	return (-1);
}

/*
 * What is not there can be in no sandbox.  The role goes on without it, so
 * that whoever waits is told.
 */
static void
make_own_paths(void)
{
	struct sandbox_path	*p = self.box.paths;
	size_t			 i, n = 0;

	for (i = 0; i < self.box.npaths; i++)
		if (strchr(p[i].perm, 'c') == NULL ||
		    make_missing(p[i].path) == 0)
			p[n++] = p[i];
	self.lacking = n < self.box.npaths;
	self.box.npaths = n;
}

static void
enter(void)
{
	int	got;

	if (!self.start.unprivileged && self.def->user != NULL) {
		self.daemon->become(self.def->user, self.def->root);
		self.level |= SANDBOX_UID;
		if (self.def->root != NULL)
			self.level |= SANDBOX_CHROOT;
	} else {
		/* One's own uid, or the owner's, taken at the start. */
		account_verify(getuid(), getgid());
		if (!self.start.unprivileged && getuid() == 0)
			fatalx("started as root for no user");
		if (!self.start.unprivileged)
			self.level |= SANDBOX_UID;
	}
	if (self.def->flags & ROLE_PERUSER)
		make_own_paths();
	limits();
	self.box.promises = self.def->promises;
	if ((got = sandbox_enter(&self.box)) == -1)
		fatal("sandbox");
	self.level |= got;
}

/* "-u UID GID": whose process this is (spawn.c). */
static void
become_user(int argc, char **argv)
{
	const char	*bad[2];
	uid_t		 uid;
	gid_t		 gid;

	if (argc != 4 || strcmp(argv[1], "-u") != 0)
		return;
	uid = (uid_t)strtonum(argv[2], 1, UINT32_MAX - 1, &bad[0]);
	gid = (gid_t)strtonum(argv[3], 1, UINT32_MAX - 1, &bad[1]);
	if (bad[0] != NULL || bad[1] != NULL)
		fatalx("no such uid or gid");
	account_drop(uid, gid);
}

static void
begin(int argc, char **argv, char **envp)
{
	struct sigaction	sa = { .sa_handler = SIG_IGN };

	setproctitle_init(argc, argv, envp);
	setproctitle("%s", role_name(self.def->role));
	tzset();
	umask(077);
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	if ((self.base = event_base_new()) == NULL)
		fatalx("event_base_new");
	merge_handlers();
	if ((self.parent = peer_new(self.base, &self.ops, ROLE_PARENT,
	    ROLE_FD)) == NULL)
		fatal("channel to the parent");
	peer_phase(self.parent, WHEN_START);
	if (self.code->warm != NULL)
		self.code->warm();
}

static void
lost_log(void)
{
	static time_t		 last;
	struct msg_LOG_LOST	 lost = { .dest = LOG_TO_SYSLOG };
	time_t			 now = time(NULL);

	if (now - last < 2 || self.parent == NULL)
		return;
	last = now;
	peer_send(self.parent, M_LOG_LOST, &lost, -1);
}

void
role_run(const struct daemon_def *d, const struct role_def *def, int argc,
    char **argv)
{
	extern char		**environ;
	struct msg_READY	  ready = { 0 };
	int			  r;

	self.daemon = d;
	self.def = def;
	self.code = def->code;
	log_init(d->name, role_name(def->role));
	if (def->flags & ROLE_PERUSER)
		become_user(argc, argv);
	begin(argc, argv, environ);
	while (!self.going)
		if ((r = peer_read_one(self.parent)) != 1)
			_exit(r == 0 ? 0 : 1);
	peer_phase(self.parent, WHEN_RUN);
	log_lost_hook(lost_log);
	if (self.code->go != NULL)
		self.code->go();
	ready.sandbox = self.level;
	ready.uid = getuid();
	peer_send(self.parent, M_READY, &ready, -1);
	if (event_base_dispatch(self.base) == -1)
		fatalx("event loop");
	role_exit(0);
}
