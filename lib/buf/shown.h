/*
 * shown: text that strangers wrote, as an administrator is shown it.
 *
 * What could tell a terminal what to do, or mislead who reads it, is not
 * shown: control characters (C0 but the end of the text, DEL, C1), those that
 * separate lines or turn the direction of writing, and what is no UTF-8.  In
 * JSON they are escaped (RFC 8259 section 7), so that it is valid and in UTF-8
 * (section 8.1) whatever the text was.
 */
#ifndef BUF_SHOWN_H
#define BUF_SHOWN_H

#include <stddef.h>

#define SHOWN_MAX	8		/* bytes of one character, and a NUL */

enum shown {
	SHOWN_TERMINAL,			/* "?" */
	SHOWN_JSON			/* what is between the quotes */
};

/*
 * What stands for the first character of len bytes, of which there must be
 * one.  Returns how many bytes that character is.
 */
unsigned int	 shown_next(const char *, size_t len, enum shown,
		    char to[SHOWN_MAX]);
/* All of a string, or as many whole characters as there is room for. */
void		 shown_text(char *to, size_t size, const char *, enum shown);

#endif
