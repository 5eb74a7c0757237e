/*
 * param: parameters that an SMTP client gives.  Pure; linear.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "smtp/param.h"

#define AUTH_MAX	500	/* RFC 4954 4 */
#define DIGITS_MAX	20	/* RFC 1870 4, RFC 3030 2 */

/* One parameter of MAIL or RCPT; to is what the command's check fills in. */
struct known {
	const char	*key;
	const char	*(*take)(const char *value, void *to);
};

static const char *
take_all(const struct smtp_command *c, const struct known *known, size_t n,
    void *to, const char *unknown)
{
	const char	*wrong;
	unsigned int	 seen = 0;
	size_t		 i, k;

	for (i = 0; i < c->nparams; i++) {
		for (k = 0; k < n; k++)
			if (strcasecmp(c->params[i].key, known[k].key) == 0)
				break;
		if (k == n)
			return (unknown);
		if (seen & 1u << k)
			return ("501 5.5.4 a parameter stands there twice");
		seen |= 1u << k;
		if ((wrong = known[k].take(c->params[i].value, to)) != NULL)
			return (wrong);
	}
	return (NULL);
}

/* Digits and nothing else; moves behind them. */
static int
number(const char **sp, uint64_t *n)
{
	const char	*s = *sp;
	uint64_t	 d;

	for (*n = 0; *s >= '0' && *s <= '9'; s++) {
		d = *s - '0';
		if (s - *sp == DIGITS_MAX || *n > (UINT64_MAX - d) / 10)
			return (-1);
		*n = *n * 10 + d;
	}
	if (s == *sp)
		return (-1);
	*sp = s;
	return (0);
}

/* The byte that "+XX" stands for (RFC 3461 section 4), or -1. */
static int
hexchar(const char *s)
{
	static const char	 digits[] = "0123456789ABCDEF";
	const char		*high, *low;

	if (s[1] == '\0' || s[2] == '\0' ||
	    (high = strchr(digits, s[1])) == NULL ||
	    (low = strchr(digits, s[2])) == NULL)
		return (-1);
	return ((int)((high - digits) * 16 + (low - digits)));
}

/* xtext that stands for printable ASCII, so that no report is forged. */
static int
is_xtext(const char *s)
{
	int	c;

	for (; *s != '\0'; s++) {
		if (*s == '+') {
			if ((c = hexchar(s)) < ' ' || c > '~')
				return (0);
			s += 2;
		} else if (*s <= ' ' || *s > '~' || *s == '=')
			return (0);
	}
	return (1);
}

/* "\x{1F600}", the only use of a backslash (RFC 6533 3). */
static size_t
embedded(const char *s)
{
	size_t	n;

	if (strncmp(s, "\\x{", 3) != 0)
		return (0);
	for (n = 0; n < 7 && isxdigit((unsigned char)s[3 + n]); n++)
		;
	return (n >= 2 && n <= 6 && s[3 + n] == '}' ? n + 4 : 0);
}

/* utf-8-addr-xtext or utf-8-addr-unitext; that it is UTF-8 is known. */
static int
is_unitext(const char *s)
{
	size_t	n;

	while (*s != '\0') {
		if (*s == '+' || *s == '=' || *s == 0x7f ||
		    (unsigned char)*s <= ' ')
			return (0);
		n = 1;
		if (*s == '\\' && (n = embedded(s)) == 0)
			return (0);
		s += n;
	}
	return (1);
}

static const char *
mail_size(const char *v, void *to)
{
	struct smtp_mail_params	*p = to;

	if (v == NULL || number(&v, &p->size) == -1 || *v != '\0')
		return ("501 5.5.4 bad SIZE");
	return (NULL);
}

static const char *
mail_body(const char *v, void *to)
{
	struct smtp_mail_params	*p = to;

	if (v != NULL && strcasecmp(v, "7BIT") == 0)
		p->body = SMTP_7BIT;
	else if (v != NULL && strcasecmp(v, "8BITMIME") == 0)
		p->body = SMTP_8BITMIME;
	else if (v != NULL && strcasecmp(v, "BINARYMIME") == 0)
		p->body = SMTP_BINARYMIME;
	else
		return ("501 5.5.4 unknown BODY");
	return (NULL);
}

static const char *
mail_utf8(const char *v, void *to)
{
	struct smtp_mail_params	*p = to;

	if (v != NULL)
		return ("501 5.5.4 SMTPUTF8 has no value");
	p->utf8 = 1;
	return (NULL);
}

/* Taken, and not believed: RFC 4954 section 5. */
static const char *
mail_auth(const char *v, void *to)
{
	if (v == NULL || (strcmp(v, "<>") != 0 && !is_xtext(v)))
		return ("501 5.5.4 AUTH is no xtext");
	if (strlen(v) > AUTH_MAX)
		return ("501 5.5.4 AUTH is too long");
	return (NULL);
}

static const char *
mail_ret(const char *v, void *to)
{
	struct smtp_mail_params	*p = to;

	if (v != NULL && strcasecmp(v, "FULL") == 0)
		p->ret = SMTP_RET_FULL;
	else if (v != NULL && strcasecmp(v, "HDRS") == 0)
		p->ret = SMTP_RET_HDRS;
	else
		return ("501 5.5.4 RET is FULL or HDRS");
	return (NULL);
}

static const char *
mail_envid(const char *v, void *to)
{
	struct smtp_mail_params	*p = to;

	if (v == NULL || !is_xtext(v))
		return ("501 5.5.4 ENVID is no xtext");
	if (strlcpy(p->envid, v, sizeof(p->envid)) >= sizeof(p->envid))
		return ("501 5.5.4 ENVID is too long");
	return (NULL);
}

/* NEVER, or a list of the others (RFC 3461 4.1). */
static const char *
rcpt_notify(const char *v, void *to)
{
	static const struct {
		const char	*word;
		unsigned int	 bit;
	} words[] = {
		{ "NEVER", SMTP_NOTIFY_NEVER },
		{ "SUCCESS", SMTP_NOTIFY_SUCCESS },
		{ "FAILURE", SMTP_NOTIFY_FAILURE },
		{ "DELAY", SMTP_NOTIFY_DELAY },
	};
	static const char	 wrong[] = "501 5.5.4 NOTIFY is NEVER, or "
				    "SUCCESS, FAILURE and DELAY in a list";
	struct smtp_rcpt_params	*p = to;
	size_t			 i, n;

	for (;;) {
		if (v == NULL)
			return (wrong);
		n = strcspn(v, ",");
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strlen(words[i].word) == n &&
			    strncasecmp(v, words[i].word, n) == 0)
				break;
		if (i == sizeof(words) / sizeof(words[0]) ||
		    p->notify & words[i].bit)
			return (wrong);
		p->notify |= words[i].bit;
		if (v[n] == '\0')
			break;
		v += n + 1;
	}
	if (p->notify & SMTP_NOTIFY_NEVER && p->notify != SMTP_NOTIFY_NEVER)
		return (wrong);
	return (NULL);
}

static const char *
rcpt_orcpt(const char *v, void *to)
{
	struct smtp_rcpt_params	*p = to;
	size_t			 n;

	if (v == NULL)
		return ("501 5.5.4 ORCPT has no value");
	for (n = 0; isalnum((unsigned char)v[n]) || v[n] == '-'; n++)
		;
	if (n == 0 || v[n] != ';' || v[n + 1] == '\0')
		return ("501 5.5.4 ORCPT is not type;address");
	if (n == 5 && strncasecmp(v, "utf-8", n) == 0 ?
	    !is_unitext(v + n + 1) : !is_xtext(v + n + 1))
		return ("501 5.5.4 the address of ORCPT is no xtext");
	if (strlcpy(p->orcpt, v, sizeof(p->orcpt)) >= sizeof(p->orcpt))
		return ("501 5.5.4 ORCPT is too long");
	return (NULL);
}

const char *
smtp_mail_params(const struct smtp_command *c, struct smtp_mail_params *p)
{
	static const struct known	known[] = {
		{ "SIZE", mail_size },
		{ "BODY", mail_body },
		{ "SMTPUTF8", mail_utf8 },
		{ "AUTH", mail_auth },
		{ "RET", mail_ret },
		{ "ENVID", mail_envid },
	};

	memset(p, 0, sizeof(*p));
	return (take_all(c, known, sizeof(known) / sizeof(known[0]), p,
	    "555 5.5.4 unknown parameter of MAIL"));
}

const char *
smtp_rcpt_params(const struct smtp_command *c, struct smtp_rcpt_params *p)
{
	static const struct known	known[] = {
		{ "NOTIFY", rcpt_notify },
		{ "ORCPT", rcpt_orcpt },
	};

	memset(p, 0, sizeof(*p));
	return (take_all(c, known, sizeof(known) / sizeof(known[0]), p,
	    "555 5.5.4 unknown parameter of RCPT"));
}

int
smtp_bdat(const char *arg, uint64_t *size, int *last)
{
	*last = 0;
	if (number(&arg, size) == -1)
		return (-1);
	if (*arg == '\0')
		return (0);
	if (*arg != ' ' && *arg != '\t')
		return (-1);
	for (; *arg == ' ' || *arg == '\t'; arg++)
		;
	*last = 1;
	return (strcasecmp(arg, "LAST") == 0 ? 0 : -1);
}
