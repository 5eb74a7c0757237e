/*
 * dsn_field: single fields of delivery status notifications.
 */
#include <string.h>

#include "buf/buf.h"
#include "buf/utf8.h"
#include "os/compat.h"
#include "smtp/dsn_field.h"

#define FOLD		76		/* columns; at white space only */
#define LONGEST		900		/* octets of a word in one piece */
#define LINE		990		/* octets (RFC 5322 2.1.1: 998) */
#define VALUE_MAX	2048		/* bytes of a value that are kept */

int
dsn_is_eightbit(const char *s, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] > 0x7e)
			return (1);
	return (0);
}

/* The next character of s as it may stand; its length, and '?' in *bad. */
static unsigned int
harmless(const char *s, size_t left, int utf8, int *bad)
{
	unsigned char	c = (unsigned char)*s;
	uint32_t	rune;
	unsigned int	n = 1;

	*bad = 0;
	if (c < 0x80)
		*bad = c < 0x20 || c == 0x7f;
	else if ((n = utf8_decode(s, left, &rune)) == 0 || rune < 0xa0) {
		n = n == 0 ? 1 : n;
		*bad = 1;
	} else
		*bad = !utf8;
	return (n);
}

/* Where the word at s ends, or a piece of it. */
static size_t
word(const char *s, size_t left)
{
	size_t	n = 0;

	while (n < left && s[n] != ' ' && n < LONGEST)
		n++;
	return (n == 0 ? 1 : n);
}

/* column: where the value begins; fold < 0: on one line. */
static int
put_value(struct buf *b, const char *s, size_t column, int fold, int utf8)
{
	size_t		len = strnlen(s, VALUE_MAX), w, i;
	size_t		octets = column;	/* as column, of the line */
	unsigned int	n;
	int		bad;

	while (len > 0) {
		w = word(s, len);
		/* The space in front of a word begins the next line. */
		if (fold && column > 1 && *s == ' ' && w < len &&
		    column + 1 + word(s + 1, len - 1) > FOLD) {
			if (buf_puts(b, "\r\n") == -1)
				return (-1);
			column = octets = 0;
		} else if (fold && octets > 1 && octets + w > LINE) {
			if (buf_puts(b, "\r\n ") == -1)
				return (-1);
			column = octets = 1;
		}
		for (i = 0; i < w; i += n, octets += n, column++) {
			n = harmless(s + i, len - i, utf8, &bad);
			if ((bad ? buf_puts(b, "?") :
			    buf_add(b, s + i, n)) == -1)
				return (-1);
		}
		s += i;
		len -= i;
	}
	return (0);
}

int
dsn_text(struct buf *b, const char *value, int utf8)
{
	return (put_value(b, value, 4, 1, utf8));
}

int
dsn_field(struct buf *b, const char *name, const char *type,
    const char *value, int utf8)
{
	size_t	column = strlen(name) + 2;

	if (buf_printf(b, "%s: ", name) == -1)
		return (-1);
	if (type != NULL) {
		column += strlen(type) + 2;
		if (put_value(b, type, 0, 0, 0) == -1 ||
		    buf_puts(b, "; ") == -1)
			return (-1);
	}
	while (*value == ' ')
		value++;
	if (put_value(b, value, column, 1, utf8) == -1)
		return (-1);
	return (buf_puts(b, "\r\n"));
}

/* RFC 6533 3, utf-8-addr-xtext: what is not plain ASCII as "\x{HEX}". */
static int
put_unicode_escaped(struct buf *b, const char *s)
{
	size_t		left = strlen(s), start = buf_len(b);
	unsigned int	n;
	uint32_t	rune;
	int		ret;

	for (; left > 0; s += n, left -= n) {
		/* No address that is one is so long. */
		if (buf_len(b) - start > LONGEST) {
			if (buf_puts(b, "\r\n ") == -1)
				return (-1);
			start = buf_len(b);
		}
		if ((n = utf8_decode(s, left, &rune)) == 0) {
			n = 1;
			ret = buf_puts(b, "?");
		} else if (rune <= ' ' || rune == '+' || rune == '=' ||
		    rune == '\\' || rune >= 0x7f)
			ret = buf_printf(b, "\\x{%02X}", (unsigned int)rune);
		else
			ret = buf_add(b, s, n);
		if (ret == -1)
			return (-1);
	}
	return (0);
}

int
dsn_field_address(struct buf *b, const char *name, const char *addr,
    int utf8)
{
	if (!dsn_is_eightbit(addr, strlen(addr)))
		return (dsn_field(b, name, "rfc822", addr, 0));
	if (utf8)
		return (dsn_field(b, name, "utf-8", addr, 1));
	if (buf_printf(b, "%s: utf-8; ", name) == -1 ||
	    put_unicode_escaped(b, addr) == -1)
		return (-1);
	return (buf_puts(b, "\r\n"));
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

int
dsn_xtext_decode(const char *in, char *out, size_t size)
{
	size_t	n = 0;
	int	c;

	for (; *in != '\0'; in++) {
		c = (unsigned char)*in;
		if (c == '+') {
			if (hex(in[1]) == -1 || hex(in[2]) == -1)
				return (-1);
			c = hex(in[1]) << 4 | hex(in[2]);
			in += 2;
		} else if (c == '=')
			return (-1);
		if (c < ' ' || c > '~' || n + 1 >= size)
			return (-1);
		out[n++] = (char)c;
	}
	if (size == 0)
		return (-1);
	out[n] = '\0';
	return (0);
}

/* "\x{HEX}" at s; its length, 0 if it is none. */
static size_t
escape(const char *s, uint32_t *rune)
{
	size_t	n = 3;

	*rune = 0;
	if (strncmp(s, "\\x{", 3) != 0)
		return (0);
	for (; n < 9 && hex(s[n]) != -1; n++)
		*rune = *rune << 4 | (uint32_t)hex(s[n]);
	if (n == 3 || s[n] != '}' || *rune < ' ' || *rune == 0x7f ||
	    *rune > 0x10ffff || (*rune >= 0xd800 && *rune < 0xe000))
		return (0);
	return (n + 1);
}

int
dsn_utf8_decode(const char *in, char *out, size_t size)
{
	char		bytes[UTF8_MAX];
	size_t		n = 0, used;
	uint32_t	rune;
	unsigned int	len;

	while (*in != '\0') {
		len = 1;
		bytes[0] = *in;
		used = 1;
		if (*in == '\\') {
			if ((used = escape(in, &rune)) == 0)
				return (-1);
			len = utf8_encode(rune, bytes);
		}
		if (len >= size || n >= size - len)
			return (-1);
		memcpy(out + n, bytes, len);
		n += len;
		in += used;
	}
	if (size == 0)
		return (-1);
	out[n] = '\0';
	return (0);
}

int
dsn_field_orcpt(struct buf *b, const char *orcpt, int utf8)
{
	char		 type[32], value[1024];
	const char	*semi = strchr(orcpt, ';');

	if (semi == NULL || semi == orcpt ||
	    (size_t)(semi - orcpt) >= sizeof(type))
		return (0);
	memcpy(type, orcpt, semi - orcpt);
	type[semi - orcpt] = '\0';
	/* Of the type utf-8 it is not xtext; escapes may stay as they are. */
	if (strcasecmp(type, "utf-8") == 0) {
		if (!utf8 || dsn_utf8_decode(semi + 1, value,
		    sizeof(value)) == -1)
			return (dsn_field(b, "Original-Recipient", type,
			    semi + 1, utf8));
	} else if (dsn_xtext_decode(semi + 1, value, sizeof(value)) == -1)
		return (0);
	return (dsn_field(b, "Original-Recipient", type, value, utf8));
}
