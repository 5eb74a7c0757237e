/*
 * value: what a single word of mail.conf may hold.  Bytes in, value out; it
 * touches nothing.  Each check walks the word once.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "os/compat.h"
#include "conf/value.h"

#define DOMAIN_MAX	253	/* RFC 1035 2.3.4, as text */
#define LABEL_MAX	63
#define LOCAL_MAX	64	/* RFC 5321 4.5.3.1.1 */
#define NAME_MAX_LEN	63
#define TEXT_MAX	400	/* one line of RFC 5321 4.5.3.1.5, with room */

struct unit {
	char		letter;
	uint64_t	factor;
};

static const struct unit sizes[] = {
	{ 'g', (uint64_t)1 << 30 },
	{ 'm', (uint64_t)1 << 20 },
	{ 'k', (uint64_t)1 << 10 },
	{ '\0', 1 },
};

static const struct unit times[] = {
	{ 'w', 7 * 24 * 3600 },
	{ 'd', 24 * 3600 },
	{ 'h', 3600 },
	{ 'm', 60 },
	{ 's', 1 },
	{ '\0', 1 },
};

static int
digit(char c)
{
	return (c >= '0' && c <= '9');
}

static int
alnum(char c)
{
	return (digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
}

/* A number and its unit, at most max. */
static int
scaled(const char *s, const struct unit *units, size_t nunits, uint64_t max,
    uint64_t *out)
{
	uint64_t n = 0;
	size_t i;
	char letter;

	if (!digit(*s))
		return (-1);
	for (; digit(*s); s++) {
		if (n > max / 10)
			return (-1);
		n = n * 10 + (uint64_t)(*s - '0');
	}
	if (*s != '\0' && s[1] != '\0')
		return (-1);
	letter = (char)tolower((unsigned char)*s);
	for (i = 0; i < nunits; i++)
		if (units[i].letter == letter)
			break;
	if (i == nunits || n > max / units[i].factor)
		return (-1);
	*out = n * units[i].factor;
	return (0);
}

int
value_size(const char *s, uint64_t *out)
{
	return (scaled(s, sizes, sizeof(sizes) / sizeof(sizes[0]),
	    VALUE_SIZE_MAX, out));
}

int
value_time(const char *s, uint64_t *out)
{
	return (scaled(s, times, sizeof(times) / sizeof(times[0]),
	    VALUE_TIME_MAX, out));
}

int
value_number(const char *s, unsigned int max, unsigned int *out)
{
	uint64_t n;

	if (scaled(s, &sizes[3], 1, max, &n) == -1)
		return (-1);
	*out = (unsigned int)n;
	return (0);
}

int
value_rate(const char *s, unsigned int *count, unsigned int *secs)
{
	char number[16];
	const char *slash;
	uint64_t t;

	if ((slash = strchr(s, '/')) == NULL ||
	    (size_t)(slash - s) >= sizeof(number))
		return (-1);
	memcpy(number, s, (size_t)(slash - s));
	number[slash - s] = '\0';
	if (value_number(number, 1000000, count) == -1 || *count == 0)
		return (-1);
	if (value_time(slash + 1, &t) == -1 || t == 0)
		return (-1);
	*secs = (unsigned int)t;
	return (0);
}

static void
scaled_print(uint64_t n, const struct unit *u, char *out, size_t size)
{
	while (u->factor > 1 && (n == 0 || n % u->factor != 0))
		u++;
	if (u->letter == '\0')
		(void)snprintf(out, size, "%llu", (unsigned long long)n);
	else
		(void)snprintf(out, size, "%llu%c",
		    (unsigned long long)(n / u->factor), u->letter);
}

void
value_size_print(uint64_t n, char *out, size_t size)
{
	scaled_print(n, sizes, out, size);
}

void
value_time_print(uint64_t n, char *out, size_t size)
{
	scaled_print(n, times, out, size);
}

int
value_is_name(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (i == NAME_MAX_LEN || (!alnum(s[i]) &&
		    strchr("_.-", s[i]) == NULL))
			return (0);
	return (i > 0);
}

/* Letters, digits and hyphens (RFC 1123 2.1); no address, no final dot. */
int
value_is_domain(const char *s)
{
	size_t i, label = 0;
	int digits = 1;

	for (i = 0; s[i] != '\0'; i++) {
		if (i == DOMAIN_MAX)
			return (0);
		if (s[i] == '.') {
			if (label == 0 || s[i - 1] == '-')
				return (0);
			label = 0;
			digits = 1;
			continue;
		}
		if (!alnum(s[i]) && (s[i] != '-' || label == 0))
			return (0);
		if (++label > LABEL_MAX)
			return (0);
		if (!digit(s[i]))
			digits = 0;
	}
	return (label > 0 && s[i - 1] != '-' && !digits);
}

/* RFC 5322 3.2.3 dot-atom; a quoted local part has no use in a file. */
static int
local_ok(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len > LOCAL_MAX || s[0] == '.' || s[len - 1] == '.')
		return (0);
	for (i = 0; i < len; i++) {
		if (s[i] == '.' && s[i + 1] == '.')
			return (0);
		if (!alnum(s[i]) &&
		    strchr(".!#$%&'*+-/=?^_`{|}~", s[i]) == NULL)
			return (0);
	}
	return (1);
}

int
value_is_user(const char *s)
{
	return (local_ok(s, strlen(s)));
}

int
value_is_address(const char *s)
{
	const char *at;

	if ((at = strrchr(s, '@')) == NULL)
		return (0);
	return (local_ok(s, (size_t)(at - s)) && value_is_domain(at + 1));
}

int
value_is_pattern(const char *s)
{
	if (strcmp(s, "<>") == 0)
		return (1);
	if (s[0] == '@')
		return (value_is_domain(s + 1));
	if (s[0] == '*')
		return (s[1] == '.' && value_is_domain(s + 2));
	return (value_is_domain(s) || value_is_address(s));
}

int
value_is_helo(const char *s)
{
	size_t len = strlen(s);

	if (s[0] == '*')
		return (s[1] == '.' && value_is_domain(s + 2));
	if (s[0] == '[')	/* an address literal, RFC 5321 4.1.3 */
		return (len > 2 && len < ADDR_TEXT && s[len - 1] == ']' &&
		    strchr("0123456789IPv:abcdefABCDEF", s[1]) != NULL);
	return (value_is_domain(s));
}

int
value_is_text(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (i == TEXT_MAX || s[i] < ' ' || s[i] > '~')
			return (0);
	return (i > 0);
}

/* A code of RFC 5321 4.2.1, its twin of RFC 3463 if there is one, text. */
int
value_is_reply(const char *s)
{
	const char *p = s + 4;

	if (!value_is_text(s) || strlen(s) < 5)
		return (0);
	if ((s[0] != '4' && s[0] != '5') || s[1] < '0' || s[1] > '5' ||
	    !digit(s[2]) || s[3] != ' ' || *p == ' ')
		return (0);
	if (digit(p[0]) && p[1] == '.' && digit(p[2]))
		return (p[0] == s[0]);
	return (1);
}

static int
has_share(const char *s)
{
	return (strncmp(s, "%u", 2) == 0 || strncmp(s, "%n", 2) == 0 ||
	    strncmp(s, "%h", 2) == 0);
}

/* Absolute or in the home, and different for each user. */
int
value_is_argument(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++) {
		if ((unsigned char)s[i] < ' ')
			return (0);
		if (s[i] != '%')
			continue;
		i++;
		if (s[i] == '\0' || strchr("undh%", s[i]) == NULL)
			return (0);
	}
	return (1);
}

int
value_is_template(const char *s)
{
	int own = s[0] == '~';
	size_t i;

	if ((s[0] != '/' && strncmp(s, "~/", 2) != 0 &&
	    strncmp(s, "%h/", 3) != 0) || !value_is_argument(s))
		return (0);
	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] != '%')
			continue;
		if (has_share(s + i))
			own = 1;
		i++;
	}
	return (own);
}
