/*
 * punycode: internationalised domain labels.  Pure; linear but for a label's
 * own length, which is bounded.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "buf/utf8.h"
#include "os/compat.h"
#include "smtp/punycode.h"

#define LABEL_MAX	63	/* octets of an A-label */

/* RFC 3492 section 5 */
#define BASE		36
#define TMIN		1
#define TMAX		26
#define SKEW		38
#define DAMP		700
#define FIRST_BIAS	72
#define FIRST_N		0x80

struct out {
	char	*p;
	size_t	 left;
};

static int
put(struct out *o, char c)
{
	if (o->left < 2)		/* and the terminator */
		return (-1);
	*o->p++ = c;
	o->left--;
	return (0);
}

static int
put_digit(struct out *o, uint32_t d)
{
	return (put(o, d < 26 ? 'a' + d : '0' + (d - 26)));
}

static uint32_t
adapt(uint32_t delta, uint32_t points, int first)
{
	uint32_t	k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / points;
	for (; delta > ((BASE - TMIN) * TMAX) / 2; k += BASE)
		delta /= BASE - TMIN;
	return (k + (BASE - TMIN + 1) * delta / (delta + SKEW));
}

/* A number of variable length (RFC 3492 3.3). */
static int
put_delta(struct out *o, uint32_t q, uint32_t bias)
{
	uint32_t	k, t;

	for (k = BASE; ; k += BASE) {
		t = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
		if (q < t)
			return (put_digit(o, q));
		if (put_digit(o, t + (q - t) % (BASE - t)) == -1)
			return (-1);
		q = (q - t) / (BASE - t);
	}
}

/*
 * RFC 3492 6.3.  No overflow: at most LABEL_MAX characters below 0x110000
 * make delta smaller than 2^27.
 */
static int
put_encoded(struct out *o, const uint32_t *in, size_t len, uint32_t basic)
{
	uint32_t	n = FIRST_N, delta = 0, bias = FIRST_BIAS, m;
	uint32_t	done = basic;
	size_t		i;

	for (; done < len; delta++, n++) {
		for (m = UINT32_MAX, i = 0; i < len; i++)
			if (in[i] >= n && in[i] < m)
				m = in[i];
		delta += (m - n) * (done + 1);
		n = m;
		for (i = 0; i < len; i++) {
			if (in[i] < n)
				delta++;
			if (in[i] != n)
				continue;
			if (put_delta(o, delta, bias) == -1)
				return (-1);
			bias = adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
	}
	return (0);
}

/* U+0080 to U+009F are controls and in no name. */
static int
decode(const char *s, size_t len, uint32_t *to, size_t *n)
{
	unsigned int	l;

	for (*n = 0; len > 0; s += l, len -= l) {
		if (*n == LABEL_MAX || (l = utf8_decode(s, len, &to[*n])) ==
		    0 || (to[*n] >= 0x80 && to[*n] < 0xa0))
			return (-1);
		(*n)++;
	}
	return (0);
}

static int
put_label(struct out *o, const char *s, size_t len)
{
	uint32_t	in[LABEL_MAX], basic = 0;
	size_t		n, i;

	if (decode(s, len, in, &n) == -1)
		return (-1);
	for (i = 0; i < n; i++)
		basic += in[i] < 0x80;
	if (basic < n && (put(o, 'x') == -1 || put(o, 'n') == -1 ||
	    put(o, '-') == -1 || put(o, '-') == -1))
		return (-1);
	for (i = 0; i < n; i++)
		if (in[i] < 0x80 && put(o, tolower((int)in[i])) == -1)
			return (-1);
	if (basic == n)
		return (0);
	if (basic > 0 && put(o, '-') == -1)
		return (-1);
	return (put_encoded(o, in, n, basic));
}

int
smtp_domain_ascii(const char *s, size_t len, char *to, size_t size)
{
	struct out	 o = { .p = to, .left = size };
	const char	*end = s + len, *dot;

	for (;;) {
		if ((dot = memchr(s, '.', end - s)) == NULL)
			dot = end;
		if (put_label(&o, s, dot - s) == -1)
			return (-1);
		if (dot == end)
			break;
		if (put(&o, '.') == -1)
			return (-1);
		s = dot + 1;
	}
	*o.p = '\0';
	return (0);
}
