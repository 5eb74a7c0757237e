/*
 * name: mailbox names (UTF-8, '/' between levels) and Maildir++ directory
 * names (".A.B" in modified UTF-7).
 *
 * Both directions are strict: clients choose the first, anybody with the
 * user's rights the second, and each must map back to what it came from.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "store/name.h"
#include "store/store.h"

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

struct out {
	char	*p;
	size_t	 left;
	int	 full;
};

static void
out_byte(struct out *o, unsigned int c)
{
	if (o->left <= 1) {
		o->full = 1;
		return;
	}
	*o->p++ = (char)c;
	o->left--;
}

/* One code point; -1 if it is not valid UTF-8 (RFC 3629). */
static int32_t
utf8_next(const unsigned char **pp)
{
	const unsigned char *p = *pp;
	uint32_t c = *p++, min;
	int more;

	if (c < 0x80) {
		*pp = p;
		return ((int32_t)c);
	}
	if (c >= 0xc2 && c <= 0xdf) {
		more = 1, min = 0x80, c &= 0x1f;
	} else if (c >= 0xe0 && c <= 0xef) {
		more = 2, min = 0x800, c &= 0x0f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		more = 3, min = 0x10000, c &= 0x07;
	} else
		return (-1);
	for (; more > 0; more--, p++) {
		if ((*p & 0xc0) != 0x80)
			return (-1);
		c = c << 6 | (*p & 0x3f);
	}
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return (-1);
	*pp = p;
	return ((int32_t)c);
}

static int
utf8_put(struct out *o, uint32_t c)
{
	if (c < 0x80)
		out_byte(o, c);
	else if (c < 0x800) {
		out_byte(o, 0xc0 | c >> 6);
		out_byte(o, 0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		out_byte(o, 0xe0 | c >> 12);
		out_byte(o, 0x80 | (c >> 6 & 0x3f));
		out_byte(o, 0x80 | (c & 0x3f));
	} else {
		out_byte(o, 0xf0 | c >> 18);
		out_byte(o, 0x80 | (c >> 12 & 0x3f));
		out_byte(o, 0x80 | (c >> 6 & 0x3f));
		out_byte(o, 0x80 | (c & 0x3f));
	}
	return (o->full ? -1 : 0);
}

int
name_is_inbox(const char *name)
{
	return (strcasecmp(name, "INBOX") == 0);
}

int
name_check(const char *name)
{
	const unsigned char *p = (const unsigned char *)name;
	int levels = 1, empty = 1;
	int32_t c;

	if (strlen(name) > STORE_NAME_MAX)
		return (-1);
	while (*p != '\0') {
		if ((c = utf8_next(&p)) == -1)
			return (-1);
		if (c == '/') {
			if (empty || ++levels > NAME_LEVELS)
				return (-1);
			empty = 1;
			continue;
		}
		/* C0, DEL, C1; wildcards; '.' is Maildir++'s separator. */
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == '%' ||
		    c == '*' || c == '.' || c == 0x2028 || c == 0x2029)
			return (-1);
		empty = 0;
	}
	return (empty ? -1 : 0);
}

int
name_to_dir(const char *name, char *dir, size_t len)
{
	char *p;

	if (name_check(name) == -1 || len < 3)
		return (-1);
	if (name_is_inbox(name)) {
		strlcpy(dir, ".", len);
		return (0);
	}
	dir[0] = '.';
	if (name_mutf7(name, dir + 1, len - 1) == -1 || strlen(dir) > NAME_MAX)
		return (-1);
	for (p = dir + 1; *p != '\0'; p++)
		if (*p == '/')
			*p = '.';
	return (0);
}

int
name_from_dir(const char *dir, char *name, size_t len)
{
	char levels[NAME_MAX + 1], again[NAME_MAX + 1];
	char *p;

	if (dir[0] != '.' || dir[1] == '.' || strchr(dir, '/') != NULL ||
	    strlcpy(levels, dir + 1, sizeof(levels)) >= sizeof(levels))
		return (-1);
	for (p = levels; *p != '\0'; p++)
		if (*p == '.')
			*p = '/';
	if (name_utf8(levels, name, len) == -1 || name_is_inbox(name))
		return (-1);
	/* What does not map back is not ours to touch. */
	if (name_to_dir(name, again, sizeof(again)) == -1 ||
	    strcmp(again, dir) != 0)
		return (-1);
	return (0);
}

/* Up to 16 bits at a time into base64; c < 0 ends the run. */
static void
base64_put(struct out *o, uint32_t *bits, int *nbits, int32_t c)
{
	if (c >= 0) {
		*bits = *bits << 16 | (uint32_t)c;
		*nbits += 16;
	} else if (*nbits > 0 && *nbits < 6) {
		*bits <<= 6 - *nbits;
		*nbits = 6;
	}
	while (*nbits >= 6) {
		*nbits -= 6;
		out_byte(o, (unsigned char)base64[*bits >> *nbits & 0x3f]);
	}
	*bits &= 0x3f;
}

int
name_mutf7(const char *utf8, char *buf, size_t len)
{
	const unsigned char *p = (const unsigned char *)utf8;
	struct out o = { .p = buf, .left = len };
	uint32_t bits = 0;
	int nbits = 0, shifted = 0;
	int32_t c;

	while (*p != '\0') {
		if ((c = utf8_next(&p)) == -1)
			return (-1);
		if (c >= 0x20 && c <= 0x7e) {
			if (shifted) {
				base64_put(&o, &bits, &nbits, -1);
				out_byte(&o, '-');
				shifted = 0;
			}
			out_byte(&o, (unsigned int)c);
			if (c == '&')
				out_byte(&o, '-');
			continue;
		}
		if (!shifted) {
			out_byte(&o, '&');
			shifted = 1;
			bits = 0;
			nbits = 0;
		}
		if (c >= 0x10000) {
			base64_put(&o, &bits, &nbits,
			    0xd800 + ((c - 0x10000) >> 10));
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		base64_put(&o, &bits, &nbits, c);
	}
	if (shifted) {
		base64_put(&o, &bits, &nbits, -1);
		out_byte(&o, '-');
	}
	if (o.full || len == 0)
		return (-1);
	*o.p = '\0';
	return (0);
}

/* The base64 run at p up to its '-'; the byte after it, or NULL. */
static const char *
mutf7_run(struct out *o, const char *p)
{
	uint32_t bits = 0, high = 0, unit;
	const char *d;
	int nbits = 0;

	for (; *p != '-'; p++) {
		if (*p == '\0' || (d = strchr(base64, *p)) == NULL)
			return (NULL);
		bits = bits << 6 | (uint32_t)(d - base64);
		if ((nbits += 6) < 16)
			continue;
		nbits -= 16;
		unit = bits >> nbits & 0xffff;
		bits &= (1U << nbits) - 1;
		if (high != 0) {
			if (unit < 0xdc00 || unit > 0xdfff)
				return (NULL);
			unit = 0x10000 + ((high - 0xd800) << 10) +
			    (unit - 0xdc00);
			high = 0;
		} else if (unit >= 0xd800 && unit <= 0xdbff) {
			high = unit;
			continue;
		} else if (unit >= 0xdc00 && unit <= 0xdfff)
			return (NULL);
		if (unit == 0 || utf8_put(o, unit) == -1)
			return (NULL);
	}
	return (high != 0 || nbits >= 6 || bits != 0 ? NULL : p + 1);
}

int
name_utf8(const char *mutf7, char *buf, size_t len)
{
	struct out o = { .p = buf, .left = len };
	const char *p = mutf7;

	while (*p != '\0') {
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			return (-1);
		if (*p != '&') {
			out_byte(&o, (unsigned char)*p++);
			continue;
		}
		if (*++p == '-') {
			out_byte(&o, '&');
			p++;
		} else if ((p = mutf7_run(&o, p)) == NULL)
			return (-1);
	}
	if (o.full || len == 0)
		return (-1);
	*o.p = '\0';
	return (0);
}
