/*
 * date: IMAP's dates, "1-Feb-1994" and "01-Feb-1994 12:00:00 +0100".
 */
#ifndef IMAP_DATE_H
#define IMAP_DATE_H

#include <time.h>

#include "imap/parse.h"

#define IMAP_DATE_TIME	27		/* bytes, the terminator included */

/* Days since 1970-01-01 of a date in the Gregorian calendar. */
int64_t	imap_days(int year, int month, int day);
/* date, with or without quotes, as such days. */
int	imap_date(struct imap_parser *, int64_t *days);
/* A quoted date-time. */
int	imap_date_time(struct imap_parser *, time_t *);
/* Without quotes, in UTC. */
void	imap_date_time_format(time_t, char [IMAP_DATE_TIME]);

#endif
