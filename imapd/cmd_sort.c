/*
 * cmd_sort: SORT and UID SORT (RFC 5256, RFC 5957 for DISPLAY, RFC 5267 for
 * RETURN).
 *
 * Keys are made once a message, some messages a turn, from the index and the
 * cache; then they are merged in memory by how they begin, and by the rest of
 * their text where that is the same.
 *
 * Cost: CPU only if the messages are in the cache, a quarter of it the merging;
 * an item and a value a message, half of the items once more, and the texts.
 * qsort(), which has to call for each comparison, took nearly half of it.
 */
#include "cmd_search_run.h"
#include "cmd_table.h"
#include "mime/address.h"
#include "mime/casemap.h"
#include "mime/subject.h"
#include "mime/word.h"
#include "session_reply.h"

#define MESSAGES_A_TURN	1000
#define TEXT_MAX	(256u * 1024 * 1024)
#define KEY_MAX		1024		/* bytes of a text that count */
#define FEW		8		/* items that need no merging */

union value {
	int64_t		n;
	struct {
		uint32_t	off, len;	/* in text */
	}		s;
};

struct item {
	uint64_t		 first[2];	/* its first value's beginning,
						   ascending */
	uint32_t		 seq;
	uint32_t		 index;		/* of its first value */
};

struct sorting {
	const struct imap_search *keys;
	struct item		*item;
	union value		*value;		/* nsort of them an item */
	struct buf		 text;
	size_t			 n;
};

static enum cmd_result	sort(struct client *, struct search *);
static void		sorting_free(void *);

static const struct search_kind kind = {
	"SORT", imap_sort, sort, sorting_free
};

static void
sorting_free(void *arg)
{
	struct sorting *s = arg;

	free(s->item);
	free(s->value);
	buf_free(&s->text);
	free(s);
}

static struct sorting *
sorting_new(const struct search *run)
{
	struct sorting *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	buf_init(&s->text, TEXT_MAX);
	s->keys = &run->keys;
	s->item = reallocarray(NULL, run->nfound + 1, sizeof(*s->item));
	s->value = reallocarray(NULL, run->nfound + 1,
	    run->keys.nsort * sizeof(*s->value));
	if (s->item == NULL || s->value == NULL) {
		sorting_free(s);
		return (NULL);
	}
	return (s);
}

/* Decoded and folded, at most KEY_MAX bytes. */
static int
add_folded(struct sorting *s, const char *p, size_t len, int words)
{
	struct buf b;
	int ret;

	buf_init(&b, 8 * KEY_MAX);
	if (len > KEY_MAX)
		len = KEY_MAX;
	ret = words ? mime_words_decode(p, len, &b) : buf_add(&b, p, len);
	if (ret == 0)
		ret = mime_casemap(buf_data(&b), buf_len(&b), &s->text);
	buf_free(&b);
	return (ret);
}

/* RFC 5957 3: the display name, or else the address. */
static int
add_display(struct sorting *s, const struct mime_address *a)
{
	if (a->name != NULL && a->name[0] != '\0')
		return (add_folded(s, a->name, strlen(a->name), 1));
	if (add_folded(s, a->mailbox, strlen(a->mailbox), 0) == -1)
		return (-1);
	if (a->host[0] == '\0')
		return (0);
	if (buf_puts(&s->text, "@") == -1)
		return (-1);
	return (add_folded(s, a->host, strlen(a->host), 0));
}

/* RFC 5256 3: the mailbox of the first address; a group's is its name. */
static int
add_address(struct sorting *s, struct search_text *t, const char *field,
    int display)
{
	struct imap_str name = { (char *)(uintptr_t)field, strlen(field) };
	const struct mime_address *a;
	struct mime_addresses list;
	struct mime_field f;
	const char *p;
	size_t len;
	int ret = 0;

	if (!search_header(t, &name, &p, &len) ||
	    !mime_field_find(p, len, field, &f))
		return (0);
	if (mime_addresses_parse(&list, f.value, f.valuelen) == -1)
		return (-1);
	if (list.n > 0) {
		a = &list.v[0];
		if (a->kind == ADDRESS_GROUP)
			ret = a->name == NULL ? 0 :
			    add_folded(s, a->name, strlen(a->name), display);
		else if (a->kind == ADDRESS_MAILBOX && display)
			ret = add_display(s, a);
		else if (a->kind == ADDRESS_MAILBOX)
			ret = add_folded(s, a->mailbox, strlen(a->mailbox), 0);
	}
	mime_addresses_free(&list);
	return (ret);
}

static int
add_subject(struct sorting *s, struct search_text *t)
{
	static const struct imap_str name = { (char *)(uintptr_t)"Subject",
	    7 };
	struct mime_field f;
	const char *p;
	size_t len;

	if (search_subject(t, &p, &len))
		return (buf_add(&s->text, p, len));
	if (!search_header(t, &name, &p, &len) ||
	    !mime_field_find(p, len, "Subject", &f))
		return (0);
	return (mime_base_subject(f.value, f.valuelen, &s->text) == -1 ? -1 :
	    0);
}

static int
add_text(struct sorting *s, struct search_text *t, enum imap_sort_key key)
{
	switch (key) {
	case SORT_CC:
		return (add_address(s, t, "Cc", 0));
	case SORT_FROM:
		return (add_address(s, t, "From", 0));
	case SORT_TO:
		return (add_address(s, t, "To", 0));
	case SORT_DISPLAYFROM:
		return (add_address(s, t, "From", 1));
	case SORT_DISPLAYTO:
		return (add_address(s, t, "To", 1));
	default:
		return (add_subject(s, t));
	}
}

static int
is_number(enum imap_sort_key key)
{
	return (key == SORT_ARRIVAL || key == SORT_DATE || key == SORT_SIZE);
}

static int64_t
number(struct client *c, struct search_text *t, uint32_t seq,
    enum imap_sort_key key)
{
	const struct store_message *m;
	int64_t sent;
	int zone;

	/* RFC 5256 2.2: without a date, when it came. */
	if (key == SORT_DATE && search_sent(t, &sent, &zone))
		return (sent);
	m = mailbox_facts(c->mb, seq, key == SORT_SIZE ? FACT_SIZE :
	    FACT_DATES);
	if (m == NULL)
		return (0);
	return (key == SORT_SIZE ? (int64_t)m->size : m->internal);
}

static uint64_t
big_endian(const unsigned char *p)
{
	return ((uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 |
	    (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
	    (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
	    (uint64_t)p[6] << 8 | (uint64_t)p[7]);
}

/* Ordered as the items are; most comparisons end with it. */
static void
beginning(const struct sorting *s, const union value *v, uint64_t first[2])
{
	unsigned char p[16] = { 0 };

	first[0] = first[1] = 0;
	if (is_number(s->keys->sort[0].key))
		first[0] = (uint64_t)v->n ^ (uint64_t)1 << 63;
	else {
		if (v->s.len > 0)
			memcpy(p, (const char *)buf_data(&s->text) + v->s.off,
			    v->s.len < sizeof(p) ? v->s.len : sizeof(p));
		first[0] = big_endian(p);
		first[1] = big_endian(p + 8);
	}
	if (s->keys->sort[0].reverse) {
		first[0] = ~first[0];
		first[1] = ~first[1];
	}
}

static int
add_item(struct client *c, struct search *run, struct sorting *s, uint32_t seq)
{
	union value *v = &s->value[s->n * s->keys->nsort];
	struct item *item = &s->item[s->n++];
	size_t i, before;

	item->seq = seq;
	item->index = (uint32_t)((s->n - 1) * s->keys->nsort);
	search_text_next(&run->text, seq);
	for (i = 0; i < s->keys->nsort; i++) {
		if (is_number(s->keys->sort[i].key)) {
			v[i].n = number(c, &run->text, seq,
			    s->keys->sort[i].key);
			continue;
		}
		before = buf_len(&s->text);
		if (add_text(s, &run->text, s->keys->sort[i].key) == -1)
			return (-1);
		v[i].s.off = (uint32_t)before;
		v[i].s.len = (uint32_t)(buf_len(&s->text) - before);
	}
	beginning(s, v, item->first);
	return (0);
}

static int
text_cmp(const char *text, const union value *a, const union value *b)
{
	uint32_t n = a->s.len < b->s.len ? a->s.len : b->s.len;
	int ret = n > 0 ? memcmp(text + a->s.off, text + b->s.off, n) : 0;

	if (ret != 0)
		return (ret);
	return (a->s.len < b->s.len ? -1 : a->s.len > b->s.len);
}

static int
values_cmp(const struct sorting *s, const struct item *a, const struct item *b)
{
	const char *text = buf_data(&s->text);
	const union value *x, *y;
	size_t i;
	int ret;

	for (i = 0; i < s->keys->nsort; i++) {
		x = &s->value[a->index + i];
		y = &s->value[b->index + i];
		if (is_number(s->keys->sort[i].key))
			ret = x->n < y->n ? -1 : x->n > y->n;
		else
			ret = text_cmp(text, x, y);
		if (ret != 0)
			return (s->keys->sort[i].reverse ? -ret : ret);
	}
	return (0);
}

/* Items that are the same stay as they are, by number (RFC 5256 3). */
static inline int
behind(const struct sorting *s, const struct item *a, const struct item *b)
{
	if (a->first[0] != b->first[0])
		return (a->first[0] > b->first[0]);
	if (a->first[1] != b->first[1])
		return (a->first[1] > b->first[1]);
	return (values_cmp(s, a, b) > 0);
}

static void
sort_few(const struct sorting *s, struct item *v, size_t n)
{
	struct item one;
	size_t i, j;

	for (i = 1; i < n; i++) {
		one = v[i];
		for (j = i; j > 0 && behind(s, &v[j - 1], &one); j--)
			v[j] = v[j - 1];
		v[j] = one;
	}
}

/* Recursion is as deep as n has bits; spare is half of n. */
static void
sort_items(const struct sorting *s, struct item *v, size_t n,
    struct item *spare)
{
	size_t half = n / 2;
	const struct item *a = spare, *aend = spare + half;
	const struct item *b = v + half, *bend = v + n;

	if (n <= FEW) {
		sort_few(s, v, n);
		return;
	}
	sort_items(s, v, half, spare);
	sort_items(s, v + half, n - half, spare);
	if (!behind(s, b - 1, b))
		return;
	memcpy(spare, v, half * sizeof(*v));
	while (a < aend && b < bend)
		*v++ = behind(s, a, b) ? *b++ : *a++;
	memcpy(v, a, (size_t)(aend - a) * sizeof(*v));
}

static enum cmd_result
sort(struct client *c, struct search *run)
{
	struct sorting *s = run->more;
	struct item *spare;
	uint32_t *seqs;
	size_t i;

	if (s == NULL && (run->more = s = sorting_new(run)) == NULL)
		return (search_no_memory(c, run));
	if (s->n == run->nfound)
		return (search_tell(c, run));
	for (i = 0; i < MESSAGES_A_TURN && s->n < run->nfound; i++)
		if (add_item(c, run, s, run->found[s->n]) == -1)
			return (cmd_no(c, "[LIMIT] Too much to sort"));
	if (s->n < run->nfound)
		return (CMD_MORE);
	spare = reallocarray(NULL, s->n / 2 + 1, sizeof(*spare));
	seqs = reallocarray(NULL, s->n + 1, sizeof(*seqs));
	if (spare == NULL || seqs == NULL) {
		free(spare);
		free(seqs);
		return (search_no_memory(c, run));
	}
	sort_items(s, s->item, s->n, spare);
	free(spare);
	for (i = 0; i < s->n; i++)
		seqs[i] = s->item[i].seq;
	search_order(run, seqs);
	return (search_tell(c, run));
}

enum cmd_result
cmd_sort(struct client *c)
{
	return (search_begin(c, &kind));
}
