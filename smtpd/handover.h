/*
 * handover: what users' sendmail has kept while smtpd was down is sent once it
 * is up; the parent's part.
 */
#ifndef SMTPD_HANDOVER_H
#define SMTPD_HANDOVER_H

struct conf;
struct peer;

/* The directory of kept messages; -1 logged. */
int	handover_prepare(const struct conf *);
/* Once a second; looks once a minute, more often while some wait. */
void	handover_tick(void);
/* A process of handover_tick() has ended. */
void	handover_gone(void *arg);

#endif
