/*
 * sasl: the server's side of a login exchange (RFC 4422), for any protocol
 * that carries it: SMTP AUTH (RFC 4954), IMAP AUTHENTICATE, POP3 AUTH.
 *
 * The protocol sends "334 ", "+ " and so on in front of the challenge, and
 * hands over the line that the client answered without its end.  At SASL_DONE
 * there are a name and a password to be judged by somebody else; at SASL_ASK
 * that somebody is to answer the client's message.
 */
#ifndef SASL_SASL_H
#define SASL_SASL_H

#include <stddef.h>

#include "sasl/prep.h"

/* The longest line of base64 that any mechanism here can need. */
#define SASL_LINE_MAX	1024
/* The longest message of a relayed mechanism, with its terminator. */
#define SASL_MESSAGE	1024

struct sasl_server;

enum sasl_status {
	SASL_CHALLENGE,		/* send sasl_server_challenge(), read a line */
	SASL_DONE,		/* sasl_server_user(), sasl_server_pass() */
	SASL_ASK,		/* auth must see sasl_server_message() */
	SASL_CANCELLED,		/* the client sent "*" */
	SASL_BAD_BASE64,	/* not base64 at all */
	SASL_BAD_SYNTAX,	/* base64 of something else */
	SASL_TOO_LONG
};

/*
 * The mechanisms in the order in which they are offered, the strongest first:
 * the i-th, NULL at the end; with or without those that need stored keys.
 */
const char	*sasl_mechanism(size_t i, int scram);

/* NULL with errno: ENOTSUP unknown mechanism (any case), ENOMEM. */
struct sasl_server *sasl_server_new(const char *mech, int scram);
/* Wipes the password. */
void		 sasl_server_free(struct sasl_server *);
/*
 * Begin; initial is the initial response as it stood in the command, or NULL.
 * "=" is one of no bytes (RFC 4954 section 4).
 */
enum sasl_status sasl_server_start(struct sasl_server *, const char *initial,
		    size_t);
enum sasl_status sasl_server_step(struct sasl_server *, const char *line,
		    size_t);
/* Base64 already; "" for an empty one. */
const char	*sasl_server_challenge(const struct sasl_server *);
const char	*sasl_server_user(const struct sasl_server *);
const char	*sasl_server_pass(const struct sasl_server *);
const char	*sasl_server_mech(const struct sasl_server *);
/*
 * A relayed mechanism (SCRAM-SHA-256): what the client said goes to auth as it
 * is, decoded; what auth answers becomes the challenge.
 */
const char	*sasl_server_message(const struct sasl_server *);
/* 1 if that message is the first of the exchange. */
int		 sasl_server_begins(const struct sasl_server *);
enum sasl_status sasl_server_answer(struct sasl_server *, const char *);

#endif
