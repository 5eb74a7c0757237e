/*
 * capa: what pop3d says of itself, before and after the login (RFC 2449, 2595,
 * 3206, 5034, 6856).
 */
#ifndef POP3_CAPA_H
#define POP3_CAPA_H

#include <stddef.h>
#include <stdint.h>

#define POP3_CAPA_MAX	1024	/* bytes of the whole reply */
#define POP3_LOGIN_MAX	256	/* of pop3_capa.login */

struct pop3_capa {
	/* Lines about logging in, each with CRLF: the same before and after. */
	const char	*login;
	uint64_t	 delay;		/* seconds between logins, 0 none */
	uint64_t	 expire;	/* seconds that mail is kept, 0: ever */
};

/* The whole reply; its length. */
size_t	pop3_capa(const struct pop3_capa *, char buf[POP3_CAPA_MAX]);
/*
 * The whole reply to LANG with this argument, "" for none.  English is the one
 * language there is.
 */
const char *pop3_lang(const char *range);

#endif
