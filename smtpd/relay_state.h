/*
 * relay_state: a session to another server, the table of them, and what queue
 * is told of them.  Shared by the files of relay only.
 */
#ifndef SMTPD_RELAY_STATE_H
#define SMTPD_RELAY_STATE_H

#include "os/compat.h"
#include <sys/socket.h>
#include <stdint.h>

#include "smtp/reply.h"
#include "smtpd/contract.h"
#include "smtpd/relay_data.h"

struct conn;
struct event;
struct known;
struct peer;
struct sasl_client;

#define RELAY_SESSIONS	1000
#define RELAY_HOSTS	10	/* of a destination, in one session */
#define DNS_HOSTS	64	/* that dns may name */
#define RELAY_ADDRS	20	/* tried in one session */
#define RELAY_ATTEMPTS	3	/* at a time */
#define RELAY_FAMILY	16	/* addresses of one host in one family */

enum relay_phase {
	PHASE_RESOLVING,
	PHASE_CONNECTING,
	PHASE_GREETING,			/* the rest: a reply is waited for */
	PHASE_EHLO,
	PHASE_HELO,
	PHASE_STARTTLS,
	PHASE_HANDSHAKE,
	PHASE_SECRET,
	PHASE_AUTH,
	PHASE_IDLE,			/* READY was said */
	PHASE_COMMANDS,			/* MAIL, RCPT, DATA */
	PHASE_CONTENT,
	PHASE_DOT,
	PHASE_RSET,
	PHASE_QUIT,			/* queue has forgotten it already */
	PHASE_DEAD			/* freed at the end of this turn */
};

/* A host that takes mail for the destination. */
struct relay_host {
	unsigned int	pref;
	char		name[C_DOMAIN];
};

struct relay_addr {
	struct sockaddr_storage	ss;
	socklen_t		len;
	int			tried;
	char			text[C_ADDR];
};

/* A connection being made. */
struct relay_attempt {
	struct session	*session;
	int		 fd;		/* -1: none */
	size_t		 addr;		/* that it is made to */
	struct known	*at;		/* what is known of that */
	struct event	*ev;
};

/* Where a session is on its way to a connection. */
struct relay_hop {
	struct relay_host	*hosts;
	size_t			 nhosts;
	size_t			 host;		/* being tried */
	int			 asking_mx;
	int			 from_mx;	/* they are of MX records */
	int			 secure;	/*  that were validated */
	struct relay_addr	*addrs;		/* of the host */
	size_t			 naddrs;
	size_t			 addr;		/* in use, plus one */
	size_t			 tried;
	unsigned int		 contacted;	/* addresses that were */
	unsigned int		 rest;		/* of one that was not */
	struct relay_attempt	 attempts[RELAY_ATTEMPTS];
	size_t			 nattempts;
	uint32_t		 ask[2];	/* to dns; 0: none */
	int			 unsure;	/* one of them failed */
	int			 tempfail;
	char			 reply[C_REPLY]; /* of the last failure */
};

enum rcpt_state { RCPT_MISSING, RCPT_WAITING, RCPT_ACCEPTED, RCPT_REPORTED };

struct relay_rcpt {
	char		*addr;
	unsigned int	 notify;	/* NOTIFY_*, as the client said */
	char		*orcpt;
	enum rcpt_state	 state;
	int		 skip;		/* no command is sent for it */
};

/*
 * The message that is being sent.  Its commands are numbered: MAIL is 0, then
 * the recipients, then DATA.
 */
struct relay_mail {
	struct msg_RELAY_MAIL	 msg;
	int			 fd;
	struct relay_rcpt	*rcpts;
	unsigned int		 nrcpts;
	unsigned int		 narrived;
	unsigned int		 naccepted;
	unsigned int		 nreported;
	int			 begun;		/* a transaction was */
	unsigned int		 written;	/* commands */
	unsigned int		 answered;
	int			 refused;	/* MAIL was */
	struct content		 content;
	int			 held;		/* the last result waits */
	struct msg_RELAY_RESULT	 last;
};

struct session {
	LIST_ENTRY(session)	 bucket;	/* by number */
	TAILQ_ENTRY(session)	 entry;
	struct peer		*queue;
	struct msg_RELAY_OPEN	 dest;
	unsigned int		 slot;
	enum relay_phase	 phase;
	struct event		*timer;
	void			(*expired)(struct session *);
	struct relay_hop	 hop;
	struct conn		*conn;
	struct reply		 reply;
	struct ehlo		 ehlo;
	int			 clear;		/* TLS failed: go without */
	int			 verified;	/* by certificate and name */
	char			 proven[C_DOMAIN];	/* that name */
	int			 loggedin;
	struct sasl_client	*sasl;
	int			 sasl_first;	/* first response is to come */
	int			 proof;		/* it is SCRAM */
	int			 no_proof;	/* SCRAM was refused here */
	struct relay_mail	*mail;		/* NULL: none */
	unsigned int		 nmails;	/* over the connection */
	unsigned int		 ntransactions;	/*  likewise */
	unsigned int		 rest;		/* queue is told to wait */
	/* relay_share's: */
	LIST_ENTRY(session)	 beside;	/* others of the address */
	TAILQ_ENTRY(session)	 line;		/* that wait for it */
	struct known		*at;		/* its connection is to */
	struct known		*waits;		/* whose turn it waits for */
	void			(*turn)(struct session *);
	int			 woken;		/* it was its turn */
	int64_t			 since;		/* it looks for one */
	int			 reached;	/* counted in at->nready */
	int			 spare;		/* queue has nothing for it */
	uint32_t		 turned;	/* away from that line */
};

void		 sessions_init(void);
/* NULL with errno: EEXIST the number is in use, ENFILE too many, ENOMEM. */
struct session	*session_new(struct peer *, const struct msg_RELAY_OPEN *);
struct session	*session_find(uint32_t number);
struct session	*session_by_slot(unsigned int);
size_t		 sessions_count(void);	/* those that queue knows */
int		 sessions_idle(void);	/* there is none at all */
void		 sessions_exit(void) __attribute__((__noreturn__));
void		 sessions_each(void (*)(struct session *, void *), void *);
/* Call fn after so many seconds, absolutely; replaces the one before. */
void		 session_timer(struct session *, unsigned int seconds,
		    void (*fn)(struct session *));
void		 session_timer_ms(struct session *, unsigned int ms,
		    void (*fn)(struct session *));
void		 session_no_timer(struct session *);
void		 attempts_drop(struct relay_hop *);
const char	*session_host(const struct session *);
const char	*session_addr(const struct session *);

enum session_end {
	END_FAILED,		/* queue tries later */
	END_FOR_GOOD,
	END_STOPPED		/* nothing is wrong: queue opens another */
};

/*
 * RELAY_CLOSED: queue knows it no more.  The connection stays until
 * session_free(), which session_closed() does as well.
 */
void		 session_forget(struct session *, enum session_end,
		    const char *reply);
void		 session_closed(struct session *, enum session_end,
		    const char *reply);
/* Say nothing; the memory goes at the end of this turn. */
void		 session_free(struct session *);
/* Take it out of the table, for one that is on its way out. */
void		 session_unlink(struct session *);
void		 session_hang_up(struct session *);

/* A message and its results. */
struct relay_mail *mail_new(const struct msg_RELAY_MAIL *, int fd);
void		 mail_free(struct relay_mail *);
/*
 * What became of a recipient; the last is kept until mail_flush(), with which
 * the session is free for another message, or about to be closed.
 */
void		 mail_result(struct session *, unsigned int index, int final,
		    const char *reply);
void		 mail_flush(struct session *, int closing);

#endif
