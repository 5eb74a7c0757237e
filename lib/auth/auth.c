/*
 * auth: the role that judges logins.
 *
 * Talks to the parent (believed) and to net (not believed: net may ask about
 * anybody from any address, and gains nothing but a verdict that goes
 * elsewhere).  Runs as _mailauth in group shadow, without a chroot, because
 * the password database is read through the C library; user tables come as
 * descriptors from the parent.
 */
#include <sys/types.h>

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <shadow.h>
#endif

#include "auth/auth.h"
#include "auth/exchange.h"
#include "auth/hold.h"
#include "auth/judge.h"
#include "auth/worker.h"
#include "conf/conf.h"
#include "log/log.h"
#include "os/compat.h"

#define CONF_MAX	(16 << 20)	/* as in the contract */
#define STATS_LINE	256

static struct {
	struct conf	*conf;
	struct sources	*sources;
	unsigned int	 threads;
} self;

static void	auth_conf(struct peer *, struct msg *);
static void	auth_table(struct peer *, struct msg *);
static void	auth_auth_try(struct peer *, struct msg *);
static void	auth_auth_start(struct peer *, struct msg *);
static void	auth_auth_step(struct peer *, struct msg *);
static void	auth_auth_cancel(struct peer *, struct msg *);
static void	auth_decoy_key(struct peer *, struct msg *);

static const struct handler handlers[] = {
	{ M_CONF,	auth_conf },
	{ M_TABLE,	auth_table },
	{ M_AUTH_TRY,	auth_auth_try },
	{ M_AUTH_START,	auth_auth_start },
	{ M_AUTH_STEP,	auth_auth_step },
	{ M_AUTH_CANCEL, auth_auth_cancel },
	{ M_DECOY_KEY,	auth_decoy_key },
	{ 0,		NULL }
};

/*
 * Name service modules, libcrypto's configuration and the number of
 * processors are read from files that the sandbox hides.
 */
static void
warm(void)
{
	char	dummy[VERIFY_HASH_MAX];
	long	n;

#ifdef __GLIBC__
	/* threads that reserve 64 MB each would meet "limit memory" */
	(void)mallopt(M_ARENA_MAX, 1);
#endif
	(void)getpwnam("root");
#ifdef __linux__
	(void)getspnam("root");
#endif
	(void)verify_password("{SCRAM-SHA-256}4096,AAAA,"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "warm");
	(void)verify_dummy(NULL, dummy, sizeof(dummy));
	n = sysconf(_SC_NPROCESSORS_ONLN);
	self.threads = n < 1 ? 2 : n > WORKERS_MAX / 2 ? WORKERS_MAX :
	    2 * (unsigned int)n;
}

static void
report(void *arg, int is_error, const char *line)
{
	(void)arg;
	if (is_error)
		log_warnx("%s", line);
}

static void
ask_again(unsigned int index, void *arg)
{
	struct msg_TABLE_AGAIN	again = { .index = index };

	(void)arg;
	peer_send(role_parent(), M_TABLE_AGAIN, &again, -1);
}

static void
auth_conf(struct peer *parent, struct msg *m)
{
	char	*text, err[LOG_LINE_MAX];
	size_t	 len;

	(void)parent;
	/* a reload starts another auth process */
	if (self.conf != NULL)
		fatalx("a second configuration");
	if ((text = role_slurp(m->fd, CONF_MAX, &len)) == NULL)
		fatal("configuration");
	self.conf = conf_parse(text, len, report, NULL);
	freezero(text, len + 1);
	if (self.conf == NULL)
		fatalx("the configuration was not understood");
	self.sources = sources_new(self.conf, ask_again, NULL, err,
	    sizeof(err));
	if (self.sources == NULL)
		fatalx("%s", err);
}

static void
auth_table(struct peer *parent, struct msg *m)
{
	const struct msg_TABLE	*t = m->body;

	(void)parent;
	if (self.sources == NULL)
		fatalx("a table before the configuration");
	if (!sources_table(self.sources, (unsigned int)t->index,
	    (int)t->failed, m->fd))
		log_debug("table %u is none of auth", (unsigned int)t->index);
}

static void
go(void)
{
	if (self.sources == NULL)
		fatalx("no configuration");
	if (judge_init(self.sources, self.threads) == -1)
		fatal("auth");
	exchange_init(self.sources);
	if (sources_count(self.sources) == 0)
		log_info("no \"auth\" line: nobody can log in");
}

static void
auth_auth_try(struct peer *net, struct msg *m)
{
	judge_login(net, m->body);
}

static void
auth_auth_start(struct peer *net, struct msg *m)
{
	exchange_start(net, m->body);
}

static void
auth_auth_step(struct peer *net, struct msg *m)
{
	exchange_step(net, m->body);
}

static void
auth_auth_cancel(struct peer *net, struct msg *m)
{
	const struct msg_AUTH_CANCEL	*c = m->body;

	exchange_cancel(net, c->conn);
}

static void
auth_decoy_key(struct peer *parent, struct msg *m)
{
	const struct msg_DECOY_KEY	*k = m->body;

	(void)parent;
	if (exchange_key(k->key) == -1)
		fatalx("the key of made-up salts is none");
}

static void
drain(unsigned int seconds)
{
	(void)seconds;		/* a login takes less */
	hold_flush();
	if (judge_count() == 0)
		role_exit(0);
}

static void
channel_gone(struct peer *p)
{
	hold_gone(p);
	judge_gone(p);
	exchange_gone(p);
}

static void
stats(void)
{
	char	line[STATS_LINE];

	judge_stats(line, sizeof(line));
	log_info("%s", line);
}

const struct role_code auth_code = {
	.handlers = handlers,
	.warm = warm,
	.go = go,
	.drain = drain,
	.channel_gone = channel_gone,
	.stats = stats
};
