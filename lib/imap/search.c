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
	ARG_MODSEQ,
	ARG_ID,
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
	{ "EMAILID", SEARCH_EMAILID, ARG_ID, 0 },
	{ "FLAGGED", SEARCH_FLAG, ARG_NONE, IMAP_FLAGGED },
	{ "FROM", SEARCH_HEADER, ARG_NAMED, 0 },
	{ "HEADER", SEARCH_HEADER, ARG_HEADER, 0 },
	{ "KEYWORD", SEARCH_KEYWORD, ARG_ATOM, 0 },
	{ "LARGER", SEARCH_LARGER, ARG_NUMBER, 0 },
	{ "MODSEQ", SEARCH_MODSEQ, ARG_MODSEQ, 0 },
	{ "NEW", SEARCH_AND, ARG_NEW, 0 },
	{ "NOT", SEARCH_NOT, ARG_KEY, 0 },
	{ "OLD", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_RECENT },
	{ "OLDER", SEARCH_OLDER, ARG_NUMBER, 0 },
	{ "ON", SEARCH_ON, ARG_DATE, 0 },
	{ "OR", SEARCH_OR, ARG_TWO_KEYS, 0 },
	{ "RECENT", SEARCH_FLAG, ARG_NONE, IMAP_RECENT },
	{ "SAVEDATESUPPORTED", SEARCH_SAVEDATE, ARG_NONE, 0 },
	{ "SAVEDBEFORE", SEARCH_SAVEDBEFORE, ARG_DATE, 0 },
	{ "SAVEDON", SEARCH_SAVEDON, ARG_DATE, 0 },
	{ "SAVEDSINCE", SEARCH_SAVEDSINCE, ARG_DATE, 0 },
	{ "SEEN", SEARCH_FLAG, ARG_NONE, IMAP_SEEN },
	{ "SENTBEFORE", SEARCH_SENTBEFORE, ARG_DATE, 0 },
	{ "SENTON", SEARCH_SENTON, ARG_DATE, 0 },
	{ "SENTSINCE", SEARCH_SENTSINCE, ARG_DATE, 0 },
	{ "SINCE", SEARCH_SINCE, ARG_DATE, 0 },
	{ "SMALLER", SEARCH_SMALLER, ARG_NUMBER, 0 },
	{ "SUBJECT", SEARCH_HEADER, ARG_NAMED, 0 },
	{ "TEXT", SEARCH_TEXT, ARG_STRING, 0 },
	{ "THREADID", SEARCH_THREADID, ARG_ID, 0 },
	{ "TO", SEARCH_HEADER, ARG_NAMED, 0 },
	{ "UID", SEARCH_UID, ARG_SET, 0 },
	{ "UNANSWERED", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_ANSWERED },
	{ "UNDELETED", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_DELETED },
	{ "UNDRAFT", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_DRAFT },
	{ "UNFLAGGED", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_FLAGGED },
	{ "UNKEYWORD", SEARCH_KEYWORD, ARG_NOT_ATOM, 0 },
	{ "UNSEEN", SEARCH_FLAG, ARG_NOT_FLAG, IMAP_SEEN },
	{ "YOUNGER", SEARCH_YOUNGER, ARG_NUMBER, 0 }
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

/* RFC 7162 3.1.5: a flag's name and type may come first; all share one. */
static int
modseq(struct imap_parser *p, uint64_t *n)
{
	struct imap_str s;

	if (imap_peek(p) == '"' && (imap_string(p, &s) == -1 ||
	    imap_sp(p) == -1 || imap_atom(p, &s) == -1 || imap_sp(p) == -1))
		return (-1);
	return (imap_number64(p, n));
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
	case ARG_MODSEQ:
		return (modseq(p, &k->number));
	case ARG_ID:
		return (imap_astring(p, &k->text));
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
	if (imap_accept(p, '$'))
		return (add_key(p, s, SEARCH_SAVED, key));
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

static int
partial_number(struct imap_parser *p, int64_t *n)
{
	uint32_t u;
	int minus = imap_accept(p, '-');

	if (imap_nznumber(p, &u) == -1)
		return (-1);
	*n = minus ? -(int64_t)u : u;
	return (0);
}

int
imap_partial(struct imap_parser *p, int64_t range[2])
{
	int64_t swap;

	if (partial_number(p, &range[0]) == -1 || imap_expect(p, ':') == -1 ||
	    partial_number(p, &range[1]) == -1)
		return (-1);
	if ((range[0] < 0) != (range[1] < 0))
		return (imap_error(p, "range has two signs"));
	if (range[0] > 0 ? range[0] > range[1] : range[0] < range[1]) {
		swap = range[0];
		range[0] = range[1];
		range[1] = swap;
	}
	return (0);
}

static int
one_return(struct imap_parser *p, struct imap_search *s)
{
	static const struct {
		const char	*name;
		unsigned int	 bit;
	} options[] = {
		{ "MIN", RETURN_MIN }, { "MAX", RETURN_MAX },
		{ "ALL", RETURN_ALL }, { "COUNT", RETURN_COUNT },
		{ "SAVE", RETURN_SAVE }, { "PARTIAL", RETURN_PARTIAL }
	};
	struct imap_str word;
	size_t i;

	if (imap_atom(p, &word) == -1)
		return (-1);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (imap_str_is(&word, options[i].name))
			break;
	if (i == sizeof(options) / sizeof(options[0]))
		return (imap_error(p, "unknown return option"));
	s->returns |= options[i].bit;
	if (options[i].bit != RETURN_PARTIAL)
		return (0);
	if (imap_sp(p) == -1)
		return (-1);
	return (imap_partial(p, s->partial));
}

/* " RETURN (...)" where it is. */
static int
returns(struct imap_parser *p, struct imap_search *s)
{
	struct imap_str word;
	char *start = p->p;

	if (imap_sp(p) == -1)
		return (-1);
	if (imap_peek(p) == '(' || imap_atom(p, &word) == -1 ||
	    !imap_str_is(&word, "RETURN")) {
		p->p = start;
		p->error = NULL;
		return (0);
	}
	s->returns = RETURN_GIVEN;
	if (imap_sp(p) == -1 || imap_expect(p, '(') == -1)
		return (-1);
	if (imap_accept(p, ')')) {
		s->returns |= RETURN_ALL;	/* RFC 4731 3.1 */
		return (0);
	}
	do {
		if (one_return(p, s) == -1)
			return (-1);
	} while (imap_accept(p, ' '));
	/* RFC 9394 3.1 */
	if ((s->returns & RETURN_PARTIAL) && (s->returns & RETURN_ALL))
		return (imap_error(p, "PARTIAL excludes ALL"));
	return (imap_expect(p, ')'));
}

static int
all_keys(struct imap_parser *p, struct imap_search *s)
{
	size_t root;

	if (add_key(p, s, SEARCH_AND, &root) == -1 ||
	    key_list(p, s, 0, root) == -1)
		return (-1);
	return (imap_end(p));
}

int
imap_search(struct imap_parser *p, struct imap_search *s)
{
	memset(s, 0, sizeof(*s));
	if (returns(p, s) == -1 || imap_sp(p) == -1 || charset(p, s) == -1)
		return (-1);
	return (all_keys(p, s));
}

static int
criterion(struct imap_parser *p, struct imap_sort *k)
{
	static const char *const words[] = {
		[SORT_ARRIVAL] = "ARRIVAL", [SORT_CC] = "CC",
		[SORT_DATE] = "DATE", [SORT_FROM] = "FROM",
		[SORT_SIZE] = "SIZE", [SORT_SUBJECT] = "SUBJECT",
		[SORT_TO] = "TO", [SORT_DISPLAYFROM] = "DISPLAYFROM",
		[SORT_DISPLAYTO] = "DISPLAYTO"
	};
	struct imap_str word;
	size_t i;

	k->reverse = 0;
	if (imap_atom(p, &word) == -1)
		return (-1);
	if (imap_str_is(&word, "REVERSE")) {
		k->reverse = 1;
		if (imap_sp(p) == -1 || imap_atom(p, &word) == -1)
			return (-1);
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (imap_str_is(&word, words[i])) {
			k->key = (enum imap_sort_key)i;
			return (0);
		}
	}
	return (imap_error(p, "unknown sort criterion"));
}

/* " UTF-8 keys", as SORT and THREAD have it. */
static int
charset_and_keys(struct imap_parser *p, struct imap_search *s)
{
	if (imap_sp(p) == -1 || imap_astring(p, &s->charset) == -1 ||
	    imap_sp(p) == -1)
		return (-1);
	return (all_keys(p, s));
}

int
imap_sort(struct imap_parser *p, struct imap_search *s)
{
	memset(s, 0, sizeof(*s));
	if (returns(p, s) == -1 || imap_sp(p) == -1 ||
	    imap_expect(p, '(') == -1)
		return (-1);
	do {
		if (s->nsort == IMAP_SORT_MAX)
			return (imap_error(p, "too many sort criteria"));
		if (criterion(p, &s->sort[s->nsort]) == -1)
			return (-1);
		s->nsort++;
	} while (imap_accept(p, ' '));
	if (imap_expect(p, ')') == -1)
		return (-1);
	return (charset_and_keys(p, s));
}

int
imap_thread(struct imap_parser *p, struct imap_search *s)
{
	struct imap_str word;

	memset(s, 0, sizeof(*s));
	if (imap_sp(p) == -1 || imap_atom(p, &word) == -1)
		return (-1);
	if (imap_str_is(&word, "REFERENCES"))
		s->thread = THREAD_REFERENCES;
	else if (imap_str_is(&word, "ORDEREDSUBJECT"))
		s->thread = THREAD_ORDEREDSUBJECT;
	else
		return (imap_error(p, "unknown thread algorithm"));
	return (charset_and_keys(p, s));
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
