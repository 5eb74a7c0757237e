/*
 * relay_state: sessions to other servers, the table of them, and what queue
 * is told of them.
 *
 * A session that ended in the middle of a callback is only marked; a deferred
 * event frees it, so that nobody above on the stack is left with a pointer
 * into freed memory.
 */
#include <sys/types.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "net/conn.h"
#include "privsep/role.h"
#include "sasl/client.h"
#include "smtpd/relay_share.h"
#include "smtpd/relay_state.h"

#define BUCKETS		1024
#define SLOTS		1024		/* at least RELAY_SESSIONS */
/*
 * That wait for an answer to QUIT: beside the attempts of all that queue opens
 * there are descriptors for these.
 */
#define LEAVING_MAX	500

LIST_HEAD(bucket, session);
TAILQ_HEAD(sessions, session);

static struct {
	struct bucket	 buckets[BUCKETS];
	struct session	*slots[SLOTS];
	struct sessions	 known;		/* by queue */
	struct sessions	 leaving;
	struct sessions	 dead;
	size_t		 nknown;
	size_t		 nleaving;
	struct event	*reaper;
} table;

static void	reap(evutil_socket_t, short, void *);
static void	on_timer(evutil_socket_t, short, void *);
static void	add_timer(struct session *, unsigned int, unsigned int,
		    void (*)(struct session *));

void
sessions_init(void)
{
	size_t	i;

	for (i = 0; i < BUCKETS; i++)
		LIST_INIT(&table.buckets[i]);
	TAILQ_INIT(&table.known);
	TAILQ_INIT(&table.leaving);
	TAILQ_INIT(&table.dead);
	if ((table.reaper = event_new(role_base(), -1, 0, reap, NULL)) == NULL)
		fatalx("no memory");
}

static struct bucket *
bucket_of(uint32_t number)
{
	return (&table.buckets[number % BUCKETS]);
}

struct session *
session_find(uint32_t number)
{
	struct session	*s;

	LIST_FOREACH(s, bucket_of(number), bucket)
		if (s->dest.session == number)
			return (s);
	return (NULL);
}

struct session *
session_by_slot(unsigned int slot)
{
	return (table.slots[slot % SLOTS]);
}

size_t
sessions_count(void)
{
	return (table.nknown);
}

int
sessions_idle(void)
{
	return (table.nknown == 0 && table.nleaving == 0);
}

void
sessions_each(void (*fn)(struct session *, void *), void *arg)
{
	struct session	*s, *next;

	TAILQ_FOREACH_SAFE(s, &table.known, entry, next)
		fn(s, arg);
}

static unsigned int
free_slot(void)
{
	static unsigned int	last;
	unsigned int		i;

	for (i = 0; i < SLOTS; i++) {
		last = (last + 1) % SLOTS;
		if (table.slots[last] == NULL)
			break;
	}
	return (last);
}

struct session *
session_new(struct peer *queue, const struct msg_RELAY_OPEN *open)
{
	struct session	*s;
	size_t		 i;

	errno = EEXIST;
	if (session_find(open->session) != NULL)
		return (NULL);
	errno = ENFILE;
	if (table.nknown >= RELAY_SESSIONS)
		return (NULL);
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	s->hop.hosts = calloc(DNS_HOSTS, sizeof(*s->hop.hosts));
	s->hop.addrs = calloc(2 * RELAY_FAMILY, sizeof(*s->hop.addrs));
	s->timer = evtimer_new(role_base(), on_timer, s);
	if (s->hop.hosts == NULL || s->hop.addrs == NULL || s->timer == NULL) {
		free(s->hop.hosts);
		free(s->hop.addrs);
		if (s->timer != NULL)
			event_free(s->timer);
		free(s);
		errno = ENOMEM;
		return (NULL);
	}
	s->queue = queue;
	s->dest = *open;
	for (i = 0; i < RELAY_ATTEMPTS; i++)
		s->hop.attempts[i].fd = -1;
	s->slot = free_slot();
	table.slots[s->slot] = s;
	LIST_INSERT_HEAD(bucket_of(open->session), s, bucket);
	TAILQ_INSERT_TAIL(&table.known, s, entry);
	table.nknown++;
	return (s);
}

const char *
session_host(const struct session *s)
{
	if (s->hop.host < s->hop.nhosts)
		return (s->hop.hosts[s->hop.host].name);
	return (s->dest.host);
}

const char *
session_addr(const struct session *s)
{
	if (s->hop.addr > 0 && s->hop.addr <= s->hop.naddrs)
		return (s->hop.addrs[s->hop.addr - 1].text);
	return ("");
}

static void
on_timer(evutil_socket_t fd, short ev, void *arg)
{
	struct session	*s = arg;

	if (s->phase != PHASE_DEAD && s->expired != NULL)
		s->expired(s);
}

void
session_timer(struct session *s, unsigned int seconds,
    void (*fn)(struct session *))
{
	add_timer(s, seconds, 0, fn);
}

void
session_timer_ms(struct session *s, unsigned int ms,
    void (*fn)(struct session *))
{
	add_timer(s, ms / 1000, ms % 1000, fn);
}

static void
add_timer(struct session *s, unsigned int seconds, unsigned int ms,
    void (*fn)(struct session *))
{
	struct timeval	tv = { .tv_sec = seconds, .tv_usec = ms * 1000 };

	s->expired = fn;
	if (event_add(s->timer, &tv) == -1)
		log_warnx("session %llu: no timer",
		    (unsigned long long)s->dest.session);
}

void
session_no_timer(struct session *s)
{
	s->expired = NULL;
	(void)event_del(s->timer);
}

void
attempts_drop(struct relay_hop *hop)
{
	size_t	i;

	for (i = 0; i < RELAY_ATTEMPTS; i++) {
		if (hop->attempts[i].fd == -1)
			continue;
		event_free(hop->attempts[i].ev);
		hop->attempts[i].ev = NULL;
		close(hop->attempts[i].fd);
		hop->attempts[i].fd = -1;
		share_close(hop->attempts[i].at);
	}
	hop->nattempts = 0;
}

void
session_hang_up(struct session *s)
{
	conn_free(s->conn);
	s->conn = NULL;
	attempts_drop(&s->hop);
	share_leave(s);
	sasl_client_free(s->sasl);
	s->sasl = NULL;
	s->loggedin = s->verified = 0;
}

/* From here on its number means nothing to us. */
void
session_unlink(struct session *s)
{
	if (s->queue == NULL)
		return;
	s->queue = NULL;
	LIST_REMOVE(s, bucket);
	table.slots[s->slot] = NULL;
	TAILQ_REMOVE(&table.known, s, entry);
	table.nknown--;
	TAILQ_INSERT_TAIL(&table.leaving, s, entry);
	table.nleaving++;
	if (table.nleaving > LEAVING_MAX)
		session_free(TAILQ_FIRST(&table.leaving));
}

void
session_forget(struct session *s, enum session_end end, const char *reply)
{
	struct msg_RELAY_CLOSED	closed = { 0 };

	if (s->queue == NULL)
		return;
	mail_flush(s, 1);
	closed.session = s->dest.session;
	closed.permanent = end == END_FOR_GOOD;
	closed.stopped = end == END_STOPPED;
	closed.rest = s->rest;
	closed.line = s->turned;
	(void)strlcpy(closed.reply, reply, sizeof(closed.reply));
	peer_send(s->queue, M_RELAY_CLOSED, &closed, -1);
	log_debug("session=%llu host=%s addr=%s messages=%u end=%s",
	    (unsigned long long)s->dest.session, session_host(s),
	    session_addr(s), s->nmails, reply);
	session_unlink(s);
}

void
session_closed(struct session *s, enum session_end end, const char *reply)
{
	session_forget(s, end, reply);
	session_free(s);
}

void
session_free(struct session *s)
{
	if (s->phase == PHASE_DEAD)
		return;
	session_unlink(s);
	if (s->phase == PHASE_DEAD)
		return;			/* one too many was leaving */
	session_hang_up(s);
	session_no_timer(s);
	s->phase = PHASE_DEAD;
	TAILQ_REMOVE(&table.leaving, s, entry);
	table.nleaving--;
	TAILQ_INSERT_TAIL(&table.dead, s, entry);
	event_active(table.reaper, 0, 0);
}

static void
reap(evutil_socket_t fd, short ev, void *arg)
{
	struct session	*s;

	while ((s = TAILQ_FIRST(&table.dead)) != NULL) {
		TAILQ_REMOVE(&table.dead, s, entry);
		mail_free(s->mail);
		event_free(s->timer);
		free(s->hop.hosts);
		free(s->hop.addrs);
		free(s);
	}
	if (role_draining() && sessions_idle())
		sessions_exit();
}

void
sessions_exit(void)
{
	struct peer	*queue = role_peer(ROLE_QUEUE);

	/* A result that is lost is a message sent twice. */
	if (queue != NULL)
		(void)peer_flush(queue);
	role_exit(0);
}

struct relay_mail *
mail_new(const struct msg_RELAY_MAIL *msg, int fd)
{
	struct relay_mail	*m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return (NULL);
	m->rcpts = calloc((size_t)msg->nrcpts + 1, sizeof(*m->rcpts));
	if (m->rcpts == NULL) {
		free(m);
		return (NULL);
	}
	m->msg = *msg;
	m->nrcpts = (unsigned int)msg->nrcpts;
	m->fd = fd;
	return (m);
}

void
mail_free(struct relay_mail *m)
{
	unsigned int	i;

	if (m == NULL)
		return;
	for (i = 0; i < m->nrcpts; i++) {
		free(m->rcpts[i].addr);
		free(m->rcpts[i].orcpt);
	}
	free(m->rcpts);
	content_free(&m->content);
	if (m->fd != -1)
		close(m->fd);
	free(m);
}

/*
 * The last result says that the session is free again, so it is kept until
 * that is true.
 */
void
mail_result(struct session *s, unsigned int index, int final,
    const char *reply)
{
	struct msg_RELAY_RESULT	 res = { 0 };
	struct relay_mail	*m = s->mail;

	if (m->rcpts[index].state == RCPT_REPORTED)
		return;
	m->rcpts[index].state = RCPT_REPORTED;
	m->nreported++;
	res.session = s->dest.session;
	res.index = index;
	res.final = final;
	(void)strlcpy(res.reply, reply, sizeof(res.reply));
	if (m->nreported == m->nrcpts) {
		m->last = res;
		m->held = 1;
	} else if (s->queue != NULL)
		peer_send(s->queue, M_RELAY_RESULT, &res, -1);
}

void
mail_flush(struct session *s, int closing)
{
	struct relay_mail	*m = s->mail;

	if (m == NULL || !m->held)
		return;
	m->held = 0;
	m->last.closing = closing;
	if (s->queue != NULL)
		peer_send(s->queue, M_RELAY_RESULT, &m->last, -1);
}
