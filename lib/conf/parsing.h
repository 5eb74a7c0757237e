/*
 * parsing: the way into the grammar of parse.y.
 */
#ifndef CONF_PARSING_H
#define CONF_PARSING_H

struct build;
struct lex;

/* Read what the lexer holds and build it; -1 if the parser gave up. */
int	parse_file(struct build *, struct lex *);

#endif
