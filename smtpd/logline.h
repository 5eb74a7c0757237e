/*
 * logline: lines of our own log read back, as smtpd writes them to a file, as
 * JSON or through syslog.  What they quote was written by strangers.  Pure.
 */
#ifndef SMTPD_LOGLINE_H
#define SMTPD_LOGLINE_H

#include <stddef.h>

enum logline_what {
	LINE_OTHER,
	LINE_ACCEPTED,
	LINE_REPORT,			/* a message of ours to a sender */
	LINE_DELIVERED,
	LINE_FAILED,
	LINE_DEFERRED,
	LINE_REFUSED,
	LINE_KINDS
};

#define LINE_FIELD	400

struct logline {
	enum logline_what	 what;
	char			 day[11];	/* "2026-11-29", or "" */
	int			 hour;
	char			 id[16];
	char			 from[LINE_FIELD];
	char			 to[LINE_FIELD];
	char			 via[LINE_FIELD];
	char			 addr[LINE_FIELD];	/* of the client */
	char			 reply[LINE_FIELD];
	unsigned long long	 size;
	unsigned long long	 delay;
};

/*
 * year: for lines of syslog, which have none.  LINE_OTHER for what is not
 * ours or does not count.
 */
void	logline_parse(const char *line, int year, struct logline *);

#endif
