/*
 * input: the characters that the lexer reads, one after the other, from files
 * within files and from the values of macros.
 */
#ifndef CONF_INPUT_H
#define CONF_INPUT_H

#include "conf/conf.h"
#include "conf/report.h"

#define INPUT_END	(-1)	/* of the file or macro at hand */

struct input;

struct input	*input_new(struct report *, struct conf_words *files);
void		 input_free(struct input *);
/* Read on in a file, or in a copy of a text; -1: reported. */
int		 input_file(struct input *, const char *path,
		    const struct conf_pos *from);
int		 input_text(struct input *, const char *, size_t);
/* Read on in the value of a macro, which must stay; -1: reported. */
int		 input_macro(struct input *, const char *value,
		    const struct conf_pos *);
/* Go on where the source before was left; -1: there is none. */
int		 input_pop(struct input *);

int		 input_peek(const struct input *);
int		 input_get(struct input *);
int		 input_is_macro(const struct input *);
/* The next characters of this source, without taking them. */
int		 input_begins(const struct input *, const char *);
/* Does '=' follow after blanks? */
int		 input_assigns(const struct input *);
struct conf_pos	 input_pos(const struct input *);

/* Where we are, and back there; only within one source. */
struct input_mark {
	size_t		 off;
	unsigned int	 line, col;
};
struct input_mark input_mark(const struct input *);
void		 input_back(struct input *, struct input_mark);

#endif
