/*
 * date: IMAP dates to numbers and back, without the C library's time zones:
 * a confined process has none.
 */
#include <stdio.h>
#include <string.h>

#include "imap/date.h"

static const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

/* The year begins in March, so that a leap day is its last one. */
int64_t
imap_days(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return (era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468);
}

/* Between min and max digits. */
static int
digits(struct imap_parser *p, int min, int max, int *out)
{
	int i, n = 0;
	char c;

	for (i = 0; i < max; i++) {
		c = imap_peek(p);
		if (c < '0' || c > '9')
			break;
		n = n * 10 + (c - '0');
		p->p++;
	}
	if (i < min)
		return (imap_error(p, "invalid date"));
	*out = n;
	return (0);
}

static int
month_name(struct imap_parser *p, int *out)
{
	struct imap_str s = { p->p, 3 };
	int i;

	if (p->end - p->p < 3)
		return (imap_error(p, "invalid date"));
	for (i = 0; i < 12; i++) {
		if (imap_str_is(&s, months[i])) {
			p->p += 3;
			*out = i + 1;
			return (0);
		}
	}
	return (imap_error(p, "invalid month"));
}

static int
month_length(int year, int month)
{
	static const char len[] =
	    { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (month == 2 && year % 4 == 0 &&
	    (year % 100 != 0 || year % 400 == 0))
		return (29);
	return (len[month - 1]);
}

/* day "-" month "-" year; the day may be " 1" in a date-time. */
static int
date_text(struct imap_parser *p, int64_t *days)
{
	int day = 0, month = 1, year = 0;

	(void)imap_accept(p, ' ');
	if (digits(p, 1, 2, &day) == -1 || imap_expect(p, '-') == -1 ||
	    month_name(p, &month) == -1 || imap_expect(p, '-') == -1 ||
	    digits(p, 4, 4, &year) == -1)
		return (-1);
	if (day < 1 || day > month_length(year, month))
		return (imap_error(p, "no such day"));
	*days = imap_days(year, month, day);
	return (0);
}

int
imap_date(struct imap_parser *p, int64_t *days)
{
	if (!imap_accept(p, '"'))
		return (date_text(p, days));
	if (date_text(p, days) == -1)
		return (-1);
	return (imap_expect(p, '"'));
}

int
imap_date_time(struct imap_parser *p, time_t *out)
{
	int64_t days = 0;
	int hour = 0, min = 0, sec = 0, zone = 0, east;

	if (imap_expect(p, '"') == -1 || date_text(p, &days) == -1 ||
	    imap_sp(p) == -1 || digits(p, 2, 2, &hour) == -1 ||
	    imap_expect(p, ':') == -1 || digits(p, 2, 2, &min) == -1 ||
	    imap_expect(p, ':') == -1 || digits(p, 2, 2, &sec) == -1 ||
	    imap_sp(p) == -1)
		return (-1);
	east = imap_accept(p, '+');
	if (!east && imap_expect(p, '-') == -1)
		return (-1);
	if (digits(p, 4, 4, &zone) == -1 || imap_expect(p, '"') == -1)
		return (-1);
	if (hour > 23 || min > 59 || sec > 60 || zone % 100 > 59)
		return (imap_error(p, "no such time"));
	zone = zone / 100 * 60 + zone % 100;
	*out = days * 86400 + hour * 3600 + min * 60 + sec +
	    (east ? -zone : zone) * 60;
	return (0);
}

void
imap_date_time_format(time_t t, char out[IMAP_DATE_TIME])
{
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || tm.tm_year > 9999 - 1900 ||
	    tm.tm_year < -1900) {
		t = 0;
		(void)gmtime_r(&t, &tm);
	}
	(void)snprintf(out, IMAP_DATE_TIME, "%02u-%s-%04u %02u:%02u:%02u +0000",
	    (unsigned int)tm.tm_mday % 100, months[tm.tm_mon],
	    (unsigned int)(tm.tm_year + 1900) % 10000,
	    (unsigned int)tm.tm_hour % 100, (unsigned int)tm.tm_min % 100,
	    (unsigned int)tm.tm_sec % 100);
}
