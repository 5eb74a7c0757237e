/*
 * queue_history: what became of the messages that are over, for "mailctl
 * trace", and counts for "mailctl stats".
 */
#ifndef SMTPD_QUEUE_HISTORY_H
#define SMTPD_QUEUE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

struct recipient;

#define HISTORY_MAX	10000		/* recipients */

struct outcome {
	uint64_t	 id;
	int64_t		 when;
	int64_t		 delay;
	uint64_t	 size;
	const char	*what;		/* static */
	const char	*sender;
	const char	*rcpt;
	const char	*via;
	const char	*reply;
	const char	*orig;		/* "": the client named rcpt */
	char		*text;		/* that these point into */
};

enum queue_count {
	COUNT_ACCEPTED,			/* messages */
	COUNT_REPORTS,			/* messages of our own */
	COUNT_DELIVERED,		/* recipients, from here on */
	COUNT_RELAYED,
	COUNT_FAILED,
	COUNT_DEFERRED,
	COUNT_REFUSED,
	COUNT_MAX
};

/* what has to be static. */
void	history_add(const struct recipient *, const char *what);
/* Call fn for each outcome, oldest first. */
void	history_each(void (*fn)(const struct outcome *, void *), void *);

void	 queue_count(enum queue_count);
uint64_t queue_counted(enum queue_count);
/* How many in the last minute; a call a second keeps it right. */
uint64_t queue_rate(enum queue_count);
void	 queue_count_tick(void);
const char *queue_count_name(enum queue_count);

#endif
