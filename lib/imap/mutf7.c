/*
 * mutf7: both directions of modified UTF-7.  Pure; the names come from
 * clients, or from directories that other programs made.
 */
#include <errno.h>
#include <string.h>

#include "imap/mutf7.h"
#include "buf/utf8.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

struct out {
	char	*p;
	size_t	 left;		/* the terminator included */
};

static int
out_char(struct out *o, uint32_t c)
{
	char tmp[UTF8_MAX];
	unsigned int n;

	n = utf8_encode(c, tmp);
	if (o->left <= n) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(o->p, tmp, n);
	o->p += n;
	o->left -= n;
	return (0);
}

/* One UTF-16 unit; *high holds the first half of a surrogate pair. */
static int
out_unit(struct out *o, uint32_t unit, uint32_t *high)
{
	if (*high != 0) {
		if (unit < 0xdc00 || unit > 0xdfff)
			goto bad;
		unit = 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00);
		*high = 0;
	} else if (unit >= 0xd800 && unit <= 0xdbff) {
		*high = unit;
		return (0);
	} else if (unit >= 0xdc00 && unit <= 0xdfff)
		goto bad;
	if (unit <= 0x7f)
		goto bad;	/* ASCII must stand for itself */
	return (out_char(o, unit));
bad:
	errno = EINVAL;
	return (-1);
}

/* From behind '&' to behind '-'. */
static int
decode_shifted(const char **in, const char *end, struct out *o)
{
	const char *p, *q;
	uint32_t bits = 0, high = 0;
	unsigned int nbits = 0;

	for (p = *in; p < end && *p != '-'; p++) {
		if (*p == '\0' || (q = strchr(alphabet, *p)) == NULL)
			goto bad;
		bits = bits << 6 | (uint32_t)(q - alphabet);
		nbits += 6;
		if (nbits >= 16) {
			nbits -= 16;
			if (out_unit(o, bits >> nbits & 0xffff, &high) == -1)
				return (-1);
			bits &= (1u << nbits) - 1;
		}
	}
	/* Ended, whole characters, and only zeros as padding. */
	if (p == end || high != 0 || nbits >= 6 || bits != 0)
		goto bad;
	*in = p + 1;
	return (0);
bad:
	errno = EINVAL;
	return (-1);
}

int
imap_mutf7_decode(const char *in, size_t len, char *out, size_t size)
{
	struct out o = { out, size };
	const char *end = in + len;

	if (size == 0) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	while (in < end) {
		if (*in < 0x20 || *in > 0x7e) {
			errno = EINVAL;
			return (-1);
		}
		if (*in != '&') {
			if (out_char(&o, (unsigned char)*in++) == -1)
				return (-1);
			continue;
		}
		in++;
		if (in < end && *in == '-') {
			if (out_char(&o, '&') == -1)
				return (-1);
			in++;
		} else if (decode_shifted(&in, end, &o) == -1)
			return (-1);
	}
	*o.p = '\0';
	return (0);
}

static int
encode_unit(struct buf *b, uint32_t unit, uint32_t *bits, unsigned int *nbits)
{
	*bits = *bits << 16 | unit;
	*nbits += 16;
	while (*nbits >= 6) {
		*nbits -= 6;
		if (buf_add(b, &alphabet[*bits >> *nbits & 0x3f], 1) == -1)
			return (-1);
	}
	*bits &= (1u << *nbits) - 1;
	return (0);
}

/* As many characters as need the shift; from *in on. */
static int
encode_shifted(struct buf *b, const char **in, const char *end)
{
	uint32_t c, bits = 0;
	unsigned int n, nbits = 0;

	if (buf_add(b, "&", 1) == -1)
		return (-1);
	while (*in < end && (**in < 0x20 || **in > 0x7e)) {
		if ((n = utf8_decode(*in, end - *in, &c)) == 0 || c <= 0x7f) {
			errno = EINVAL;
			return (-1);
		}
		*in += n;
		if (c >= 0x10000) {
			c -= 0x10000;
			if (encode_unit(b, 0xd800 | c >> 10, &bits,
			    &nbits) == -1)
				return (-1);
			c = 0xdc00 | (c & 0x3ff);
		}
		if (encode_unit(b, c, &bits, &nbits) == -1)
			return (-1);
	}
	if (nbits > 0 &&
	    buf_add(b, &alphabet[bits << (6 - nbits) & 0x3f], 1) == -1)
		return (-1);
	return (buf_add(b, "-", 1));
}

int
imap_mutf7_encode(const char *utf8, struct buf *b)
{
	const char *p = utf8, *start, *end = utf8 + strlen(utf8);

	while (p < end) {
		for (start = p; p < end && *p >= 0x20 && *p <= 0x7e &&
		    *p != '&'; p++)
			;
		if (p > start && buf_add(b, start, p - start) == -1)
			return (-1);
		if (p == end)
			break;
		if (*p == '&') {
			if (buf_add(b, "&-", 2) == -1)
				return (-1);
			p++;
		} else if (encode_shifted(b, &p, end) == -1)
			return (-1);
	}
	return (0);
}
