/*
 * relay_mail: one message in a session.
 */
#ifndef SMTPD_RELAY_MAIL_H
#define SMTPD_RELAY_MAIL_H

struct session;
struct reply;

/* All its recipients are known and the session is idle: begin. */
void	mail_begin(struct session *);
/* A reply in one of the phases from COMMANDS to RSET. */
void	mail_reply(struct session *, const struct reply *);
/* What was written has left: write what comes next. */
void	mail_more(struct session *);

#endif
