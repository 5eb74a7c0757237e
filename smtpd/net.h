/*
 * net: SMTP sessions with clients; shared by the files smtpd/net*.c only.
 */
#ifndef SMTPD_NET_H
#define SMTPD_NET_H

#include <sys/types.h>
#include <stdint.h>
#include <time.h>

#include "conf/conf.h"
#include "daemon/counter.h"
#include "net/conn.h"
#include "os/compat.h"
#include "privsep/role.h"
#include "smtp/command.h"
#include "smtp/content.h"
#include "smtpd/contract.h"

extern const struct role_code	net_code;

#define NET_LOCAL	"local"		/* the address of a local socket */

struct collect;
struct event;
struct sasl_server;

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
	S_GREET,		/* silence is asked for before the greeting */
	S_AUTH,			/* a line of the SASL exchange comes next */
	S_DATA,			/* the message comes */
	S_CHUNK,		/* a chunk of it comes (BDAT) */
	S_BUSY,			/* an answer must come before the next line */
	S_ENDING		/* what still comes is thrown away */
};

struct session {
	LIST_ENTRY(session)	 entry;
	TAILQ_ENTRY(session)	 stranger;	/* while nobody logged in */
	struct conn		*conn;
	uint32_t		 id;
	const struct conf_listen *listener;
	void			*addrkey;
	char			 addr[C_ADDR];	/* or NET_LOCAL */
	uid_t			 uid;		/* of PROTO_LOCAL's client */
	char			*helo;		/* NULL: none said yet */
	char			*user;		/* logged in as */
	struct sasl_server	*sasl;
	struct collect		*collect;	/* the message that comes */
	struct event		*greet;
	TAILQ_HEAD(slots_list, slot) slots;
	unsigned int		 nslots;
	uint32_t		 seq;
	uint32_t		 mail_seq;	/* of MAIL; 0 no transaction */
	uint64_t		 queueid;	/* 0: queue has not agreed */
	unsigned int		 nrcpts;	/* accepted */
	unsigned int		 pending;	/* RCPTs not answered yet */
	unsigned int		 asked;		/* RCPTs in all */
	unsigned int		 messages;	/* transactions */
	unsigned int		 errors;
	unsigned int		 unknown;	/* commands in a row */
	unsigned int		 idle;		/* commands since a message */
	unsigned int		 logins;	/* that failed */
	time_t			 since;		/* the last message, or it
						   came */
	time_t			 waiting;	/* for the client, since then */
	uint64_t		 size;		/* announced */
	uint64_t		 chunk;		/* bytes of it that are left */
	const char		*refused;	/* the reply it will get */
	char			 rcpt[C_MAILADDR];	/* the first one */
	enum smtp_verb		 wait;		/* until all is answered */
	enum counter_method	 method;	/* of the login tried */
	unsigned int		 state:3, esmtp:1, body:2, utf8:1;
	unsigned int		 auth_pending:1, handed:1;
	unsigned int		 exchange:1;	/* auth remembers one */
	unsigned int		 known:1;	/* to lookup */
	unsigned int		 known_user:1;	/* is no stranger */
	unsigned int		 last:1;	/* of the chunks */
	unsigned int		 crlf:1;	/* a line ended in CRLF */
	unsigned int		 wide:1;	/* an address is no ASCII */
};

/* net.c */
const struct conf *net_config(void);
/* What the client said of itself, here and in lookup. */
void	net_forget(struct session *);
void	net_session_free(struct session *);
/* It is no stranger any more: nobody takes its place. */
void	net_known(struct session *);
struct tls *net_tls(const struct conf_listen *);
int	net_may_login(const struct session *);	/* may a password come now? */
/* May it send n messages, or as many tens of recipients, more? */
int	net_rate(const struct session *, unsigned int n);

/* net_time.c */
void	time_start(void);		/* the first session is there */
void	time_began(struct session *);
/* The greeting comes later, if the client is silent. */
void	time_greet(struct session *);
/* From now on the client is waited for. */
void	time_wait(struct session *);
/* A message came in whole. */
void	time_message(struct session *);
/* net.c, for it: fn for every session; how many there are. */
unsigned int net_each(void (*)(struct session *));

/* net_reply.c */
void	net_reply(struct session *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
/* 421 and the end. */
void	net_hang_up(struct session *, const char *reply);
/* The same at once: what was asked will not be answered. */
void	net_abort(struct session *, const char *reply);
/* A slot for the answer to what was just asked; its number, 0 on ENOMEM. */
uint32_t net_ask(struct session *);
/* The answer to it, times over (LMTP). */
void	net_answer(struct session *, uint32_t seq, const char *reply,
	    unsigned int times);
/* A refusal, times over. */
void	net_refuse(struct session *, const char *reply, unsigned int times);
/* Replies that the end of this message gets. */
unsigned int net_times(const struct session *);

/* net_session.c */
void	net_begin(struct session *);
size_t	net_input(struct conn *, void *, const char *, size_t);
void	net_take_reply(struct session *, const struct msg_TX_REPLY *);
void	net_take_auth(struct session *, const struct msg_AUTH_DONE *);
void	net_go_on(struct session *);
/* The command has to wait for the answers to those before it. */
void	net_wait(struct session *, enum smtp_verb);
/* The transaction is over; tell: the others do not know it yet. */
void	net_reset(struct session *, int tell);

/* net_hello.c */
void	hello_command(struct session *, const struct smtp_command *);
void	starttls_command(struct session *);
void	net_secured(struct conn *, void *);

/* net_mail.c */
void	mail_command(struct session *, const struct smtp_command *);
void	rcpt_command(struct session *, const struct smtp_command *);
void	data_command(struct session *);
void	bdat_command(struct session *, const struct smtp_command *);
void	bdat_go_on(struct session *);
size_t	bdat_input(struct session *, const char *, size_t);

/* net_auth.c */
void	auth_command(struct session *, const char *arg);
void	auth_line(struct session *, const char *line, size_t);
void	auth_challenge(struct session *, const char *text);
/* The exchange, if there is one, is over; forget: auth does not know it. */
void	auth_end(struct session *, int forget);
/* "AUTH PLAIN LOGIN" */
const char *auth_offer(void);

/* net_data.c */
int	data_begin(struct session *, int bdat);	/* -1: no memory */
ssize_t	data_feed(struct session *, const char *, size_t);
/* A piece of a chunk; it is all taken. */
void	data_chunk(struct session *, const char *, size_t);
/* More comes: if it needs the file that queue hands out, ask for that. */
void	data_wants_spool(struct session *);
/* NULL, or the reply to a message that fails already. */
const char *data_failed(const struct session *);
void	data_end(struct session *);		/* that was the last chunk */
uint64_t data_size(const struct session *);
void	data_spool(struct session *, int fd, int failed);
void	data_free(struct session *);

#endif
