/*
 * print: the pieces that print.c and print_mail.c share.
 */
#ifndef CONF_PRINT_H
#define CONF_PRINT_H

#include <stdint.h>
#include <stdio.h>

#include "conf/conf.h"

void	print_quoted(FILE *, const char *);
/* Bare if it can be; where a name must stand, and where a keyword may. */
void	print_name(FILE *, const char *);
void	print_free_name(FILE *, const char *);
void	print_size(FILE *, uint64_t);
void	print_time(FILE *, uint64_t);
void	print_words(FILE *, const struct conf_words *);

/* Domains, rules, routes, tests and what is done with mailboxes. */
void	print_mail(FILE *, const struct conf *);

#endif
