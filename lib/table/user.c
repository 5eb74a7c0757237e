/*
 * user: passwd-like fields (passwd(5), Dovecot's passwd-file).  A field that
 * makes no sense is a failure, not an absent one: a user whose uid cannot be
 * read must not get somebody else's.
 */
#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "table/user.h"

/* Ids as the contract has them; -1 of any width means nobody. */
#define ID_MAX	(UINT32_MAX - 1)
#define MESSAGES_MAX	4000000000LL

static int
number(const char *text, long long max, long long *value)
{
	const char	*why = NULL;

	if (!isdigit((unsigned char)text[0]))
		return (-1);
	*value = strtonum(text, 0, max, &why);
	return (why == NULL ? 0 : -1);
}

const char *
table_user_uid(struct table_user *u, const char *text)
{
	long long	value;

	if (*text == '\0')
		return (NULL);
	if (number(text, ID_MAX, &value) == -1)
		return ("uid is not a number");
	u->uid = (uid_t)value;
	u->has_uid = 1;
	return (NULL);
}

const char *
table_user_gid(struct table_user *u, const char *text)
{
	long long	value;

	if (*text == '\0')
		return (NULL);
	if (number(text, ID_MAX, &value) == -1)
		return ("gid is not a number");
	u->gid = (gid_t)value;
	u->has_gid = 1;
	return (NULL);
}

/* "5g": digits and one letter of k, m, g, t, or none. */
const char *
table_user_quota(struct table_user *u, const char *text)
{
	char		 digits[20];
	const char	*unit, *units = "kmgt";
	size_t		 n = strspn(text, "0123456789");
	long long	 value;
	unsigned int	 shift = 0;

	if (*text == '\0')
		return (NULL);
	if (n == 0 || n >= sizeof(digits))
		return ("quota is not a size");
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (text[n] != '\0') {
		unit = strchr(units, tolower((unsigned char)text[n]));
		if (unit == NULL || text[n + 1] != '\0')
			return ("quota is not a size");
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (number(digits, LLONG_MAX >> shift, &value) == -1)
		return ("quota is too large");
	u->quota = (uint64_t)value << shift;
	u->has_quota = 1;
	return (NULL);
}

const char *
table_user_messages(struct table_user *u, const char *text)
{
	long long	value;

	if (*text == '\0')
		return (NULL);
	if (number(text, MESSAGES_MAX, &value) == -1)
		return ("messages is not a number");
	u->messages = (uint64_t)value;
	return (NULL);
}

/* The words of the last field that are ours; rules/sender.c reads senders. */
static const struct user_word {
	const char	*name;
	const char	*(*set)(struct table_user *, const char *);
} words[] = {
	{ "quota=", table_user_quota },
	{ "messages=", table_user_messages },
	{ "sender=", NULL },
};

static const struct user_word *
word_find(const char *text)
{
	size_t	i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncasecmp(text, words[i].name,
		    strlen(words[i].name)) == 0)
			return (&words[i]);
	return (NULL);
}

const char *
table_user_word(const char **rest, size_t *n, int *ours)
{
	const char	*word = *rest + strspn(*rest, " \t,");

	*n = strcspn(word, " \t,");
	*rest = word + *n;
	*ours = word_find(word) != NULL;
	return (*n > 0 ? word : NULL);
}

const char *
table_user_extra(struct table_user *u, const char *text)
{
	const struct user_word	*w;
	const char		*why = NULL, *p;
	char			 value[32];
	size_t			 n, len;
	int			 ours;

	u->extra = text;
	while (why == NULL && (p = table_user_word(&text, &n, &ours)) != NULL) {
		if (!ours || (w = word_find(p))->set == NULL)
			continue;
		len = strlen(w->name);
		if (n - len >= sizeof(value))
			return ("a limit is too long");
		memcpy(value, p + len, n - len);
		value[n - len] = '\0';
		why = w->set(u, value);
	}
	return (why);
}

/* Up to the next colon, which becomes the terminator. */
static char *
field(char **rest)
{
	char	*p = *rest, *colon;

	if ((colon = strchr(p, ':')) != NULL) {
		*colon = '\0';
		*rest = colon + 1;
	} else
		*rest = p + strlen(p);
	return (p);
}

const char *
table_user_parse(struct table_user *u, const char *name, char *rest)
{
	const char	*why;

	memset(u, 0, sizeof(*u));
	u->name = name;
	u->home = u->extra = "";
	u->hash = field(&rest);
	if ((why = table_user_uid(u, field(&rest))) != NULL ||
	    (why = table_user_gid(u, field(&rest))) != NULL)
		return (why);
	(void)field(&rest);		/* gecos */
	u->home = field(&rest);
	(void)field(&rest);		/* shell */
	return (table_user_extra(u, rest));
}
