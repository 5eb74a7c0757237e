/*
 * queue_quota: mailboxes that are nearly full, as their deliverers last said.
 *
 * So that their mail is refused while the client is there, and not returned
 * later.  Only those more than half full are kept, QUOTAS_MAX of them; the one
 * that was told of longest ago goes.  What is FRESH seconds old is not believed
 * any more: the client is told to come again, and the mailbox's process is
 * asked meanwhile, as the owner may have made room.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "smtpd/queue.h"
#include "smtpd/queue_quota.h"

#define QUOTAS_MAX	10000
#define FRESH		20

struct quota {
	RB_ENTRY(quota)		 entry;
	TAILQ_ENTRY(quota)	 age;		/* told of last at the end */
	char			*key;
	uint64_t		 used, limit;
	time_t			 told;
};
RB_HEAD(quotas, quota);

static int	by_key(struct quota *, struct quota *);

RB_PROTOTYPE(quotas, quota, entry, by_key)
RB_GENERATE(quotas, quota, entry, by_key)

static struct {
	struct quotas		 all;
	TAILQ_HEAD(, quota)	 ages;
	size_t			 n;
} self = { .all = RB_INITIALIZER(&self.all),
	.ages = TAILQ_HEAD_INITIALIZER(self.ages) };

static int
by_key(struct quota *a, struct quota *b)
{
	return (strcmp(a->key, b->key));
}

static struct quota *
find(const struct place *p)
{
	char		 key[2 * C_USER + C_DOMAIN + 2];
	struct quota	 q = { .key = key };

	(void)snprintf(key, sizeof(key), "%s %s %s", p->user, p->host,
	    p->label);
	return (RB_FIND(quotas, &self.all, &q));
}

static void
forget(struct quota *q)
{
	RB_REMOVE(quotas, &self.all, q);
	TAILQ_REMOVE(&self.ages, q, age);
	self.n--;
	free(q->key);
	free(q);
}

static struct quota *
add(const struct place *p)
{
	struct quota	*q;

	if (self.n == QUOTAS_MAX)
		forget(TAILQ_FIRST(&self.ages));
	if ((q = calloc(1, sizeof(*q))) == NULL)
		return (NULL);
	if (asprintf(&q->key, "%s %s %s", p->user, p->host, p->label) ==
	    -1) {
		free(q);
		return (NULL);
	}
	RB_INSERT(quotas, &self.all, q);
	TAILQ_INSERT_TAIL(&self.ages, q, age);
	self.n++;
	return (q);
}

void
quota_told(const struct place *p, uint64_t used, uint64_t limit)
{
	struct quota	*q = find(p);

	if (limit == 0 || used < limit / 2) {
		if (q != NULL)
			forget(q);
		return;
	}
	if (q == NULL && (q = add(p)) == NULL)
		return;			/* no memory: nobody knows */
	TAILQ_REMOVE(&self.ages, q, age);
	TAILQ_INSERT_TAIL(&self.ages, q, age);
	q->used = used;
	q->limit = limit;
	q->told = queue_now();
}

const char *
quota_refusal(const struct place *p, uint64_t size)
{
	struct quota	*q = find(p);

	if (q == NULL || (q->used < q->limit && size <= q->limit - q->used))
		return (NULL);
	if (queue_now() - q->told <= FRESH)
		return ("552 5.2.2 the mailbox is full");
	local_ask_quota(p);
	return ("452 4.2.2 the mailbox was full, try again later");
}
