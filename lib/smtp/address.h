/*
 * address: envelope addresses as commands carry them (RFC 5321 4.1.2, RFC
 * 6531 3.3).
 */
#ifndef SMTP_ADDRESS_H
#define SMTP_ADDRESS_H

#include <stddef.h>

#define SMTP_LOCAL_MAX	64	/* octets, RFC 5321 4.5.3.1.1 */
#define SMTP_DOMAIN_MAX	255
#define SMTP_ADDR_SIZE	322	/* local@domain and NUL */

/*
 * Read a path at *s: "<user@dom>", "<>", "<@route:user@dom>" (the route is
 * dropped, RFC 5321 appendix C), or, as beginners and old programs write it,
 * the bare address.  to gets it with the domain in lower case and in ASCII
 * (xn--...) and without needless quotes; "" for the null path.  Whether UTF-8
 * in the local part is welcome is for the caller to say, smtp_is_ascii().
 * *s moves behind it.  Returns NULL, or what is wrong.
 */
const char	*smtp_path(const char **s, char to[SMTP_ADDR_SIZE]);
/* As smtp_path(), for a string that is an address or a local part. */
const char	*smtp_address(const char *s, char to[SMTP_ADDR_SIZE]);
/* The '@' between local part and domain, or NULL if there is no domain. */
const char	*smtp_address_at(const char *addr);
int		 smtp_is_ascii(const char *);
/* A host name or an address literal, as in EHLO; 1 if it is well formed. */
int		 smtp_is_domain(const char *, size_t len);

#endif
