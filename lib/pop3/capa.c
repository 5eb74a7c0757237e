/*
 * capa: what pop3d says of itself.
 */
#include "os/compat.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pop3/capa.h"

#define DAY	(24 * 60 * 60)

static void	add(char *, const char *, uint64_t);

size_t
pop3_capa(const struct pop3_capa *c, char buf[POP3_CAPA_MAX])
{
	(void)strlcpy(buf, "+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\n"
	    "AUTH-RESP-CODE\r\nPIPELINING\r\nUTF8 USER\r\nLANG\r\n",
	    POP3_CAPA_MAX);
	(void)strlcat(buf, c->login, POP3_CAPA_MAX);
	if (c->delay > 0)
		add(buf, "LOGIN-DELAY", c->delay);
	/* A day begun is not guaranteed. */
	if (c->expire > 0)
		add(buf, "EXPIRE", c->expire / DAY);
	else
		(void)strlcat(buf, "EXPIRE NEVER\r\n", POP3_CAPA_MAX);
	return (strlcat(buf, "IMPLEMENTATION Postern\r\n.\r\n",
	    POP3_CAPA_MAX));
}

static void
add(char *buf, const char *what, uint64_t n)
{
	size_t len = strlen(buf);

	(void)snprintf(buf + len, POP3_CAPA_MAX - len, "%s %" PRIu64 "\r\n",
	    what, n);
}

/* RFC 6856 3.2, RFC 4647 3.3.1: a range matches the tag or what begins it. */
const char *
pop3_lang(const char *range)
{
	if (range[0] == '\0')
		return ("+OK\r\nen English\r\n.\r\n");
	if (strcmp(range, "*") == 0 || strcasecmp(range, "en") == 0)
		return ("+OK en English it is\r\n");
	return ("-ERR only English is spoken here\r\n");
}
