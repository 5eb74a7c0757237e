/*
 * relay_connect: from a destination to a connection.
 */
#ifndef SMTPD_RELAY_CONNECT_H
#define SMTPD_RELAY_CONNECT_H

struct known;
struct session;
struct msg_DNS_RECORD;
struct msg_DNS_DONE;

/* Resolve, connect, and call session_begin(), or close the session. */
void	connect_start(struct session *);
/* Answers of dns. */
void	connect_record(const struct msg_DNS_RECORD *);
void	connect_done(const struct msg_DNS_DONE *);
/*
 * dns has gone, or a new one is there: ask once more what has no answer.  If
 * none comes within a minute the questions have failed.
 */
void	connect_ask_again(struct session *);
/*
 * This address was of no use: try the next one, or close the session if there
 * is none.
 */
void	connect_failed(struct session *, int permanent, const char *, ...)
	    __attribute__((__format__(printf, 3, 4)));
/* It is this host that answers: neither it nor a worse one is of any use. */
void	connect_ourselves(struct session *);
/* The parent's answer: a connection, or -1 and why not. */
void	connect_socket(struct session *, int fd, int error);

/* For relay_attempt: the addresses of this host are of no use. */
void	connect_next_host(struct session *);
/* What queue is told if nothing better comes: the last temporary failure. */
void	connect_note(struct session *, int permanent, const char *, ...)
	    __attribute__((__format__(printf, 3, 4)));
/*
 * An address let nobody in, as was noted.  If it serves others of ours it only
 * has enough of us, and that is no failed try.
 */
void	connect_shut_out(struct session *, struct known *);
/* Noted that this host is ourselves; no other address and host is tried. */
void	connect_loops(struct session *);

#endif
