/*
 * address: one pass over the value; comments and quotes may be unterminated,
 * end in a backslash, or nest without end.
 *
 * Pure.  Memory: twice the bytes looked at, and the array of addresses.
 */
#include <stdlib.h>
#include <string.h>

#include "mime/address.h"
#include "os/compat.h"

struct part {
	char	s[MIME_ADDRESS_PART];
	size_t	n;
	int	blank;			/* before the next word */
};

struct parser {
	const char	*p;
	const char	*end;
	char		*out;
	size_t		 room;		/* addresses that v can take */
	int		 in_group;
	int		 at;		/* an '@' was seen */
	int		 angle;		/* so was '<' */
	int		 full;		/* MIME_ADDRESSES_MAX was reached */
	struct part	 phrase;	/* words; the local part without <> */
	struct part	 local;
	struct part	 domain;
	struct part	 route;
	struct part	 comment;
	struct mime_addresses *list;
};

static void
part_add(struct part *t, char c)
{
	if (c != '\0' && c != '\r' && c != '\n' && t->n < sizeof(t->s))
		t->s[t->n++] = c;
}

/* Between two words of a phrase stands one blank. */
static void
part_word(struct part *t)
{
	if (t->blank && t->n > 0)
		part_add(t, ' ');
	t->blank = 0;
}

static void
part_clear(struct part *t)
{
	t->n = 0;
	t->blank = 0;
}

static void
parser_clear(struct parser *ap)
{
	part_clear(&ap->phrase);
	part_clear(&ap->local);
	part_clear(&ap->domain);
	part_clear(&ap->route);
	part_clear(&ap->comment);
	ap->at = ap->angle = 0;
}

static const char *
keep(struct parser *ap, const struct part *t)
{
	char *s = ap->out;

	if (t->n == 0)
		return ("");
	memcpy(s, t->s, t->n);
	s[t->n] = '\0';
	ap->out += t->n + 1;
	return (s);
}

static struct mime_address *
add(struct parser *ap, enum mime_address_kind kind)
{
	struct mime_addresses *l = ap->list;
	struct mime_address *v;
	size_t want;

	if (l->n == MIME_ADDRESSES_MAX) {
		ap->full = 1;
		return (NULL);
	}
	if (l->n == ap->room) {
		want = ap->room == 0 ? 4 : ap->room * 2;
		if ((v = reallocarray(l->v, want, sizeof(*v))) == NULL)
			return (NULL);
		l->v = v;
		ap->room = want;
	}
	v = &l->v[l->n++];
	memset(v, 0, sizeof(*v));
	v->kind = kind;
	v->mailbox = v->host = "";
	return (v);
}

/* RFC 5322 4.4: blanks may stand around the dots of a local part. */
static void
close_dots(struct part *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++) {
		if (t->s[i] == ' ' && ((n > 0 && t->s[n - 1] == '.') ||
		    (i + 1 < t->n && t->s[i + 1] == '.')))
			continue;
		t->s[n++] = t->s[i];
	}
	t->n = n;
}

static int
flush(struct parser *ap)
{
	struct mime_address *a;
	struct part *name, *local;

	if (!ap->angle && !ap->at && ap->phrase.n == 0) {
		parser_clear(ap);
		return (0);
	}
	if ((a = add(ap, ADDRESS_MAILBOX)) == NULL)
		return (-1);
	name = ap->angle && ap->phrase.n > 0 ? &ap->phrase : &ap->comment;
	local = ap->angle ? &ap->local : &ap->phrase;
	close_dots(local);
	if (name->n > 0)
		a->name = keep(ap, name);
	if (ap->route.n > 0)
		a->route = keep(ap, &ap->route);
	a->mailbox = keep(ap, local);
	a->host = keep(ap, &ap->domain);
	parser_clear(ap);
	return (0);
}

static void
comment(struct parser *ap)
{
	unsigned int depth = 0;
	const char *end = ap->end;

	part_clear(&ap->comment);
	for (; ap->p < end; ap->p++) {
		if (*ap->p == '\\') {
			if (end - ap->p > 1)
				part_add(&ap->comment, *++ap->p);
			continue;
		}
		if (*ap->p == '(' && depth++ == 0)
			continue;
		if (*ap->p == ')' && --depth == 0) {
			ap->p++;
			return;
		}
		part_add(&ap->comment, *ap->p);
	}
}

static void
quoted(struct parser *ap, struct part *t)
{
	part_word(t);
	for (ap->p++; ap->p < ap->end && *ap->p != '"'; ap->p++) {
		if (*ap->p == '\\' && ap->end - ap->p > 1)
			ap->p++;
		part_add(t, *ap->p);
	}
	if (ap->p < ap->end)
		ap->p++;
}

static int
is_special(char c)
{
	switch (c) {
	case ' ': case '\t': case '\r': case '\n':
	case '(': case ')': case '<': case '>': case '[': case ']':
	case ':': case ';': case '@': case '\\': case ',': case '"':
		return (1);
	default:
		return (0);
	}
}

static void
atom(struct parser *ap, struct part *t)
{
	part_word(t);
	while (ap->p < ap->end && !is_special(*ap->p))
		part_add(t, *ap->p++);
}

static void
domain_literal(struct parser *ap, struct part *t)
{
	for (; ap->p < ap->end && *ap->p != ']'; ap->p++)
		part_add(t, *ap->p);
	if (ap->p < ap->end)
		part_add(t, *ap->p++);
}

/*
 * What words are made of, the same everywhere: into t.  0 if the next byte is
 * none of that.
 */
static int
word(struct parser *ap, struct part *t)
{
	switch (*ap->p) {
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		t->blank = t != &ap->domain;
		ap->p++;
		return (1);
	case '(':
		t->blank = t != &ap->domain;
		comment(ap);
		return (1);
	case '"':
		quoted(ap, t);
		return (1);
	case '\\':
		if (ap->end - ap->p > 1)
			part_add(t, *++ap->p);
		ap->p++;
		return (1);
	case '[':
		domain_literal(ap, t);
		return (1);
	default:
		if (is_special(*ap->p))
			return (0);
		atom(ap, t);
		return (1);
	}
}

/* "@a,@b:" of an obsolete route; p is at its '@'. */
static void
route(struct parser *ap)
{
	for (; ap->p < ap->end && *ap->p != ':' && *ap->p != '>'; ap->p++)
		if (*ap->p != ' ' && *ap->p != '\t')
			part_add(&ap->route, *ap->p);
	if (ap->p < ap->end && *ap->p == ':')
		ap->p++;
}

/* p is behind '<'. */
static void
angle(struct parser *ap)
{
	struct part *t = &ap->local;

	part_clear(&ap->local);
	part_clear(&ap->domain);
	ap->angle = 1;
	while (ap->p < ap->end && *ap->p != '>' && *ap->p != ',') {
		if (word(ap, t))
			continue;
		if (*ap->p == '@' && t == &ap->local && t->n == 0)
			route(ap);
		else {
			if (*ap->p == '@' && t == &ap->local)
				t = &ap->domain;
			else
				part_add(t, *ap->p);
			ap->p++;
		}
	}
	if (ap->p < ap->end && *ap->p == '>')
		ap->p++;
	/* Nothing that follows belongs to it, but for a comment. */
	while (ap->p < ap->end && *ap->p != ',' && *ap->p != ';') {
		if (*ap->p == '(')
			comment(ap);
		else
			ap->p++;
	}
}

/* An '@' was written in what turns out to be a display name. */
static void
name_with_at(struct parser *ap)
{
	size_t i;

	if (!ap->at)
		return;
	part_add(&ap->phrase, '@');
	for (i = 0; i < ap->domain.n; i++)
		part_add(&ap->phrase, ap->domain.s[i]);
}

static int
separator(struct parser *ap)
{
	struct mime_address *a;

	switch (*ap->p++) {
	case ',':
		return (flush(ap));
	case ';':
		if (flush(ap) == -1)
			return (-1);
		if (ap->in_group && add(ap, ADDRESS_GROUP_END) == NULL)
			return (-1);
		ap->in_group = 0;
		return (0);
	case ':':
		if (ap->in_group || ap->at || ap->phrase.n == 0)
			return (0);
		if ((a = add(ap, ADDRESS_GROUP)) == NULL)
			return (-1);
		a->name = keep(ap, &ap->phrase);
		ap->in_group = 1;
		parser_clear(ap);
		return (0);
	case '<':
		name_with_at(ap);
		angle(ap);
		return (0);
	case '@':
		if (ap->at)
			part_add(&ap->domain, '@');
		ap->at = 1;
		return (0);
	default:
		return (0);		/* stray brackets */
	}
}

static int
parse(struct parser *ap)
{
	while (ap->p < ap->end) {
		if (word(ap, ap->at ? &ap->domain : &ap->phrase))
			continue;
		if (separator(ap) == -1)
			return (-1);
	}
	if (flush(ap) == -1)
		return (-1);
	if (ap->in_group && add(ap, ADDRESS_GROUP_END) == NULL)
		return (-1);
	return (0);
}

int
mime_addresses_parse(struct mime_addresses *list, const char *value,
    size_t len)
{
	struct parser *ap;
	int ret;

	list->v = NULL;
	list->n = 0;
	list->text = NULL;
	if (len > MIME_ADDRESS_BYTES)
		len = MIME_ADDRESS_BYTES;
	if ((ap = malloc(sizeof(*ap))) == NULL)
		return (-1);
	/* A string of n bytes comes from n bytes and takes n + 1. */
	if ((list->text = malloc(2 * len + 1)) == NULL) {
		free(ap);
		return (-1);
	}
	/* Not the kilobytes of its parts, of which little is ever used. */
	parser_clear(ap);
	ap->p = value;
	ap->end = value + len;
	ap->out = list->text;
	ap->list = list;
	ap->room = 0;
	ap->in_group = ap->full = 0;
	ret = parse(ap);
	if (ret == -1 && ap->full) {
		/* The list is cut, and its last group is closed. */
		if (ap->in_group)
			list->v[list->n - 1].kind = ADDRESS_GROUP_END;
		ret = 0;
	}
	free(ap);
	if (ret == -1)
		mime_addresses_free(list);
	return (ret);
}

void
mime_addresses_free(struct mime_addresses *list)
{
	free(list->v);
	free(list->text);
	list->v = NULL;
	list->text = NULL;
	list->n = 0;
}
