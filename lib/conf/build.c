/*
 * build: from the parser's words to struct conf, statement by statement.
 *
 * This file has the helpers.  Nothing here opens a file; the words come from
 * whoever may write the configuration.  Out of memory is kept in mind and
 * ends the load once, in conf.c.
 */
#include <ctype.h>
#include <stdint.h>

#include "os/compat.h"
#include "conf/build.h"
#include "conf/notyet.h"
#include "conf/value.h"
#include "conf/words.h"

void *
build_alloc(struct build *b, size_t size)
{
	void *p;

	if ((p = calloc(1, size)) == NULL)
		b->nomem = 1;
	return (p);
}

char *
build_keep(struct build *b, const char *s)
{
	char *copy;

	if ((copy = strdup(s)) == NULL)
		b->nomem = 1;
	return (copy);
}

char *
build_lower(struct build *b, const char *s)
{
	char *copy, *p;

	if ((copy = build_keep(b, s)) == NULL)
		return (NULL);
	for (p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return (copy);
}

void
build_word(struct build *b, struct conf_words *words, const char *s)
{
	if (words_add(words, s) == NULL)
		b->nomem = 1;
}

int
build_once(struct build *b, struct seen *seen, const char *what,
    const struct conf_pos *pos)
{
	size_t i;

	for (i = 0; i < seen->n; i++) {
		if (strcmp(seen->what[i], what) != 0)
			continue;
		report_error(b->report, pos, "\"%s\" is given already on "
		    "line %u of %s; remove one of them", what,
		    seen->pos[i].line, seen->pos[i].file);
		return (0);
	}
	if (seen->n < BUILD_SEEN) {
		seen->what[seen->n] = what;
		seen->pos[seen->n++] = *pos;
	}
	return (1);
}

int
build_says(const struct seen *seen, const char *what)
{
	size_t i;

	for (i = 0; i < seen->n; i++)
		if (strcmp(seen->what[i], what) == 0)
			return (1);
	return (0);
}

void
build_line(struct build *b)
{
	b->line_seen.n = 0;
}

void
build_error(struct build *b, const struct word *w, const char *hint)
{
	report_error(b->report, &w->pos, "\"%s\" is %s", w->s, hint);
}

int
build_lacks(struct build *b, const char *feature, const struct conf_pos *pos)
{
	if (!notyet(feature))
		return (0);
	report_error(b->report, pos, "\"%s\" is not built yet; remove it",
	    feature);
	return (1);
}

static void
add_ref(struct build *b, const struct ref *ref)
{
	struct ref *refs;
	size_t cap;

	if (b->nrefs == b->refs_cap) {
		cap = b->refs_cap == 0 ? 16 : b->refs_cap * 2;
		refs = reallocarray(b->refs, cap, sizeof(*refs));
		if (refs == NULL) {
			b->nomem = 1;
			return;
		}
		b->refs = refs;
		b->refs_cap = cap;
	}
	b->refs[b->nrefs] = *ref;
	if ((b->refs[b->nrefs].name = build_keep(b, ref->name)) != NULL)
		b->nrefs++;
}

void
build_ref_table(struct build *b, const struct word *w,
    struct conf_table **table, int secret)
{
	struct ref ref = { .pos = w->pos, .name = w->s, .table = table,
	    .secret = secret };

	add_ref(b, &ref);
}

void
build_ref_network(struct build *b, const struct word *w,
    struct conf_network **network)
{
	struct ref ref = { .pos = w->pos, .name = w->s, .network = network };

	add_ref(b, &ref);
}

void
build_words(struct build *b, struct conf_words *words,
    const struct list *list, int (*valid)(const char *), const char *hint)
{
	const struct item *item;

	if (list == NULL)
		return;
	for (item = list->first; item != NULL; item = item->next) {
		if (item->value != NULL)
			build_error(b, item->key, "given a value, which only "
			    "a table has; remove the value");
		else if (valid != NULL && !valid(item->key->s))
			build_error(b, item->key, hint);
		else
			build_word(b, words, item->key->s);
	}
}

int
build_size(struct build *b, const struct word *w, uint64_t min, uint64_t max,
    uint64_t *out)
{
	char least[32], most[32];
	uint64_t n;

	if (value_size(w->s, &n) == 0 && n >= min && n <= max) {
		*out = n;
		return (0);
	}
	value_size_print(min, least, sizeof(least));
	value_size_print(max, most, sizeof(most));
	report_error(b->report, &w->pos, "\"%s\" is no size; write a number "
	    "with k, m or g, from %s to %s", w->s, least, most);
	return (-1);
}

void
build_quota(struct build *b, const struct word *size,
    const struct word *messages, struct conf_quota *out)
{
	const char *why = NULL;

	if (size != NULL)
		(void)build_size(b, size, 1, VALUE_SIZE_MAX, &out->bytes);
	if (messages == NULL)
		return;
	out->messages = (uint64_t)strtonum(messages->s, 1,
	    CONF_QUOTA_MESSAGES, &why);
	if (why != NULL)
		build_error(b, messages, "no number of messages; write one "
		    "from 1 to 4000000000");
}

int
build_time(struct build *b, const struct word *w, uint64_t *out)
{
	uint64_t n;

	if (value_time(w->s, &n) == 0 && n > 0) {
		*out = n;
		return (0);
	}
	build_error(b, w, "no time; write a number with s, m, h, d or w, up to "
	    "10 years");
	return (-1);
}

char *
build_path(struct build *b, const struct word *w)
{
	if (w->s[0] != '/') {
		build_error(b, w, "no absolute path; begin it with a /");
		return (NULL);
	}
	return (build_keep(b, w->s));
}

static int
has_8bit(const char *s)
{
	while (*s != '\0' && (unsigned char)*s < 0x80)
		s++;
	return (*s != '\0');
}

char *
build_domain_name(struct build *b, const struct word *w)
{
	if (!value_is_domain(w->s)) {
		build_error(b, w, has_8bit(w->s) ? "not as the DNS has it; "
		    "write the form with xn--, as in xn--exmple-cua.org" :
		    "no domain name; write letters, digits and "
		    "hyphens with dots between, as in mail.example.org");
		return (NULL);
	}
	return (build_lower(b, w->s));
}

void
build_free(struct build *b)
{
	size_t i;

	for (i = 0; i < b->nrefs; i++)
		free(b->refs[i].name);
	free(b->refs);
	b->refs = NULL;
	b->nrefs = b->refs_cap = 0;
}
