/*
 * uidl: the format of POP3's unique identifiers.
 */
#ifndef CONF_UIDL_H
#define CONF_UIDL_H

#include <stddef.h>
#include <stdint.h>

#define UIDL_DEFAULT	"%08Xu%08Xv"	/* Dovecot's */
#define UIDL_MAX	70		/* octets of one, RFC 1939 7 */
#define UIDL_FORMAT_MAX	200

/*
 * Expand %u, the UID, and %v, the UIDVALIDITY, each with an optional width
 * (a leading 0 fills with zeros) and then an optional X for hexadecimal.
 * Returns the length; -1 if the format is none or does not fit.  Every UID
 * gives another text: a format without %u is none.
 */
int	uidl_expand(const char *format, uint32_t uid, uint32_t uidvalidity,
	    char buf[UIDL_MAX + 1]);

#endif
