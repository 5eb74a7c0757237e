/*
 * cmd_idle: IDLE (RFC 2177).
 *
 * The mailbox's directories are watched, so that a change is told within
 * milliseconds, whoever made it; once a second it is looked at all the same.
 */
#include <event2/event.h>

#include "cmd_idle.h"
#include "cmd_table.h"
#include "session_reply.h"
#include "session_sync.h"

#define LOOK_SECONDS	1
#define STILL_SECONDS	120		/* keeps middleboxes from forgetting */

struct run {
	struct client	*c;
	struct event	*timer;
	unsigned int	 quiet;		/* seconds since the last output */
	int		 watched;
};

static enum cmd_result	line(struct client *, void *, const char *, size_t);
static void		run_free(void *);
static enum cmd_result	begin(struct client *);
static void		watch(struct run *);
static void		on_timer(evutil_socket_t, short, void *);
static int		tell_one(struct client *, void *);
static int		unwatch_one(struct client *, void *);

static const struct cmd_run idle_ops = { NULL, line, run_free };

enum cmd_result
cmd_idle(struct client *c)
{
	enum cmd_result result;

	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	if ((result = begin(c)) != CMD_WAIT)
		return (result);
	if (session_sync(c, 0))
		sio_again(c->io);
	reply_line(c, "+ idling");
	return (CMD_WAIT);
}

static enum cmd_result
begin(struct client *c)
{
	struct timeval tv = { .tv_sec = LOOK_SECONDS };
	struct run *run;

	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	run->c = c;
	(void)client_run(c, &idle_ops, run, CMD_WAIT);
	if ((run->timer = event_new(c->set->base, -1, EV_PERSIST, on_timer,
	    run)) == NULL || event_add(run->timer, &tv) == -1)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	watch(run);
	return (CMD_WAIT);
}

/* Before the mailbox is looked at, so that nothing falls between. */
static void
watch(struct run *run)
{
	struct client *c = run->c;
	int fds[2], i;

	if (c->set->parking == NULL || c->mb == NULL ||
	    mailbox_watch_fds(c->mb, fds) != STORE_OK)
		return;
	for (i = 0; i < 2; i++)
		c->set->parking->watch(c->number, fds[i]);
	run->watched = 1;
}

static void
run_free(void *arg)
{
	struct run *run = arg;

	if (run->timer != NULL)
		event_free(run->timer);
	if (run->watched)
		run->c->set->parking->unwatch(run->c->number);
	free(run);
}

static void
on_timer(evutil_socket_t fd, short ev, void *arg)
{
	struct run *run = arg;

	(void)fd;
	(void)ev;
	run->quiet += LOOK_SECONDS;
	if (run->quiet >= STILL_SECONDS && !sio_full(run->c->io)) {
		reply_line(run->c, "* OK Still here");
		run->quiet = 0;
	}
	cmd_idle_look(run->c);
}

void
cmd_idle_look(struct client *c)
{
	struct run *run = c->run;

	/* One that does not read is told when it has read. */
	if (!cmd_idle_is(c) || sio_full(c->io))
		return;
	if (session_sync(c, 0))
		sio_again(c->io);
	if (buf_len(sio_out(c->io)) > 0) {
		run->quiet = 0;
		sio_flush(c->io);
	}
}

void
cmd_idle_changed(uint64_t number)
{
	(void)session_conn_each(tell_one, &number);
}

static int
tell_one(struct client *c, void *arg)
{
	const uint64_t *number = arg;

	if (c->number != *number)
		return (0);
	cmd_idle_look(c);
	return (1);
}

void
cmd_idle_unwatched(uint64_t number)
{
	(void)session_conn_each(unwatch_one, &number);
}

static int
unwatch_one(struct client *c, void *arg)
{
	const uint64_t *number = arg;
	struct run *run = c->run;

	if (c->number != *number)
		return (0);
	if (cmd_idle_is(c))
		run->watched = 0;
	return (1);
}

int
cmd_idle_watched(const struct client *c)
{
	const struct run *run = c->run;

	return (run->watched || c->mb == NULL);
}

int
cmd_idle_is(const struct client *c)
{
	return (c->ops == &idle_ops);
}

/* c->tag is there. */
int
cmd_idle_resume(struct client *c)
{
	char word[] = "IDLE";
	struct imap_str name = { word, 4 };

	if ((c->cmd = cmd_find(&name)) == NULL || begin(c) != CMD_WAIT)
		return (-1);
	return (0);
}

void
cmd_idle_keep(struct client *c)
{
	struct run *run = c->run;

	run->watched = 0;
}

static enum cmd_result
line(struct client *c, void *run, const char *p, size_t len)
{
	(void)run;
	if (len == 4 && strncasecmp(p, "DONE", 4) == 0)
		return (cmd_ok(c, "IDLE completed"));
	return (cmd_bad(c, "Expected DONE"));
}
