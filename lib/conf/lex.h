/*
 * lex: mail.conf as tokens, with macros and included files put in place.
 *
 * Words and lists live as long as the lexer; a builder copies what it keeps.
 */
#ifndef CONF_LEX_H
#define CONF_LEX_H

#include "conf/conf.h"
#include "conf/report.h"

struct lex;

struct word {
	struct conf_pos	 pos;
	char		*s;
};

/* One item of a list: a word, or in a table "key = value". */
struct item {
	struct word	*key;
	struct word	*value;		/* NULL: a bare word */
	struct item	*next;
};

struct list {
	struct item	*first;
	struct item	*last;
	size_t		 n;
};

/* A list of patterns, or a table that holds them. */
struct set {
	struct list	*list;
	struct word	*table;
};

/* What a lexer may do beyond reading the text that it was given. */
enum lex_mode { LEX_TEXT, LEX_FILES };

struct lex	*lex_new(enum lex_mode, struct report *, struct conf_words *);
void		 lex_free(struct lex *);
/* Read the file, or a copy of the text; -1: reported. */
int		 lex_open(struct lex *, const char *path);
int		 lex_text(struct lex *, const char *, size_t);
/* A definition of the command line. */
void		 lex_preset(struct lex *, const char *name, const char *value);

/* For the parser. */
int		 lex_next(struct lex *, struct word **);
void		 lex_error(struct lex *);	/* a token fits no rule */
void		 lex_include(struct lex *, const struct word *path);
void		 lex_define(struct lex *, const struct word *name,
		    const struct word *value);
struct list	*lex_list(struct lex *, struct list *, struct word *key,
		    struct word *value);
struct set	*lex_set(struct lex *, struct list *, struct word *table);

/* Where the statement at hand began. */
struct conf_pos	 lex_pos(const struct lex *);
/* Was a name's own statement in error, so that its lack is no news? */
int		 lex_is_broken(const struct lex *, const char *name);
void		 lex_check_unused(struct lex *);
/* The token of a keyword, STRING of any other word. */
int		 lex_keyword(const char *);

#endif
