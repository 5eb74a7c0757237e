/*
 * command: lines that an SMTP client sends.
 */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include <stddef.h>

#include "smtp/address.h"

#define SMTP_LINE_MAX	2048	/* of a command; RFC 5321 asks for 512 */
#define SMTP_AUTH_MAX	12288	/* of a line of AUTH, RFC 4954 4 */
#define SMTP_PARAMS	16	/* of MAIL or RCPT */

enum smtp_verb {
	SMTP_HELO, SMTP_EHLO, SMTP_LHLO, SMTP_MAIL, SMTP_RCPT, SMTP_DATA,
	SMTP_BDAT, SMTP_RSET, SMTP_NOOP, SMTP_QUIT, SMTP_VRFY, SMTP_EXPN,
	SMTP_HELP, SMTP_STARTTLS, SMTP_AUTH,
	SMTP_HTTP,		/* a browser, or worse: hang up */
	SMTP_UNKNOWN
};

struct smtp_param {
	const char	*key;
	const char	*value;		/* NULL: no '=' */
};

struct smtp_command {
	enum smtp_verb	 verb;
	const char	*arg;			/* behind the verb, trimmed */
	char		 addr[SMTP_ADDR_SIZE];	/* of MAIL and RCPT */
	struct smtp_param params[SMTP_PARAMS];
	size_t		 nparams;
};

/*
 * Parse one line (without its end, terminated; it is cut up and must stay).
 * Returns NULL, or the reply to a malformed one: "501 5.5.4 ...".
 */
const char	*smtp_command(char *line, struct smtp_command *);

#endif
