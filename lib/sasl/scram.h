/*
 * scram: SCRAM-SHA-256 (RFC 5802, RFC 7677), both sides, and the verifier that
 * stands in a user table in place of a password's hash:
 *
 *	{SCRAM-SHA-256}ITERATIONS,SALT,STOREDKEY,SERVERKEY	(base64)
 *
 * No colon occurs in it, so it fits a passwd-like line.
 */
#ifndef SASL_SCRAM_H
#define SASL_SCRAM_H

#include <stddef.h>

#define SCRAM_SCHEME		"{SCRAM-SHA-256}"
#define SCRAM_KEY		32
#define SCRAM_SALT_MAX		64
#define SCRAM_SALT_NEW		16	/* bytes of a new salt */
#define SCRAM_ITERATIONS_MIN	4096	/* RFC 7677 section 4 */
#define SCRAM_ITERATIONS_NEW	15000	/* of a new verifier */
#define SCRAM_ITERATIONS_MAX	2000000
#define SCRAM_TEXT		256	/* a printed verifier */
#define SCRAM_MESSAGE		1024	/* a message of the exchange */
#define SCRAM_NONCE		128	/* both sides together */

struct scram_verifier {
	unsigned int	iterations;
	size_t		saltlen;
	unsigned char	salt[SCRAM_SALT_MAX];
	unsigned char	stored[SCRAM_KEY];
	unsigned char	server[SCRAM_KEY];
};

/* The caller chooses salt and iterations; -1 if they are out of range. */
int	scram_verifier_make(struct scram_verifier *, const char *pass,
	    const void *salt, size_t saltlen, unsigned int iterations);
/* Text with or without the prefix; -1 if it is no verifier. */
int	scram_verifier_parse(struct scram_verifier *, const char *);
/* With the prefix; -1 if size is too small. */
int	scram_verifier_print(const struct scram_verifier *, char *, size_t);
/* 1 if it is this password's, 0 if not, -1 if it cannot be told. */
int	scram_verifier_check(const struct scram_verifier *, const char *pass);

/*
 * The exchange.  Messages are text before base64.  One struct serves one
 * exchange on one side; scram_wipe() it at the end, whatever the end.
 */
struct scram {
	char		user[256];
	char		gs2[300];	/* header of the first message */
	char		nonce[SCRAM_NONCE];	/* ours, then both */
	char		first_bare[SCRAM_MESSAGE];
	char		server_first[SCRAM_MESSAGE];
	unsigned char	server_sig[SCRAM_KEY];	/* client: what to expect */
};

/*
 * Server.  scram_server_hello() reads the client's first message and fills in
 * user; scram_server_first() answers it with the verifier of that user (or a
 * made-up one) and a printable nonce of ours; scram_server_final() checks the
 * proof: 1 and the last message if it is right, 0 if not, -1 if the message is
 * malformed.
 */
int	scram_server_hello(struct scram *, const char *message);
int	scram_server_first(struct scram *, const struct scram_verifier *,
	    const char *nonce, char *, size_t);
int	scram_server_final(struct scram *, const struct scram_verifier *,
	    const char *message, char *, size_t);

/* Client: 0 and the message to send, or -1; check is 1 for the real server. */
int	scram_client_first(struct scram *, const char *user, const char *nonce,
	    char *, size_t);
int	scram_client_final(struct scram *, const char *pass,
	    const char *message, char *, size_t);
int	scram_client_check(const struct scram *, const char *message);

void	scram_wipe(struct scram *);

#endif
