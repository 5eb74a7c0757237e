/*
 * queue_report: telling the sender what became of a message.
 *
 * A report is a message of its own with the null path as its sender.  One
 * that fails is told to the postmaster, and what fails then is dropped (RFC
 * 5321 4.5.5): there is no loop.  One report is about all recipients that are
 * over by then and have the same return path; it waits for those that are being
 * tried, for GATHER_SECONDS at most.
 *
 * Reports to one address, and all of them, are limited (queue_rate.h): one of
 * a failure then waits for up to PATIENCE, others are not sent.  Who logged in
 * to send is known, and is not limited.  AT_ONCE of them are made at a time,
 * however many messages end together.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf/buf.h"
#include "daemon/limit.h"
#include "log/log.h"
#include "os/os.h"
#include "smtp/dsn.h"
#include "smtp/dsn_field.h"
#include "smtpd/queue.h"
#include "smtpd/queue_add.h"
#include "smtpd/queue_history.h"
#include "smtpd/queue_rate.h"

#define FULL_MAX	50000		/* larger: the header only */
#define REPORT_MAX	(JOURNAL_INLINE - 1)
#define GATHER_SECONDS	30
#define PATIENCE	86400
#define OWNERS_MAX	16		/* of a message, told of a delay */
#define AT_ONCE		200		/* some 64 KB each, until stored */

struct report {
	uint64_t	 about;		/* id of the message */
	int		 delayed;
	const char	*to;		/* a return path of the message; until
					   it is composed and asked for */
	struct message	*m;		/* the report */
	char		*text;
	size_t		 len;
};

static unsigned int	going;		/* reports that are being made */

static void
report_free(struct report *b)
{
	going--;
	if (b->m != NULL)
		message_forget(b->m);
	free(b->text);
	free(b);
}

/* What a report to this return path says of a recipient; -1: nothing. */
static int
action_of(const struct message *m, size_t i, int delayed, const char *to)
{
	if (strcmp(recipient_sender(&m->recips[i]), to) != 0)
		return (-1);
	if (delayed)
		return (m->env.rcpts[i].status == RCPT_ACTIVE &&
		    recipient_wants_delay(&m->recips[i]) ? DSN_DELAYED : -1);
	switch (m->env.rcpts[i].status) {
	case RCPT_FAILED:
		return (DSN_FAILED);
	case RCPT_DELIVERED:
		return (DSN_DELIVERED);
	case RCPT_RELAYED:
		return (DSN_RELAYED);
	case RCPT_EXPANDED:
		return (DSN_EXPANDED);
	case RCPT_ACTIVE:
	case RCPT_DONE:
		break;
	}
	return (-1);
}

static const char *
or_empty(const char *s)
{
	return (s != NULL ? s : "");
}

static size_t
recipients(const struct message *m, const struct report *b,
    struct dsn_rcpt *to)
{
	const struct erecipient	*e;
	const struct dest	*d;
	size_t			 i, n = 0;
	int			 action;

	for (i = 0; i < m->env.nrcpts; i++) {
		if ((action = action_of(m, i, b->delayed, b->to)) == -1)
			continue;
		e = &m->env.rcpts[i];
		d = m->recips[i].dest;
		to[n].action = (enum dsn_action)action;
		to[n].orcpt = or_empty(e->orcpt);
		to[n].orig = e->orig;
		to[n].final = e->rcpt;
		to[n].remote = or_empty(e->remote);
		to[n].last = e->last;
		/* A host that cannot be reached has not answered anything. */
		to[n].reply = e->reply == NULL && d != NULL && d->why != NULL ?
		    d->why : or_empty(e->reply);
		n++;
	}
	return (n);
}

static int
has_failed(const struct dsn_rcpt *v, size_t n)
{
	while (n > 0)
		if (v[--n].action == DSN_FAILED)
			return (1);
	return (0);
}

/* RFC 3461 5.2.7.1 (b): RET and ENVID are for the sender. */
static int
to_owner(const struct message *m, const struct report *b)
{
	return (strcmp(b->to, m->env.sender) != 0);
}

/* The text that goes back (RFC 3461 4.3): all only of what has failed. */
static char *
original(struct message *m, const struct report *b, int failed, struct dsn *d)
{
	size_t	 most = DSN_HEADER_MAX;
	ssize_t	 n;
	char	*p;
	int	 fd;

	d->full = failed && (m->env.ret != RET_HDRS || to_owner(m, b)) &&
	    m->env.body != BODY_BINARYMIME && m->env.size <= FULL_MAX;
	if (d->full)
		most = m->env.size;
	if ((p = malloc(most + 1)) == NULL)
		return (NULL);
	n = 0;
	if ((fd = message_text_fd(m)) != -1) {
		if ((n = pread(fd, p, most, 0)) == -1)
			n = 0;
		close(fd);
	}
	if (n == 0)
		d->full = 0;
	d->text = p;
	d->textlen = (size_t)n;
	return (p);
}

static int
compose(struct report *b, struct message *m)
{
	struct dsn	 d = { .hostname = queue_conf()->hostname };
	struct dsn_rcpt	*v;
	struct buf	 o;
	char		 id[QUEUEID_SIZE], boundary[40], *text = NULL;
	int		 ret = -1;

	queueid_text(b->m->id, id);
	(void)snprintf(boundary, sizeof(boundary), "=_%08x%08x%08x",
	    arc4random(), arc4random(), arc4random());
	d.id = id;
	d.boundary = boundary;
	d.doubled = b->m->env.kind == KIND_DOUBLE;
	d.to = d.doubled ? queue_conf()->postmaster : b->to;
	d.about = or_empty(m->env.msgid);
	d.envid = to_owner(m, b) ? "" : or_empty(m->env.envid);
	d.arrived = m->env.arrived;
	d.now = time(NULL);
	d.until = m->env.arrived + (int64_t)queue_conf()->queue_lifetime;
	d.utf8 = m->env.utf8 != 0;
	buf_init(&o, REPORT_MAX);
	if ((v = calloc(m->env.nrcpts, sizeof(*v))) == NULL)
		goto done;
	d.rcpts = v;
	d.nrcpts = recipients(m, b, v);
	if ((text = original(m, b, has_failed(v, d.nrcpts), &d)) == NULL ||
	    dsn_write(&d, &o) == -1)
		goto done;
	b->len = buf_len(&o);
	if ((b->text = malloc(b->len)) == NULL)
		goto done;
	memcpy(b->text, buf_data(&o), b->len);
	ret = 0;
done:
	free(v);
	free(text);
	buf_free(&o);
	return (ret);
}

static void
stored(void *arg, int error)
{
	struct report	*b = arg;
	struct message	*about = message_find(b->about), *m = b->m;
	char		 id[QUEUEID_SIZE], of[QUEUEID_SIZE];

	if (error != 0) {
		log_warnx("report cannot be stored: %s", strerror(error));
		if (about != NULL && !b->delayed)
			about->bouncing = 0;	/* again with the sweep */
		report_free(b);
		return;
	}
	queueid_text(m->id, id);
	queueid_text(b->about, of);
	log_info("%s: accepted from=<> report=%s of=%s size=%llu nrcpt=%zu",
	    id, m->env.kind == KIND_DOUBLE ? "double" : b->delayed ?
	    "delayed" : "final", of, (unsigned long long)m->env.size,
	    m->env.nrcpts);
	queue_count(COUNT_REPORTS);
	b->m = NULL;
	message_begin(m);
	if (about != NULL && !b->delayed)
		message_told(about);
	report_free(b);
	dest_run();
}

/* Nobody will be told: that is the end of it. */
static void
drop(struct message *about, uint64_t id, int delayed, const char *why)
{
	char	text[QUEUEID_SIZE];

	queueid_text(id, text);
	log_info("%s: no report: %s", text, why);
	if (about != NULL && !delayed)
		message_told(about);
}

/* Not now: the next sweep begins anew. */
static void
later(struct report *b, const char *reply)
{
	struct message	*about = message_find(b->about);
	char		 id[QUEUEID_SIZE];

	queueid_text(b->about, id);
	log_info("%s: no report yet: %s", id, reply);
	if (about != NULL && !b->delayed)
		about->bouncing = 0;
	report_free(b);
}

/* lookup has told where the sender's mail goes. */
static void
resolved_sender(void *arg, struct msg_TX_ADD *adds, size_t n,
    const char *reply)
{
	struct report	*b = arg;
	struct envelope	*env = &b->m->env;
	size_t		 i;

	if (n == 0 && reply != NULL && reply[0] == '5') {
		drop(message_find(b->about), b->about, b->delayed, reply);
		report_free(b);
		return;
	}
	if (n == 0 || (env->rcpts = calloc(n, sizeof(*env->rcpts))) == NULL) {
		later(b, n > 0 ? "no memory" : reply != NULL ? reply :
		    "lookup is not there");
		return;
	}
	for (i = 0; i < n; i++) {
		env->nrcpts++;
		if (place_from_add(&env->rcpts[i], &adds[i]) == -1) {
			later(b, "no memory");
			return;
		}
	}
	if (message_recipients(b->m) == -1 || message_store(b->m, b->text,
	    b->len, NULL, stored, b) == -1)
		later(b, "it cannot be stored");
}

static int
fill_envelope(struct report *b, struct message *m)
{
	struct envelope	*env = &b->m->env;

	env->arrived = time(NULL);
	env->kind = *b->to == '\0' ? KIND_DOUBLE : KIND_REPORT;
	if ((env->sender = strdup("")) == NULL ||
	    (env->user = strdup("")) == NULL ||
	    (env->msgid = strdup("")) == NULL || compose(b, m) == -1)
		return (-1);
	env->size = b->len;
	env->body = dsn_is_eightbit(b->text, b->len) ? BODY_8BITMIME :
	    BODY_7BIT;
	/* Its header holds the address; the rest is within MIME parts. */
	env->utf8 = env->kind == KIND_REPORT && dsn_is_eightbit(b->to,
	    strlen(b->to));
	return (0);
}

/* Those that are over from now on are the next report's. */
static void
mark_reported(struct message *m, const char *to)
{
	size_t	i;

	for (i = 0; i < m->env.nrcpts; i++)
		m->recips[i].reported = action_of(m, i, 0, to) != -1;
}

static void
begin(struct message *m, int delayed, const char *to)
{
	struct report	*b;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return;			/* the sweep comes back to it */
	going++;
	b->about = m->id;
	b->delayed = delayed;
	b->to = to;
	if ((b->m = message_new(message_new_id())) == NULL ||
	    fill_envelope(b, m) == -1) {
		report_free(b);
		return;
	}
	if (!delayed) {
		mark_reported(m, to);
		m->bouncing = 1;
		m->owed_since = 0;
	}
	tx_resolve("", b->m->env.kind == KIND_DOUBLE ?
	    queue_conf()->postmaster : to, 1, resolved_sender, b);
}

/* Others of the message are being tried: they may be told of with it. */
static int
is_worth_waiting(const struct message *m)
{
	size_t	i;

	if (m->active == 0 || queue_now() - m->owed_since >= GATHER_SECONDS)
		return (0);
	for (i = 0; i < m->env.nrcpts; i++)
		if (m->recips[i].state == RECIP_FLYING ||
		    (m->recips[i].state == RECIP_READY &&
		    m->recips[i].dest->blocked <= queue_now()))
			return (1);
	return (0);
}

static int
is_allowed(const struct message *m, const char *to)
{
	int	r;

	/* Who keeps a list has not logged in to send this. */
	if (m->env.user[0] != '\0' && strcmp(to, m->env.sender) == 0)
		return (1);
	if (*to == '\0')
		to = queue_conf()->postmaster;
	r = rate_allows(to,
	    (unsigned int)limit_of(queue_conf(), LIMIT_REPORTS_SENDER),
	    (unsigned int)limit_of(queue_conf(), LIMIT_REPORTS), queue_now());
	if (r != 1)
		limit_reached(r == 0 ? LIMIT_REPORTS_SENDER : LIMIT_REPORTS);
	return (r == 1);
}

static int
owes_failure(const struct message *m, const char *to)
{
	size_t	i;

	for (i = 0; i < m->env.nrcpts; i++)
		if (action_of(m, i, 0, to) == DSN_FAILED)
			return (1);
	return (0);
}

int
report_has_room(void)
{
	return (going < AT_ONCE);
}

/* Whom to tell first; the others have their turn when that is stored. */
static const char *
whom_to_tell(const struct message *m)
{
	const char	*to;
	size_t		 i;

	for (i = 0; i < m->env.nrcpts; i++) {
		to = recipient_sender(&m->recips[i]);
		if (action_of(m, i, 0, to) != -1)
			return (to);
	}
	return (m->env.sender);
}

void
report_send(struct message *m)
{
	const char	*to = whom_to_tell(m);

	if (*to == '\0' && m->env.kind != KIND_REPORT) {
		mark_reported(m, to);
		drop(m, m->id, 0, m->env.kind == KIND_DOUBLE ?
		    "one to the postmaster failed itself" :
		    "the message had no sender");
		return;
	}
	if (is_worth_waiting(m) || !report_has_room()) {
		message_owing(m);	/* the next second */
		return;
	}
	if (is_allowed(m, to)) {
		begin(m, 0, to);
		return;
	}
	if (owes_failure(m, to) && queue_now() - m->owed_since < PATIENCE)
		return;			/* the sweep comes back to it */
	mark_reported(m, to);
	drop(m, m->id, 0, "too many reports");
}

static void
tell_of_delay(struct message *m, const char *to)
{
	if (is_allowed(m, to))
		begin(m, 1, to);
	else
		drop(m, m->id, 1, "too many reports");
}

/* Each return path once: there are as many as lists. */
void
report_delayed(struct message *m)
{
	const char	*to, *told[OWNERS_MAX];
	size_t		 i, j, n = 0;

	if (m->env.sender[0] == '\0')
		return;
	for (i = 0; i < m->env.nrcpts && n < OWNERS_MAX; i++) {
		to = recipient_sender(&m->recips[i]);
		for (j = 0; j < n && strcmp(told[j], to) != 0; j++)
			;
		if (j < n || action_of(m, i, 1, to) == -1)
			continue;
		told[n++] = to;
		tell_of_delay(m, to);
	}
}
