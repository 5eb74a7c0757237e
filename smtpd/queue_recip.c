/*
 * queue_recip: what became of a recipient, in the envelope, the journal, the
 * log and the history.
 *
 * Which of it the sender is told is said by him (NOTIFY, RFC 3461 4.1): a
 * failure if he did not say, a success only if he did.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "log/log.h"
#include "smtpd/queue.h"
#include "smtpd/queue_history.h"

const char *
recipient_orig(const struct recipient *r)
{
	const struct erecipient	*e = recipient_env(r);

	return (e->orig != NULL && strcasecmp(e->orig, e->rcpt) != 0 ?
	    e->orig : "");
}

static void
log_final(const struct recipient *r, const char *what)
{
	const struct erecipient	*e = recipient_env(r);
	const char		*orig = recipient_orig(r);
	char			 id[QUEUEID_SIZE];

	queueid_text(r->m->id, id);
	log_info("%s: %s to=<%s> from=<%s>%s%s%s via=%s%s size=%llu "
	    "delay=%lld reply=\"%s\"", id, what, e->rcpt,
	    recipient_sender(r), *orig != '\0' ? " orig=<" : "", orig,
	    *orig != '\0' ? ">" : "", e->place.local ? "local:" : "",
	    e->place.local ? e->place.user : e->place.host,
	    (unsigned long long)r->m->env.size,
	    (long long)(time(NULL) - r->m->env.arrived),
	    e->reply != NULL ? e->reply : "");
	history_add(r, what);
}

void
recipient_deleted(const struct recipient *r)
{
	log_final(r, "deleted");
}

/* A try is over; remote: who answered, NULL if it was no other server. */
static void
tried(struct recipient *r, const char *reply, const char *remote)
{
	struct erecipient	*e = recipient_env(r);

	free(e->reply);
	e->reply = strdup(reply);
	free(e->remote);
	e->remote = remote != NULL ? strdup(remote) : NULL;
	e->last = time(NULL);
	e->tries++;
}

static int
wants(const struct recipient *r, unsigned int what)
{
	unsigned int	notify = recipient_env(r)->notify;

	if (notify == 0)
		notify = NOTIFY_FAILURE | NOTIFY_DELAY;
	return ((notify & what) != 0);
}

int
recipient_wants_delay(const struct recipient *r)
{
	return (wants(r, NOTIFY_DELAY));
}

static void
over(struct recipient *r, enum rcpt_status status)
{
	struct message	*m = r->m;

	recipient_env(r)->status = status;
	r->state = RECIP_OVER;
	r->dest = NULL;
	m->active--;
	if (status != RCPT_DONE)
		m->owed++;
	if (m->active > 0 || m->owed > 0)
		message_journal(r);
	message_owing(m);
	message_maybe_finished(m);
}

/* The null path is never told (RFC 3461 4.1); a failed report is seen to. */
static void
success(struct recipient *r, enum rcpt_status status)
{
	if (!wants(r, NOTIFY_SUCCESS) || *recipient_sender(r) == '\0')
		status = RCPT_DONE;
	over(r, status);
}

void
recipient_done(struct recipient *r, const char *reply)
{
	tried(r, reply, NULL);
	queue_count(COUNT_DELIVERED);
	log_final(r, "delivered");
	success(r, RCPT_DELIVERED);
}

void
recipient_relayed(struct recipient *r, const char *reply, const char *remote,
    int dsn)
{
	tried(r, reply, remote);
	queue_count(COUNT_RELAYED);
	log_final(r, "delivered");
	/* A server that knows DSN reports itself (RFC 3461 5.2.2). */
	success(r, dsn ? RCPT_DONE : RCPT_RELAYED);
}

void
recipient_expanded(struct recipient *r, const char *to)
{
	char	reply[C_REPLY];

	(void)snprintf(reply, sizeof(reply), "250 2.1.5 sent on to its "
	    "members: %s", to);
	tried(r, reply, NULL);
	log_final(r, "expanded");
	over(r, RCPT_DONE);
}

void
recipient_failed(struct recipient *r, const char *reply, const char *remote)
{
	tried(r, reply, remote);
	queue_count(COUNT_FAILED);
	log_final(r, "failed");
	over(r, wants(r, NOTIFY_FAILURE) ? RCPT_FAILED : RCPT_DONE);
}

static int
is_too_old(const struct message *m)
{
	return (!m->env.held && time(NULL) - m->env.arrived >
	    (int64_t)queue_conf()->queue_lifetime);
}

void
recipient_expired(struct recipient *r, const char *why, const char *remote)
{
	char	reply[C_REPLY];

	(void)snprintf(reply, sizeof(reply), "451 4.4.7 delivery time "
	    "expired; at last: %.400s", why);
	recipient_failed(r, reply, remote);
}

void
recipient_deferred(struct recipient *r, const char *reply, const char *remote)
{
	struct erecipient	*e = recipient_env(r);
	const char		*orig = recipient_orig(r);
	char			 id[QUEUEID_SIZE];
	int64_t			 delay = retry_delay(e->tries);

	if (is_too_old(r->m)) {
		recipient_expired(r, reply, remote);
		return;
	}
	tried(r, reply, remote);
	queue_count(COUNT_DEFERRED);
	e->next = time(NULL) + delay;
	queueid_text(r->m->id, id);
	log_info("%s: deferred to=<%s> from=<%s>%s%s%s via=%s%s tries=%u "
	    "next=%llds reply=\"%s\"", id, e->rcpt, recipient_sender(r),
	    *orig != '\0' ? " orig=<" : "", orig, *orig != '\0' ? ">" : "",
	    e->place.local ? "local:" : "", e->place.local ? e->place.user :
	    e->place.host, e->tries, (long long)delay, reply);
	message_journal(r);
	wait_add(r, e->next);
}
