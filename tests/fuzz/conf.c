/*
 * conf: any bytes as a configuration; one that loads must print as something
 * that loads and prints the same.
 */
#include <stdint.h>
#include <stdio.h>

#include "os/compat.h"
#include "conf/conf.h"

#define INPUT_MAX	65536

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
report(void *arg, int is_error, const char *line)
{
	size_t *lines = arg;

	(*lines)++;
	if (is_error && line[0] == '\0')
		abort();
}

/* Lookups that take a stranger's words, on whatever was read. */
static void
use(const struct conf *c)
{
	const struct conf_domain *d;
	const struct conf_rule *r;
	const struct conf_cond *cond;
	char path[256];

	TAILQ_FOREACH(d, &c->domains, entry)
		if (d->target != NULL && conf_expand(d->target,
		    "alice@example.org", "/home/alice", path,
		    sizeof(path)) == 0 && path[0] != '/')
			abort();
	TAILQ_FOREACH(r, &c->rules, entry)
		TAILQ_FOREACH(cond, &r->conds, entry)
			(void)conf_words_match(&cond->set.words,
			    "alice@example.org");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *c;
	char *first, *second;
	size_t lines = 0;

	if (size > INPUT_MAX)
		return (0);
	c = conf_parse((const char *)data, size, report, &lines);
	if (c == NULL) {
		if (lines == 0)
			abort();	/* refused without a word */
		return (0);
	}
	use(c);
	if ((first = conf_print(c)) == NULL)
		abort();
	conf_free(c);
	if ((c = conf_parse(first, strlen(first), report, &lines)) == NULL)
		abort();
	if ((second = conf_print(c)) == NULL || strcmp(first, second) != 0)
		abort();
	conf_free(c);
	free(first);
	free(second);
	return (0);
}
