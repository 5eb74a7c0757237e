/*
 * map: table files in memory.
 *
 * The text comes from files that an administrator writes, but may be any
 * bytes.  It is parsed in place: keys and values are terminated where they
 * stand, continuation lines are moved up behind what they continue, so that
 * reading is linear and takes 24 bytes for an entry beside the text.  A lookup
 * costs one hash and about one comparison.
 *
 * A line that makes no sense is left out and counted; the others hold.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "table/map.h"

struct entry {
	const char	*key;
	const char	*value;
};

struct table_map {
	char		*text;
	size_t		 textlen;
	struct entry	*entries;
	size_t		 n, cap;
	uint32_t	*slots;		/* entry + 1, 0 empty */
	size_t		 nslots;	/* a power of two */
	uint32_t	 seed;
};

/* Where the reader is.  A line is [line, end), then its newline. */
struct reader {
	char		*line, *end;
	char		*next, *stop;
	unsigned int	 number;
};

static int
is_blank(char c)
{
	return (c == ' ' || c == '\t');
}

static int
next_line(struct reader *r)
{
	char	*nl;

	if (r->next >= r->stop)
		return (0);
	r->line = r->next;
	nl = memchr(r->line, '\n', (size_t)(r->stop - r->line));
	r->end = nl != NULL ? nl : r->stop;
	r->next = nl != NULL ? nl + 1 : r->stop;
	if (r->end > r->line && r->end[-1] == '\r')
		r->end--;
	r->number++;
	return (1);
}

static void
trim(char **start, char **end)
{
	while (*start < *end && is_blank(**start))
		(*start)++;
	while (*end > *start && is_blank((*end)[-1]))
		(*end)--;
}

static void
bad_line(struct table_report *report, unsigned int number)
{
	if (report->bad++ == 0)
		report->first_bad = number;
}

static int
add_entry(struct table_map *m, const char *key, const char *value)
{
	struct entry	*p;
	size_t		 cap;

	if (m->n == m->cap) {
		cap = m->cap == 0 ? 64 : m->cap * 2;
		if ((p = reallocarray(m->entries, cap, sizeof(*p))) == NULL)
			return (-1);
		m->entries = p;
		m->cap = cap;
	}
	m->entries[m->n].key = key;
	m->entries[m->n].value = value;
	m->n++;
	return (0);
}

/* "a \"b\" \\c" from the opening quote; returns what follows, or NULL. */
static char *
quoted_key(char *p, char *end, char **key)
{
	char	*out;

	*key = out = ++p;
	while (p < end && *p != '"') {
		if (*p == '\\' && ++p == end)
			return (NULL);
		*out++ = *p++;
	}
	if (p == end)
		return (NULL);
	*out = '\0';
	return (p + 1);
}

/* A key of other printable characters; returns the colon or the end. */
static char *
bare_key(char *p, char *end, char **key, char **keyend)
{
	char	*colon = memchr(p, ':', (size_t)(end - p)), *s;

	*key = p;
	*keyend = colon != NULL ? colon : end;
	trim(key, keyend);
	for (s = *key; s < *keyend; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return (NULL);
	return (*key == *keyend ? NULL : colon != NULL ? colon : end);
}

/*
 * One "key: value" or "key" in [line, end).  The value may be continued, so it
 * is not terminated here: *tail says where it ends.  A bare key has no value
 * of its own and a NULL tail.
 */
static int
map_line(char *line, char *end, char **key, const char **value, char **tail)
{
	char	*p, *start, *keyend = NULL;

	trim(&line, &end);
	if (memchr(line, '\0', (size_t)(end - line)) != NULL)
		return (-1);
	if (*line == '"') {
		if ((p = quoted_key(line, end, key)) == NULL || **key == '\0')
			return (-1);
		while (p < end && is_blank(*p))
			p++;
		if (p < end && *p != ':')
			return (-1);
	} else if ((p = bare_key(line, end, key, &keyend)) == NULL)
		return (-1);
	*value = "";
	*tail = NULL;
	if (p < end) {
		start = p + 1;
		trim(&start, &end);
		*value = start;
		*tail = end;
	}
	if (keyend != NULL)
		*keyend = '\0';
	return (0);
}

/* A line that continues the value which ends at tail: one space between. */
static char *
continue_value(const char *value, char *tail, char *line, char *end)
{
	size_t	len;

	trim(&line, &end);
	len = (size_t)(end - line);
	if (tail != value)
		*tail++ = ' ';
	memmove(tail, line, len);
	return (tail + len);
}

/*
 * A whole "key: value" file.  The value that is being read is terminated when
 * the next entry begins: the byte at its tail is then the newline of its last
 * line or before, never part of what follows.
 */
static int
parse_map(struct table_map *m, struct reader *r, struct table_report *report)
{
	char		*key, *tail = NULL, *first;
	const char	*value = "";
	int		 skipping = 0;

	while (next_line(r)) {
		for (first = r->line; first < r->end && is_blank(*first);)
			first++;
		if (first == r->end || *first == '#')
			continue;
		if (first != r->line) {
			if (tail != NULL && !memchr(first, '\0',
			    (size_t)(r->end - first)))
				tail = continue_value(value, tail, first,
				    r->end);
			else if (!skipping)
				bad_line(report, r->number);
			continue;
		}
		if (tail != NULL)
			*tail = '\0';
		tail = NULL;
		skipping = 0;
		if (map_line(r->line, r->end, &key, &value, &tail) == -1) {
			bad_line(report, r->number);
			tail = NULL;
			skipping = 1;
		} else if (add_entry(m, key, value) == -1)
			return (-1);
	}
	if (tail != NULL)
		*tail = '\0';
	return (0);
}

/* passwd(5): the name, and the rest of the line as its value. */
static int
parse_users(struct table_map *m, struct reader *r, struct table_report *report)
{
	char	*p;

	while (next_line(r)) {
		if (r->line == r->end || r->line[0] == '#')
			continue;
		for (p = r->line; p < r->end && *p != ':'; p++)
			if ((unsigned char)*p <= ' ' || *p == 0x7f)
				break;
		if (p == r->line || p == r->end || *p != ':' ||
		    memchr(p, '\0', (size_t)(r->end - p)) != NULL) {
			bad_line(report, r->number);
			continue;
		}
		*p++ = '\0';
		*r->end = '\0';
		if (add_entry(m, r->line, p) == -1)
			return (-1);
	}
	return (0);
}

/* FNV-1a over the lower-case key, from a start that nobody outside knows. */
static uint32_t
hash_key(const struct table_map *m, const char *key)
{
	uint32_t	h = m->seed;
	unsigned char	c;

	for (; *key != '\0'; key++) {
		c = (unsigned char)*key;
		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		h = (h ^ c) * 16777619u;
	}
	return (h ^ h >> 15);
}

/* The slot of key, or the empty one where it belongs. */
static size_t
find_slot(const struct table_map *m, const char *key)
{
	size_t	i, mask = m->nslots - 1;

	for (i = hash_key(m, key) & mask; m->slots[i] != 0; i = (i + 1) & mask)
		if (strcasecmp(m->entries[m->slots[i] - 1].key, key) == 0)
			break;
	return (i);
}

static int
build_index(struct table_map *m, struct table_report *report)
{
	size_t	i, slot;

	m->seed = arc4random();
	for (m->nslots = 16; m->nslots / 2 < m->n;)
		m->nslots *= 2;
	if ((m->slots = calloc(m->nslots, sizeof(*m->slots))) == NULL)
		return (-1);
	for (i = 0; i < m->n; i++) {
		slot = find_slot(m, m->entries[i].key);
		if (m->slots[slot] == 0) {
			m->slots[slot] = (uint32_t)i + 1;
			report->entries++;
		} else
			report->duplicates++;
	}
	return (0);
}

struct table_map *
table_map_parse(char *text, size_t len, enum table_form form,
    struct table_report *report)
{
	struct table_map	*m;
	struct reader		 r = { 0 };
	int			 rv;

	memset(report, 0, sizeof(*report));
	if ((m = calloc(1, sizeof(*m))) == NULL) {
		freezero(text, len + 1);
		return (NULL);
	}
	m->text = text;
	m->textlen = len + 1;
	text[len] = '\0';
	r.next = text;
	r.stop = text + len;
	/* An editor's mark of UTF-8 is no part of the first key. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.next += 3;
	if (form == TABLE_USERS)
		rv = parse_users(m, &r, report);
	else
		rv = parse_map(m, &r, report);
	if (rv == -1 || build_index(m, report) == -1) {
		table_map_free(m);
		return (NULL);
	}
	return (m);
}

struct table_map *
table_map_words(char *const *keys, char *const *values, size_t n)
{
	struct table_map	*m;
	struct table_report	 report = { 0 };
	char			*p;
	size_t			 i, klen, vlen;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return (NULL);
	for (i = 0; i < n; i++)
		m->textlen += strlen(keys[i]) + strlen(values[i]) + 2;
	if ((m->text = p = malloc(m->textlen + 1)) == NULL)
		goto fail;
	for (i = 0; i < n; i++) {
		klen = strlen(keys[i]) + 1;
		vlen = strlen(values[i]) + 1;
		memcpy(p, keys[i], klen);
		memcpy(p + klen, values[i], vlen);
		if (add_entry(m, p, p + klen) == -1)
			goto fail;
		p += klen + vlen;
	}
	if (build_index(m, &report) == -1)
		goto fail;
	return (m);
fail:
	table_map_free(m);
	return (NULL);
}

void
table_map_free(struct table_map *m)
{
	if (m == NULL)
		return;
	freezero(m->text, m->textlen);
	free(m->entries);
	free(m->slots);
	free(m);
}

void
table_map_each(const struct table_map *m, table_entry_cb cb, void *arg)
{
	size_t	i;

	for (i = 0; i < m->n; i++)
		cb(m->entries[i].key, m->entries[i].value, arg);
}

const char *
table_map_find(const struct table_map *m, const char *key, const char **name)
{
	uint32_t	i;

	if ((i = m->slots[find_slot(m, key)]) == 0)
		return (NULL);
	if (name != NULL)
		*name = m->entries[i - 1].key;
	return (m->entries[i - 1].value);
}
