/*
 * parse: the words of an IMAP command, one at a time.
 *
 * The parser walks over the text of one command and changes it: quoted
 * strings are unescaped in place, so a command is parsed once.  Strings point
 * into the text and are not terminated.  A function returns -1 when the next
 * word is not what it wants; error then says what was expected.
 */
#ifndef IMAP_PARSE_H
#define IMAP_PARSE_H

#include <stddef.h>
#include <stdint.h>

#define IMAP_TAG_MAX	64		/* bytes of a tag */

struct imap_str {
	char	*s;
	size_t	 len;
};

struct imap_parser {
	char		*p;
	char		*end;
	const char	*error;
	int		 utf8;	/* mailbox names are, not modified UTF-7 */
};

void	imap_parser_init(struct imap_parser *, char *, size_t);
int	imap_error(struct imap_parser *, const char *);	/* always -1 */

/* The next byte, 0 at the end. */
char	imap_peek(const struct imap_parser *);
/* 1 if the next byte was c, which is then passed. */
int	imap_accept(struct imap_parser *, char);
int	imap_expect(struct imap_parser *, char);
int	imap_sp(struct imap_parser *);
int	imap_end(struct imap_parser *);

int	imap_tag(struct imap_parser *, struct imap_str *);
int	imap_atom(struct imap_parser *, struct imap_str *);
int	imap_string(struct imap_parser *, struct imap_str *);
int	imap_astring(struct imap_parser *, struct imap_str *);
/* As a string, or s == NULL for NIL. */
int	imap_nstring(struct imap_parser *, struct imap_str *);
int	imap_number(struct imap_parser *, uint32_t *);
int	imap_nznumber(struct imap_parser *, uint32_t *);
int	imap_number64(struct imap_parser *, uint64_t *);
/* At a literal that was announced and not read: its size.  At the end only. */
int	imap_literal_announced(struct imap_parser *, uint64_t *, int *binary);

/* A mailbox name as UTF-8; INBOX in any case becomes "INBOX". */
int	imap_mailbox(struct imap_parser *, char *, size_t);
/*
 * The same with the wildcards of LIST.  One that no mailbox can be called is
 * a pattern that matches none (RFC 9051 6.3.9), IMAP_PATTERN_NONE.
 */
#define IMAP_PATTERN_NONE	"//"
int	imap_list_mailbox(struct imap_parser *, char *, size_t);

int	imap_str_is(const struct imap_str *, const char *);	/* any case */
/* -1 if it does not fit, or has a NUL. */
int	imap_str_copy(const struct imap_str *, char *, size_t);

#endif
