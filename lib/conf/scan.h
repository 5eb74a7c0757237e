/*
 * scan: the part of the lexer that makes tokens of bytes.  Only lex.c and
 * scan.c look into struct lex.
 */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include "conf/arena.h"
#include "conf/input.h"
#include "conf/lex.h"
#include "conf/macro.h"

#define BROKEN_MAX	100		/* names remembered */

struct lex {
	enum lex_mode	 mode;
	struct report	*report;
	struct conf_words *files;
	struct arena	*arena;
	struct input	*in;
	struct macros	*macros;

	struct conf_pos	 pos;		/* of the token at hand */
	const char	*text;		/* of the token at hand */
	int		 prev;		/* the token before */
	struct conf_pos	 start;		/* of the statement at hand */
	int		 statement;	/* its first token */
	int		 inner;		/* the same in a domain's block */
	const char	*first;		/* the text of that token */
	const char	*naming;	/* the name that it defines */
	int		 list, block;	/* inside of braces */
	struct conf_pos	 list_pos, block_pos;
	int		 line_owed;	/* a newline comes first */
	int		 quiet;		/* the error at hand is told */
	struct conf_pos	 bad_pos;	/* the last that scan.c told */
	const char	*broken[BROKEN_MAX];
	size_t		 nbroken;
};

/* The next token; STRING and keywords set the word. */
int	scan_token(struct lex *, struct word **);
/* Report at the token at hand and return BAD, which no rule has. */
int	scan_bad(struct lex *, const char *what);

#endif
