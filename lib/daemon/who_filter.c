/*
 * who_filter: see who_filter.h.
 */
#include <fnmatch.h>
#include <string.h>

#include "daemon/who_filter.h"
#include "os/compat.h"

static const struct {
	const char	*word;
	enum who_kind	 kind;
} kinds[] = {
	{ "user=", WHO_USER },
	{ "address=", WHO_ADDRESS },
	{ "service=", WHO_SERVICE },
	{ "id=", WHO_ID },
	{ "", WHO_NAME },		/* anything else is a user's name */
};

static const char *
add(struct who_filter *f, const char *word)
{
	size_t i = 0;

	if (f->n == WHO_WORDS)
		return ("too many words");
	while (strncmp(word, kinds[i].word, strlen(kinds[i].word)) != 0)
		i++;
	f->words[f->n].kind = kinds[i].kind;
	f->words[f->n].text = word + strlen(kinds[i].word);
	/* A variable that a script forgot must not mean everything. */
	if (f->words[f->n].text[0] == '\0')
		return ("a word without a value");
	if (kinds[i].kind == WHO_ADDRESS && strchr(word, '/') != NULL) {
		f->words[f->n].kind = WHO_NETWORK;
		if (addr_net_parse(&f->words[f->n].net,
		    f->words[f->n].text) == -1 || f->words[f->n].net.negated)
			return ("no such network");
	}
	f->n++;
	return (NULL);
}

const char *
who_filter_parse(struct who_filter *f, char *text)
{
	const char *wrong;
	char *word;

	memset(f, 0, sizeof(*f));
	while ((word = strsep(&text, " ")) != NULL)
		if (*word != '\0' && (wrong = add(f, word)) != NULL)
			return (wrong);
	return (NULL);
}

int
who_filter_match(const struct who_filter *f, const struct who_facts *a)
{
	const char *text;
	size_t i;
	int ok = 1;

	for (i = 0; i < f->n && ok; i++) {
		text = f->words[i].text;
		switch (f->words[i].kind) {
		case WHO_NAME:
			ok = strcmp(text, a->user) == 0;
			break;
		case WHO_USER:
			ok = fnmatch(text, a->user, FNM_CASEFOLD) == 0;
			break;
		case WHO_ADDRESS:
			ok = fnmatch(text, a->addr, FNM_CASEFOLD) == 0;
			break;
		case WHO_NETWORK:
			ok = addr_net_has(&f->words[i].net, a->addr);
			break;
		case WHO_SERVICE:
			ok = strcmp(text, a->service) == 0;
			break;
		case WHO_ID:
			ok = strcmp(text, a->id) == 0;
			break;
		}
	}
	return (ok);
}

int
who_filter_whole(const struct who_filter *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->words[i].kind != WHO_NAME &&
		    f->words[i].kind != WHO_USER &&
		    f->words[i].kind != WHO_SERVICE)
			return (0);
	return (1);
}
