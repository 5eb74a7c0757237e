/*
 * param: the parameters of MAIL, RCPT and BDAT, checked to the letter, because
 * what passes here is printed into reports and said to other servers.
 */
#ifndef SMTP_PARAM_H
#define SMTP_PARAM_H

#include <stdint.h>

#include "smtp/command.h"

#define SMTP_ENVID_MAX	100	/* RFC 3461 4.4 */
#define SMTP_ORCPT_MAX	500	/* RFC 3461 4.2 */

/* The numbers that the contract of smtpd and envelopes have. */
enum smtp_body { SMTP_7BIT, SMTP_8BITMIME, SMTP_BINARYMIME };
enum smtp_ret { SMTP_RET_NONE, SMTP_RET_FULL, SMTP_RET_HDRS };
#define SMTP_NOTIFY_NEVER	1
#define SMTP_NOTIFY_SUCCESS	2
#define SMTP_NOTIFY_FAILURE	4
#define SMTP_NOTIFY_DELAY	8

struct smtp_mail_params {
	uint64_t	 size;
	enum smtp_body	 body;
	int		 utf8;
	enum smtp_ret	 ret;
	char		 envid[SMTP_ENVID_MAX + 1];	/* xtext, "" none */
};

struct smtp_rcpt_params {
	unsigned int	 notify;
	char		 orcpt[SMTP_ORCPT_MAX + 1];	/* "type;xtext" */
};

/*
 * NULL, or the reply to what is wrong.  A parameter that is not known, or
 * stands there twice, is wrong.
 */
const char	*smtp_mail_params(const struct smtp_command *,
		    struct smtp_mail_params *);
const char	*smtp_rcpt_params(const struct smtp_command *,
		    struct smtp_rcpt_params *);
/* "size" and "size LAST" (RFC 3030 2); -1 if it is neither. */
int		 smtp_bdat(const char *arg, uint64_t *size, int *last);

#endif
