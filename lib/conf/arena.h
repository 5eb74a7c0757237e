/*
 * arena: memory that is freed all at once, for what a parser drops on errors.
 */
#ifndef CONF_ARENA_H
#define CONF_ARENA_H

#include <stddef.h>

struct arena;

struct arena	*arena_new(void);
void		 arena_free(struct arena *);
/* Zeroed, or NULL with ENOMEM. */
void		*arena_get(struct arena *, size_t);
char		*arena_text(struct arena *, const char *, size_t);

#endif
