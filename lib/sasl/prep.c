/*
 * prep: the check of names and passwords that every login passes, whichever
 * protocol it came by.  The bytes come from strangers.
 */
#include <stdint.h>

#include "sasl/prep.h"

/*
 * Length of the UTF-8 sequence at p (RFC 3629 section 4), 0 if it is none or a
 * C1 control.
 */
static size_t
utf8_sequence(const unsigned char *p, size_t left)
{
	uint32_t	cp;
	size_t		n, i;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return (0);
	if (n > left)
		return (0);
	cp = p[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return (0);
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < 0xa0 || (n == 3 && cp < 0x800) || (n == 4 && cp < 0x10000) ||
	    (cp >= 0xd800 && cp <= 0xdfff) || cp > 0x10ffff)
		return (0);
	return (n);
}

int
sasl_prep(const void *bytes, size_t len)
{
	const unsigned char	*p = bytes;
	size_t			 i, n;

	for (i = 0; i < len; i += n) {
		n = 1;
		if (p[i] < 0x20 || p[i] == 0x7f)
			return (-1);
		if (p[i] >= 0x80 && (n = utf8_sequence(p + i, len - i)) == 0)
			return (-1);
	}
	return (0);
}

int
sasl_prep_user(const void *bytes, size_t len)
{
	if (len == 0 || len > SASL_USER_MAX)
		return (-1);
	return (sasl_prep(bytes, len));
}

int
sasl_prep_pass(const void *bytes, size_t len)
{
	if (len == 0 || len > SASL_PASS_MAX)
		return (-1);
	return (sasl_prep(bytes, len));
}
