/*
 * command: the commands that aliases and forward files name.
 *
 * A command never leaves the role that reads aliases before the moment that it
 * is to be started: the queue keeps the name that it belongs to and a mark,
 * and for a mark that no word of that name has today there is no command.  So
 * the mark need not be hard to forge: whoever makes one up finds only what the
 * name's owner has written there.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "rules/command.h"
#include "rules/rules.h"
#include "rules/value.h"

/* FNV-1a */
void
command_mark(const char *command, int users, char mark[COMMAND_MARK])
{
	uint64_t	h = 14695981039346656037u;

	for (; *command != '\0'; command++)
		h = (h ^ (unsigned char)*command) * 1099511628211u;
	snprintf(mark, COMMAND_MARK, "%c%016llx", users ? 'f' : 'a',
	    (unsigned long long)h);
}

int
command_of_user(const char *mark)
{
	return (*mark == 'f');
}

static enum rules_result
find(const char *text, const char *mark, int users,
    char command[RULES_COMMAND])
{
	enum value_kind	kind;
	char		word[VALUE_WORD], is[COMMAND_MARK];

	while ((kind = value_next(&text, word)) != VALUE_END) {
		if (kind != VALUE_COMMAND)
			continue;
		command_mark(word, users, is);
		if (strcmp(is, mark) == 0)
			return (strlcpy(command, word, RULES_COMMAND) <
			    RULES_COMMAND ? RULES_OK : RULES_NO);
	}
	return (RULES_NO);
}

static enum rules_result
of_forward(const struct rules_env *env, const struct conf_domain *d,
    const char *name, char **text, struct rules_account *acc)
{
	enum rules_result	r;

	if (!d->forward_commands || env->forward == NULL)
		return (RULES_TEMPFAIL);
	if ((r = rules_account(env, d, name, acc)) != RULES_OK)
		return (r);
	r = env->forward(env, d, acc, text);
	return (r == RULES_FAULTY ? RULES_TEMPFAIL : r);
}

enum rules_result
rules_command(const struct rules_env *env, const struct conf_domain *d,
    const char *name, const char *mark, struct rules_account *acc,
    char command[RULES_COMMAND])
{
	enum rules_result	 r = RULES_TEMPFAIL;
	char			*text = NULL;
	int			 users = command_of_user(mark);

	memset(acc, 0, sizeof(*acc));
	if (users)
		r = of_forward(env, d, name, &text, acc);
	else if (d->alias_as != NULL)
		r = rules_alias(env, d, name, &text);
	if (r == RULES_OK)
		r = find(text, mark, users, command);
	free(text);
	return (r);
}
