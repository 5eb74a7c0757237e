/*
 * relay_session: the dialogue with a server, up to and after the messages.
 */
#ifndef SMTPD_RELAY_SESSION_H
#define SMTPD_RELAY_SESSION_H

struct session;

/* Connected: fd is taken over. */
void	session_begin(struct session *, int fd);
/* Nothing stands between it and a message any more. */
void	session_ready(struct session *);
/* No message is being sent: say QUIT. queue is told before, if at all. */
void	session_quit(struct session *);
/* Whatever it was doing, it cannot go on; reply is what queue is told. */
void	session_broken(struct session *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
/* A reply in time, or the connection is over. */
void	session_await(struct session *, unsigned int seconds);
/* A certificate has to prove this name, or nothing is sent. */
int	session_must_verify(const struct session *);
const char *session_certificate_name(const struct session *);
/* Too many are before it; queue tries in a moment. */
void	session_busy(struct session *);
/* The session is free for a message, or to be closed. */
void	session_idle(struct session *);

#endif
