/*
 * hold: about 500 bytes for each answer that waits; HOLD_MAX bounds them.
 */
#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/hold.h"
#include "os/compat.h"

struct held {
	TAILQ_ENTRY(held)	 entry;
	struct event		*timer;
	struct peer		*net;
	struct msg_AUTH_DONE	 done;
};

static struct {
	TAILQ_HEAD(, held)	 list;		/* oldest first */
	size_t			 n;
} self = { TAILQ_HEAD_INITIALIZER(self.list), 0 };

static void
answer(struct peer *net, const struct msg_AUTH_DONE *done)
{
	peer_send(net, M_AUTH_DONE, done, -1);
	/* role_exit() does not wait for what net was sent */
	if (role_draining())
		(void)peer_flush(net);
}

static void
release(struct held *h, int send)
{
	TAILQ_REMOVE(&self.list, h, entry);
	self.n--;
	event_free(h->timer);
	if (send)
		answer(h->net, &h->done);
	free(h);
}

static void
hold_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	release(arg, 1);
}

void
hold_answer(struct peer *net, const struct msg_AUTH_DONE *done, int64_t ms)
{
	struct timeval	 tv;
	struct held	*h;

	if (ms <= 0 || role_draining() ||
	    (h = calloc(1, sizeof(*h))) == NULL) {
		answer(net, done);
		return;
	}
	h->net = net;
	h->done = *done;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if ((h->timer = evtimer_new(role_base(), hold_timer, h)) == NULL ||
	    evtimer_add(h->timer, &tv) == -1) {
		if (h->timer != NULL)
			event_free(h->timer);
		free(h);
		answer(net, done);
		return;
	}
	TAILQ_INSERT_TAIL(&self.list, h, entry);
	if (++self.n > HOLD_MAX)
		release(TAILQ_FIRST(&self.list), 1);
}

void
hold_gone(const struct peer *net)
{
	struct held	*h, *next;

	for (h = TAILQ_FIRST(&self.list); h != NULL; h = next) {
		next = TAILQ_NEXT(h, entry);
		if (h->net == net)
			release(h, 0);
	}
}

void
hold_flush(void)
{
	while (!TAILQ_EMPTY(&self.list))
		release(TAILQ_FIRST(&self.list), 1);
}

size_t
hold_count(void)
{
	return (self.n);
}
