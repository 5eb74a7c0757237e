/*
 * queue: messages, recipients and destinations in memory; shared by the files
 * smtpd/queue*.c only.
 *
 *	queue.c		the role: start-up, reload, timers
 *	queue_tx.c	a transaction of net's, from MAIL to "250"
 *	queue_msg.c	messages in memory and in the journal
 *	queue_recip.c	what became of a recipient
 *	queue_expand.c	one that has become several
 *	queue_text.c	the text of a message
 *	queue_load.c	what the journal holds at start
 *	queue_history.c	what became of messages that are over
 *	queue_clean.c	the journal's size
 *	queue_dest.c	destinations: who is next, when, how many at a time
 *	queue_local.c	deliverers, one a user
 *	queue_relay.c	sessions of the relay role
 *	queue_report.c	telling senders
 *	queue_ask.c	questions to lookup
 *	queue_pause.c	what the administrator has stopped
 *	queue_ctl.c	mailctl
 */
#ifndef SMTPD_QUEUE_H
#define SMTPD_QUEUE_H

#include <sys/types.h>
#include <stdint.h>

#include "conf/conf.h"
#include "os/compat.h"
#include "privsep/role.h"
#include "smtp/queueid.h"
#include "smtpd/contract.h"
#include "smtpd/envelope.h"
#include "smtpd/journal.h"

extern const struct role_code	queue_code;

struct dest;
struct message;

enum recip_state {
	RECIP_NEW,		/* its message is being stored */
	RECIP_READY,		/* in the list of its destination */
	RECIP_FLYING,		/* handed to a deliverer or a session */
	RECIP_WAITING,		/* for its own next try */
	RECIP_HELD,		/* for the administrator */
	RECIP_OVER		/* status in the envelope is final */
};

struct recipient {
	TAILQ_ENTRY(recipient)	 entry;		/* of dest, or flying list */
	RB_ENTRY(recipient)	 wait;		/* by next */
	struct message		*m;
	struct dest		*dest;
	uint32_t		 index;		/* into the envelope */
	enum recip_state	 state;
	uint64_t		 ticket;	/* while at a deliverer */
	uint32_t		 routes;	/* its place is of; 0 a spool */
	int			 reported;	/* its sender is being told */
};
TAILQ_HEAD(recipients, recipient);

struct message {
	RB_ENTRY(message)	 byid;
	TAILQ_ENTRY(message)	 owing;		/* its sender a report */
	uint64_t		 id;
	struct envelope		 env;
	struct recipient	*recips;
	size_t			 active;	/* recipients not over */
	size_t			 owed;		/* over, sender to be told */
	time_t			 owed_since;	/* monotonic */
	struct journal_place	 place;
	int			 fd;		/* its text, sealed; -1 */
	int			 committed;
	int			 again;		/* was read back from disk */
	int			 is_owing;	/* in that list */
	int			 bouncing;	/* a bounce is being written */
	int			 old_routes;	/* of a lookup not in force */
};
RB_HEAD(messages, message);

/* A destination: a local account, or a host reached in one way. */
struct dest {
	RB_ENTRY(dest)		 bykey;
	TAILQ_ENTRY(dest)	 run;		/* has something to do */
	char			*key;
	struct place		 place;
	struct recipients	 ready;
	size_t			 nready;
	size_t			 nflying;
	int			 running;	/* in that list */
	unsigned int		 fails;		/* in a row */
	time_t			 blocked;	/* not before (monotonic) */
	char			*why;		/* the last failure */
	struct deliverer	*deliverer;	/* local */
	TAILQ_ENTRY(dest)	 wait;		/* a command: for room... */
	int			 waits;		/* ...in that list */
	/* relay: */
	LIST_HEAD(, rsession)	 open;		/* or opening */
	unsigned int		 sessions;	/* so many are in it */
	unsigned int		 window;	/* most of them */
	unsigned int		 breaks;	/* sessions that ended within
						   a message, in a row */
	int			 proven;	/* one of them got through */
	int			 urgent;	/* old news do not count */
	TAILQ_ENTRY(dest)	 in_line;	/* of a busy host... */
	uint32_t		 line;		/* ...this one; 0: in none */
};

/* queue.c */
const struct conf *queue_conf(void);
int		 queue_spool(void);		/* descriptor of the spool */
int		 queue_large(void);		/* of large/ in it */
time_t		 queue_now(void);		/* monotonic seconds */
/* What a client hears when the disk has no room; NULL: it has. */
const char	*queue_no_room(void);
/* Have the spool's messages been read?  Before that there is no room. */
int		 queue_opened(void);
uint32_t	 queue_routes(void);		/* grows with each reload */
uint32_t	 queue_generation(void);	/* of roles, that is in force */
/* While draining: leave if nothing is under way any more. */
void		 queue_rest(void);
/* The role of that generation; NULL: it is being started again. */
struct peer	*queue_role(enum role);

/* queue_msg.c */
struct message	*message_new(uint64_t id);
struct message	*message_find(uint64_t id);
struct message	*message_first(void);
struct message	*message_next(struct message *);
size_t		 message_count(void);
/* Bytes of journal that are needed, after adding change to them. */
uint64_t	 message_live(int64_t change);
uint64_t	 message_new_id(void);
void		 message_id_seen(uint64_t);	/* new ones are above it */
/* Make recips from the envelope. -1 ENOMEM. */
int		 message_recipients(struct message *);
/* It is on the disk: its new recipients may go. */
void		 message_begin(struct message *);
/*
 * Write it to the journal; done(arg, error) when it is on disk.  text is its
 * text (not for a spooled one) and stays the caller's.
 */
int		 message_store(struct message *, const void *text, size_t,
		    const struct journal_file *, journal_done, void *arg);
struct erecipient *recipient_env(const struct recipient *);
/* The return path to it: of the list that it is on, or the message's own. */
const char	*recipient_sender(const struct recipient *);
/* What the client named that he was reached by; "" if that is his address. */
const char	*recipient_orig(const struct recipient *);
int		 recipient_has_owner(const struct recipient *);
/* Write down the state of a recipient. */
void		 message_journal(const struct recipient *);
/* By the administrator: only its line in the log, and in the history. */
void		 recipient_deleted(const struct recipient *);
void		 message_warned(struct message *);
void		 message_hold(struct message *, int);
/* Its sender has to be told something, now or once more. */
void		 message_owing(struct message *);
/* Those reported were told: they are over. Frees the message if it was all. */
void		 message_told(struct message *);
/* Drop it if nothing is left to do. */
void		 message_maybe_finished(struct message *);
/* Forget a message for good: journal, file, memory. */
void		 message_drop(struct message *);
/* One that was never accepted: out of memory, nothing else. */
void		 message_forget(struct message *);
void		 messages_owing(void (*)(struct message *));

/* queue_recip.c */
/*
 * A recipient came to its end, or failed for now; this journals it and may
 * free the message.  remote: the server that answered, NULL if none did; dsn:
 * it reports for itself.
 */
void		 recipient_done(struct recipient *, const char *reply);
void		 recipient_relayed(struct recipient *, const char *reply,
		    const char *remote, int dsn);
/* Its members are recipients elsewhere: what sees to their report. */
void		 recipient_expanded(struct recipient *, const char *to);
void		 recipient_failed(struct recipient *, const char *reply,
		    const char *remote);
void		 recipient_deferred(struct recipient *, const char *reply,
		    const char *remote);
/* It was tried for as long as mail is kept; why: what came of it last. */
void		 recipient_expired(struct recipient *, const char *why,
		    const char *remote);
int		 recipient_wants_delay(const struct recipient *);

/* queue_expand.c */
/* It has become several: they get a message of their own, and it is over. */
void		 recipient_expand(struct recipient *, struct msg_TX_ADD *,
		    size_t);

/* queue_text.c */
/* The file of a large text, with a suffix while it is not stored yet. */
void		 large_name(uint64_t id, const char *suffix, char *, size_t);
void		 large_remove(uint64_t id, const char *suffix);
/* Its text: a descriptor of the caller's, sealed or read-only; -1 errno. */
int		 message_text_fd(struct message *);
/* Hand over the sealed descriptor that it came in. */
void		 message_keep_text(struct message *, int fd);
void		 message_close_text(struct message *);
/* It was not handed on, as its text could not be had (errno). */
void		 recipient_unreadable(struct recipient *);

/* queue_load.c */
/* What the journal holds; whole: nothing of it was damaged. */
int		 messages_load(int *whole);
void		 messages_start(void);		/* schedule all */
/* Its next try as it was written, or sooner if the clock was set back. */
int64_t		 erecipient_next(const struct erecipient *);

/* queue_clean.c */
void		 messages_clean(void);		/* a few steps; each second */

/* queue_dest.c */
struct dest	*dest_of(const struct place *);	/* NULL ENOMEM */
int		 dest_add(struct recipient *);	/* -1 ENOMEM */
/* Lookup has to say anew where it goes. */
int		 dest_is_stale(const struct recipient *);
void		 dest_remove(struct recipient *);
void		 dest_run(void);		/* all that have something */
void		 dest_kick(struct dest *);
/* It cannot be reached: try again later, with all that wait for it. */
void		 dest_block(struct dest *, const char *why);
/* Its host is left alone for so many seconds: not a try. */
void		 dest_rest(struct dest *, unsigned int seconds,
		    const char *why);
void		 dest_alive(struct dest *);
void		 dest_kick_all(void);
void		 dest_retry_all(void);
/* One that waits: with the next tick. */
void		 dest_due(struct recipient *);
/* This one now, and its destination unblocked. */
void		 dest_retry(struct recipient *);
/* The next recipient, taken out of the list; NULL none. */
struct recipient *dest_take(struct dest *);
void		 dest_put_back(struct recipient *);
/* It waits for its time, or for the administrator if its message is held. */
void		 wait_add(struct recipient *, int64_t next);
void		 dest_tick(void);		/* once a second */
int64_t		 retry_delay(unsigned int tries);

/* queue_tx.c */
void		 queue_tx_open(struct peer *, struct msg *);
void		 queue_tx_add(struct peer *, struct msg *);
void		 queue_tx_verdict(struct peer *, struct msg *);
void		 queue_tx_close(struct peer *, struct msg *);
void		 queue_tx_data(struct peer *, struct msg *);
void		 queue_spool_ask(struct peer *, struct msg *);
void		 tx_net_gone(struct peer *);
void		 tx_lookup_gone(struct peer *);

/* queue_ask.c */
/*
 * Where does rcpt go?  Told once: n places, or 0 with a reply; reply is NULL
 * if lookup is not there now, which says nothing about the address.
 */
typedef void (*resolved)(void *arg, struct msg_TX_ADD *, size_t n,
		    const char *reply);
void		 tx_resolve(const char *sender, const char *rcpt, int expand,
		    resolved, void *arg);
/* An answer, or a piece of one, to such a question. */
void		 ask_add(const struct msg_TX_ADD *);
void		 ask_verdict(const struct msg_TX_VERDICT *);
void		 ask_lookup_gone(struct peer *);

/* queue_local.c */
void		 queue_deliverer(struct peer *, struct msg *);
void		 queue_no_deliverer(struct peer *, struct msg *);
void		 queue_delivered(struct peer *, struct msg *);
void		 queue_deliver_synced(struct peer *, struct msg *);
void		 local_run(struct dest *);
/* Have the mailbox's process say how full it is. */
void		 local_ask_quota(const struct place *);
void		 local_tick(void);
/* Nothing more is handed out: sync; how many are still at it. */
int		 local_rest(void);
/* The destination goes: it waits for nothing any more. */
void		 local_forget(struct dest *);
void		 local_gone(struct peer *);
void		 local_lookup_gone(void);

/* queue_relay.c */
void		 queue_relay_ready(struct peer *, struct msg *);
void		 queue_relay_result(struct peer *, struct msg *);
void		 queue_relay_closed(struct peer *, struct msg *);
void		 queue_relay_room(struct peer *, struct msg *);
void		 relay_run(struct dest *);
/* It has nothing to send: others may have the connections of its sessions. */
void		 relay_spare(struct dest *);
void		 relay_tick(void);
void		 relay_gone(struct peer *);

/* queue_line.c */
void		 line_init(void);
/* Blocked until it is called, if not sooner; line 0 is none. */
void		 line_join(struct dest *, uint32_t line);
void		 line_leave(struct dest *);
void		 line_call(uint32_t line, size_t n);
void		 line_call_all(void);

/* queue_report.c */
void		 report_send(struct message *);	/* of what it is owed */
void		 report_delayed(struct message *);
/* May one more be made, or are enough under way? */
int		 report_has_room(void);

/* queue_pause.c */
enum pause { PAUSE_ACCEPT, PAUSE_RELAY, PAUSE_DELIVER };
#define PAUSE_MAX	(PAUSE_DELIVER + 1)
int		 queue_paused(enum pause);
void		 pause_load(void);
int		 pause_set(enum pause, int);	/* -1 errno */
const char	*pause_name(enum pause);

/* queue_ctl.c */
void		 ctl_listener(struct peer *, struct msg *);
void		 ctl_ask_queue(struct peer *, struct msg *);

#endif
