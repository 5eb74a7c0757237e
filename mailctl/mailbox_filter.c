/*
 * mailbox_filter: which messages a command of "mailctl mailbox" means.
 *
 * Headers come from the store's cache; a message is read only for "text=".
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "conf/value.h"
#include "mailbox.h"
#include "mime/match.h"
#include "os/compat.h"
#include "store/cached.h"

struct needles {
	struct mime_needle	from, to, subject, text;
};

static const struct {
	const char	*word;
	uint32_t	 set, unset;
} flags[] = {
	{ "seen", MSG_SEEN, 0 }, { "unseen", 0, MSG_SEEN },
	{ "flagged", MSG_FLAGGED, 0 }, { "unflagged", 0, MSG_FLAGGED },
	{ "answered", MSG_ANSWERED, 0 }, { "deleted", MSG_DELETED, 0 },
	{ "undeleted", 0, MSG_DELETED }, { "draft", MSG_DRAFT, 0 }
};

static int
take_time(const char *s, int64_t *out)
{
	uint64_t	n;

	if (value_time(s, &n) == -1)
		return (-1);
	*out = (int64_t)time(NULL) - (int64_t)n;
	return (0);
}

static int
take_uids(const char *s, struct filter *f)
{
	char		 first[16];
	const char	*colon = strchr(s, ':'), *bad;
	size_t		 n = colon == NULL ? strlen(s) : (size_t)(colon - s);

	if (n >= sizeof(first))
		return (-1);
	memcpy(first, s, n);
	first[n] = '\0';
	f->first = (uint32_t)strtonum(first, 1, UINT32_MAX, &bad);
	if (bad != NULL)
		return (-1);
	f->last = f->first;
	if (colon == NULL)
		return (0);
	f->last = strcmp(colon + 1, "*") == 0 ? UINT32_MAX :
	    (uint32_t)strtonum(colon + 1, f->first, UINT32_MAX, &bad);
	return (bad != NULL ? -1 : 0);
}

static int
take(struct filter *f, const char *word)
{
	const char	*value = strchr(word, '=');
	size_t		 n, i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(word, flags[i].word) == 0) {
			f->set |= flags[i].set;
			f->unset |= flags[i].unset;
			return (0);
		}
	if (strcmp(word, "all") == 0)
		return (0);
	if (value++ == NULL)
		return (-1);
	n = (size_t)(value - word);
	if (strncmp(word, "from=", n) == 0)
		f->from = value;
	else if (strncmp(word, "to=", n) == 0)
		f->to = value;
	else if (strncmp(word, "subject=", n) == 0)
		f->subject = value;
	else if (strncmp(word, "text=", n) == 0)
		f->text = value;
	else if (strncmp(word, "older=", n) == 0)
		return (take_time(value, &f->before));
	else if (strncmp(word, "newer=", n) == 0)
		return (take_time(value, &f->since));
	else if (strncmp(word, "larger=", n) == 0)
		return (value_size(value, &f->larger));
	else if (strncmp(word, "smaller=", n) == 0)
		return (value_size(value, &f->smaller));
	else if (strncmp(word, "uid=", n) == 0)
		return (take_uids(value, f));
	else
		return (-1);
	return (0);
}

int
filter_parse(struct filter *f, int n, char **words)
{
	int	i;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < n; i++)
		if (take(f, words[i]) == -1) {
			fprintf(stderr, "mailctl: \"%s\" is no filter: all, "
			    "from= to= subject= text= older= newer= larger= "
			    "smaller= uid=, seen unseen flagged unflagged "
			    "answered deleted undeleted draft\n", words[i]);
			return (-1);
		}
	return (0);
}

static int
needle(struct mime_needle *n, const char *text)
{
	return (text == NULL ? 0 : mime_needle_init(n, text, strlen(text),
	    CHARSET_UTF8));
}

static int
in_text(struct mailbox *mb, uint32_t seq, const struct mime_needle *n)
{
	struct message_text	 text;
	struct mime_tree	 tree;
	int			 ret = 0;

	if (mailbox_message_text(mb, seq, &text) != STORE_OK)
		return (0);
	if (mime_tree_parse(&tree, text.data, text.len) == 0) {
		ret = mime_match_text(n, &tree, 1) == 1;
		mime_tree_free(&tree);
	}
	message_text_free(&text);
	return (ret);
}

static int
in_headers(struct mailbox *mb, uint32_t seq, const struct filter *f,
    const struct needles *n)
{
	const struct cached_value *v;
	struct store_cached	 c;

	if (f->from == NULL && f->to == NULL && f->subject == NULL)
		return (1);
	if (mailbox_cached(mb, seq, CACHED_BIT(CACHED_FIELDS), &c) !=
	    STORE_OK)
		return (0);
	v = &c.item[CACHED_FIELDS];
	return ((f->from == NULL || mime_match_header(&n->from, v->p, v->len,
	    "from", 4) == 1) && (f->to == NULL || mime_match_header(&n->to,
	    v->p, v->len, "to", 2) == 1) && (f->subject == NULL ||
	    mime_match_header(&n->subject, v->p, v->len, "subject", 7) == 1));
}

static int
matches(struct mailbox *mb, uint32_t seq, const struct filter *f,
    const struct needles *n)
{
	const struct store_message *m = mailbox_facts(mb, seq,
	    (f->before != 0 || f->since != 0 ? FACT_DATES : 0) |
	    (f->larger != 0 || f->smaller != 0 ? FACT_SIZE : 0));

	if ((m->flags & f->set) != f->set || (m->flags & f->unset) != 0 ||
	    (f->first != 0 && (m->uid < f->first || m->uid > f->last)) ||
	    (f->before != 0 && m->saved >= f->before) ||
	    (f->since != 0 && m->saved < f->since) ||
	    (f->larger != 0 && m->size <= f->larger) ||
	    (f->smaller != 0 && m->size >= f->smaller))
		return (0);
	return (in_headers(mb, seq, f, n) &&
	    (f->text == NULL || in_text(mb, seq, &n->text)));
}

uint32_t *
filter_run(struct mailbox *mb, const struct filter *f, size_t *n)
{
	struct needles	 needles = { 0 };
	uint32_t	*seqs, seq, count = mailbox_count(mb);

	*n = 0;
	seqs = calloc((size_t)count + 1, sizeof(*seqs));
	if (seqs == NULL || needle(&needles.from, f->from) == -1 ||
	    needle(&needles.to, f->to) == -1 ||
	    needle(&needles.subject, f->subject) == -1 ||
	    needle(&needles.text, f->text) == -1) {
		fprintf(stderr, "mailctl: filter: %s\n", strerror(errno));
		free(seqs);
		seqs = NULL;
		count = 0;
	}
	for (seq = 1; seq <= count; seq++)
		if (matches(mb, seq, f, &needles))
			seqs[(*n)++] = seq;
	mime_needle_free(&needles.from);
	mime_needle_free(&needles.to);
	mime_needle_free(&needles.subject);
	mime_needle_free(&needles.text);
	return (seqs);
}
