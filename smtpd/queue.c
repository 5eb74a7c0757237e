/*
 * queue: stores messages, decides what is sent when, and writes bounces.
 *
 * Owns the spool and talks to no stranger.  What a message says it never
 * reads, but for the header of one that it bounces, which it quotes.  Unlike
 * the other roles it stays over a reload: it gets the new configuration and
 * channels to the new roles.
 *
 * The spool, below the directory that mail.conf calls "spool":
 *
 *	journal/	segments: see journal.c
 *	large/ID	the text of a message above JOURNAL_INLINE
 *	large/ID.new	one that is being received; removed at start
 *	damaged/	copies of what could not be read
 *	quotas		mailboxes that are nearly full: see queue_quota.c
 *	paused.WHAT	mail is not accepted, relayed or delivered for now
 *	lock		held by the queue that runs
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "os/os.h"
#include "smtpd/queue.h"
#include "smtpd/queue_history.h"
#include "smtpd/queue_quota.h"

#define CONF_TEXT_MAX	(16 << 20)
#define ROOM_BYTES	((uint64_t)4 * JOURNAL_SEGMENT)
#define ROOM_FILES	128
#define SWEEP_SECONDS	60
#define LOCK_TRIES	10
#define NOT_MADE	"452 4.3.1 the disk takes nothing, try again later"

static struct {
	struct conf	*conf;
	int		 spool;
	int		 large;
	struct event	*tick;
	const char	*no_room;	/* what clients hear; NULL: there is */
	int		 read_only;
	int		 unmade;	/* its directories could not be made */
	int		 opened;	/* journal and messages are there */
	time_t		 swept;
	uint32_t	 generation;	/* of roles, that is in force */
	uint32_t	 routes;
	uint64_t	 accepted;
} self = { .spool = -1, .large = -1, .routes = 1 };

static int	open_spool(void);

const struct conf *
queue_conf(void)
{
	return (self.conf);
}

int
queue_spool(void)
{
	return (self.spool);
}

int
queue_large(void)
{
	return (self.large);
}

const char *
queue_no_room(void)
{
	return (self.no_room);
}

uint32_t
queue_routes(void)
{
	return (self.routes);
}

time_t
queue_now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec);
}

int
queue_opened(void)
{
	return (self.opened);
}

uint32_t
queue_generation(void)
{
	return (self.generation);
}

struct peer *
queue_role(enum role role)
{
	return (role_peer_of(role, self.generation));
}

/*
 * A new set of roles is in force.  Those that it replaces finish what they
 * have, but for deliverers that the parent was not asked for yet.
 */
static void
new_roles(uint32_t generation)
{
	self.generation = generation;
	self.routes++;
	local_lookup_gone();
	dest_retry_all();
}

static void
queue_conf_text(struct peer *p, struct msg *m)
{
	const struct msg_CONF	*a = m->body;
	struct conf		*c;
	char			*text;
	size_t			 len;

	if (a->generation != self.generation)
		new_roles((uint32_t)a->generation);
	if ((text = role_slurp(m->fd, CONF_TEXT_MAX, &len)) == NULL ||
	    (c = conf_parse(text, len, NULL, NULL)) == NULL) {
		if (self.conf == NULL)
			fatalx("configuration");
		log_warnx("the new configuration cannot be read");
		free(text);
		return;
	}
	free(text);
	conf_free(self.conf);
	self.conf = c;
}

/* Room on the disk is looked at once a second, not for each message. */
static void
look_for_room(void)
{
	struct statvfs	 v;
	const char	*no = NULL;

	if (fstatvfs(self.spool, &v) == -1) {
		log_warn("spool");
		return;
	}
	self.read_only = (v.f_flag & ST_RDONLY) != 0;
	if (self.read_only)
		no = "452 4.3.1 the disk is read-only, try again later";
	else if ((uint64_t)v.f_bavail * v.f_frsize < ROOM_BYTES)
		no = "452 4.3.1 the disk is full, try again later";
	else if (v.f_files != 0 && v.f_favail < ROOM_FILES)
		no = "452 4.3.1 the disk takes no more files, try again later";
	else if (self.unmade)
		no = NOT_MADE;
	if (no != NULL && no != self.no_room)
		log_warnx("no mail is accepted: %s", no);
	else if (no == NULL && self.no_room != NULL)
		log_warnx("there is room for mail again");
	self.no_room = no;
}

/*
 * We may have been down for longer than mail is kept, or the clock been wrong:
 * nothing fails for its age before it was tried once more.  What waits for its
 * time is tried now, and fails if that does; what is being tried, or about to
 * be, comes back by itself.
 */
static void
expire(struct message *m)
{
	struct recipient	*r;
	const char		*why;
	size_t			 i;
	int			 last = 0;

	/* With the last one the message may go. */
	for (i = 0; !last && i < m->env.nrcpts; i++) {
		r = &m->recips[i];
		if (r->state == RECIP_WAITING)
			dest_due(r);
		if (r->state != RECIP_READY || r->dest->fails == 0 ||
		    r->dest->blocked <= queue_now())
			continue;
		why = r->dest->why;
		dest_remove(r);
		last = m->active == 1;
		recipient_expired(r, why != NULL ? why : "", NULL);
	}
}

/* Too old: fails.  Old: the sender hears that it takes longer. */
static void
sweep_one(struct message *m, int64_t now)
{
	int64_t	age = now - m->env.arrived;

	if (m->recips == NULL)
		return;
	message_owing(m);	/* a report that could not be written */
	if (m->env.held)
		return;
	if (age > (int64_t)self.conf->queue_lifetime)
		expire(m);
	else if (!m->env.warned && self.conf->warn_after > 0 &&
	    age > (int64_t)self.conf->warn_after && m->active > 0 &&
	    report_has_room()) {
		message_warned(m);
		report_delayed(m);
	}
}

static void
sweep(void)
{
	struct message	*m, *next;
	int64_t		 now = time(NULL);

	for (m = message_first(); m != NULL; m = next) {
		next = message_next(m);
		if (m->committed)
			sweep_one(m, now);
	}
}

/* Often enough for the times that were configured. */
static time_t
sweep_pause(void)
{
	uint64_t	t = self.conf->queue_lifetime;

	if (self.conf->warn_after > 0 && self.conf->warn_after < t)
		t = self.conf->warn_after;
	return (t / 4 < SWEEP_SECONDS ? (time_t)(t / 4) : SWEEP_SECONDS);
}

static void
queue_tick(evutil_socket_t fd, short ev, void *arg)
{
	if (!self.opened && open_spool() == -1)
		return;
	look_for_room();
	if (queue_now() - self.swept >= sweep_pause()) {
		self.swept = queue_now();
		sweep();
	}
	queue_count_tick();
	messages_clean();
	quotas_save(0);
	local_tick();
	relay_tick();
	dest_tick();
	dest_run();
	messages_owing(report_send);
}

/* What was being received when the last queue ended was never accepted. */
static void
remove_unfinished(void)
{
	struct dirent	*e;
	DIR		*dir;
	size_t		 n;
	int		 fd;

	if ((fd = openat(self.large, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || (dir = fdopendir(fd)) == NULL)
		fatal("large");
	while ((e = readdir(dir)) != NULL) {
		n = strlen(e->d_name);
		if (n > 4 && strcmp(e->d_name + n - 4, ".new") == 0 &&
		    unlinkat(self.large, e->d_name, 0) == -1)
			log_warn("large/%s", e->d_name);
	}
	closedir(dir);
}

/* Texts of messages that were never accepted, or are over. */
static void
remove_orphans(void)
{
	struct dirent	*e;
	DIR		*dir;
	uint64_t	 id;
	int		 fd;

	if ((fd = openat(self.large, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || (dir = fdopendir(fd)) == NULL)
		fatal("large");
	while ((e = readdir(dir)) != NULL)
		if (queueid_parse(e->d_name, &id) == 0 &&
		    message_find(id) == NULL &&
		    unlinkat(self.large, e->d_name, 0) == -1)
			log_warn("large/%s", e->d_name);
	closedir(dir);
}

static int
make_dir(const char *name)
{
	if (mkdirat(self.spool, name, 0700) == -1 ? errno != EEXIST :
	    fsync(self.spool) == -1)
		return (-1);
	return (openat(self.spool, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW));
}

/* For as long as the process lives. */
static int
lock_spool(void)
{
	static const struct timespec	moment = { 0, 20000000 };
	static int			lock = -1;
	int				tries = 0;

	if (lock != -1)
		return (0);
	if ((lock = openat(self.spool, "lock", O_RDONLY | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600)) == -1)
		return (-1);
	/* "mailctl queue check" takes it for a moment. */
	while (os_lock(lock) == -1) {
		if (++tries == LOCK_TRIES)
			fatalx("%s is in use by another smtpd",
			    self.conf->spool);
		(void)nanosleep(&moment, NULL);
	}
	return (0);
}

/* -1 with errno; what was made and opened is of use the next time. */
static int
make_spool(void)
{
	static const char *const	names[] = { "journal", "damaged",
					    "large" };
	size_t				i;
	int				fd = -1;

	if (lock_spool() == -1)
		return (-1);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (fd != -1)
			close(fd);
		if ((fd = make_dir(names[i])) == -1)
			return (-1);
	}
	self.large = fd;
	return (0);
}

/* A disk that takes nothing now may do so later. */
static int
is_passing(int error)
{
	return (error == EROFS || error == ENOSPC || error == EDQUOT);
}

/*
 * What is in the spool is not even tried while it cannot be written what
 * became of it: with each start all of it would be sent again.
 */
static int
open_spool(void)
{
	int	whole;

	look_for_room();
	if (self.read_only)
		return (-1);
	if (make_spool() == -1) {
		if (!is_passing(errno))
			fatal("%s", self.conf->spool);
		self.unmade = 1;
		look_for_room();
		return (-1);
	}
	remove_unfinished();
	line_init();
	pause_load();
	quotas_load();
	if (messages_load(&whole) == -1)
		fatal("spool");
	if (whole)
		remove_orphans();
	messages_start();
	self.unmade = 0;
	self.opened = 1;
	return (0);
}

static void
queue_go(void)
{
	static const struct timeval	second = { .tv_sec = 1 };

	if ((self.spool = open(self.conf->spool, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		fatal("%s", self.conf->spool);
	if (open_spool() == -1)
		log_warnx("the spool is not opened before it can be written");
	if ((self.tick = event_new(role_base(), -1, EV_PERSIST, queue_tick,
	    NULL)) == NULL || event_add(self.tick, &second) == -1)
		fatalx("timer");
}

/*
 * One that was started again may be heard of before the end of the one that
 * it replaces: what that one began is over either way.
 */
static void
queue_channel(struct peer *p)
{
	if (peer_role(p) == ROLE_NET)
		tx_net_gone(p);
	else if (peer_role(p) == ROLE_LOOKUP)
		tx_lookup_gone(p);
	if (p != queue_role(peer_role(p)))
		return;			/* its set is not in force yet */
	dest_kick_all();
	dest_tick();
	dest_run();
}

static void
queue_channel_gone(struct peer *p)
{
	int	replaced = role_peer_of(peer_role(p),
		    peer_generation(p)) != NULL;

	switch (peer_role(p)) {
	case ROLE_NET:
		if (!replaced)
			tx_net_gone(p);
		break;
	case ROLE_LOOKUP:
		if (!replaced)
			tx_lookup_gone(p);
		ask_lookup_gone(p);
		if (peer_generation(p) == self.generation)
			local_lookup_gone();
		break;
	case ROLE_RELAY:
		relay_gone(p);
		break;
	case ROLE_DELIVER:
	case ROLE_PIPE:
		local_gone(p);
		break;
	default:
		break;
	}
}

static void
leave(evutil_socket_t fd, short ev, void *arg)
{
	journal_flush();
	if (self.opened)
		quotas_save(1);
	role_exit(0);
}

void
queue_rest(void)
{
	if (role_draining() && local_rest() == 0)
		leave(-1, 0, NULL);
}

/*
 * Everything that was acknowledged is on the disk at any time; what is being
 * delivered gets the time to end, so that it need not happen again.
 */
static void
queue_drain(unsigned int seconds)
{
	struct timeval	 tv = { .tv_sec = (time_t)seconds };

	if (event_base_once(role_base(), -1, EV_TIMEOUT, leave, NULL, &tv) ==
	    -1)
		leave(-1, 0, NULL);
	queue_rest();
}

static void
queue_stats(void)
{
	log_info("messages=%zu journal=%lluMB room=%d", message_count(),
	    (unsigned long long)(journal_bytes() >> 20),
	    self.no_room == NULL);
}

static const struct handler handlers[] = {
	{ M_CONF,		queue_conf_text },
	{ M_LISTENER,		ctl_listener },
	{ M_CTL_ASK,		ctl_ask_queue },
	{ M_TX_OPEN,		queue_tx_open },
	{ M_TX_ADD,		queue_tx_add },
	{ M_TX_VERDICT,		queue_tx_verdict },
	{ M_TX_CLOSE,		queue_tx_close },
	{ M_TX_DATA,		queue_tx_data },
	{ M_SPOOL_ASK,		queue_spool_ask },
	{ M_DELIVERER,		queue_deliverer },
	{ M_NO_DELIVERER,	queue_no_deliverer },
	{ M_DELIVERED,		queue_delivered },
	{ M_DELIVER_SYNCED,	queue_deliver_synced },
	{ M_RELAY_READY,	queue_relay_ready },
	{ M_RELAY_RESULT,	queue_relay_result },
	{ M_RELAY_CLOSED,	queue_relay_closed },
	{ M_RELAY_ROOM,		queue_relay_room },
	{ 0,			NULL }
};

const struct role_code queue_code = {
	.handlers = handlers,
	.go = queue_go,
	.drain = queue_drain,
	.channel = queue_channel,
	.channel_gone = queue_channel_gone,
	.stats = queue_stats,
};
