/*
 * lookup_rate: how much mail a user may send; for smtpd/lookup*.c.
 */
#ifndef SMTPD_LOOKUP_RATE_H
#define SMTPD_LOOKUP_RATE_H

struct conf;

void	lookup_rate_begin(const struct conf *);
/* NULL, or the reply to MAIL, or to the nrcpt-th RCPT, of who logged in. */
const char *lookup_rate_mail(const char *user);
const char *lookup_rate_rcpt(const char *user, unsigned int nrcpt);

#endif
