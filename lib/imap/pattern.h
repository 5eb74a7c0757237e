/*
 * pattern: the wildcards of LIST (RFC 9051 6.3.9).
 */
#ifndef IMAP_PATTERN_H
#define IMAP_PATTERN_H

#include <stddef.h>

#define IMAP_PATTERN_MAX	1000	/* bytes */

/*
 * Does the pattern match the first len bytes of name?  '*' any text, '%' any
 * without '/'.  Takes the product of the two lengths at most.
 */
int	imap_pattern_match(const char *pattern, const char *name, size_t len);
/* INBOX in any case is INBOX. */
void	imap_pattern_fold(char *pattern);

#endif
