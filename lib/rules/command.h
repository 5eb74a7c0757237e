/*
 * command: the commands that aliases and forward files name.
 */
#ifndef RULES_COMMAND_H
#define RULES_COMMAND_H

#include <stddef.h>

#define COMMAND_MARK	20	/* bytes of a mark, terminated */

/*
 * What stands for a command outside of the role that reads aliases: whether a
 * user's file holds it, and a checksum.
 */
void	command_mark(const char *command, int users, char[COMMAND_MARK]);
int	command_of_user(const char *mark);

#endif
