/*
 * base64: strict decoding and encoding between buffers of the caller.
 *
 * The text comes from strangers before they have logged in.  A group of four
 * characters is decoded only when its three bytes fit, so nothing is ever
 * written past outmax.
 */
#include <stdint.h>
#include <string.h>

#include "sasl/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
sextet(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	if (c == '+')
		return (62);
	return (c == '/' ? 63 : -1);
}

/* n characters (2 to 4) without their padding to n - 1 bytes. */
static int
decode_group(const char *in, size_t n, unsigned char *out)
{
	uint32_t	bits = 0;
	size_t		i;
	int		v;

	for (i = 0; i < 4; i++) {
		v = 0;
		if (i < n && (v = sextet((unsigned char)in[i])) == -1)
			return (-1);
		bits = bits << 6 | (uint32_t)v;
	}
	/* RFC 4648 3.5: pad bits must be zero. */
	if ((n == 2 && (bits & 0xffff)) || (n == 3 && (bits & 0xff)))
		return (-1);
	out[0] = bits >> 16;
	out[1] = bits >> 8;
	out[2] = bits;
	return (0);
}

int
base64_decode(const char *in, size_t inlen, void *out, size_t outmax,
    size_t *outlen)
{
	unsigned char	*dst = out, group[3];
	size_t		 i, n, done = 0;

	if (inlen % 4 != 0)
		return (-1);
	for (i = 0; i < inlen; i += 4) {
		n = 4;
		if (inlen - i == 4 && in[i + 3] == '=')
			n = in[i + 2] == '=' ? 2 : 3;
		if (decode_group(in + i, n, group) == -1 ||
		    n - 1 > outmax - done)
			return (-1);
		memcpy(dst + done, group, n - 1);
		done += n - 1;
	}
	*outlen = done;
	return (0);
}

int
base64_encode(const void *in, size_t inlen, char *out, size_t outsize)
{
	const unsigned char	*src = in;
	uint32_t		 bits;
	size_t			 i, left;

	if (outsize == 0 || inlen / 3 >= (outsize - 1) / 4 + 1 ||
	    BASE64_ENCODED(inlen) > outsize - 1)
		return (-1);
	for (i = 0; i < inlen; i += 3) {
		left = inlen - i;
		bits = (uint32_t)src[i] << 16;
		if (left > 1)
			bits |= (uint32_t)src[i + 1] << 8;
		if (left > 2)
			bits |= src[i + 2];
		*out++ = alphabet[bits >> 18 & 63];
		*out++ = alphabet[bits >> 12 & 63];
		*out++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		*out++ = left > 2 ? alphabet[bits & 63] : '=';
	}
	*out = '\0';
	return (0);
}
