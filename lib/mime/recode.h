/*
 * recode: a message for a server that takes less than its bytes need (RFC
 * 6152 3, RFC 3030 3): parts in 8bit as quoted-printable, binary ones as
 * base64.
 *
 * The text is the caller's and stays in place; what comes out is made piece
 * by piece, so that a message costs its tree and nothing else.
 */
#ifndef MIME_RECODE_H
#define MIME_RECODE_H

#include <stddef.h>
#include <stdint.h>

#define RECODE_OUT_MIN	8192		/* of mime_recode_next()'s room */

enum mime_recode_to {
	RECODE_7BIT,			/* no byte above 127 */
	RECODE_8BIT			/* only what says binary is changed */
};

enum mime_recode_error {
	RECODE_OK,
	RECODE_HEADER,			/* 8-bit bytes outside a body */
	RECODE_SIGNED,			/* the change would break a signature */
	RECODE_STRUCTURE,		/* nested too deep, too many parts */
	RECODE_NOMEM
};

struct mime_recode;

/* NULL: *error says why it cannot be done. */
struct mime_recode *mime_recode_new(const char *text, size_t len,
		    enum mime_recode_to, enum mime_recode_error *error);
void		 mime_recode_free(struct mime_recode *);
/* How much comes out altogether; begins again from the start. */
uint64_t	 mime_recode_size(struct mime_recode *);
/* The next bytes, at most room of them; 0 at the end. */
size_t		 mime_recode_next(struct mime_recode *, char *out,
		    size_t room);

#endif
