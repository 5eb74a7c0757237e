/*
 * The messages that every daemon's contract begins with: how a role is
 * started, told what it needs, and asked to finish; the signer; the login.
 *
 *	name, from, to, tail, descriptors, rate a second (0: any), when
 *
 * A rate leaves room for what comes at once when the receiver was held up for
 * a minute.
 */
#ifndef PRIVSEP_CONTRACT_H
#define PRIVSEP_CONTRACT_H

#include "imsg/contract.h"

#define C_ADDR		48		/* an address as text */
#define C_USER		256		/* a login name */
#define C_PATH		1024
#define C_MAILADDR	322		/* 64 @ 255, terminated, and "<>" */
#define C_REPLY		512
#define C_UIDL		256		/* a format of POP3's unique ids */
#define C_SPECIAL	1024	/* names of mailboxes, a line each */
#define C_EXPIRE	2048	/* "SECONDS NAME" lines */
#define C_SASL		1024		/* a message of a SASL exchange */

/* clang-format off */

/* The life of a role. */
#define START_FIELDS(NUM, STR, SECRET)					\
	NUM(contract, UINT64_MAX)					\
	NUM(generation, UINT32_MAX)					\
	NUM(verbose, 2)							\
	NUM(unprivileged, 1)						\
	NUM(max_memory, UINT64_MAX)					\
	STR(hostname, 256)
#define PATH_FIELDS(NUM, STR, SECRET)					\
	STR(path, C_PATH)						\
	STR(perm, 8)
#define ENTER_FIELDS(NUM, STR, SECRET)					\
	NUM(npaths, 16)
#define LOG_FIELDS(NUM, STR, SECRET)					\
	NUM(dest, 2)							\
	NUM(json, 1)
/* generation: of the roles that the configuration is for, which are in force */
#define CONF_FIELDS(NUM, STR, SECRET)					\
	NUM(size, 16777216)						\
	NUM(generation, UINT32_MAX)
#define CHANNEL_FIELDS(NUM, STR, SECRET)				\
	NUM(role, ROLE_COUNT)						\
	NUM(generation, UINT32_MAX)					\
	NUM(pid, INT32_MAX)
#define PEER_BAD_FIELDS(NUM, STR, SECRET)				\
	NUM(pid, INT32_MAX)						\
	STR(why, 64)
#define LISTENER_FIELDS(NUM, STR, SECRET)				\
	NUM(index, UINT32_MAX)						\
	NUM(control, 1)
#define CERT_FIELDS(NUM, STR, SECRET)					\
	NUM(index, UINT32_MAX)						\
	STR(name, 256)
#define KEY_FIELDS(NUM, STR, SECRET)					\
	NUM(index, UINT32_MAX)						\
	STR(name, 256)
#define TABLE_FIELDS(NUM, STR, SECRET)					\
	NUM(index, UINT32_MAX)						\
	NUM(failed, UINT32_MAX)
#define TABLE_AGAIN_FIELDS(NUM, STR, SECRET)				\
	NUM(index, UINT32_MAX)
#define GO_FIELDS(NUM, STR, SECRET)					\
	NUM(generation, UINT32_MAX)
#define READY_FIELDS(NUM, STR, SECRET)					\
	NUM(sandbox, 255)						\
	NUM(uid, UINT32_MAX)
#define DRAIN_FIELDS(NUM, STR, SECRET)					\
	NUM(seconds, UINT32_MAX)
#define LOG_LOST_FIELDS(NUM, STR, SECRET)				\
	NUM(dest, 2)
#define VERBOSE_FIELDS(NUM, STR, SECRET)				\
	NUM(level, 2)
#define STATS_FIELDS(NUM, STR, SECRET)					\
	NUM(none, 0)

/* How much of a limit is used, for mailctl: its number, and counts. */
#define LIMIT_USE_FIELDS(NUM, STR, SECRET)				\
	NUM(id, 63)							\
	NUM(now, UINT64_MAX)						\
	NUM(top, UINT64_MAX)						\
	NUM(reached, UINT64_MAX)

/* What a role has counted since it last told, and how many there are now. */
#define COUNTED_FIELDS(NUM, STR, SECRET)				\
	NUM(id, 63)							\
	NUM(add, UINT32_MAX)						\
	NUM(now, UINT32_MAX)

/* The signer: tail is the block to sign, and the signature. */
#define SIGN_FIELDS(NUM, STR, SECRET)					\
	NUM(rsa, 1)							\
	NUM(padding, 16)						\
	STR(key, 65)
#define SIGNED_FIELDS(NUM, STR, SECRET)					\
	NUM(ok, 1)

/*
 * A login.  conn is net's number for the connection; addr the client.
 * AUTH_DONE tells net what became of it: granted only says that somebody
 * stronger now acts on it.
 */
#define AUTH_TRY_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(tls, 1)							\
	STR(proto, 16)							\
	STR(addr, C_ADDR)						\
	STR(user, C_USER)						\
	SECRET(pass, 256)
#define AUTH_DONE_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(result, 3)							\
	STR(user, C_USER)

/*
 * A login whose password does not travel (SCRAM): net carries what the client
 * says, decoded and otherwise as it is, and what auth answers.  The verdict is
 * that of AUTH_TRY.  auth forgets an exchange that is cancelled or too slow.
 */
#define AUTH_START_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(tls, 1)							\
	STR(proto, 16)							\
	STR(addr, C_ADDR)						\
	SECRET(text, C_SASL)
#define AUTH_STEP_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	SECRET(text, C_SASL)
#define AUTH_CHALLENGE_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	SECRET(text, C_SASL)
#define AUTH_CANCEL_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)
/* In hexadecimal; made once and kept, the same for all daemons. */
#define DECOY_KEY_FIELDS(NUM, STR, SECRET)				\
	SECRET(key, 65)

/* mailctl and a control socket: a question, lines of text, the end. */
#define CTL_ASK_FIELDS(NUM, STR, SECRET)				\
	NUM(what, 64)							\
	NUM(json, 1)							\
	STR(arg, 1024)
#define CTL_TEXT_FIELDS(NUM, STR, SECRET)				\
	NUM(error, 1)
/* The text of a message in the queue. */
#define CTL_FILE_FIELDS(NUM, STR, SECRET)				\
	NUM(size, UINT64_MAX)
#define CTL_DONE_FIELDS(NUM, STR, SECRET)				\
	NUM(status, 2)

#define COMMON_MESSAGES(MSG)						\
MSG(START,	R_PARENT,	R_ALL,		0, 0, 0, WHEN_START)	\
MSG(PATH,	R_PARENT,	R_ALL,		0, 0, 0, WHEN_START)	\
MSG(ENTER,	R_PARENT,	R_ALL,		0, 0, 0, WHEN_START)	\
MSG(LOG,	R_PARENT,	R_ALL,		0, 1, 0, WHEN_ANY)	\
MSG(CONF,	R_PARENT,	R_ALL,		0, 1, 0, WHEN_ANY)	\
MSG(CHANNEL,	R_PARENT,	R_ALL,		0, 1, 0, WHEN_ANY)	\
MSG(LISTENER,	R_PARENT,	R_NET | R_QUEUE,	0, 1, 0, WHEN_ANY) \
MSG(CERT,	R_PARENT,	R_NET,		0, 1, 0, WHEN_START)	\
MSG(KEY,	R_PARENT,	R_SIGNER,	0, 1, 0, WHEN_START)	\
MSG(TABLE,	R_PARENT,	R_LOOKUP | R_AUTH, 0, 1, 0, WHEN_ANY)	\
MSG(TABLE_AGAIN, R_LOOKUP | R_AUTH, R_PARENT,	0, 0, 50, WHEN_RUN)	\
MSG(GO,		R_PARENT,	R_ALL,		0, 0, 0, WHEN_START)	\
MSG(READY,	R_ALL,		R_PARENT,	0, 0, 2, WHEN_ANY)	\
MSG(DRAIN,	R_PARENT,	R_ALL,		0, 0, 0, WHEN_ANY)	\
MSG(PEER_BAD,	R_ALL,		R_PARENT,	0, 0, 300, WHEN_RUN)	\
MSG(LOG_LOST,	R_ALL,		R_PARENT,	0, 0, 100, WHEN_RUN)	\
MSG(VERBOSE,	R_PARENT,	R_ALL,		0, 0, 0, WHEN_ANY)	\
MSG(STATS,	R_PARENT,	R_ALL,		0, 0, 0, WHEN_RUN)	\
MSG(LIMIT_USE,	R_NET | R_LOOKUP | R_QUEUE, R_PARENT, 0, 0, 5000, WHEN_RUN) \
MSG(COUNTED,	R_NET | R_LOOKUP | R_QUEUE, R_PARENT, 0, 0, 5000, WHEN_RUN) \
MSG(SIGN,	R_NET,		R_SIGNER,	1024, 0, 20000, WHEN_RUN) \
MSG(SIGNED,	R_SIGNER,	R_NET,		1024, 0, 0, WHEN_RUN)	\
MSG(AUTH_TRY,	R_NET,		R_AUTH,		0, 0, 20000, WHEN_RUN)	\
MSG(AUTH_START,	R_NET,		R_AUTH,		0, 0, 20000, WHEN_RUN)	\
MSG(AUTH_STEP,	R_NET,		R_AUTH,		0, 0, 40000, WHEN_RUN)	\
MSG(AUTH_CANCEL, R_NET,		R_AUTH,		0, 0, 40000, WHEN_RUN)	\
MSG(AUTH_CHALLENGE, R_AUTH,	R_NET,		0, 0, 0, WHEN_RUN)	\
MSG(DECOY_KEY,	R_PARENT,	R_AUTH,		0, 0, 0, WHEN_START)	\
MSG(AUTH_DONE,	R_AUTH | R_PARENT | R_LOOKUP, R_NET, 0, 0, 0, WHEN_RUN)	\
MSG(CTL_ASK,	R_CTL,	R_PARENT | R_QUEUE,	0, 0, 50, WHEN_RUN)	\
MSG(CTL_TEXT,	R_PARENT | R_QUEUE, R_CTL,	32768, 0, 0, WHEN_RUN)	\
MSG(CTL_FILE,	R_QUEUE,	R_CTL,		0, 1, 0, WHEN_RUN)	\
MSG(CTL_DONE,	R_PARENT | R_QUEUE, R_CTL,	0, 0, 0, WHEN_RUN)

/* CTL_ASK what */
#define CTL_PROCESSES	1		/* the audit table, as it runs */
#define CTL_RELOAD	2
#define CTL_STATS	3
#define CTL_LIMITS	4
#define CTL_WHO		5		/* who is logged in */
#define CTL_KICK	6
#define CTL_QUEUE_LIST	16
#define CTL_QUEUE_SHOW	17
#define CTL_QUEUE_RETRY	18
#define CTL_QUEUE_DELETE 19
#define CTL_QUEUE_CAT	20
#define CTL_QUEUE_HOLD	21
#define CTL_QUEUE_RELEASE 22
#define CTL_QUEUE_TRACE	23
#define CTL_QUEUE_PAUSE	24
#define CTL_QUEUE_RESUME 25
#define CTL_QUEUE_STATS	26

/* AUTH_DONE result */
#define AUTH_GRANTED	0
#define AUTH_DENIED	1
#define AUTH_TEMPFAIL	2		/* no verdict now; try later */
#define AUTH_SLOWDOWN	3		/* too many failures */

enum common_message {
	COMMON_MESSAGES(CONTRACT_ENUM)
	M_COMMON_COUNT
};
COMMON_MESSAGES(CONTRACT_STRUCT)

/*
 * imapd and pop3d: from the verdict to the user's own process.
 * home is where the mailbox lives; the parent checks uid and gid against the
 * configuration and never starts a session with uid 0.
 */
#define SESSION_OPEN_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(tls, 1)							\
	NUM(system, 1)							\
	NUM(uid, UINT32_MAX)						\
	NUM(gid, UINT32_MAX)						\
	NUM(quota, UINT64_MAX)						\
	NUM(quota_messages, UINT32_MAX)					\
	STR(addr, C_ADDR)						\
	STR(user, C_USER)						\
	STR(home, C_PATH)
#define MAILBOX_FIELDS(NUM, STR, SECRET)				\
	NUM(mbox, 1)							\
	NUM(quota, UINT64_MAX)						\
	NUM(quota_messages, UINT32_MAX)					\
	NUM(pop3_delay, 3600)						\
	NUM(pop3_expire, UINT64_MAX)					\
	STR(pop3_uidl, C_UIDL)						\
	STR(user, C_USER)						\
	STR(path, C_PATH)						\
	STR(special, C_SPECIAL)						\
	STR(expire, C_EXPIRE)
/* The parent's number of a client; net's, for the log, is its lower half. */
#define SESSION_NET_CONN(id)	((unsigned int)((id) & UINT32_MAX))
#define SESSION_CONN_FIELDS(NUM, STR, SECRET)				\
	NUM(id, UINT64_MAX)						\
	NUM(tls, 1)							\
	STR(addr, C_ADDR)
#define SESSION_IDLE_FIELDS(NUM, STR, SECRET)				\
	NUM(id, UINT64_MAX)
#define SESSION_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(ok, 1)							\
	STR(user, C_USER)
/*
 * A connection that a session was given is over; the administrator wants one
 * to be over.
 */
#define SESSION_CONNS		256	/* of one user at a time */
#define CONN_ENDED_FIELDS(NUM, STR, SECRET)				\
	NUM(id, UINT64_MAX)
#define KICK_WORDS	"the administrator has ended this connection"
#define KICK_FIELDS(NUM, STR, SECRET)					\
	NUM(id, UINT64_MAX)
/*
 * For how many seconds has each client said nothing?  net answers a CONN_IDLE
 * for each that is in a session, then CONNS_TOLD; round is the question's.
 */
#define CONNS_ASK_FIELDS(NUM, STR, SECRET)				\
	NUM(round, UINT32_MAX)
#define CONN_IDLE_FIELDS(NUM, STR, SECRET)				\
	NUM(round, UINT32_MAX)						\
	NUM(conn, UINT32_MAX)						\
	NUM(seconds, UINT32_MAX)
#define CONNS_TOLD_FIELDS(NUM, STR, SECRET)				\
	NUM(round, UINT32_MAX)

#define SESSION_MESSAGES(MSG)						\
MSG(SESSION_OPEN, R_AUTH,	R_PARENT,	0, 0, 0, WHEN_RUN)	\
MSG(MAILBOX,	R_PARENT,	R_SESSION,	0, 0, 0, WHEN_START)	\
MSG(SESSION_CONN, R_PARENT,	R_SESSION,	0, 1, 0, WHEN_RUN)	\
MSG(SESSION_IDLE, R_SESSION,	R_PARENT,	0, 0, 20, WHEN_RUN)	\
MSG(SESSION,	R_PARENT,	R_NET,		0, 1, 0, WHEN_RUN)	\
MSG(CONN_ENDED,	R_SESSION,	R_PARENT,	0, 0, 20000, WHEN_RUN)	\
MSG(KICK,	R_PARENT,	R_SESSION,	0, 0, 0, WHEN_RUN)	\
MSG(CONNS_ASK,	R_PARENT,	R_NET,		0, 0, 0, WHEN_RUN)	\
MSG(CONN_IDLE,	R_NET,		R_PARENT,	0, 0, 100000, WHEN_RUN)	\
MSG(CONNS_TOLD,	R_NET,		R_PARENT,	0, 0, 10, WHEN_RUN)

/*
 * imapd: connections that wait for nothing but a byte or a change are parked in
 * the parent, with a state (the tail) that means something to the session
 * only; the process ends.  id is the parent's number of the connection, which
 * the session was given before, seconds how long it may be left alone.  A
 * session has the directories of a connection's mailbox watched; watch knows a
 * connection by another number, its key.  Where that cannot be done the session
 * is told, so that it looks itself and does not park that connection.
 */
#define PARK_STATE	2048		/* bytes of a state */
#define WATCH_DIRS	16384		/* descriptors of watch */
#define WATCH_CONN	2		/* of them for a connection */
#define PARK_INPUT	0		/* why: the client said something */
#define PARK_CHANGE	1		/* the mailbox has changed */
#define PARK_TIME	2		/* the seconds are over */
#define PARK_FULL	3		/* it cannot be kept; keep it a while */
#define PARK_FIELDS(NUM, STR, SECRET)					\
	NUM(id, UINT64_MAX)						\
	NUM(seconds, 86400)
#define RESUME_FIELDS(NUM, STR, SECRET)					\
	NUM(id, UINT64_MAX)						\
	NUM(why, 3)							\
	STR(addr, C_ADDR)
#define WATCH_FIELDS(NUM, STR, SECRET)					\
	NUM(id, UINT64_MAX)
#define UNWATCH_FIELDS(NUM, STR, SECRET)				\
	NUM(id, UINT64_MAX)
#define CHANGED_FIELDS(NUM, STR, SECRET)				\
	NUM(id, UINT64_MAX)
#define UNWATCHED_FIELDS(NUM, STR, SECRET)				\
	NUM(id, UINT64_MAX)

#define DIR_WATCH_FIELDS(NUM, STR, SECRET)				\
	NUM(key, UINT64_MAX)
#define DIR_UNWATCH_FIELDS(NUM, STR, SECRET)				\
	NUM(key, UINT64_MAX)
#define DIR_CHANGED_FIELDS(NUM, STR, SECRET)				\
	NUM(key, UINT64_MAX)
#define DIR_UNWATCHED_FIELDS(NUM, STR, SECRET)				\
	NUM(key, UINT64_MAX)

#define PARK_MESSAGES(MSG)						\
MSG(PARK,	R_SESSION,	R_PARENT, PARK_STATE, 1, 1000, WHEN_RUN) \
MSG(RESUME,	R_PARENT,	R_SESSION, PARK_STATE, 1, 0, WHEN_RUN)	\
MSG(WATCH,	R_SESSION,	R_PARENT,	0, 1, 1000, WHEN_RUN)	\
MSG(UNWATCH,	R_SESSION,	R_PARENT,	0, 0, 1000, WHEN_RUN)	\
MSG(CHANGED,	R_PARENT,	R_SESSION,	0, 0, 0, WHEN_RUN)	\
MSG(UNWATCHED,	R_PARENT,	R_SESSION,	0, 0, 0, WHEN_RUN)	\
MSG(DIR_WATCH,	R_PARENT,	R_WATCH,	0, 1, 0, WHEN_RUN)	\
MSG(DIR_UNWATCH, R_PARENT,	R_WATCH,	0, 0, 0, WHEN_RUN)	\
MSG(DIR_CHANGED, R_WATCH,	R_PARENT,	0, 0, 0, WHEN_RUN)	\
MSG(DIR_UNWATCHED, R_WATCH,	R_PARENT,	0, 0, 0, WHEN_RUN)

/* clang-format on */

/*
 * They are the first after the common ones in imapd and pop3d alike, so what
 * the two share (lib/net/login.c, lib/privsep/mailbox.c) has one set of names.
 */
enum session_message {
	M_SESSION_BEFORE = M_COMMON_COUNT - 1,
	SESSION_MESSAGES(CONTRACT_ENUM)
	M_SESSION_COUNT
};
SESSION_MESSAGES(CONTRACT_STRUCT)

/* And these the first after those, in imapd. */
enum park_message {
	M_PARK_BEFORE = M_SESSION_COUNT - 1,
	PARK_MESSAGES(CONTRACT_ENUM)
	M_PARK_COUNT
};
PARK_MESSAGES(CONTRACT_STRUCT)

#endif
