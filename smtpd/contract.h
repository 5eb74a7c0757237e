/*
 * The contract of smtpd: every message that may pass between its processes.
 *
 * A transaction: net asks lookup (TX_MAIL, TX_RCPT), lookup decides and tells
 * queue (TX_OPEN, TX_ADD, TX_VERDICT), queue acts and tells net (TX_REPLY).
 * The verdict never passes through net, which it is about.  seq puts replies
 * back into the order of the commands.  The end of a transaction (TX_END,
 * TX_CLOSE) goes the way of its beginning: it neither overtakes it nor is late.
 *
 *	name, from, to, tail, descriptors, rate a second (0: any), when
 */
#ifndef SMTPD_CONTRACT_H
#define SMTPD_CONTRACT_H

#include "privsep/contract.h"
#include "smtpd/values.h"

#define C_ID		20		/* a queue id as text */
#define C_DOMAIN	256
#define C_TOKEN		4096
#define C_ENVID		101		/* RFC 3461 5.4: 100 characters */
#define C_ORCPT		501		/* RFC 3461 4.2: 500 characters */

/* clang-format off */
/*
 * Parameters of MAIL and RCPT that stay with a message on its whole way (RFC
 * 3461, 3030, 6531): body BODY_*, ret RET_*, envid and orcpt in xtext as given,
 * notify a set of NOTIFY_*.
 */
#define MAIL_PARAM_FIELDS(NUM, STR, SECRET)				\
	NUM(body, 2)							\
	NUM(utf8, 1)							\
	NUM(ret, 2)							\
	STR(envid, C_ENVID)
#define RCPT_PARAM_FIELDS(NUM, STR, SECRET)				\
	NUM(notify, 15)							\
	STR(orcpt, C_ORCPT)

#define TX_MAIL_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(seq, UINT32_MAX)						\
	NUM(listener, UINT32_MAX)					\
	NUM(uid, UINT32_MAX)	/* of a local listener's client */	\
	NUM(tls, 1)							\
	NUM(size, UINT64_MAX)						\
	NUM(lmtp, 1)							\
	MAIL_PARAM_FIELDS(NUM, STR, SECRET)				\
	STR(addr, C_ADDR)						\
	STR(helo, C_DOMAIN)						\
	STR(sender, C_MAILADDR)
#define TX_RCPT_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(seq, UINT32_MAX)						\
	STR(rcpt, C_MAILADDR)						\
	RCPT_PARAM_FIELDS(NUM, STR, SECRET)
#define TX_END_FIELDS(NUM, STR, SECRET)					\
	NUM(conn, UINT32_MAX)						\
	NUM(gone, 1)
#define TX_DATA_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(seq, UINT32_MAX)						\
	NUM(id, UINT64_MAX)						\
	NUM(spooled, 1)							\
	NUM(body, 2)							\
	NUM(utf8, 1)							\
	STR(msgid, 128)
#define SPOOL_ASK_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(id, UINT64_MAX)
#define SPOOL_FILE_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(id, UINT64_MAX)						\
	NUM(failed, UINT32_MAX)
#define TX_REPLY_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(seq, UINT32_MAX)						\
	NUM(id, UINT64_MAX)						\
	NUM(accepted, 1)						\
	STR(reply, C_REPLY)

/* Who logged in, from auth straight to lookup. */
#define CLIENT_AUTH_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	STR(user, C_USER)

/*
 * Where a recipient goes.  A local one is an account (user) of a domain, or
 * with a label, which is a mark, a command of an alias (user); one of the
 * outside goes to host, by MX unless nomx, in the way of scheme (enum
 * conf_scheme), with the password of label in the table of the route (index +
 * 1).  A host that is a path is the LMTP server of a domain, which route names
 * (index + 1).
 */
#define DEST_FIELDS(NUM, STR, SECRET)					\
	NUM(local, 1)							\
	NUM(scheme, 4)							\
	NUM(port, 65535)						\
	NUM(nomx, 1)							\
	NUM(route, UINT32_MAX)						\
	STR(user, C_USER)						\
	STR(host, C_DOMAIN)						\
	STR(label, C_USER)						\
	STR(source, C_ADDR)

#define TX_OPEN_FIELDS(NUM, STR, SECRET)				\
	NUM(conn, UINT32_MAX)						\
	NUM(seq, UINT32_MAX)						\
	NUM(size, UINT64_MAX)						\
	MAIL_PARAM_FIELDS(NUM, STR, SECRET)				\
	STR(sender, C_MAILADDR)						\
	STR(user, C_USER)						\
	STR(addr, C_ADDR)						\
	STR(helo, C_DOMAIN)
#define TX_ADD_FIELDS(NUM, STR, SECRET)					\
	NUM(internal, 1)						\
	NUM(copy, 1)		/* an archive's */			\
	NUM(conn, UINT32_MAX)						\
	NUM(seq, UINT32_MAX)						\
	STR(rcpt, C_MAILADDR)						\
	STR(orig, C_MAILADDR)						\
	STR(owner, C_MAILADDR)						\
	RCPT_PARAM_FIELDS(NUM, STR, SECRET)				\
	DEST_FIELDS(NUM, STR, SECRET)
#define TX_VERDICT_FIELDS(NUM, STR, SECRET)				\
	NUM(internal, 1)						\
	NUM(conn, UINT32_MAX)						\
	NUM(seq, UINT32_MAX)						\
	NUM(accepted, 1)						\
	NUM(mail, 1)							\
	STR(reply, C_REPLY)

/*
 * queue asks where an address goes now: a bounce's recipient (expand), or one
 * whose route is not known because it was read back from the spool.  Answered
 * with TX_ADD and TX_VERDICT, internal.
 */
#define RESOLVE_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT32_MAX)						\
	NUM(expand, 1)							\
	STR(sender, C_MAILADDR)						\
	STR(rcpt, C_MAILADDR)

/*
 * The recipient's own process.  queue names an account, or with a mark one of
 * the commands of an alias or of an account; which command that is it neither
 * knows nor says.  lookup reads it anew (COMMAND_*); as whom an alias's runs
 * only the parent's configuration says.
 */
#define DELIVERY_ASK_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT32_MAX)						\
	STR(domain, C_DOMAIN)						\
	STR(user, C_USER)						\
	STR(mark, C_USER)
#define DELIVERY_OPEN_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT32_MAX)						\
	NUM(found, 1)							\
	NUM(system, 1)							\
	NUM(tempfail, 1)						\
	NUM(uid, UINT32_MAX)						\
	NUM(gid, UINT32_MAX)						\
	NUM(quota, UINT64_MAX) NUM(quota_messages, UINT32_MAX) /* own */ \
	NUM(domain, UINT32_MAX)						\
	NUM(kind, 2)							\
	STR(user, C_USER)						\
	STR(home, C_PATH)						\
	STR(command, C_PATH)
#define DELIVERER_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT32_MAX)						\
	NUM(pipe, 1)							\
	NUM(pid, INT32_MAX)
#define NO_DELIVERER_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT32_MAX)						\
	NUM(permanent, 1)						\
	STR(why, C_REPLY)
#define DELIVER_BOX_FIELDS(NUM, STR, SECRET)				\
	NUM(mbox, 1)							\
	NUM(quota, UINT64_MAX) NUM(quota_messages, UINT32_MAX)		\
	STR(user, C_USER)						\
	STR(path, C_PATH)						\
	STR(expire, C_EXPIRE)
/* expand: the command is the domain's, with %u and such in it. */
#define PIPE_BOX_FIELDS(NUM, STR, SECRET)				\
	NUM(expand, 1)							\
	STR(user, C_USER)						\
	STR(domain, C_DOMAIN)						\
	STR(home, C_PATH)						\
	STR(command, C_PATH)
/*
 * A user's forward file: lookup names an account, parent starts a process of
 * that user and gives lookup a channel to it, and the text comes over it.
 */
#define FORWARD_OPEN_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT32_MAX)						\
	NUM(uid, UINT32_MAX)						\
	NUM(gid, UINT32_MAX)						\
	NUM(domain, UINT32_MAX)						\
	STR(user, C_USER)						\
	STR(home, C_PATH)
#define FORWARD_FILE_FIELDS(NUM, STR, SECRET)				\
	NUM(uid, UINT32_MAX)						\
	STR(user, C_USER)						\
	STR(path, C_PATH)
#define FORWARD_READER_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT32_MAX)						\
	NUM(pid, INT32_MAX)
#define NO_FORWARD_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT32_MAX)						\
	NUM(tempfail, 1)
#define FORWARD_TEXT_FIELDS(NUM, STR, SECRET)				\
	NUM(found, 1)							\
	NUM(tempfail, 1)						\
	STR(why, 128)
#define DELIVER_MSG_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT64_MAX)						\
	NUM(again, 1)							\
	NUM(arrived, INT64_MAX)						\
	NUM(size, UINT64_MAX)						\
	STR(id, 32)							\
	STR(sender, C_MAILADDR)						\
	STR(rcpt, C_MAILADDR)						\
	STR(orig, C_MAILADDR)
/* Bytes and messages of a mailbox, and their limits; 0: there is none. */
#define DELIVERED_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT64_MAX)						\
	NUM(used, UINT64_MAX) NUM(limit, UINT64_MAX)			\
	NUM(messages, UINT64_MAX) NUM(max_messages, UINT32_MAX)		\
	STR(reply, C_REPLY)
#define DELIVER_SYNC_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT64_MAX)
#define DELIVER_SYNCED_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT64_MAX)						\
	NUM(used, UINT64_MAX) NUM(limit, UINT64_MAX)			\
	NUM(messages, UINT64_MAX) NUM(max_messages, UINT32_MAX)		\
	NUM(failed, 1)

/*
 * Sessions to other servers, numbered by queue; one message at a time each.
 */
#define RELAY_OPEN_FIELDS(NUM, STR, SECRET)				\
	NUM(session, UINT32_MAX)					\
	NUM(believe, 3600)	/* so old may news of a dead host be */	\
	DEST_FIELDS(NUM, STR, SECRET)
#define RELAY_MAIL_FIELDS(NUM, STR, SECRET)				\
	NUM(session, UINT32_MAX)					\
	NUM(size, UINT64_MAX)						\
	MAIL_PARAM_FIELDS(NUM, STR, SECRET)				\
	NUM(nrcpts, 1000)						\
	STR(id, C_ID)							\
	STR(sender, C_MAILADDR)
#define RELAY_RCPT_FIELDS(NUM, STR, SECRET)				\
	NUM(session, UINT32_MAX)					\
	NUM(index, 1000)						\
	STR(rcpt, C_MAILADDR)						\
	RCPT_PARAM_FIELDS(NUM, STR, SECRET)
#define RELAY_SESSION_FIELDS(NUM, STR, SECRET)				\
	NUM(session, UINT32_MAX)
#define RELAY_READY_FIELDS(NUM, STR, SECRET)				\
	NUM(session, UINT32_MAX)					\
	NUM(tls, 1)							\
	NUM(dsn, 1)		/* it takes NOTIFY and the rest */	\
	STR(host, C_DOMAIN)						\
	STR(addr, C_ADDR)
#define RELAY_RESULT_FIELDS(NUM, STR, SECRET)				\
	NUM(session, UINT32_MAX)					\
	NUM(index, 1000)						\
	NUM(final, 1)							\
	NUM(closing, 1)		/* the last, and the session ends */	\
	STR(reply, C_REPLY)
#define RELAY_CLOSED_FIELDS(NUM, STR, SECRET)				\
	NUM(session, UINT32_MAX) NUM(permanent, 1)			\
	NUM(stopped, 1)		/* by ourselves, not by the server */	\
	NUM(rest, 3600)	/* not tried now, but in so many s */	\
	NUM(line, UINT32_MAX)	/* or with RELAY_ROOM; 0 none */	\
	STR(reply, C_REPLY)	/* "250 2.0.0 text", printable */
#define RELAY_ROOM_FIELDS(NUM, STR, SECRET)				\
	NUM(line, UINT32_MAX) NUM(n, 1000)	/* may come */
/* An LMTP server's socket: the parent connects, relay names the domain + 1. */
#define SOCKET_ASK_FIELDS(NUM, STR, SECRET)				\
	NUM(session, UINT32_MAX)					\
	NUM(domain, UINT32_MAX)
#define NO_SOCKET_FIELDS(NUM, STR, SECRET)				\
	NUM(session, UINT32_MAX)					\
	NUM(error, INT32_MAX)
#define SECRET_ASK_FIELDS(NUM, STR, SECRET)				\
	NUM(session, UINT32_MAX)					\
	NUM(route, UINT32_MAX)						\
	STR(label, C_USER)
#define SECRET_FIELDS(NUM, STR, SECRET)					\
	NUM(session, UINT32_MAX)					\
	NUM(found, 1)							\
	NUM(token, 1)		/* pass is an OAuth 2 access token */	\
	STR(user, C_USER)						\
	SECRET(pass, C_TOKEN)
/* The file of a token, beside the table of a route's secrets. */
#define TOKEN_ASK_FIELDS(NUM, STR, SECRET)				\
	NUM(ticket, UINT32_MAX)						\
	NUM(route, UINT32_MAX)
#define TOKEN_FIELDS(NUM, STR, SECRET)					\
	NUM(ticket, UINT32_MAX)

/* DNS: a question, its records, the end; name is a host name or an address. */
#define DNS_ASK_FIELDS(NUM, STR, SECRET)				\
	NUM(id, UINT32_MAX)						\
	NUM(type, 3)							\
	STR(name, C_DOMAIN)
#define DNS_RECORD_FIELDS(NUM, STR, SECRET)				\
	NUM(id, UINT32_MAX)						\
	NUM(pref, 65535)						\
	STR(name, C_DOMAIN)
#define DNS_DONE_FIELDS(NUM, STR, SECRET)				\
	NUM(id, UINT32_MAX)						\
	NUM(status, 4)							\
	NUM(secure, 1)							\
	NUM(ttl, UINT32_MAX)

/*
 * What a user's sendmail has kept while smtpd was down: where it is, and which
 * files, to a process of that user's.
 */
#define SUBMIT_PLACE_FIELDS(NUM, STR, SECRET)				\
	NUM(max, UINT64_MAX)						\
	STR(dir, C_PATH)						\
	STR(socket, C_PATH)
#define SUBMIT_FILE_FIELDS(NUM, STR, SECRET)				\
	STR(name, 40)

#define CAFILE_FIELDS(NUM, STR, SECRET)					\
	NUM(size, UINT32_MAX)

#define SMTPD_MESSAGES(MSG)						\
MSG(TX_MAIL,	R_NET,		R_LOOKUP,	0, 0, 0, WHEN_RUN)	\
MSG(TX_RCPT,	R_NET,		R_LOOKUP,	0, 0, 0, WHEN_RUN)	\
MSG(TX_END,	R_NET,		R_LOOKUP,	0, 0, 0, WHEN_RUN)	\
MSG(TX_DATA,	R_NET,		R_QUEUE,	0, 1, 0, WHEN_RUN)	\
MSG(SPOOL_ASK,	R_NET,		R_QUEUE,	0, 0, 0, WHEN_RUN)	\
MSG(SPOOL_FILE,	R_QUEUE,	R_NET,		0, 1, 0, WHEN_RUN)	\
MSG(TX_REPLY,	R_QUEUE,	R_NET,		0, 0, 0, WHEN_RUN)	\
MSG(CLIENT_AUTH, R_AUTH,	R_LOOKUP,	0, 0, 0, WHEN_RUN)	\
MSG(TX_OPEN,	R_LOOKUP,	R_QUEUE,	0, 0, 0, WHEN_RUN)	\
MSG(TX_ADD,	R_LOOKUP,	R_QUEUE,	0, 0, 0, WHEN_RUN)	\
MSG(TX_VERDICT,	R_LOOKUP,	R_QUEUE,	0, 0, 0, WHEN_RUN)	\
MSG(TX_CLOSE,	R_LOOKUP,	R_QUEUE,	0, 0, 0, WHEN_RUN)	\
MSG(RESOLVE,	R_QUEUE,	R_LOOKUP,	0, 0, 0, WHEN_RUN)	\
MSG(DELIVERY_ASK, R_QUEUE,	R_LOOKUP,	0, 0, 0, WHEN_RUN)	\
MSG(DELIVERY_OPEN, R_LOOKUP,	R_PARENT,	0, 0, 0, WHEN_RUN)	\
MSG(DELIVERER,	R_PARENT,	R_QUEUE,	0, 1, 0, WHEN_RUN)	\
MSG(NO_DELIVERER, R_PARENT,	R_QUEUE,	0, 0, 0, WHEN_RUN)	\
MSG(FORWARD_OPEN, R_LOOKUP,	R_PARENT,	0, 0, 0, WHEN_RUN)	\
MSG(FORWARD_FILE, R_PARENT,	R_DELIVER,	0, 0, 0, WHEN_START)	\
MSG(FORWARD_READER, R_PARENT,	R_LOOKUP,	0, 1, 0, WHEN_RUN)	\
MSG(NO_FORWARD,	R_PARENT,	R_LOOKUP,	0, 0, 0, WHEN_RUN)	\
MSG(FORWARD_TEXT, R_DELIVER,	R_LOOKUP,	8192, 0, 2, WHEN_RUN)	\
MSG(DELIVER_BOX, R_PARENT,	R_DELIVER,	0, 0, 0, WHEN_START)	\
MSG(PIPE_BOX,	R_PARENT,	R_PIPE,		0, 0, 0, WHEN_START)	\
MSG(DELIVER_MSG, R_QUEUE, R_DELIVER | R_PIPE,	0, 1, 0, WHEN_RUN)	\
MSG(DELIVERED,	R_DELIVER | R_PIPE, R_QUEUE,	0, 0, 0, WHEN_RUN)	\
MSG(DELIVER_SYNC, R_QUEUE, R_DELIVER | R_PIPE,	0, 0, 0, WHEN_RUN)	\
MSG(DELIVER_SYNCED, R_DELIVER | R_PIPE, R_QUEUE, 0, 0, 0, WHEN_RUN)	\
MSG(RELAY_OPEN,	R_QUEUE,	R_RELAY,	0, 0, 0, WHEN_RUN)	\
MSG(RELAY_MAIL,	R_QUEUE,	R_RELAY,	0, 1, 0, WHEN_RUN)	\
MSG(RELAY_RCPT,	R_QUEUE,	R_RELAY,	0, 0, 0, WHEN_RUN)	\
MSG(RELAY_CLOSE, R_QUEUE,	R_RELAY,	0, 0, 0, WHEN_RUN)	\
MSG(RELAY_SPARE, R_QUEUE,	R_RELAY,	0, 0, 0, WHEN_RUN)	\
MSG(RELAY_READY, R_RELAY,	R_QUEUE,	0, 0, 0, WHEN_RUN)	\
MSG(RELAY_RESULT, R_RELAY,	R_QUEUE,	0, 0, 0, WHEN_RUN)	\
MSG(RELAY_CLOSED, R_RELAY,	R_QUEUE,	0, 0, 0, WHEN_RUN)	\
MSG(RELAY_ROOM,	R_RELAY,	R_QUEUE,	0, 0, 0, WHEN_RUN)	\
MSG(SOCKET_ASK,	R_RELAY,	R_PARENT,	0, 0, 1000, WHEN_RUN)	\
MSG(SOCKET,	R_PARENT,	R_RELAY,	0, 1, 0, WHEN_RUN)	\
MSG(NO_SOCKET,	R_PARENT,	R_RELAY,	0, 0, 0, WHEN_RUN)	\
MSG(SECRET_ASK,	R_RELAY,	R_LOOKUP,	0, 0, 1000, WHEN_RUN)	\
MSG(SECRET,	R_LOOKUP,	R_RELAY,	0, 0, 0, WHEN_RUN)	\
MSG(TOKEN_ASK,	R_LOOKUP,	R_PARENT,	0, 0, 2500, WHEN_RUN)	\
MSG(TOKEN,	R_PARENT,	R_LOOKUP,	0, 1, 0, WHEN_RUN)	\
MSG(NO_TOKEN,	R_PARENT,	R_LOOKUP,	0, 0, 0, WHEN_RUN)	\
MSG(DNS_ASK,	R_RELAY | R_LOOKUP, R_DNS,	0, 0, 20000, WHEN_RUN)	\
MSG(DNS_RECORD,	R_DNS,		R_RELAY | R_LOOKUP, 0, 0, 0, WHEN_RUN)	\
MSG(DNS_DONE,	R_DNS,		R_RELAY | R_LOOKUP, 0, 0, 0, WHEN_RUN)	\
MSG(SUBMIT_PLACE, R_PARENT,	R_SUBMIT,	0, 0, 0, WHEN_START)	\
MSG(SUBMIT_FILE, R_PARENT,	R_SUBMIT,	0, 0, 0, WHEN_START)	\
MSG(CAFILE,	R_PARENT,	R_RELAY,	0, 1, 0, WHEN_START)

#define RELAY_CLOSE_FIELDS	RELAY_SESSION_FIELDS
#define RELAY_SPARE_FIELDS	RELAY_SESSION_FIELDS
#define SOCKET_FIELDS		RELAY_SESSION_FIELDS
#define NO_TOKEN_FIELDS		TOKEN_FIELDS
#define TX_CLOSE_FIELDS		TX_END_FIELDS

/* clang-format on */

enum smtpd_message {
	M_SMTPD_FIRST = M_COMMON_COUNT - 1,
	SMTPD_MESSAGES(CONTRACT_ENUM)
	M_SMTPD_COUNT
};
SMTPD_MESSAGES(CONTRACT_STRUCT)

extern const struct contract	 smtpd_contract;

#endif
