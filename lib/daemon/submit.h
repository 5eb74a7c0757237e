/*
 * submit: hand a message over to smtpd on this machine, by SMTP on its local
 * socket; for sendmail, and for the process that sends what was kept.
 */
#ifndef DAEMON_SUBMIT_H
#define DAEMON_SUBMIT_H

#include <stddef.h>
#include <stdio.h>

#define SUBMIT_RCPTS_MAX	10000
#define SUBMIT_REPLY		512

struct submit_rcpt {
	char	*address;
	char	 reply[SUBMIT_REPLY];	/* refused; "" not, or not asked */
	int	 accepted;
};

struct submit_mail {
	char			*sender;	/* "" is the null path */
	struct submit_rcpt	*rcpts;
	size_t			 nrcpts;
	char			*notify;	/* of NOTIFY; or NULL */
	char			*ret;		/* of RET */
	char			*envid;
	const char		*text;		/* lines end in CRLF, or LF */
	size_t			 len;
	const char		*header;	/* before text; CRLF */
	size_t			 headerlen;
};

enum submit_result {
	SUBMIT_DONE,
	SUBMIT_LATER,		/* smtpd is down, or said 4xx: reply */
	SUBMIT_REFUSED		/* 5xx: reply, or those of recipients */
};

void	submit_mail_free(struct submit_mail *);
/* -1 with errno: ENOMEM, E2BIG. */
int	submit_add_rcpt(struct submit_mail *, const char *address);
/* A connection, or -1: nobody serves it now. */
int	submit_connect(const char *path);
/*
 * One message.  A recipient that is refused makes it fail for all, unless
 * partial: then the others get it and it is DONE if there were any.  Of more
 * recipients than smtpd takes at once, this holds for each part; who has got it
 * with one of them is no more in the message if it is LATER.  Closes fd.
 * trace: where to write the dialogue, or NULL.
 */
enum submit_result submit_send(int fd, struct submit_mail *, int partial,
	    FILE *trace, char reply[SUBMIT_REPLY]);
/* Standard input and output are the client of the socket; 0 or -1. */
int	submit_pump(int fd);
/*
 * Only asks about the recipients, all of them whatever is said of some, and
 * sends nothing.  Closes fd.
 */
enum submit_result submit_ask(int fd, struct submit_mail *, FILE *trace,
    char reply[SUBMIT_REPLY]);

#endif
