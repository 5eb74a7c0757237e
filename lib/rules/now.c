/*
 * now: tables read directly, where no role holds them: for the checks of -n
 * and of a reload, and for mailctl.  Runs with its caller's rights.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "rules/rules.h"

static void
lookup_now(const struct conf_table *ct, enum table_form form, const char *key,
    table_cb cb, void *arg)
{
	struct table_answer	 none = { .result = TABLE_FAILED,
				    .why = "cannot be opened" };
	struct table_report	 rep;
	struct table		*t;
	int			 fd = -1;

	if ((t = table_open(ct, form)) == NULL) {
		cb(&none, arg);
		return;
	}
	if (table_needs_fd(t) && ((fd = open(ct->source, O_RDONLY |
	    O_CLOEXEC)) == -1 || table_load_fd(t, fd, &rep) == -1))
		cb(&none, arg);
	else
		table_lookup(t, key, cb, arg);
	if (fd != -1)
		close(fd);
	table_close(t);
}

static void
resume_never(void *arg)
{
	abort();		/* lookup_now() answers at once */
}

void
rules_now(struct rules_env *env, const struct conf *conf)
{
	memset(env, 0, sizeof(*env));
	env->conf = conf;
	env->lookup = lookup_now;
	env->resume = resume_never;
}
