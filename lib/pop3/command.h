/*
 * pop3/command: a client's command line, taken apart (RFC 1939, 2449, 5034,
 * 6856).
 *
 * Pure: a line in, a struct or an error out.  The line is a stranger's and may
 * hold any byte.
 */
#ifndef POP3_COMMAND_H
#define POP3_COMMAND_H

#include <stddef.h>
#include <stdint.h>

/*
 * The longest command line with its line end.  RFC 2449 4 asks for 255; a
 * login name of 255 bytes needs a little more.
 */
#define POP3_LINE_MAX	512
/* A base64 line of an AUTH exchange (RFC 5034 4). */
#define POP3_SASL_MAX	2048

enum pop3_verb {
	POP3_APOP, POP3_AUTH, POP3_CAPA, POP3_DELE, POP3_LANG, POP3_LIST,
	POP3_NOOP, POP3_PASS, POP3_QUIT, POP3_RETR, POP3_RSET, POP3_STAT,
	POP3_STLS, POP3_TOP, POP3_UIDL, POP3_USER, POP3_UTF8,
	POP3_HTTP,		/* a request of another protocol */
	POP3_UNKNOWN
};

enum pop3_error {
	POP3_OK,
	POP3_NO_COMMAND,	/* unknown verb */
	POP3_BAD_ARGUMENT,	/* missing, left over or not printable */
	POP3_BAD_NUMBER		/* no number that a message can have */
};

struct pop3_command {
	enum pop3_verb	 verb;
	/* USER's name, PASS's password, AUTH's mechanism, LANG's range. */
	char		 arg[POP3_LINE_MAX];
	/* AUTH's initial response; has_initial says if there was one. */
	char		 initial[POP3_LINE_MAX];
	int		 has_initial;
	/* Message number, never 0 when has_number. */
	uint32_t	 number;
	int		 has_number;
	uint32_t	 lines;		/* of TOP */
};

/*
 * The length of the first line of data without its line end (CRLF or a bare
 * LF), and in *used with it; -1 if it is not complete.  Linear.
 */
ptrdiff_t	pop3_line(const char *data, size_t len, size_t *used);
/* Take the line (without its end) apart.  cmd is filled in any case. */
enum pop3_error	pop3_parse(struct pop3_command *cmd, const char *line,
		    size_t len);
/* "RETR", for logs and replies. */
const char	*pop3_verb_name(enum pop3_verb);

#endif
