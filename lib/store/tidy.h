/*
 * tidy: what processes that were killed left of files that they wrote.
 */
#ifndef STORE_TIDY_H
#define STORE_TIDY_H

#include "store/folder.h"

/* Once an hour; only what is old enough that nobody can be at work on it. */
void	folder_tidy(struct folder *);

#endif
