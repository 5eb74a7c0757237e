/*
 * words: lists of words that grow.
 */
#ifndef CONF_WORDS_H
#define CONF_WORDS_H

#include "conf/conf.h"

/* Append a copy, which is returned; NULL with ENOMEM. */
const char	*words_add(struct conf_words *, const char *);
void		 words_free(struct conf_words *);

#endif
