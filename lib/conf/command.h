/*
 * command: the words of a program's command line.
 */
#ifndef CONF_COMMAND_H
#define CONF_COMMAND_H

#include "conf/conf.h"

#define COMMAND_WORDS	32		/* of one command */
#define COMMAND_MAX	1024		/* bytes of it */

/*
 * Split at blanks; within "" and '' blanks are kept, and \ keeps the next
 * character outside of ''.  Nothing else means anything: there is no shell.
 * -1 with EINVAL if it is no command (the first word is no absolute path, a
 * quote is open, a control character) or E2BIG, ENOMEM; else free the words.
 */
int	command_split(const char *, struct conf_words *);

#endif
