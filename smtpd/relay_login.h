/*
 * relay_login: AUTH at a server.
 */
#ifndef SMTPD_RELAY_LOGIN_H
#define SMTPD_RELAY_LOGIN_H

struct msg_SECRET;
struct reply;
struct session;

/* Log in, then call session_ready(), or close the session. */
void	login_begin(struct session *);
/* There is a new lookup: ask it, if an answer is being waited for. */
void	login_ask_again(struct session *);
/* lookup's answer. */
void	login_secret(struct session *, const struct msg_SECRET *);
/* A reply while that lasts. */
void	login_reply(struct session *, const struct reply *);

#endif
