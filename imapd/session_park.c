/*
 * session_park: connections that wait go to the parent.
 *
 * When every connection of the user is quiet, each becomes its descriptor and
 * a state of a few hundred bytes, and the process ends.  A connection comes
 * back as if nothing had been: the view of its mailbox is made again from the
 * index, and what changed meanwhile is told.
 *
 * What the client sent meanwhile is still in the socket between net and us;
 * nothing is read here while it is handed over.
 */
#include <event2/event.h>

#include "cmd_idle.h"
#include "cmd_table.h"
#include "log/log.h"
#include "park_state.h"
#include "privsep/contract.h"
#include "privsep/role.h"
#include "session_park.h"
#include "session_reply.h"
#include "session_sync.h"

#define LOOK_SECONDS	1
#define QUIET_IDLE	2		/* seconds in IDLE */
#define QUIET_ELSE	15		/* it may be polling */
#define FULL_SECONDS	60		/* before it is tried again */

static struct event	*timer;
static int		 waiting;	/* seconds: there was no room */

static void	on_timer(evutil_socket_t, short, void *);
static int	quiet(struct client *, void *);
static int	park(struct client *, void *);
static int	thaw(struct client *, const struct park_state *);

void
session_park_begin(const struct mailsession *set)
{
	struct timeval tv = { .tv_sec = LOOK_SECONDS };

	if (set->parking == NULL)
		return;
	if (timer == NULL)
		timer = event_new(set->base, -1, EV_PERSIST, on_timer, NULL);
	/* Without it the process merely stays. */
	if (timer == NULL || (!event_pending(timer, EV_TIMEOUT, NULL) &&
	    event_add(timer, &tv) == -1))
		log_warnx("no timer");
}

/* All or none: one that stays keeps the process, and costs no more with all. */
static void
on_timer(evutil_socket_t fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(void)arg;
	if (waiting > 0)
		waiting -= LOOK_SECONDS;
	else if (!role_draining() && session_conn_each(quiet, NULL) == 0)
		(void)session_conn_each(park, NULL);
	if (session_conn_count() == 0)
		(void)event_del(timer);
}

/* 0 if it can be parked: what it is is in its state, and it does nothing. */
static int
quiet(struct client *c, void *arg)
{
	struct mailbox_frozen z;
	int idling = cmd_idle_is(c);

	(void)arg;
	if (!c->prefaced || c->leaving || (c->cmd != NULL && !idling) ||
	    c->nvanished > 0 || c->saved.n > 0 ||
	    (idling && !cmd_idle_watched(c)) ||
	    /* What is left of a literal would be read as commands. */
	    !imap_reader_between(&c->reader) ||
	    sio_quiet(c->io) < (idling ? QUIET_IDLE : QUIET_ELSE))
		return (1);
	return (c->mb != NULL && mailbox_freeze(c->mb, &z) != STORE_OK);
}

static int
park(struct client *c, void *arg)
{
	const struct mailsession_parking *parking = c->set->parking;
	char state[PARK_STATE];
	struct park_state s = { 0 };
	uint64_t number;
	size_t len;
	int fd;

	(void)arg;
	s.enabled = c->enabled;
	s.commands = c->commands;
	s.left = sio_left(c->io);
	s.idling = cmd_idle_is(c);
	(void)strlcpy(s.tag, s.idling ? c->tag : "", sizeof(s.tag));
	if (c->mb != NULL) {
		s.selected = 1;
		s.readonly = c->readonly;
		s.keywords = c->keywords;
		if (strlcpy(s.name, c->mbname, sizeof(s.name)) >=
		    sizeof(s.name) ||
		    mailbox_freeze(c->mb, &s.frozen) != STORE_OK)
			return (0);
	}
	if ((len = park_state_write(&s, state, sizeof(state))) == 0)
		return (0);
	/* Idling, its directories are watched on, under this number. */
	fd = sio_release(c->io);
	if (s.idling)
		cmd_idle_keep(c);
	number = c->number;
	session_conn_free(c);
	parking->park(number, fd, s.left, state, len);
	return (0);
}

int
session_park_resume(const struct mailsession *set, int fd, unsigned int id,
    const char *addr, const void *state, size_t len, unsigned int why)
{
	struct park_state s;
	struct client *c;

	if ((c = session_conn_make(set, fd, id, addr)) == NULL)
		return (-1);
	c->prefaced = 1;
	if (park_state_read(&s, state, len) == -1 || set->store == NULL ||
	    thaw(c, &s) == -1) {
		log_info("conn=%u user=%s addr=%s cannot be resumed", id,
		    set->user, addr);
		client_bye(c, "Try again");
		return (0);
	}
	if (why == PARK_FULL)
		waiting = FULL_SECONDS;
	else if (why == PARK_TIME)
		client_bye(c, "Autologout; idle for too long");
	else if (why == PARK_CHANGE)
		cmd_idle_look(c);
	return (0);
}

static int
thaw(struct client *c, const struct park_state *s)
{
	c->enabled = s->enabled;
	c->commands = s->commands;
	(void)strlcpy(c->tag, s->tag, sizeof(c->tag));
	if (s->selected) {
		if (mailbox_thaw(c->set->store, s->name, s->readonly ?
		    MAILBOX_READONLY : 0, &s->frozen, &c->mb) != STORE_OK ||
		    (c->mbname = strdup(s->name)) == NULL)
			return (-1);
		c->readonly = s->readonly;
		c->keywords = s->keywords;
		c->state = CLIENT_SELECTED;
	}
	return (s->idling ? cmd_idle_resume(c) : 0);
}
