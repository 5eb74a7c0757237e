/*
 * queue_list: what mailctl sees of the queue, as text or JSON.
 */
#ifndef SMTPD_QUEUE_LIST_H
#define SMTPD_QUEUE_LIST_H

struct buf;
struct message;
struct recipient;

/* "ready", "active", "deferred", "blocked", "held", "failed", "done" */
const char	*list_state(const struct recipient *);
/* all: with the recipients that are over; first: of a JSON list. */
void		 list_message(struct buf *, struct message *, int json,
		    int first, int all);
/* Counts, rates and what is paused. */
void		 list_stats(struct buf *, int json);
/* What became of a message's recipients, or of an address's messages. */
void		 list_history(struct buf *, const char *what, int json);
/* A string of JSON; only what is printable and harmless goes out as it is. */
void		 list_json(struct buf *, const char *);

#endif
