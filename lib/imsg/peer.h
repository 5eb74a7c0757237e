/*
 * peer: the other end of a channel between two roles.
 *
 * A channel is a stream socket that carries framed messages and, with some of
 * them, one descriptor.  Each message is held against the contract before its
 * handler runs.  What is sent during one turn of the event loop leaves in one
 * system call at its end (a message with a descriptor needs one of its own).
 *
 * A bad message never reaches a handler: the bad hook is called with what was
 * wrong; the role's parent kills a weaker sender, a role that receives one
 * from its parent exits.
 */
#ifndef IMSG_PEER_H
#define IMSG_PEER_H

#include <sys/types.h>

#include "imsg/contract.h"

struct event_base;
struct peer;

#define PEER_MSG_MAX	65536		/* header, struct and tail */
#define PEER_OUT_MAX	(64 << 20)	/* unsent bytes; more is a dead peer */

typedef void (*peer_handler)(struct peer *, struct msg *);

struct handler {
	uint32_t	type;
	peer_handler	fn;
};

struct peer_ops {
	const struct contract	*contract;
	enum role		 self;
	const struct handler	*handlers;	/* ends with fn == NULL */
	/* what is NULL at EOF; the peer may be freed in it */
	void			(*gone)(struct peer *, const char *what);
};

/*
 * Start-up check: self has exactly the handlers whose receiver it is.  Exits
 * through fatalx() with the name of the first one missing or left over.
 */
void		 peer_check_handlers(const struct peer_ops *);

/*
 * Takes fd over (closed on failure too). NULL with errno. ops stays the
 * caller's.
 */
struct peer	*peer_new(struct event_base *, const struct peer_ops *,
		    enum role other, int fd);
void		 peer_free(struct peer *);
void		 peer_phase(struct peer *, unsigned int when);
void		 peer_set_arg(struct peer *, void *);
void		*peer_arg(struct peer *);
/* The other end's process, for the log and for PEER_BAD. */
void		 peer_set_pid(struct peer *, pid_t);
pid_t		 peer_pid(const struct peer *);
/* The generation that the other end belongs to; 0 if that does not matter. */
void		 peer_set_generation(struct peer *, uint32_t);
uint32_t	 peer_generation(const struct peer *);
enum role	 peer_role(const struct peer *);
size_t		 peer_unsent(const struct peer *);

/*
 * Queue a message; body is a struct msg_NAME of the right type.  fd, if not
 * -1, is taken over and closed once sent.  Sending what the contract does not
 * allow is a mistake of this program and exits.  A channel that cannot take
 * it any more is reported through gone() later, so there is no error here.
 */
void		 peer_send(struct peer *, uint32_t type, const void *body,
		    int fd);
void		 peer_send_tail(struct peer *, uint32_t type, const void *body,
		    const void *tail, size_t taillen, int fd);
/* Send now what can be sent: something slow comes before the loop does. */
void		 peer_push(struct peer *);
/* Blocking: write out all that is queued; -1 if the channel broke. */
int		 peer_flush(struct peer *);
/*
 * Blocking: handle the next message (used before the event loop runs and by
 * peer_call()).  1 handled one, 0 EOF, -1 broken or bad.
 */
int		 peer_read_one(struct peer *);
/*
 * Blocking question and answer for the signer: sends, then handles messages
 * until one of type answer was handled.  -1 after timeout seconds or if the
 * channel broke.
 */
int		 peer_call(struct peer *, uint32_t type, const void *body,
		    const void *tail, size_t taillen, uint32_t answer,
		    int timeout);

#endif
