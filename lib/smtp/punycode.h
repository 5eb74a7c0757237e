/*
 * punycode: a domain with labels in UTF-8 as the DNS knows it (RFC 3492,
 * RFC 5891).
 */
#ifndef SMTP_PUNYCODE_H
#define SMTP_PUNYCODE_H

#include <stddef.h>

/*
 * Writes the domain with each label that is not ASCII as "xn--...".  Its
 * letters must be in lower case already, as a U-label's are (RFC 5890
 * 2.3.2.1); nothing is mapped but ASCII capitals.  -1 if it is no UTF-8 or
 * does not fit.
 */
int	smtp_domain_ascii(const char *, size_t, char *to, size_t size);

#endif
