/*
 * queue_filter: which messages a question of mailctl is about.  Pure.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "smtp/queueid.h"
#include "smtpd/queue_filter.h"

static const struct {
	const char		*word;
	enum filter_kind	 kind;
} kinds[] = {
	{ "sender=", FILTER_SENDER },
	{ "to=", FILTER_TO },
	{ "domain=", FILTER_DOMAIN },
	{ "older=", FILTER_OLDER },
	{ "state=", FILTER_STATE },
};

/* "90", "5m", "2h", "3d", "1w"; -1 if it is none. */
static int64_t
seconds(const char *s)
{
	static const struct { char unit; int64_t n; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 604800 }, { '\0', 1 }
	};
	char	*end;
	long	 v;
	size_t	 i;

	if (!isdigit((unsigned char)*s))
		return (-1);
	v = strtol(s, &end, 10);
	if (v < 0 || v > 100000000)
		return (-1);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (*end == units[i].unit && (*end == '\0' || end[1] == '\0'))
			return (v * units[i].n);
	return (-1);
}

static int
is_state(const char *s)
{
	static const char	*const states[] = { "ready", "active",
				    "deferred", "blocked", "held" };
	size_t			 i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(s, states[i]) == 0)
			return (1);
	return (0);
}

static const char *
add_word(struct queue_filter *f, const char *word)
{
	struct filter_word	*w = &f->words[f->n];
	size_t			 i, len;

	if (f->n == FILTER_WORDS)
		return ("too many words");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		len = strlen(kinds[i].word);
		if (strncmp(word, kinds[i].word, len) == 0)
			break;
	}
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return ("neither an id, \"all\", nor one of sender= to= "
		    "domain= older= state=");
	w->kind = kinds[i].kind;
	w->pattern = word + len;
	if (w->kind == FILTER_OLDER &&
	    (w->seconds = seconds(w->pattern)) == -1)
		return ("older= takes a time like 90s, 5m, 2h or 3d");
	if (w->kind == FILTER_STATE && !is_state(w->pattern))
		return ("state= takes one of ready, active, deferred, "
		    "blocked and held");
	f->n++;
	return (NULL);
}

const char *
queue_filter_parse(struct queue_filter *f, char *text)
{
	const char	*wrong;
	char		*word;
	uint64_t	 id;

	memset(f, 0, sizeof(*f));
	while ((word = strsep(&text, " ")) != NULL) {
		if (*word == '\0' || strcmp(word, "all") == 0)
			continue;
		if (queueid_parse(word, &id) == 0) {
			if (f->nids == FILTER_IDS)
				return ("too many ids");
			f->ids[f->nids++] = id;
		} else if ((wrong = add_word(f, word)) != NULL)
			return (wrong);
	}
	return (NULL);
}

static int
domain_matches(const char *pattern, const char *rcpt)
{
	const char	*at = strrchr(rcpt, '@');

	return (at != NULL && fnmatch(pattern, at + 1, FNM_CASEFOLD) == 0);
}

static int
word_matches(const struct filter_word *w, const struct filter_facts *a)
{
	switch (w->kind) {
	case FILTER_SENDER:
		return (fnmatch(w->pattern, a->sender, FNM_CASEFOLD) == 0);
	case FILTER_TO:
		return (fnmatch(w->pattern, a->rcpt, FNM_CASEFOLD) == 0 ||
		    (*a->orig != '\0' &&
		    fnmatch(w->pattern, a->orig, FNM_CASEFOLD) == 0));
	case FILTER_DOMAIN:
		return (domain_matches(w->pattern, a->rcpt));
	case FILTER_OLDER:
		return (a->age >= w->seconds);
	case FILTER_STATE:
		return (strcmp(w->pattern, a->state) == 0);
	}
	return (0);
}

int
queue_filter_match(const struct queue_filter *f, const struct filter_facts *a)
{
	size_t	i;

	for (i = 0; i < f->nids; i++)
		if (f->ids[i] == a->id)
			break;
	if (f->nids > 0 && i == f->nids)
		return (0);
	for (i = 0; i < f->n; i++)
		if (!word_matches(&f->words[i], a))
			return (0);
	return (1);
}
