/*
 * queue_history: a ring of what became of recipients, in memory only.
 *
 * It ends with the process; the log has the same for longer.  Cost: one
 * allocation a recipient.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "smtpd/queue.h"
#include "smtpd/queue_history.h"

#define RATE_SLOTS	60
#define STRINGS		5

static struct {
	struct outcome	*ring;		/* HISTORY_MAX, made when needed */
	size_t		 next;		/* to be overwritten */
	uint64_t	 count[COUNT_MAX];
	uint32_t	 rate[RATE_SLOTS][COUNT_MAX];	/* a slot a second */
	size_t		 slot;
} self;

static const char *const names[COUNT_MAX] = {
	[COUNT_ACCEPTED] = "accepted",
	[COUNT_REPORTS] = "reports",
	[COUNT_DELIVERED] = "delivered",
	[COUNT_RELAYED] = "relayed",
	[COUNT_FAILED] = "failed",
	[COUNT_DEFERRED] = "deferred",
	[COUNT_REFUSED] = "refused",
};

/* All strings in one piece of memory. */
static int
pack(struct outcome *o, const char *const strings[STRINGS])
{
	size_t	 len[STRINGS], all = 0, i;
	char	*p;

	for (i = 0; i < STRINGS; i++)
		all += len[i] = strlen(strings[i]) + 1;
	if ((o->text = p = malloc(all)) == NULL)
		return (-1);
	for (i = 0; i < STRINGS; i++) {
		memcpy(p, strings[i], len[i]);
		p += len[i];
	}
	o->sender = o->text;
	o->rcpt = o->sender + len[0];
	o->via = o->rcpt + len[1];
	o->reply = o->via + len[2];
	o->orig = o->reply + len[3];
	return (0);
}

void
history_add(const struct recipient *r, const char *what)
{
	const struct erecipient	*e = recipient_env(r);
	struct outcome		*o, new = { .id = r->m->id,
				    .size = r->m->env.size, .what = what };
	const char		*strings[STRINGS];

	if (self.ring == NULL && (self.ring = calloc(HISTORY_MAX,
	    sizeof(*self.ring))) == NULL)
		return;
	strings[0] = recipient_sender(r);
	strings[1] = e->rcpt;
	strings[2] = e->place.local ? "local" : e->remote != NULL &&
	    *e->remote != '\0' ? e->remote : e->place.host;
	strings[3] = e->reply != NULL ? e->reply : "";
	strings[4] = recipient_orig(r);
	if (pack(&new, strings) == -1)
		return;
	new.when = time(NULL);
	new.delay = new.when - r->m->env.arrived;
	o = &self.ring[self.next];
	self.next = (self.next + 1) % HISTORY_MAX;
	free(o->text);
	*o = new;
}

void
history_each(void (*fn)(const struct outcome *, void *), void *arg)
{
	const struct outcome	*o;
	size_t			 i;

	for (i = 0; self.ring != NULL && i < HISTORY_MAX; i++) {
		o = &self.ring[(self.next + i) % HISTORY_MAX];
		if (o->text != NULL)
			fn(o, arg);
	}
}

void
queue_count(enum queue_count what)
{
	self.count[what]++;
	self.rate[self.slot][what]++;
}

uint64_t
queue_counted(enum queue_count what)
{
	return (self.count[what]);
}

uint64_t
queue_rate(enum queue_count what)
{
	uint64_t	n = 0;
	size_t		i;

	for (i = 0; i < RATE_SLOTS; i++)
		n += self.rate[i][what];
	return (n);
}

void
queue_count_tick(void)
{
	self.slot = (self.slot + 1) % RATE_SLOTS;
	memset(self.rate[self.slot], 0, sizeof(self.rate[self.slot]));
}

const char *
queue_count_name(enum queue_count what)
{
	return (names[what]);
}
