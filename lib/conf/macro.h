/*
 * macro: "name = value", used as $name.
 */
#ifndef CONF_MACRO_H
#define CONF_MACRO_H

#include "conf/conf.h"
#include "conf/report.h"

struct macros;

struct macros	*macro_new(struct report *);
void		 macro_free(struct macros *);
/* By the command line: wins over the file.  By the file. */
void		 macro_preset(struct macros *, const char *, const char *);
void		 macro_define(struct macros *, const struct conf_pos *,
		    const char *name, const char *value);
/* The value, which stays where it is; NULL: there is none. */
const char	*macro_use(struct macros *, const char *);
void		 macro_check_unused(struct macros *);
int		 macro_name_char(int c);

#endif
