/*
 * value: the right side of an alias, the lines of an included file and of a
 * user's forward file: words with commas between (aliases(5)).
 */
#ifndef RULES_VALUE_H
#define RULES_VALUE_H

#define VALUE_WORD	1024	/* of one word, terminated */

enum value_kind {
	VALUE_END,
	VALUE_ADDRESS,
	VALUE_OWN,		/* "\user": this user's mailbox itself */
	VALUE_COMMAND,		/* "|command arguments" */
	VALUE_FILE,		/* "/path" */
	VALUE_INCLUDE,		/* ":include:/path" */
	VALUE_BAD		/* too long, or a quote without its end */
};

/*
 * The next word of *p, which moves behind it; to gets it without what marks
 * its kind.  Newlines separate as commas do; a line that begins with '#' is
 * left out.
 */
enum value_kind	value_next(const char **p, char to[VALUE_WORD]);

#endif
