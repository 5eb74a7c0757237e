/*
 * fetch: one FETCH response: its numbers, flags and texts.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stress.h"

#define TEXTS	8

struct text {
	const char	*key;
	size_t		 keylen;
	const char	*p;		/* NULL: NIL */
	size_t		 len;
};

struct fetched {
	uint32_t	 uid;
	uint32_t	 flags;
	int		 have_flags;
	uint64_t	 modseq;
	uint32_t	 size;
	int		 have_size;
	char		 date[32];
	struct text	 text[TEXTS];
	unsigned int	 ntext;
	struct text	 envelope;
};

/* Behind a value of any form, NULL if it is none. */
static char *
skip(char *p, char *end, struct text *t)
{
	unsigned int depth = 0;
	char *q;
	size_t n;

	do {
		if (p >= end)
			return (NULL);
		t->p = p;
		if (*p == '(') {
			depth++;
			p++;
		} else if (*p == ')') {
			if (depth == 0)
				return (NULL);
			depth--;
			p++;
		} else if (*p == '"') {
			t->p = ++p;
			for (; p < end && *p != '"'; p++)
				if (*p == '\\')
					p++;
			t->len = (size_t)(p++ - t->p);
		} else if (*p == '{' || (*p == '~' && p[1] == '{')) {
			n = strtoul(strchr(p, '{') + 1, &q, 10);
			if (*q != '}' || end - q < 3 ||
			    (size_t)(end - q - 3) < n)
				return (NULL);
			t->p = q + 3;
			t->len = n;
			p = q + 3 + n;
		} else if (*p == ' ')
			p++;
		else {
			while (p < end && strchr(" ()", *p) == NULL)
				p++;
			t->len = (size_t)(p - t->p);
			if (t->len == 3 && strncmp(t->p, "NIL", 3) == 0)
				t->p = NULL;
		}
	} while (depth > 0);
	return (p);
}

static uint32_t
flags_parse(const char *p, const char *end)
{
	uint32_t flags = 0;
	size_t n;

	for (p++; p < end && *p != ')'; p += n + (p[n] == ' ')) {
		n = strcspn(p, " )");
		flags |= flag_bit(p, n);
	}
	return (flags);
}

static int
key_is(const struct text *t, const char *s)
{
	return (strlen(s) == t->keylen &&
	    strncasecmp(t->key, s, t->keylen) == 0);
}

static void
item(struct fetched *f, const struct text *t, const char *start,
    const char *end)
{
	if (key_is(t, "UID"))
		f->uid = (uint32_t)strtoul(start, NULL, 10);
	else if (key_is(t, "MODSEQ"))
		f->modseq = strtoull(start + 1, NULL, 10);
	else if (key_is(t, "RFC822.SIZE")) {
		f->size = (uint32_t)strtoul(start, NULL, 10);
		f->have_size = 1;
	} else if (key_is(t, "FLAGS")) {
		f->flags = flags_parse(start, end);
		f->have_flags = 1;
	} else if (key_is(t, "INTERNALDATE"))
		snprintf(f->date, sizeof(f->date), "%.*s",
		    (int)(end - start), start);
	else if (key_is(t, "ENVELOPE")) {
		f->envelope.p = start;
		f->envelope.len = (size_t)(end - start);
	} else if ((memchr(t->key, '[', t->keylen) != NULL ||
	    strncasecmp(t->key, "RFC822", 6) == 0) && f->ntext < TEXTS)
		f->text[f->ntext++] = *t;
}

static int
parse(struct fetched *f, char *p, char *end)
{
	struct text t;
	char *start;

	memset(f, 0, sizeof(*f));
	for (p++; p < end && *p != ')'; p += *p == ' ') {
		memset(&t, 0, sizeof(t));
		t.key = p;
		while (p < end && *p != ' ' && *p != ')') {
			if (*p == '[' && (p = strchr(p, ']')) == NULL)
				return (-1);
			p++;
		}
		t.keylen = (size_t)(p - t.key);
		if (p >= end || *p++ != ' ')
			return (-1);
		start = p;
		if ((p = skip(p, end, &t)) == NULL)
			return (-1);
		item(f, &t, start, p);
	}
	return (p == end - 1 && *p == ')' ? 0 : -1);
}

/* The id that a text, header or envelope tells. */
static uint32_t
id_within(const char *p, size_t len)
{
	static const char at[] = "@stress.example>";
	const char *q, *from = p;

	while ((q = memmem(from, len - (size_t)(from - p), at,
	    sizeof(at) - 1)) != NULL) {
		/* "<%08x@", and the first of them is not what it refers to. */
		if (q - p >= 9 && q[-9] == '<')
			return ((uint32_t)strtoul(q - 8, NULL, 16));
		from = q + 1;
	}
	return (0);
}

static void
learn_id(struct conn *c, struct msg *m, uint32_t id)
{
	if (id == 0)
		return;
	if (m->id == 0)
		m->id = id;
	else if (m->id != id)
		wrong(c, "UID %u was %08x and is %08x", m->uid, m->id, id);
}

/* What a section should be; 0 if we do not know. */
static int
section(const struct text *t, uint32_t id, const char **p, size_t *len)
{
	size_t header, from;
	const char *o;

	*p = text_of(id, len, &header);
	if (key_is(t, "BODY[]") || key_is(t, "RFC822"))
		return (1);
	if (key_is(t, "BODY[HEADER]") || key_is(t, "RFC822.HEADER")) {
		*len = header;
		return (1);
	}
	if (strncasecmp(t->key, "BODY[]<", 7) == 0) {
		o = t->key + 7;
		from = strtoul(o, NULL, 10);
		if (from > *len)
			from = *len;
		*p += from;
		*len -= from;
		if (*len > t->len && t->len == 100)
			*len = t->len;
		return (1);
	}
	if (key_is(t, "BODY[TEXT]") || key_is(t, "RFC822.TEXT") ||
	    (key_is(t, "BODY[1]") && !text_multipart(id))) {
		*p += header;
		*len -= header;
		return (1);
	}
	return (0);
}

static void
check_text(struct conn *c, struct msg *m, const struct text *t)
{
	const char *want;
	size_t len, i;

	if (t->p == NULL) {
		/* RFC 2180 4.1.3: it was expunged, and this may not be told. */
		if (m->may_go)
			return;
		wrong(c, "UID %u: %.*s NIL", m->uid, (int)t->keylen, t->key);
		return;
	}
	if (key_is(t, "BODY[]") || key_is(t, "BODY[HEADER]") ||
	    strncasecmp(t->key, "BODY[HEADER.FIELDS", 18) == 0)
		learn_id(c, m, id_within(t->p, t->len));
	if (m->id == 0 || !section(t, m->id, &want, &len))
		return;
	if (len != t->len) {
		wrong(c, "UID %u, %08x: %.*s has %zu bytes, not %zu", m->uid,
		    m->id, (int)t->keylen, t->key, t->len, len);
		return;
	}
	for (i = 0; i < len && want[i] == t->p[i]; i++)
		continue;
	if (i < len)
		wrong(c, "UID %u, %08x: %.*s differs at %zu", m->uid, m->id,
		    (int)t->keylen, t->key, i);
}

static int
storing(const struct conn *c)
{
	unsigned int i;

	for (i = 0; i < c->ncmd; i++)
		if (c->cmd[i].kind == C_STORE)
			return (1);
	return (0);
}

static void
check_flags(struct conn *c, struct msg *m, const struct fetched *f)
{
	unsigned int want;

	if (f->flags & F_DELETED)
		m->may_go = 1;
	if (c->owner >= 0 && !storing(c) && m->replacing == 0) {
		want = m->owned[c->owner];
		if ((want == SET || want == CLEAR) &&
		    (want == SET) != ((f->flags & F_OWNED(c->owner)) != 0))
			wrong(c, "UID %u: %s should be %s", m->uid,
			    flag_name(F_OWNED(c->owner)),
			    want == SET ? "set" : "clear");
	}
	if (f->modseq == 0 || f->modseq < m->modseq)
		return;
	if (f->modseq == m->modseq && f->flags != m->flags)
		wrong(c, "UID %u: modseq %llu with flags %x and %x", m->uid,
		    (unsigned long long)f->modseq, m->flags, f->flags);
	if (m->modseq != f->modseq)
		m->changed = when;
	m->modseq = f->modseq;
	m->flags = f->flags;
	if (c->box->modseq < f->modseq)
		c->box->modseq = f->modseq;
}

static void
check_rest(struct conn *c, struct msg *m, const struct fetched *f)
{
	size_t len, header;

	if (f->have_size) {
		if (m->size != 0 && m->size != f->size)
			wrong(c, "UID %u: size %u was %u", m->uid, f->size,
			    m->size);
		m->size = f->size;
		if (m->id != 0) {
			(void)text_of(m->id, &len, &header);
			if (len != f->size)
				wrong(c, "UID %u, %08x: size %u, not %zu",
				    m->uid, m->id, f->size, len);
		}
	}
	if (f->date[0] != '\0') {
		if (m->date[0] != '\0' && strcmp(m->date, f->date) != 0)
			wrong(c, "UID %u: INTERNALDATE %s was %s", m->uid,
			    f->date, m->date);
		memcpy(m->date, f->date, sizeof(m->date));
	}
	if (f->envelope.p != NULL)
		learn_id(c, m, id_within(f->envelope.p, f->envelope.len));
}

/* A message of this number has this UID: is there room for it? */
static void
check_uid(struct conn *c, size_t i, uint32_t uid)
{
	struct seen *s = c->view.m;
	struct msg *m;
	size_t j;

	if (s[i].uid != 0 && s[i].uid != uid) {
		wrong(c, "message %zu was UID %u and is %u", i + 1, s[i].uid,
		    uid);
		return;
	}
	if (s[i].uid == uid)
		return;
	for (j = i; j > 0 && s[j - 1].uid == 0; j--)
		continue;
	if (j > 0 && s[j - 1].uid >= uid)
		wrong(c, "message %zu has UID %u, %zu has %u", i + 1, uid, j,
		    s[j - 1].uid);
	for (j = i + 1; j < c->view.n && s[j].uid == 0; j++)
		continue;
	if (j < c->view.n && s[j].uid <= uid)
		wrong(c, "message %zu has UID %u, %zu has %u", i + 1, uid,
		    j + 1, s[j].uid);
	s[i].uid = uid;
	m = msg_get(c->box, uid);
	if (m->gone != 0 && m->gone < c->selected)
		wrong(c, "UID %u was expunged and is back", uid);
}

/* The answer to SELECT with QRESYNC: into what the client has of before. */
static void
resync(struct conn *c, const struct fetched *f)
{
	size_t at;
	int found;

	at = view_at(&c->expect, f->uid, &found);
	if (!found) {
		view_exists(&c->expect, c->expect.n + 1);
		memmove(&c->expect.m[at + 1], &c->expect.m[at],
		    (c->expect.n - 1 - at) * sizeof(c->expect.m[0]));
		memset(&c->expect.m[at], 0, sizeof(c->expect.m[0]));
		c->expect.m[at].uid = f->uid;
	}
	c->expect.m[at].flags = f->flags;
	c->expect.m[at].have_flags = f->have_flags;
	c->expect.m[at].modseq = f->modseq;
}

/* Those that were not changed since SELECT are as QRESYNC had told. */
static void
verify(struct conn *c, const struct fetched *f)
{
	size_t at;
	int found;

	if (f->modseq == 0 || f->modseq > c->highest || !f->have_flags)
		return;
	at = view_at(&c->expect, f->uid, &found);
	if (!found)
		wrong(c, "QRESYNC did not tell of UID %u, modseq %llu of %llu",
		    f->uid, (unsigned long long)f->modseq,
		    (unsigned long long)c->highest);
	else if (c->expect.m[at].flags != f->flags)
		wrong(c, "QRESYNC: UID %u has flags %x, was told %x, modseq "
		    "%llu of %llu", f->uid, f->flags, c->expect.m[at].flags,
		    (unsigned long long)f->modseq,
		    (unsigned long long)c->highest);
}

void
fetched(struct conn *c, size_t n, char *p, char *end)
{
	struct fetched f;
	struct seen *s;
	struct msg *m;
	unsigned int i;

	if (parse(&f, p, end) == -1) {
		wrong(c, "cannot read FETCH %.300s", p);
		return;
	}
	if (c->box == NULL || n < 1 || n > c->view.n) {
		wrong(c, "FETCH %zu of %zu", n, c->view.n);
		return;
	}
	s = &c->view.m[n - 1];
	if (f.uid != 0)
		check_uid(c, n - 1, f.uid);
	if (f.have_flags) {
		s->flags = f.flags;
		s->have_flags = 1;
	}
	if (f.modseq != 0) {
		if (f.modseq < s->modseq)
			wrong(c, "FETCH %zu: modseq %llu was %llu", n,
			    (unsigned long long)f.modseq,
			    (unsigned long long)s->modseq);
		s->modseq = f.modseq;
	}
	if (s->uid == 0)
		return;
	f.uid = s->uid;
	m = msg_get(c->box, s->uid);
	if (f.have_flags)
		check_flags(c, m, &f);
	for (i = 0; i < f.ntext; i++)
		check_text(c, m, &f.text[i]);
	check_rest(c, m, &f);
	if (c->ncmd > 0 && c->cmd[0].kind == C_SELECT && c->cmd[0].qresync)
		resync(c, &f);
	else if (c->verify)
		verify(c, &f);
}
