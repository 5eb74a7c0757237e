/*
 * options: the command line of a daemon, and what it does without starting:
 * checking a configuration (-n) and printing the audit table (-C).
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <limits.h>
#include <stddef.h>

#include "conf/conf.h"

#define OPTION_MACROS	64

struct parent_ops;

struct options {
	char			 conf_path[PATH_MAX];	/* absolute */
	char			 program[PATH_MAX];	/* of this daemon */
	char			 libexec[PATH_MAX];	/* of its programs */
	int			 audit, foreground, json, check, verbose;
	struct conf_macro	 macros[OPTION_MACROS];
	size_t			 nmacros;
};

/* Exits with usage and status 2 on a mistake. */
void		 options_parse(struct options *, int argc, char **argv);
/* Reports mistakes on stderr; NULL if it cannot be used. */
struct conf	*options_load(const struct options *,
		    const struct parent_ops *);
/* -n and -nv: the exit status. */
int		 options_check(const struct options *, const struct conf *);
/* -C and -C -j: the running daemon's table, else the declared one. */
int		 options_audit(const struct options *);

#endif
