/*
 * Limits: a role that reports the use of one which is another's.
 *
 * The parent around limit.c is played here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "daemon/child.h"
#include "daemon/counter.h"
#include "daemon/limit.h"

struct peer {
	int	unused;
};

static struct role_def		net_def = { .role = ROLE_NET };
static struct role_def		lookup_def = { .role = ROLE_LOOKUP };
static struct role_def		queue_def = { .role = ROLE_QUEUE };
static struct child		net = { .def = &net_def };
static struct child		lookup = { .def = &lookup_def };
static struct child		queue = { .def = &queue_def };
static struct child		*sender;
static struct peer		 peer;
static unsigned int		 killed;

struct event_base *
role_base(void)
{
	return (NULL);
}

struct peer *
role_parent(void)
{
	return (NULL);
}

struct child *
child_of(struct peer *p)
{
	return (sender);
}

void
counter_add(enum counter_id id, unsigned int n)
{
	exit(1);
}

void
supervise_kill(struct peer *p, const char *why)
{
	killed++;
}

void
peer_send(struct peer *p, uint32_t type, const void *body, int fd)
{
	exit(1);
}

/* The row as it is printed, without what is behind the counts. */
static const char *
row(const char *name, const char *per)
{
	static struct conf	conf;
	static char		got[128];
	char			*text = limit_print(&conf, "smtpd", 0);
	char			*line, *rest, f[5][32];

	if ((rest = text) == NULL)
		exit(1);
	got[0] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		if (sscanf(line, "%31s %31s %31s %31s %31s", f[0], f[1], f[2],
		    f[3], f[4]) == 5 && strcmp(f[0], name) == 0 &&
		    strcmp(f[1], per) == 0)
			snprintf(got, sizeof(got), "%s %s", f[3], f[4]);
	free(text);
	return (got);
}

int
main(void)
{
	static const struct {
		const char	*name;
		struct child	*from;
		uint64_t	 id, now, top, reached;
		unsigned int	 kills;
		const char	*limit, *per, *says;
	} table[] = {
		{ "net's", &net, LIMIT_SESSIONS, 3, 5, 2, 0,
		    "sessions", "daemon", "3/5 2" },
		{ "net's, of which nothing is in use", &net, LIMIT_MESSAGE,
		    0, 0, 7, 0, "message", "message", "- 7" },
		{ "lookup's", &lookup, LIMIT_RATE_USER, 0, 0, 1, 0,
		    "rate", "user", "- 1" },
		{ "queue's", &queue, LIMIT_DELIVERERS, 0, 9, 0, 0,
		    "deliverers", "daemon", "0/9 0" },
		{ "net on queue's", &net, LIMIT_DELIVERERS, 200, 200, 99, 1,
		    "deliverers", "daemon", "0/9 0" },
		{ "net on lookup's", &net, LIMIT_RATE_USER, 0, 0, 99, 1,
		    "rate", "user", "- 1" },
		{ "lookup on net's", &lookup, LIMIT_SESSIONS, 0, 0, 0, 1,
		    "sessions", "daemon", "3/5 2" },
		{ "queue on net's", &queue, LIMIT_SESSIONS, 0, 0, 0, 1,
		    "sessions", "daemon", "3/5 2" },
		{ "nobody's", &net, LIMIT_MEMORY, 0, 0, 1, 1,
		    "memory", "process", "- 0" },
		{ "a use where none is", &net, LIMIT_MESSAGE, 0, 1, 7, 1,
		    "message", "message", "- 7" },
		{ "more now than ever", &net, LIMIT_SESSIONS, 6, 5, 2, 1,
		    "sessions", "daemon", "3/5 2" },
		{ "none at all", &net, LIMIT_COUNT, 0, 0, 0, 1,
		    "sessions", "daemon", "3/5 2" },
	};
	struct msg_LIMIT_USE	 body;
	struct msg		 m = { .type = M_LIMIT_USE, .body = &body };
	size_t			 i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		body = (struct msg_LIMIT_USE){ .id = table[i].id, .now =
		    table[i].now, .top = table[i].top, .reached =
		    table[i].reached };
		killed = 0;
		sender = table[i].from;
		parent_limit_use(&peer, &m);
		TEST(table[i].name, killed == table[i].kills &&
		    strcmp(row(table[i].limit, table[i].per),
		    table[i].says) == 0);
	}
	TEST_DONE();
}
