/*
 * uidl: the format of POP3's unique identifiers.
 *
 * Pure; a few dozen steps a message, as UIDL asks for all of them at once.
 */
#include "conf/uidl.h"

#define WIDTH_MAX	32

struct spec {
	unsigned int	 width;
	char		 fill;
	unsigned int	 base;
	char		 what;
};

static const char *parse_spec(const char *, struct spec *);
static int	put_number(const struct spec *, uint32_t, char *, size_t);

int
uidl_expand(const char *format, uint32_t uid, uint32_t uidvalidity,
    char buf[UIDL_MAX + 1])
{
	struct spec s;
	const char *p = format;
	size_t o = 0;
	int n, unique = 0;

	while (*p != '\0') {
		if (*p < 0x21 || *p > 0x7e)
			return (-1);
		if (*p != '%' || p[1] == '%') {
			if (o == UIDL_MAX)
				return (-1);
			buf[o++] = *p;
			p += *p == '%' ? 2 : 1;
			continue;
		}
		if ((p = parse_spec(p + 1, &s)) == NULL)
			return (-1);
		unique |= s.what == 'u';
		n = put_number(&s, s.what == 'u' ? uid : uidvalidity, buf + o,
		    UIDL_MAX - o);
		if (n == -1)
			return (-1);
		o += (size_t)n;
	}
	if (!unique)
		return (-1);
	buf[o] = '\0';
	return ((int)o);
}

/* Behind the '%': [0][WIDTH][X]u|v. */
static const char *
parse_spec(const char *p, struct spec *s)
{
	s->width = 0;
	s->base = 10;
	s->fill = *p == '0' ? '0' : ' ';
	for (; *p >= '0' && *p <= '9'; p++) {
		s->width = s->width * 10 + (unsigned int)(*p - '0');
		if (s->width > WIDTH_MAX)
			return (NULL);
	}
	/* A blank is no part of an identifier. */
	if (s->width > 0 && s->fill == ' ')
		return (NULL);
	if (*p == 'X') {
		s->base = 16;
		p++;
	}
	if (*p != 'u' && *p != 'v')
		return (NULL);
	s->what = *p;
	return (p + 1);
}

static int
put_number(const struct spec *s, uint32_t n, char *out, size_t room)
{
	char digits[WIDTH_MAX];
	size_t i = sizeof(digits);

	do {
		digits[--i] = "0123456789abcdef"[n % s->base];
		n /= s->base;
	} while (n > 0);
	while (sizeof(digits) - i < s->width)
		digits[--i] = s->fill;
	n = (uint32_t)(sizeof(digits) - i);
	if (n > room)
		return (-1);
	for (; i < sizeof(digits); i++)
		*out++ = digits[i];
	return ((int)n);
}
