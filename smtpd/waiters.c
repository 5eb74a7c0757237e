/*
 * waiters: see waiters.h.
 */
#include <stdlib.h>

#include "os/compat.h"
#include "rules/rules.h"
#include "smtpd/waiters.h"

struct waiter {
	struct waiter	*next;
	void		(*resume)(void *);
	void		*arg;
};

static size_t	waiting;

int
waiters_add(struct waiters *list, const struct rules_env *env)
{
	struct waiter	*w;

	if (env->resume == NULL)
		return (0);
	if (waiting == WAITERS_MAX || (w = calloc(1, sizeof(*w))) == NULL)
		return (-1);
	w->resume = env->resume;
	w->arg = env->arg;
	w->next = list->first;
	list->first = w;
	waiting++;
	return (0);
}

static void
end(struct waiters *list, int resume)
{
	struct waiter	*w = list->first, *next;

	list->first = NULL;
	for (; w != NULL; w = next) {
		next = w->next;
		waiting--;
		if (resume)
			w->resume(w->arg);
		free(w);
	}
}

void
waiters_resume(struct waiters *list)
{
	end(list, 1);
}

void
waiters_drop(struct waiters *list)
{
	end(list, 0);
}
