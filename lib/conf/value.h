/*
 * value: what a single word of mail.conf may hold.  Bytes in, value out.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/conf.h"

#define VALUE_SIZE_MAX	((uint64_t)1 << 50)
#define VALUE_TIME_MAX	((uint64_t)10 * 365 * 24 * 3600)

/* All return 0, or -1 if the word is none. */
int	value_size(const char *, uint64_t *);	/* "50m" */
int	value_time(const char *, uint64_t *);	/* "5d" */
int	value_number(const char *, unsigned int max, unsigned int *);
/* "100/1m": count and seconds. */
int	value_rate(const char *, unsigned int *, unsigned int *);

/* All return 1 or 0. */
int	value_is_name(const char *);		/* of a table, network, tag */
int	value_is_domain(const char *);		/* "mail.example.org" */
int	value_is_address(const char *);		/* "user@example.org" */
int	value_is_user(const char *);		/* "user" */
int	value_is_pattern(const char *);		/* of a sender or recipient */
int	value_is_helo(const char *);
int	value_is_reply(const char *);		/* "550 5.7.1 text" */
int	value_is_text(const char *);		/* printable, not empty */
int	value_is_template(const char *);	/* a path with %u and such */

int	value_is_argument(const char *);	/* of a command: %u and such */

/* Largest unit that leaves no rest: "50m", "5d". */
void	value_size_print(uint64_t, char *, size_t);
void	value_time_print(uint64_t, char *, size_t);

#endif
