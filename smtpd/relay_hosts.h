/*
 * relay_hosts: the hosts of a destination, in the order in which they are
 * tried.  Pure: names and numbers only.
 */
#ifndef SMTPD_RELAY_HOSTS_H
#define SMTPD_RELAY_HOSTS_H

struct relay_hop;

/* One that is too many is left out. */
void	hosts_add(struct relay_hop *, unsigned int pref, const char *name);
/*
 * RFC 5321 5.1: by preference, those of the same one in random order.
 */
void	hosts_sort(struct relay_hop *);
/*
 * RFC 7505: take "." out, which is no host.  1 if nothing else was there: the
 * domain takes no mail.
 */
int	hosts_null(struct relay_hop *);
/*
 * RFC 5321 5.1: we are one of them ourselves, so only those with a better
 * preference bring the mail nearer.  In a sorted list; 1 if none is left.
 */
int	hosts_drop_ourselves(struct relay_hop *, const char *hostname);

#endif
