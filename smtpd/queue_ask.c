/*
 * queue_ask: questions of queue's own to lookup: where does an address go now?
 *
 * Answered with the same messages as the transactions of net.
 */
#include <stdlib.h>
#include <string.h>

#include "smtpd/queue.h"

/* A question of queue's own to lookup. */
struct question {
	LIST_ENTRY(question)	 entry;
	uint32_t		 ticket;
	struct peer		*lookup;	/* that was asked */
	resolved		 fn;
	void			*arg;
	struct msg_TX_ADD	*adds;
	size_t			 n;
	int			 missed;	/* a place was not kept */
	struct msg_RESOLVE	 ask;
};

static struct {
	LIST_HEAD(, question)	 questions;
	uint32_t		 ticket;
} self;

static void
question_end(struct question *q, const char *text)
{
	LIST_REMOVE(q, entry);
	q->fn(q->arg, q->adds, q->n, text);
	free(q->adds);
	free(q);
}

void
tx_resolve(const char *sender, const char *rcpt, int expand, resolved fn,
    void *arg)
{
	struct peer	*lookup = queue_role(ROLE_LOOKUP);
	struct question	*q;

	if ((q = calloc(1, sizeof(*q))) == NULL) {
		fn(arg, NULL, 0, "451 4.3.0 no memory");
		return;
	}
	q->ticket = ++self.ticket;
	q->fn = fn;
	q->arg = arg;
	q->ask.ticket = q->ticket;
	q->ask.expand = expand;
	strlcpy(q->ask.sender, sender, sizeof(q->ask.sender));
	strlcpy(q->ask.rcpt, rcpt, sizeof(q->ask.rcpt));
	LIST_INSERT_HEAD(&self.questions, q, entry);
	q->lookup = lookup;
	if (lookup != NULL)
		peer_send(lookup, M_RESOLVE, &q->ask, -1);
	else
		question_end(q, NULL);
}

static struct question *
question_find(uint32_t ticket)
{
	struct question	*q;

	LIST_FOREACH(q, &self.questions, entry)
		if (q->ticket == ticket)
			return (q);
	return (NULL);
}

void
ask_add(const struct msg_TX_ADD *a)
{
	struct question		*q = question_find(a->conn);
	struct msg_TX_ADD	*v;

	if (q == NULL)
		return;
	if (q->n >= ENVELOPE_RCPTS ||
	    (v = reallocarray(q->adds, q->n + 1, sizeof(*v))) == NULL) {
		q->missed = 1;
		return;
	}
	q->adds = v;
	q->adds[q->n++] = *a;
}

void
ask_verdict(const struct msg_TX_VERDICT *v)
{
	struct question	*q = question_find(v->conn);

	if (q == NULL)
		return;
	if (!v->accepted || q->missed)
		q->n = 0;
	question_end(q, v->accepted && q->missed ?
	    "452 4.5.3 too many places" : v->reply);
}

void
ask_lookup_gone(struct peer *p)
{
	struct question	*q, *next;

	LIST_FOREACH_SAFE(q, &self.questions, entry, next) {
		if (q->lookup != p)
			continue;
		q->n = 0;
		question_end(q, NULL);
	}
}
