/*
 * queue_list: what mailctl sees of the queue.
 */
#include <fnmatch.h>
#include <string.h>
#include <time.h>

#include "buf/buf.h"
#include "buf/shown.h"
#include "smtpd/queue.h"
#include "smtpd/queue_history.h"
#include "smtpd/queue_list.h"

const char *
list_state(const struct recipient *r)
{
	switch (r->state) {
	case RECIP_NEW:
		return ("active");
	case RECIP_HELD:
		return ("held");
	case RECIP_READY:
		return (r->dest->blocked > queue_now() ? "blocked" : "ready");
	case RECIP_FLYING:
		return ("active");
	case RECIP_WAITING:
		return ("deferred");
	case RECIP_OVER:
		return (recipient_env(r)->status == RCPT_FAILED ?
		    "failed" : "done");
	}
	return ("?");
}

static int64_t
next_try(const struct recipient *r)
{
	int64_t	now = time(NULL);

	if (r->state == RECIP_WAITING)
		return (recipient_env(r)->next > now ?
		    recipient_env(r)->next - now : 0);
	if (r->state == RECIP_READY && r->dest->blocked > queue_now())
		return (r->dest->blocked - queue_now());
	return (0);
}

void
list_json(struct buf *b, const char *s)
{
	size_t	len = strlen(s);
	char	c[SHOWN_MAX];

	(void)buf_puts(b, "\"");
	while (len > 0) {
		unsigned int	n = shown_next(s, len, SHOWN_JSON, c);

		(void)buf_puts(b, c);
		s += n;
		len -= n;
	}
	(void)buf_puts(b, "\"");
}

static const char *
last_reply(const struct recipient *r)
{
	if (recipient_env(r)->reply != NULL)
		return (recipient_env(r)->reply);
	return (r->dest != NULL && r->dest->why != NULL ? r->dest->why : "");
}

static void
list_recipient(struct buf *b, const struct recipient *r, int json, int first)
{
	const struct erecipient	*e = recipient_env(r);
	const char		*via = e->place.local ? "local" :
				    e->place.host;
	const char		*orig = recipient_orig(r);

	if (!json) {
		(void)buf_printf(b, "    %-8s %s%s%s via=%s next=%llds "
		    "tries=%u %s\n", list_state(r), e->rcpt,
		    *orig != '\0' ? " orig=" : "", orig, via,
		    (long long)next_try(r), e->tries, last_reply(r));
		return;
	}
	(void)buf_printf(b, "%s{\"to\": ", first ? "" : ", ");
	list_json(b, e->rcpt);
	(void)buf_puts(b, ", \"orig\": ");
	list_json(b, *orig != '\0' ? orig : e->rcpt);
	(void)buf_printf(b, ", \"state\": \"%s\", \"next\": %lld, \"tries\": "
	    "%u, \"reply\": ", list_state(r), (long long)next_try(r), e->tries);
	list_json(b, last_reply(r));
	(void)buf_puts(b, ", \"via\": ");
	list_json(b, via);
	(void)buf_printf(b, ", \"last\": %lld, \"notify\": %u}",
	    (long long)e->last, e->notify);
}

void
list_message(struct buf *b, struct message *m, int json, int first, int all)
{
	char	id[QUEUEID_SIZE];
	size_t	i;
	int	n = 0;

	queueid_text(m->id, id);
	if (json) {
		(void)buf_printf(b, "%s{\"id\": \"%s\", \"age\": %lld, "
		    "\"size\": %llu, \"sender\": ", first ? "" : ",\n", id,
		    (long long)(time(NULL) - m->env.arrived),
		    (unsigned long long)m->env.size);
		list_json(b, m->env.sender);
		(void)buf_puts(b, ", \"msgid\": ");
		list_json(b, m->env.msgid);
		(void)buf_puts(b, ", \"addr\": ");
		list_json(b, m->env.addr != NULL ? m->env.addr : "");
		(void)buf_puts(b, ", \"user\": ");
		list_json(b, m->env.user);
		(void)buf_printf(b, ", \"held\": %s, \"recipients\": [",
		    m->env.held ? "true" : "false");
	} else
		(void)buf_printf(b, "%s age=%llds size=%llu from=<%s>%s\n",
		    id, (long long)(time(NULL) - m->env.arrived),
		    (unsigned long long)m->env.size, m->env.sender,
		    m->env.held ? " held" : "");
	for (i = 0; i < m->env.nrcpts && m->recips != NULL; i++)
		if (all || m->recips[i].state != RECIP_OVER)
			list_recipient(b, &m->recips[i], json, n++ == 0);
	if (json)
		(void)buf_puts(b, "]}");
}

struct history_ask {
	struct buf	*b;
	const char	*what;
	uint64_t	 id;
	int		 has_id;
	int		 json;
	int		 n;
};

static void
one_outcome(const struct outcome *o, void *arg)
{
	struct history_ask	*h = arg;
	char			 id[QUEUEID_SIZE], when[32];
	struct tm		 tm;
	time_t			 t = (time_t)o->when;

	if (h->has_id ? o->id != h->id :
	    fnmatch(h->what, o->sender, FNM_CASEFOLD) != 0 &&
	    fnmatch(h->what, o->rcpt, FNM_CASEFOLD) != 0 &&
	    (*o->orig == '\0' ||
	    fnmatch(h->what, o->orig, FNM_CASEFOLD) != 0))
		return;
	queueid_text(o->id, id);
	if (!h->json) {
		if (localtime_r(&t, &tm) == NULL || strftime(when,
		    sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
			when[0] = '\0';
		(void)buf_printf(h->b, "%s %s %s from=<%s> to=<%s>%s%s%s "
		    "via=%s size=%llu delay=%llds %s\n", when, id, o->what,
		    o->sender, o->rcpt, *o->orig != '\0' ? " orig=<" : "",
		    o->orig, *o->orig != '\0' ? ">" : "", o->via,
		    (unsigned long long)o->size,
		    (long long)o->delay, o->reply);
		return;
	}
	(void)buf_printf(h->b, "%s{\"id\": \"%s\", \"time\": %lld, "
	    "\"what\": \"%s\", \"size\": %llu, \"delay\": %lld, "
	    "\"sender\": ", h->n++ == 0 ? "" : ",\n", id,
	    (long long)o->when, o->what, (unsigned long long)o->size,
	    (long long)o->delay);
	list_json(h->b, o->sender);
	(void)buf_puts(h->b, ", \"to\": ");
	list_json(h->b, o->rcpt);
	(void)buf_puts(h->b, ", \"orig\": ");
	list_json(h->b, *o->orig != '\0' ? o->orig : o->rcpt);
	(void)buf_puts(h->b, ", \"via\": ");
	list_json(h->b, o->via);
	(void)buf_puts(h->b, ", \"reply\": ");
	list_json(h->b, o->reply);
	(void)buf_puts(h->b, "}");
}

void
list_history(struct buf *b, const char *what, int json)
{
	struct history_ask	h = { .b = b, .what = what, .json = json };

	h.has_id = queueid_parse(what, &h.id) == 0;
	history_each(one_outcome, &h);
}

/* Recipients by state. */
static void
count_states(size_t n[RECIP_OVER + 1], size_t *held)
{
	struct message	*m;
	size_t		 i;

	for (m = message_first(); m != NULL; m = message_next(m)) {
		*held += m->env.held;
		for (i = 0; m->recips != NULL && i < m->env.nrcpts; i++)
			n[m->recips[i].state]++;
	}
}

static void
put_number(struct buf *b, int json, const char *name, uint64_t n)
{
	(void)buf_printf(b, json ? "\"%s\": %llu, " : "%-16s %llu\n", name,
	    (unsigned long long)n);
}

static void
put_switch(struct buf *b, int json, const char *name, int on,
    const char *no)
{
	if (json)
		(void)buf_printf(b, "\"%s\": %s, ", name, on ? "true" :
		    "false");
	else
		(void)buf_printf(b, "%-16s %s\n", name, on ? "yes" : no);
}

static void
put_counts(struct buf *b, const char *name, uint64_t (*of)(enum queue_count))
{
	int	i;

	(void)buf_printf(b, "\"%s\": {", name);
	for (i = 0; i < COUNT_MAX; i++)
		(void)buf_printf(b, "%s\"%s\": %llu", i > 0 ? ", " : "",
		    queue_count_name((enum queue_count)i),
		    (unsigned long long)of((enum queue_count)i));
	(void)buf_puts(b, "}");
}

/* What is counted since the start and in the last minute, side by side. */
static void
put_table(struct buf *b)
{
	int	i;

	(void)buf_printf(b, "\n%-16s %-12s %s\n", "counter", "total",
	    "last minute");
	for (i = 0; i < COUNT_MAX; i++)
		(void)buf_printf(b, "%-16s %-12llu %llu\n",
		    queue_count_name((enum queue_count)i),
		    (unsigned long long)queue_counted((enum queue_count)i),
		    (unsigned long long)queue_rate((enum queue_count)i));
}

void
list_stats(struct buf *b, int json)
{
	size_t	n[RECIP_OVER + 1] = { 0 }, held = 0;
	int	i;

	count_states(n, &held);
	(void)buf_puts(b, json ? "{" : "queue\n");
	put_number(b, json, "messages", message_count());
	put_number(b, json, "held", held);
	put_number(b, json, "ready", n[RECIP_READY]);
	put_number(b, json, "active", n[RECIP_FLYING]);
	put_number(b, json, "deferred", n[RECIP_WAITING]);
	put_number(b, json, "journal", journal_bytes());
	put_number(b, json, "syncs", journal_syncs());
	for (i = 0; i < PAUSE_MAX; i++)
		put_switch(b, json, pause_name((enum pause)i),
		    !queue_paused((enum pause)i), "paused");
	put_switch(b, json, "room", queue_no_room() == NULL, "no");
	if (!json) {
		put_table(b);
		return;
	}
	put_counts(b, "total", queue_counted);
	(void)buf_puts(b, ", ");
	put_counts(b, "minute", queue_rate);
	(void)buf_puts(b, "}\n");
}
