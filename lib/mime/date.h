/*
 * date: the date-time of RFC 5322 3.3, its obsolete forms included.
 */
#ifndef MIME_DATE_H
#define MIME_DATE_H

#include <stddef.h>
#include <time.h>

struct mime_date {
	int	year;
	int	month;			/* 1 to 12 */
	int	day;
	int	hour, minute, second;
	int	zone;			/* minutes east of UTC */
};

/* -1 if it is none. */
int	mime_date_parse(struct mime_date *, const char *, size_t);
time_t	mime_date_time(const struct mime_date *);

#endif
