/*
 * parse: atoms, strings, numbers and mailbox names of RFC 3501 9.
 *
 * Pure; the text is a stranger's.  Each byte is looked at a constant number of
 * times, nothing is allocated.
 */
#include <string.h>
#include <strings.h>

#include "buf/utf8.h"
#include "imap/mutf7.h"
#include "imap/parse.h"

void
imap_parser_init(struct imap_parser *p, char *text, size_t len)
{
	p->p = text;
	p->end = text + len;
	p->error = NULL;
	p->utf8 = 0;
}

int
imap_error(struct imap_parser *p, const char *error)
{
	if (p->error == NULL)
		p->error = error;
	return (-1);
}

char
imap_peek(const struct imap_parser *p)
{
	return (p->p < p->end ? *p->p : '\0');
}

int
imap_accept(struct imap_parser *p, char c)
{
	if (p->p == p->end || *p->p != c)
		return (0);
	p->p++;
	return (1);
}

int
imap_expect(struct imap_parser *p, char c)
{
	if (imap_accept(p, c))
		return (0);
	return (imap_error(p, c == ')' ? "expected )" :
	    c == '(' ? "expected (" : "syntax error"));
}

int
imap_sp(struct imap_parser *p)
{
	if (imap_accept(p, ' '))
		return (0);
	return (imap_error(p, p->p == p->end ? "missing argument" :
	    "expected a space"));
}

int
imap_end(struct imap_parser *p)
{
	if (p->p == p->end)
		return (0);
	return (imap_error(p, "unexpected text at the end"));
}

static int
is_atom_char(char c)
{
	return (c > 0x20 && c < 0x7f && strchr("(){%*\"\\]", c) == NULL);
}

/* RFC 3501 9: astring may also have ']'. */
static int
is_astring_char(char c)
{
	return (is_atom_char(c) || c == ']');
}

static int
is_list_char(char c)
{
	return (is_astring_char(c) || c == '%' || c == '*');
}

static int
is_tag_char(char c)
{
	return (is_astring_char(c) && c != '+');
}

static int
span(struct imap_parser *p, struct imap_str *out, int (*is)(char))
{
	char *start = p->p;

	while (p->p < p->end && is(*p->p))
		p->p++;
	out->s = start;
	out->len = p->p - start;
	return (out->len > 0 ? 0 : -1);
}

int
imap_tag(struct imap_parser *p, struct imap_str *out)
{
	if (span(p, out, is_tag_char) == -1 || out->len > IMAP_TAG_MAX)
		return (imap_error(p, "invalid tag"));
	return (0);
}

int
imap_atom(struct imap_parser *p, struct imap_str *out)
{
	if (span(p, out, is_atom_char) == -1)
		return (imap_error(p, "expected an atom"));
	return (0);
}

/* Behind the opening quote; unescapes in place. */
static int
quoted(struct imap_parser *p, struct imap_str *out)
{
	char *to = p->p;

	out->s = to;
	for (; p->p < p->end; p->p++) {
		if (*p->p == '"') {
			out->len = to - out->s;
			p->p++;
			return (0);
		}
		if (*p->p == '\0' || *p->p == '\r' || *p->p == '\n')
			break;
		if (*p->p == '\\') {
			p->p++;
			if (p->p == p->end || (*p->p != '"' && *p->p != '\\'))
				break;
		}
		*to++ = *p->p;
	}
	return (imap_error(p, "invalid quoted string"));
}

/* The number of {n} or {n+} and its line end. */
static int
literal_head(struct imap_parser *p, uint64_t *n)
{
	if (imap_expect(p, '{') == -1 || imap_number64(p, n) == -1)
		return (-1);
	(void)imap_accept(p, '+');
	if (imap_expect(p, '}') == -1)
		return (-1);
	(void)imap_accept(p, '\r');
	return (imap_expect(p, '\n'));
}

static int
literal(struct imap_parser *p, struct imap_str *out)
{
	uint64_t n;

	if (literal_head(p, &n) == -1)
		return (-1);
	if (n > (uint64_t)(p->end - p->p))
		return (imap_error(p, "incomplete literal"));
	out->s = p->p;
	out->len = n;
	p->p += n;
	if (memchr(out->s, '\0', out->len) != NULL)
		return (imap_error(p, "NUL in a literal"));
	return (0);
}

int
imap_literal_announced(struct imap_parser *p, uint64_t *n, int *binary)
{
	*binary = imap_accept(p, '~');
	if (literal_head(p, n) == -1)
		return (-1);
	return (imap_end(p));
}

int
imap_string(struct imap_parser *p, struct imap_str *out)
{
	if (imap_accept(p, '"'))
		return (quoted(p, out));
	if (imap_peek(p) == '{')
		return (literal(p, out));
	return (imap_error(p, "expected a string"));
}

int
imap_astring(struct imap_parser *p, struct imap_str *out)
{
	if (imap_peek(p) == '"' || imap_peek(p) == '{')
		return (imap_string(p, out));
	if (span(p, out, is_astring_char) == -1)
		return (imap_error(p, "expected an atom or a string"));
	return (0);
}

int
imap_nstring(struct imap_parser *p, struct imap_str *out)
{
	if (imap_peek(p) == '"' || imap_peek(p) == '{')
		return (imap_string(p, out));
	if (imap_atom(p, out) == -1 || !imap_str_is(out, "NIL"))
		return (imap_error(p, "expected a string or NIL"));
	out->s = NULL;
	out->len = 0;
	return (0);
}

int
imap_number64(struct imap_parser *p, uint64_t *out)
{
	char *start = p->p;
	uint64_t n = 0, digit;

	for (; p->p < p->end && *p->p >= '0' && *p->p <= '9'; p->p++) {
		digit = (uint64_t)(*p->p - '0');
		if (n > (INT64_MAX - digit) / 10)
			return (imap_error(p, "number too large"));
		n = n * 10 + digit;
	}
	if (p->p == start)
		return (imap_error(p, "expected a number"));
	*out = n;
	return (0);
}

int
imap_number(struct imap_parser *p, uint32_t *out)
{
	uint64_t n;

	if (imap_number64(p, &n) == -1)
		return (-1);
	if (n > UINT32_MAX)
		return (imap_error(p, "number too large"));
	*out = (uint32_t)n;
	return (0);
}

int
imap_nznumber(struct imap_parser *p, uint32_t *out)
{
	if (imap_number(p, out) == -1)
		return (-1);
	if (*out == 0)
		return (imap_error(p, "number must not be 0"));
	return (0);
}

static int
utf8_name(struct imap_parser *p, const struct imap_str *s, char *out,
    size_t size)
{
	size_t i;

	for (i = 0; i < s->len; i++)
		if ((unsigned char)s->s[i] < 0x20 || s->s[i] == 0x7f)
			break;
	if (i < s->len || !utf8_valid(s->s, s->len))
		return (imap_error(p, "mailbox name is not UTF-8"));
	if (imap_str_copy(s, out, size) == -1)
		return (imap_error(p, "mailbox name too long"));
	return (0);
}

static int
mailbox_name(struct imap_parser *p, const struct imap_str *s, char *out,
    size_t size)
{
	if (imap_str_is(s, "INBOX")) {
		if (size < sizeof("INBOX"))
			return (imap_error(p, "mailbox name too long"));
		memcpy(out, "INBOX", sizeof("INBOX"));
		return (0);
	}
	if (p->utf8)
		return (utf8_name(p, s, out, size));
	if (imap_mutf7_decode(s->s, s->len, out, size) == -1)
		return (imap_error(p, "mailbox name is not modified UTF-7"));
	return (0);
}

int
imap_mailbox(struct imap_parser *p, char *out, size_t size)
{
	struct imap_str s;

	if (imap_astring(p, &s) == -1)
		return (-1);
	return (mailbox_name(p, &s, out, size));
}

int
imap_list_mailbox(struct imap_parser *p, char *out, size_t size)
{
	struct imap_str s;

	if (imap_peek(p) == '"' || imap_peek(p) == '{') {
		if (imap_string(p, &s) == -1)
			return (-1);
	} else if (span(p, &s, is_list_char) == -1)
		return (imap_error(p, "expected a mailbox pattern"));
	if (mailbox_name(p, &s, out, size) == 0)
		return (0);
	if (p->utf8 && !utf8_valid(s.s, s.len))
		return (-1);		/* RFC 6855 3 */
	p->error = NULL;
	memcpy(out, IMAP_PATTERN_NONE, sizeof(IMAP_PATTERN_NONE));
	return (0);
}

int
imap_str_is(const struct imap_str *s, const char *word)
{
	return (s->s != NULL && strlen(word) == s->len &&
	    strncasecmp(s->s, word, s->len) == 0);
}

int
imap_str_copy(const struct imap_str *s, char *out, size_t size)
{
	if (s->len >= size || memchr(s->s, '\0', s->len) != NULL)
		return (-1);
	memcpy(out, s->s, s->len);
	out[s->len] = '\0';
	return (0);
}
