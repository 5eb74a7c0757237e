/*
 * net_time: how long a client may take: for a command, for a message, and for
 * a session that brings none.  Bytes that drip keep nothing alive.
 *
 * Cost: one timer of a second for all sessions while there are any, and no
 * clock is read on behalf of one.
 */
#include <event2/event.h>
#include <time.h>

#include "daemon/limit.h"
#include "smtpd/net.h"

static struct {
	struct event	*tick;
	int		 ticking;
	time_t		 now;		/* monotonic; a second behind */
} self;

static void	tick(evutil_socket_t, short, void *);

static void
look_at_clock(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	self.now = ts.tv_sec;
}

void
time_start(void)
{
	static const struct timeval	second = { .tv_sec = 1 };

	if (self.ticking)
		return;
	if (self.tick == NULL && (self.tick = event_new(role_base(), -1,
	    EV_PERSIST, tick, NULL)) == NULL)
		return;
	look_at_clock();
	self.ticking = event_add(self.tick, &second) == 0;
}

void
time_began(struct session *s)
{
	s->since = s->waiting = self.now;
}

void
time_wait(struct session *s)
{
	s->waiting = self.now;
}

void
time_message(struct session *s)
{
	s->since = self.now;
}

static void
too_slow(struct session *s, enum limit_id id, const char *reply)
{
	limit_reached(id);
	net_hang_up(s, reply);
}

/* Is it we who are waited for? */
static int
is_busy(const struct session *s)
{
	return (s->nslots > 0 || s->auth_pending || s->handed ||
	    (s->state == S_BUSY && s->mail_seq != 0));
}

static void
check(struct session *s)
{
	const struct conf	*conf = net_config();
	time_t			 waited = self.now - s->waiting;

	if (s->state == S_ENDING || s->state == S_GREET || is_busy(s))
		return;
	if (s->state == S_DATA || s->state == S_CHUNK) {
		if ((uint64_t)waited > conf->time_message +
		    data_size(s) / 1024)
			too_slow(s, LIMIT_TIME_MESSAGE,
			    "421 4.4.2 the message comes too slowly");
		return;
	}
	if ((uint64_t)waited > conf->time_command)
		too_slow(s, LIMIT_TIME_COMMAND,
		    "421 4.4.2 too long without a command");
	else if ((uint64_t)(self.now - s->since) > conf->time_session)
		too_slow(s, LIMIT_TIME_SESSION,
		    "421 4.4.2 too long without a message");
}

static void
tick(evutil_socket_t fd, short ev, void *arg)
{
	look_at_clock();
	if (net_each(check) > 0)
		return;
	event_del(self.tick);
	self.ticking = 0;
}

static void
greet(evutil_socket_t fd, short ev, void *arg)
{
	struct session	*s = arg;

	if (s->state != S_GREET)
		return;			/* it was hung up on */
	s->state = S_COMMAND;
	net_begin(s);
}

void
time_greet(struct session *s)
{
	struct timeval	tv = { .tv_sec = s->listener->pregreet };

	s->state = S_GREET;
	if ((s->greet = evtimer_new(role_base(), greet, s)) == NULL ||
	    event_add(s->greet, &tv) == -1)
		greet(-1, 0, s);
}
