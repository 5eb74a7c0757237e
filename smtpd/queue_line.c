/*
 * queue_line: destinations whose host has enough of our connections.
 *
 * Only relay knows which host that is.  It names the line by a number, and says
 * how many of it may come; they come in the order in which they were turned
 * away.  Whoever is not called comes when his time is over, so a call that is
 * lost costs no more than that.
 */
#include <sys/types.h>

#include "os/compat.h"
#include "smtpd/queue.h"

#define LINES	64

static TAILQ_HEAD(, dest)	lines[LINES];

void
line_init(void)
{
	size_t	i;

	for (i = 0; i < LINES; i++)
		TAILQ_INIT(&lines[i]);
}

void
line_leave(struct dest *d)
{
	if (d->line == 0)
		return;
	TAILQ_REMOVE(&lines[d->line % LINES], d, in_line);
	d->line = 0;
}

void
line_join(struct dest *d, uint32_t line)
{
	line_leave(d);
	if ((d->line = line) != 0)
		TAILQ_INSERT_TAIL(&lines[line % LINES], d, in_line);
}

static void
called(struct dest *d)
{
	line_leave(d);
	d->blocked = 0;
	dest_kick(d);
}

void
line_call(uint32_t line, size_t n)
{
	struct dest	*d, *next;

	TAILQ_FOREACH_SAFE(d, &lines[line % LINES], in_line, next) {
		if (n == 0)
			break;
		if (d->line != line)
			continue;
		called(d);
		n--;
	}
}

void
line_call_all(void)
{
	struct dest	*d;
	size_t		 i;

	for (i = 0; i < LINES; i++)
		while ((d = TAILQ_FIRST(&lines[i])) != NULL)
			called(d);
}
