/*
 * date: dates of messages, as written by whoever wrote them.  Pure, linear.
 */
#include <string.h>
#include <strings.h>

#include "imap/date.h"
#include "mime/date.h"
#include "mime/header.h"

#define DATE_MAX	128		/* bytes that are looked at */
#define DATE_WORDS	8

struct word {
	char	s[12];
	size_t	len;
};

/* RFC 5322 4.3 */
static const struct {
	const char	*name;
	int		 minutes;
} zones[] = {
	{ "UT", 0 }, { "GMT", 0 }, { "Z", 0 },
	{ "EST", -300 }, { "EDT", -240 }, { "CST", -360 }, { "CDT", -300 },
	{ "MST", -420 }, { "MDT", -360 }, { "PST", -480 }, { "PDT", -420 }
};

static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

/* RFC 5322 4.3: comments and blanks may stand around a colon. */
static int
joins(const struct word *w, size_t n, char c)
{
	return (n > 0 && w[n - 1].len > 0 && (c == ':' ||
	    w[n - 1].s[w[n - 1].len - 1] == ':'));
}

/* Words, without comments, commas and the name of the day. */
static size_t
split(const char *s, size_t len, struct word w[DATE_WORDS])
{
	unsigned int depth = 0;
	size_t i, n = 0;
	int in = 0;

	for (i = 0; i < len; i++) {
		if (s[i] == '(')
			depth++;
		else if (s[i] == ')' && depth > 0)
			depth--;
		else if (depth == 0 && s[i] != ' ' && s[i] != '\t' &&
		    s[i] != ',') {
			if (!in && !joins(w, n, s[i])) {
				if (n == DATE_WORDS)
					break;
				w[n++].len = 0;
			}
			in = 1;
			if (w[n - 1].len < sizeof(w[0].s) - 1)
				w[n - 1].s[w[n - 1].len++] = s[i];
			continue;
		}
		in = 0;
	}
	for (i = 0; i < n; i++)
		w[i].s[w[i].len] = '\0';
	return (n);
}

/* All digits; -1 if not. */
static int
number(const char *s)
{
	int n = 0, i;

	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] < '0' || s[i] > '9' || i == 6)
			return (-1);
		n = n * 10 + (s[i] - '0');
	}
	return (i > 0 ? n : -1);
}

static int
month(const char *s)
{
	int i;

	for (i = 0; i < 12; i++)
		if (strncasecmp(s, months + 3 * i, 3) == 0)
			return (i + 1);
	return (-1);
}

static int
clock_time(struct mime_date *d, char *s)
{
	char *min, *sec;

	if ((min = strchr(s, ':')) == NULL)
		return (-1);
	*min++ = '\0';
	if ((sec = strchr(min, ':')) != NULL)
		*sec++ = '\0';
	d->hour = number(s);
	d->minute = number(min);
	d->second = sec != NULL ? number(sec) : 0;
	if (d->hour < 0 || d->hour > 23 || d->minute < 0 || d->minute > 59 ||
	    d->second < 0 || d->second > 60)
		return (-1);
	return (0);
}

/* An unknown zone counts as -0000. */
static int
zone(const char *s)
{
	size_t i;
	int n;

	if (s[0] == '+' || s[0] == '-') {
		if (strlen(s) != 5 || (n = number(s + 1)) == -1 || n > 2400)
			return (0);
		n = n / 100 * 60 + n % 100;
		return (s[0] == '-' ? -n : n);
	}
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (strcasecmp(s, zones[i].name) == 0)
			return (zones[i].minutes);
	return (0);
}

/* RFC 5322 4.3: two and three digits. */
static int
year(const char *s)
{
	int n = number(s);

	if (n >= 0 && strlen(s) == 2)
		n += n < 50 ? 2000 : 1900;
	else if (n >= 0 && strlen(s) == 3)
		n += 1900;
	return (n);
}

int
mime_date_parse(struct mime_date *d, const char *value, size_t len)
{
	struct word w[DATE_WORDS];
	char text[DATE_MAX];
	size_t i = 0, n;

	memset(d, 0, sizeof(*d));
	n = split(text, mime_unfold(value, len, text, sizeof(text)), w);
	if (n > 0 && number(w[0].s) == -1)
		i = 1;			/* the name of the day */
	if (n - i < 3)
		return (-1);
	d->day = number(w[i].s);
	d->month = month(w[i + 1].s);
	d->year = year(w[i + 2].s);
	if (d->day < 1 || d->day > 31 || d->month == -1 || d->year < 0 ||
	    d->year > 9999)
		return (-1);
	if (n - i >= 4 && clock_time(d, w[i + 3].s) == -1)
		return (-1);
	d->zone = n - i >= 5 ? zone(w[i + 4].s) : 0;
	return (0);
}

time_t
mime_date_time(const struct mime_date *d)
{
	return (imap_days(d->year, d->month, d->day) * 86400 +
	    d->hour * 3600 + d->minute * 60 + d->second - d->zone * 60);
}
