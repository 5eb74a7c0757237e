/*
 * search: search keys into an array of linked keys.  Pure; the number of keys
 * and their nesting are bounded, so that evaluating them may recurse.
 */
#include <stdlib.h>
#include <string.h>

#include "imap/date.h"
#include "imap/flags.h"
#include "imap/search.h"
#include "os/compat.h"

enum argument {
	ARG_NONE,
	ARG_NOT_FLAG,		/* none; the key is negated */
	ARG_NEW,
	ARG_ATOM,
	ARG_NOT_ATOM,
	ARG_STRING,
	ARG_NAMED,		/* a header with its own key */
	ARG_HEADER,
	ARG_DATE,
	ARG_NUMBER,
	ARG_SET,
	ARG_KEY,
	ARG_TWO_KEYS
};

static const struct key_def {
	const char		*name;
	enum imap_search_op	 op;
	enum argument		 arg;
	uint32_t		 flag;
} keys[] = {
	{ "ALL", SEARCH_ALL, ARG_NONE, 0 },
	{ "ANSWERED", SEARCH_FLAG, ARG_NONE, IMAP_ANSWERED },
	{ "BCC", SEARCH_HEADER, ARG_NAMED, 0 },
	{ "BEFORE", SEARCH_BEFORE, ARG_DATE, 0 },
	{ "BODY", SEARCH_BODY, ARG_STRING, 0 },
	{ "CC", SEARCH_HEADER, ARG_NAMED, 0 },
	{ "DELETED", SEARCH_FLAG, ARG_NONE, IMAP_DELETED },
	{ "DRAFT", SEARCH_FLAG, ARG_NONE, IMAP_DRAFT },
	{ "FLAGGED", SEARCH_FLAG, ARG_NONE, IMAP_FLAGGED },
	{ "FROM", SEARCH_HEADER, ARG_NAMED, 0 },
	{ "HEADER", SEARCH_HEADER, ARG_HEADER, 0 },
	{ "KEYWORD", SEARCH_KEYWORD, ARG_ATOM, 0 },
	{ "LARGER", SEARCH_LARGER, ARG_NUMBER, 0 },
	{ "NEW", SEARCH_AND, ARG_NEW, 0 },
	{ "NOT", SEARCH_NOT, ARG_KEY, 0 },
	{ "OLD", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_RECENT },
	{ "ON", SEARCH_ON, ARG_DATE, 0 },
	{ "OR", SEARCH_OR, ARG_TWO_KEYS, 0 },
	{ "RECENT", SEARCH_FLAG, ARG_NONE, IMAP_RECENT },
	{ "SEEN", SEARCH_FLAG, ARG_NONE, IMAP_SEEN },
	{ "SENTBEFORE", SEARCH_SENTBEFORE, ARG_DATE, 0 },
	{ "SENTON", SEARCH_SENTON, ARG_DATE, 0 },
	{ "SENTSINCE", SEARCH_SENTSINCE, ARG_DATE, 0 },
	{ "SINCE", SEARCH_SINCE, ARG_DATE, 0 },
	{ "SMALLER", SEARCH_SMALLER, ARG_NUMBER, 0 },
	{ "SUBJECT", SEARCH_HEADER, ARG_NAMED, 0 },
	{ "TEXT", SEARCH_TEXT, ARG_STRING, 0 },
	{ "TO", SEARCH_HEADER, ARG_NAMED, 0 },
	{ "UID", SEARCH_UID, ARG_SET, 0 },
	{ "UNANSWERED", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_ANSWERED },
	{ "UNDELETED", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_DELETED },
	{ "UNDRAFT", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_DRAFT },
	{ "UNFLAGGED", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_FLAGGED },
	{ "UNKEYWORD", SEARCH_KEYWORD, ARG_NOT_ATOM, 0 },
	{ "UNSEEN", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_SEEN }
};

static int	search_key(struct imap_parser *, struct imap_search *,
		    unsigned int depth, size_t *);

/* The keys may move: hold indices, not pointers. */
static int
add_key(struct imap_parser *p, struct imap_search *s, enum imap_search_op op,
    size_t *out)
{
	struct imap_search_key *v;

	if (s->n == IMAP_SEARCH_KEYS)
		return (imap_error(p, "too many search keys"));
	if (s->n % 16 == 0) {
		if ((v = reallocarray(s->key, s->n + 16, sizeof(*v))) == NULL)
			return (imap_error(p, "out of memory"));
		s->key = v;
	}
	memset(&s->key[s->n], 0, sizeof(*v));
	s->key[s->n].op = op;
	*out = s->n++;
	return (0);
}

/* Keys with a space between two, as the children of parent. */
static int
key_list(struct imap_parser *p, struct imap_search *s, unsigned int depth,
    size_t parent)
{
	size_t key, last = 0;

	do {
		if (search_key(p, s, depth, &key) == -1)
			return (-1);
		if (last == 0)
			s->key[parent].child = key;
		else
			s->key[last].next = key;
		last = key;
	} while (imap_accept(p, ' '));
	return (0);
}

/* key := NOT (a new key with op) */
static int
negate(struct imap_parser *p, struct imap_search *s, size_t key,
    enum imap_search_op op, size_t *child)
{
	if (add_key(p, s, op, child) == -1)
		return (-1);
	s->key[key].op = SEARCH_NOT;
	s->key[key].child = *child;
	return (0);
}

/* NEW is RECENT UNSEEN. */
static int
key_new(struct imap_parser *p, struct imap_search *s, size_t key)
{
	size_t recent, unseen, seen;

	if (add_key(p, s, SEARCH_FLAG, &recent) == -1 ||
	    add_key(p, s, SEARCH_NOT, &unseen) == -1 ||
	    negate(p, s, unseen, SEARCH_FLAG, &seen) == -1)
		return (-1);
	s->key[recent].flag = IMAP_RECENT;
	s->key[recent].next = unseen;
	s->key[seen].flag = IMAP_SEEN;
	s->key[key].child = recent;
	return (0);
}

static int
key_children(struct imap_parser *p, struct imap_search *s, unsigned int depth,
    size_t key, int two)
{
	size_t child, next;

	if (imap_sp(p) == -1 || search_key(p, s, depth, &child) == -1)
		return (-1);
	s->key[key].child = child;
	if (!two)
		return (0);
	if (imap_sp(p) == -1 || search_key(p, s, depth, &next) == -1)
		return (-1);
	s->key[child].next = next;
	return (0);
}

static int
key_argument(struct imap_parser *p, struct imap_search *s, unsigned int depth,
    size_t key, const struct key_def *def, const struct imap_str *word)
{
	struct imap_search_key *k = &s->key[key];
	size_t child;

	switch (def->arg) {
	case ARG_NONE:
		k->flag = def->flag;
		return (0);
	case ARG_NOT_FLAG:
		if (negate(p, s, key, def->op, &child) == -1)
			return (-1);
		s->key[child].flag = def->flag;
		return (0);
	case ARG_NEW:
		return (key_new(p, s, key));
	case ARG_KEY:
	case ARG_TWO_KEYS:
		return (key_children(p, s, depth, key,
		    def->arg == ARG_TWO_KEYS));
	case ARG_NOT_ATOM:
		if (negate(p, s, key, def->op, &child) == -1)
			return (-1);
		k = &s->key[child];
		break;
	default:
		break;
	}
	if (imap_sp(p) == -1)
		return (-1);
	switch (def->arg) {
	case ARG_ATOM:
	case ARG_NOT_ATOM:
		return (imap_atom(p, &k->text));
	case ARG_HEADER:
		if (imap_astring(p, &k->name) == -1 || imap_sp(p) == -1)
			return (-1);
		return (imap_astring(p, &k->text));
	case ARG_NAMED:
		k->name = *word;
		return (imap_astring(p, &k->text));
	case ARG_STRING:
		return (imap_astring(p, &k->text));
	case ARG_DATE:
		return (imap_date(p, &k->days));
	case ARG_NUMBER:
		return (imap_number64(p, &k->number));
	case ARG_SET:
		return (imap_seqset(p, &k->set));
	default:
		return (imap_error(p, "unknown search key"));
	}
}

static int
search_key(struct imap_parser *p, struct imap_search *s, unsigned int depth,
    size_t *key)
{
	struct imap_str word;
	size_t i;
	char c = imap_peek(p);

	if (depth >= IMAP_SEARCH_DEPTH)
		return (imap_error(p, "search keys nested too deep"));
	if (imap_accept(p, '(')) {
		if (add_key(p, s, SEARCH_AND, key) == -1 ||
		    key_list(p, s, depth + 1, *key) == -1)
			return (-1);
		return (imap_expect(p, ')'));
	}
	if (c == '*' || (c >= '0' && c <= '9')) {
		if (add_key(p, s, SEARCH_SEQ, key) == -1)
			return (-1);
		return (imap_seqset(p, &s->key[*key].set));
	}
	if (imap_atom(p, &word) == -1)
		return (-1);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!imap_str_is(&word, keys[i].name))
			continue;
		if (add_key(p, s, keys[i].op, key) == -1)
			return (-1);
		return (key_argument(p, s, depth + 1, *key, &keys[i], &word));
	}
	return (imap_error(p, "unknown search key"));
}

static int
charset(struct imap_parser *p, struct imap_search *s)
{
	struct imap_str word;
	char *start = p->p;

	if (imap_atom(p, &word) == 0 && imap_str_is(&word, "CHARSET")) {
		if (imap_sp(p) == -1 || imap_astring(p, &s->charset) == -1)
			return (-1);
		return (imap_sp(p));
	}
	p->p = start;
	p->error = NULL;
	return (0);
}

int
imap_search(struct imap_parser *p, struct imap_search *s)
{
	size_t root;

	memset(s, 0, sizeof(*s));
	if (imap_sp(p) == -1 || charset(p, s) == -1 ||
	    add_key(p, s, SEARCH_AND, &root) == -1 ||
	    key_list(p, s, 0, root) == -1)
		return (-1);
	return (imap_end(p));
}

void
imap_search_free(struct imap_search *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		imap_seqset_free(&s->key[i].set);
	free(s->key);
	memset(s, 0, sizeof(*s));
}
