/*
 * logline: lines of our own log read back.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "smtpd/logline.h"

static const char	months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* "2026-11-29T03:..." or "Nov 29 03:..."; NULL if it is no time. */
static const char *
stamp(const char *s, int year, struct logline *l)
{
	const char	*m;
	char		 name[4];
	int		 y, mon, day, hour, n = 0;

	if (sscanf(s, "%4d-%2d-%2dT%2d:%n", &y, &mon, &day, &hour, &n) == 4 &&
	    n > 0)
		s = strchr(s, ' ');
	else if (sscanf(s, "%3s %2d %2d:%n", name, &day, &hour, &n) == 3 &&
	    n > 0 && strlen(name) == 3 && (m = strstr(months, name)) != NULL &&
	    (m - months) % 3 == 0) {
		y = year;
		mon = (int)(m - months) / 3 + 1;
		s = strchr(s + n, ' ');
	} else
		return (NULL);
	if (y < 0 || y > 9999 || mon < 1 || mon > 12 || day < 1 || day > 31 ||
	    hour < 0 || hour > 23)
		return (NULL);
	(void)snprintf(l->day, sizeof(l->day), "%04d-%02d-%02d", y % 10000,
	    mon % 100, day % 100);
	l->hour = hour;
	return (s);
}

/* The string of a JSON member, unescaped as far as we write it. */
static int
member(const char *line, const char *name, char *to, size_t size)
{
	const char	*p = strstr(line, name);
	unsigned int	 c;
	size_t		 n = 0;

	if (p == NULL)
		return (-1);
	for (p += strlen(name); *p != '\0' && *p != '"'; p++) {
		c = (unsigned char)*p;
		if (c == '\\' && p[1] == 'u' && sscanf(p + 2, "%4x", &c) == 1 &&
		    strspn(p + 2, "0123456789abcdef") >= 4)
			p += 5;
		if (n + 1 < size)
			to[n++] = c < ' ' || c > '~' ? '?' : (char)c;
	}
	to[n] = '\0';
	return (*p == '"' ? 0 : -1);
}

/* "name=<value>", "name=value" or name="value". */
static void
field(const char *text, const char *name, char *to, size_t size)
{
	const char	*p = text;
	char		 end = ' ';
	size_t		 len = strlen(name), n;

	to[0] = '\0';
	while ((p = strstr(p, name)) != NULL) {
		if (p > text && p[-1] == ' ' && p[len] == '=')
			break;
		p += len;
	}
	if (p == NULL)
		return;
	p += len + 1;
	if (*p == '<' || *p == '"') {
		end = *p == '<' ? '>' : '"';
		p++;
	}
	for (n = 0; p[n] != '\0' && p[n] != end && n + 1 < size; n++)
		to[n] = p[n];
	to[n] = '\0';
}

static unsigned long long
number(const char *text, const char *name)
{
	char	digits[24];

	field(text, name, digits, sizeof(digits));
	return (strtoull(digits, NULL, 10));
}

static const struct {
	const char		*word;
	enum logline_what	 what;
} words[] = {
	{ "accepted ", LINE_ACCEPTED },
	{ "delivered ", LINE_DELIVERED },
	{ "failed ", LINE_FAILED },
	{ "deferred ", LINE_DEFERRED },
};

/* "ID: word ...", or a refusal, which has no id; only these are lookup's. */
static void
text(const char *s, int lookup, struct logline *l)
{
	size_t	i, n = strspn(s, "0123456789abcdefghijklmnopqrstuv");

	if (strncmp(s, "refused: ", 9) == 0)
		l->what = LINE_REFUSED;
	else if (!lookup && n == 11 && s[n] == ':' && s[n + 1] == ' ') {
		memcpy(l->id, s, n);
		s += n + 2;
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strncmp(s, words[i].word,
			    strlen(words[i].word)) == 0)
				l->what = words[i].what;
	}
	if (l->what == LINE_OTHER)
		return;
	field(s, "from", l->from, sizeof(l->from));
	field(s, "to", l->to, sizeof(l->to));
	field(s, "via", l->via, sizeof(l->via));
	field(s, "addr", l->addr, sizeof(l->addr));
	field(s, "reply", l->reply, sizeof(l->reply));
	l->size = number(s, "size");
	l->delay = number(s, "delay");
	if (l->what == LINE_ACCEPTED &&
	    strncmp(s, "accepted from=<> report=", 24) == 0)
		l->what = LINE_REPORT;
	/* Of before November 2026: the client's address is in from=. */
	if (l->what == LINE_REFUSED && l->addr[0] == '\0') {
		strlcpy(l->addr, l->from, sizeof(l->addr));
		l->from[0] = '\0';
	}
}

static const char *
after(const char *s, const char *prefix)
{
	size_t	n = strlen(prefix);

	return (strncmp(s, prefix, n) == 0 ? s + n : NULL);
}

void
logline_parse(const char *line, int year, struct logline *l)
{
	char		 when[40], inner[4096];
	const char	*p, *q;
	int		 lookup;

	memset(l, 0, sizeof(*l));
	if (*line == '{') {
		lookup = strstr(line, "\"role\":\"lookup\"") != NULL;
		if (strstr(line, "\"daemon\":\"smtpd\"") != NULL && (lookup ||
		    strstr(line, "\"role\":\"queue\"") != NULL) &&
		    member(line, "\"time\":\"", when, sizeof(when)) == 0 &&
		    strlcat(when, " ", sizeof(when)) < sizeof(when) &&
		    stamp(when, year, l) != NULL &&
		    member(line, "\"text\":\"", inner, sizeof(inner)) == 0)
			text(inner, lookup, l);
		return;
	}
	if ((p = stamp(line, year, l)) == NULL ||
	    (p = strstr(p, " smtpd[")) == NULL ||
	    (p = strstr(p, "]: ")) == NULL)
		return;
	p += strlen("]: ");
	lookup = (q = after(p, "lookup: ")) != NULL;
	if (lookup || (q = after(p, "queue: ")) != NULL)
		text(q, lookup, l);
}
