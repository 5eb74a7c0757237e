/*
 * cmd_idle: IDLE (RFC 2177).  The mailbox is looked at once a second.
 */
#include <event2/event.h>

#include "cmd_table.h"
#include "session_reply.h"
#include "session_sync.h"

#define LOOK_SECONDS	1
#define STILL_SECONDS	120		/* keeps middleboxes from forgetting */

struct run {
	struct client	*c;
	struct event	*timer;
	unsigned int	 quiet;		/* seconds since the last output */
};

static enum cmd_result	line(struct client *, void *, const char *, size_t);
static void		run_free(void *);

static const struct cmd_run idle_ops = { NULL, line, run_free };

static void
run_free(void *arg)
{
	struct run *run = arg;

	if (run->timer != NULL)
		event_free(run->timer);
	free(run);
}

static void
look(evutil_socket_t fd, short ev, void *arg)
{
	struct run *run = arg;
	struct client *c = run->c;
	size_t before = buf_len(sio_out(c->io));

	(void)fd;
	(void)ev;
	/* One that does not read is told when it has read. */
	if (sio_full(c->io))
		return;
	session_sync(c, 0);
	run->quiet += LOOK_SECONDS;
	if (run->quiet >= STILL_SECONDS)
		reply_line(c, "* OK Still here");
	if (buf_len(sio_out(c->io)) != before) {
		run->quiet = 0;
		sio_flush(c->io);
	}
}

static enum cmd_result
line(struct client *c, void *run, const char *p, size_t len)
{
	(void)run;
	if (len == 4 && strncasecmp(p, "DONE", 4) == 0)
		return (cmd_ok(c, "IDLE completed"));
	return (cmd_bad(c, "Expected DONE"));
}

enum cmd_result
cmd_idle(struct client *c)
{
	struct timeval tv = { .tv_sec = LOOK_SECONDS };
	struct run *run;

	if (imap_end(&c->args) == -1)
		return (cmd_bad_args(c));
	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	run->c = c;
	(void)client_run(c, &idle_ops, run, CMD_WAIT);
	if ((run->timer = event_new(c->set->base, -1, EV_PERSIST, look,
	    run)) == NULL || event_add(run->timer, &tv) == -1)
		return (cmd_no(c, "[SERVERBUG] Out of memory"));
	session_sync(c, 0);
	reply_line(c, "+ idling");
	return (CMD_WAIT);
}
