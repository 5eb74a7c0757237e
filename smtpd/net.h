/*
 * net: SMTP sessions with clients; shared by the files smtpd/net*.c only.
 */
#ifndef SMTPD_NET_H
#define SMTPD_NET_H

#include <sys/types.h>
#include <stdint.h>

#include "conf/conf.h"
#include "net/conn.h"
#include "os/compat.h"
#include "privsep/role.h"
#include "smtp/command.h"
#include "smtp/content.h"
#include "smtpd/contract.h"

extern const struct role_code	net_code;

struct sasl_server;
struct collect;

/* A reply that waits for its turn: answers come in any order. */
struct slot {
	TAILQ_ENTRY(slot)	 entry;
	uint32_t		 seq;
	int			 ready;
	int			 close;		/* hang up after it */
	char			*text;		/* NULL: asked, not answered */
};

enum session_state {
	S_COMMAND,
	S_AUTH,			/* a line of the SASL exchange comes next */
	S_DATA,			/* the message comes */
	S_BUSY,			/* an answer must come before the next line */
	S_ENDING		/* what still comes is thrown away */
};

struct session {
	LIST_ENTRY(session)	 entry;
	struct conn		*conn;
	uint32_t		 id;
	const struct conf_listen *listener;
	void			*addrkey;
	char			 addr[C_ADDR];
	char			*helo;		/* NULL: none said yet */
	char			*user;		/* logged in as */
	struct sasl_server	*sasl;
	struct collect		*collect;	/* the message that comes */
	TAILQ_HEAD(slots_list, slot) slots;
	unsigned int		 nslots;
	uint32_t		 seq;
	uint32_t		 mail_seq;	/* of MAIL; 0 no transaction */
	uint64_t		 queueid;	/* 0: queue has not agreed */
	unsigned int		 nrcpts;	/* accepted */
	unsigned int		 asked;		/* RCPTs in all */
	unsigned int		 errors;
	unsigned int		 unknown;	/* commands in a row */
	uint64_t		 size;		/* announced */
	char			 rcpt[C_MAILADDR];	/* the first one */
	enum smtp_verb		 wait;		/* until all is answered */
	unsigned int		 state:3, esmtp:1, body:2, utf8:1;
	unsigned int		 auth_pending:1, handed:1;
	unsigned int		 exchange:1;	/* auth remembers one */
	unsigned int		 known:1;	/* to lookup */
};

/* net.c */
const struct conf *net_config(void);
/* What the client said of itself, here and in lookup. */
void	net_forget(struct session *);
void	net_session_free(struct session *);
struct tls *net_tls(const struct conf_listen *);
int	net_may_login(const struct session *);	/* may a password come now? */

/* net_session.c */
void	net_begin(struct session *);
size_t	net_input(struct conn *, void *, const char *, size_t);
void	net_secured(struct conn *, void *);
void	net_reply(struct session *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
void	net_take_reply(struct session *, const struct msg_TX_REPLY *);
void	net_take_auth(struct session *, const struct msg_AUTH_DONE *);
void	net_go_on(struct session *);
/* The transaction is over; tell: the others do not know it yet. */
void	net_reset(struct session *, int tell);
/* 421 and the end. */
void	net_hang_up(struct session *, const char *reply);
/* The same at once: what was asked will not be answered. */
void	net_abort(struct session *, const char *reply);
/* A slot for the answer to what was just asked; its number, 0 on ENOMEM. */
uint32_t net_ask(struct session *);

/* net_auth.c */
void	auth_command(struct session *, const char *arg);
void	auth_line(struct session *, const char *line, size_t);
void	auth_challenge(struct session *, const char *text);
/* The exchange, if there is one, is over; forget: auth does not know it. */
void	auth_end(struct session *, int forget);
/* "AUTH PLAIN LOGIN" */
const char *auth_offer(void);

/* net_data.c */
int	data_begin(struct session *);		/* -1: no memory */
ssize_t	data_feed(struct session *, const char *, size_t);
void	data_spool(struct session *, int fd, int failed);
void	data_free(struct session *);

#endif
