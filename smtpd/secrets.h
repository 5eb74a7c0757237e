/*
 * secrets: passwords and tokens for other servers, as relay asks for them.
 * Part of the lookup role.
 */
#ifndef SMTPD_SECRETS_H
#define SMTPD_SECRETS_H

struct conf;
struct msg;
struct peer;

/* conf must stay. */
void	secrets_init(const struct conf *);
/* Handlers. */
void	lookup_secret_ask(struct peer *, struct msg *);
void	lookup_token(struct peer *, struct msg *);
void	lookup_no_token(struct peer *, struct msg *);

#endif
