/*
 * flags: the system flags by name, and lists of flags.  Pure.
 */
#include "imap/flags.h"

static const struct {
	uint32_t	 bit;
	const char	*name;
} names[] = {
	{ IMAP_ANSWERED, "\\Answered" },
	{ IMAP_FLAGGED, "\\Flagged" },
	{ IMAP_DELETED, "\\Deleted" },
	{ IMAP_SEEN, "\\Seen" },
	{ IMAP_DRAFT, "\\Draft" },
	{ IMAP_FORWARDED, "$Forwarded" },
	{ IMAP_RECENT, "\\Recent" }
};

#define NNAMES	(sizeof(names) / sizeof(names[0]))

static int
keyword(struct imap_parser *p, struct imap_flags *f, struct imap_str *s)
{
	if (s->len > IMAP_KEYWORD_LEN)
		return (imap_error(p, "keyword too long"));
	if (f->n == IMAP_KEYWORDS_MAX)
		return (imap_error(p, "too many keywords"));
	f->keyword[f->n++] = *s;
	return (0);
}

static int
flag(struct imap_parser *p, struct imap_flags *f)
{
	struct imap_str s;
	char *start = p->p;
	int backslash;
	size_t i;

	backslash = imap_accept(p, '\\');
	if (imap_atom(p, &s) == -1)
		return (-1);
	s.len += s.s - start;
	s.s = start;
	for (i = 0; i < NNAMES; i++) {
		if (!imap_str_is(&s, names[i].name))
			continue;
		if (names[i].bit == IMAP_RECENT)
			return (imap_error(p, "\\Recent cannot be set"));
		f->system |= names[i].bit;
		return (0);
	}
	if (backslash)
		return (imap_error(p, "unknown system flag"));
	return (keyword(p, f, &s));
}

static int
flags_apart(struct imap_parser *p, struct imap_flags *f)
{
	do {
		if (flag(p, f) == -1)
			return (-1);
	} while (imap_accept(p, ' '));
	return (0);
}

int
imap_flag_list(struct imap_parser *p, struct imap_flags *f)
{
	f->system = 0;
	f->n = 0;
	if (imap_expect(p, '(') == -1)
		return (-1);
	if (imap_accept(p, ')'))
		return (0);
	if (flags_apart(p, f) == -1)
		return (-1);
	return (imap_expect(p, ')'));
}

int
imap_flags(struct imap_parser *p, struct imap_flags *f)
{
	if (imap_peek(p) == '(')
		return (imap_flag_list(p, f));
	f->system = 0;
	f->n = 0;
	return (flags_apart(p, f));
}

int
imap_write_flags(struct buf *b, uint32_t system)
{
	const char *sp = "";
	size_t i;

	for (i = 0; i < NNAMES; i++) {
		if ((system & names[i].bit) == 0)
			continue;
		if (buf_puts(b, sp) == -1 || buf_puts(b, names[i].name) == -1)
			return (-1);
		sp = " ";
	}
	return (0);
}
