/*
 * clock: who waits for his next try waits no longer when the clock is set
 * back.  Time is ours here, and so is what destinations call.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "smtpd/queue.h"
#include "smtpd/queue_add.h"
#include "../test.h"

#define N	3

static int64_t		 wall = 1000000, mono = 5000;
static struct message	*messages[N];
static unsigned int	 begun;

time_t
time(time_t *t)
{
	if (t != NULL)
		*t = (time_t)wall;
	return ((time_t)wall);
}

time_t
queue_now(void)
{
	return ((time_t)mono);
}

const struct conf *
queue_conf(void)
{
	static const struct conf	conf = { .retry_min = 300,
					    .retry_max = 14400 };

	return (&conf);
}

uint32_t
queue_routes(void)
{
	return (1);
}

struct peer *
queue_role(enum role role)
{
	return (NULL);
}

int
queue_paused(enum pause what)
{
	return (0);
}

struct event_base *
role_base(void)
{
	return (NULL);
}

int
role_draining(void)
{
	return (0);
}

struct erecipient *
recipient_env(const struct recipient *r)
{
	return (&r->m->env.rcpts[r->index]);
}

const char *
recipient_sender(const struct recipient *r)
{
	return ("");
}

void
recipient_failed(struct recipient *r, const char *reply, const char *remote)
{
}

void
recipient_deferred(struct recipient *r, const char *reply, const char *remote)
{
}

void
recipient_expand(struct recipient *r, struct msg_TX_ADD *adds, size_t n)
{
}

void
message_close_text(struct message *m)
{
}

struct message *
message_find(uint64_t id)
{
	return (NULL);
}

void
tx_resolve(const char *sender, const char *rcpt, int expand, resolved fn,
    void *arg)
{
}

void
relay_run(struct dest *d)
{
}

void
relay_spare(struct dest *d)
{
}

void
local_forget(struct dest *d)
{
}

void
local_run(struct dest *d)
{
	while (dest_take(d) != NULL)
		begun++;
}

static void
wait_for(unsigned int n, int64_t next)
{
	struct message	*m = calloc(1, sizeof(*m));

	if (m == NULL || (m->recips = calloc(1, sizeof(*m->recips))) == NULL ||
	    (m->env.rcpts = calloc(1, sizeof(*m->env.rcpts))) == NULL)
		exit(2);
	m->env.rcpts[0].place.local = 1;
	m->recips[0].m = m;
	m->recips[0].routes = 1;
	messages[n] = m;
	wait_add(&m->recips[0], next);
}

static unsigned int
after(int64_t seconds)
{
	while (seconds-- > 0) {
		wall++;
		mono++;
		dest_tick();
		dest_run();
	}
	return (begun);
}

int
main(void)
{
	int64_t	begin = wall;

	dest_tick();
	wait_for(0, begin + 100);
	wait_for(1, begin + 300);
	wait_for(2, begin + 200);
	TEST("before its time", after(99) == 0);
	TEST("at its time", after(1) == 1);
	wall -= 86400;
	TEST("set back a day: not before", after(99) == 1);
	TEST("and not after", after(1) == 2);
	wall -= 3600;
	(void)after(10);
	wall += 3600;
	TEST("set right again", after(90) == 3);
	return (test_failed);
}
