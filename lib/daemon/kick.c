/*
 * kick: the end of connections that the administrator wants to end.
 *
 * Runs as root.  A parked one is told here, the others by their session, which
 * does it between two responses.  Where a user is meant, not an address, the
 * session's process ends too, whether it wants to or not.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/child.h"
#include "daemon/parked.h"
#include "daemon/sessions.h"
#include "daemon/visits.h"
#include "daemon/who.h"
#include "log/log.h"

struct work {
	const struct who_filter	*filter;
	unsigned int		 conns, processes;
};

static void	kick_one(struct visit *, void *);
static void	end_processes(struct work *);

void
kick(struct peer *asker, const struct who_filter *filter, int json)
{
	struct work w = { .filter = filter };
	char text[128];

	visits_each(kick_one, &w);
	if (who_filter_whole(filter))
		end_processes(&w);
	snprintf(text, sizeof(text), json ? "{\"connections\": %u, "
	    "\"processes\": %u}" : "%u connections, %u processes\n", w.conns,
	    w.processes);
	control_answer(asker, text, w.conns + w.processes == 0);
}

static void
kick_one(struct visit *v, void *arg)
{
	struct work *w = arg;
	struct msg_KICK m = { .id = v->id };
	char id[WHO_ID_SIZE];

	if (!who_matches(w->filter, v, id))
		return;
	w->conns++;
	log_info("kicking: conn=%u user=%s addr=%s", SESSION_NET_CONN(v->id),
	    v->owner->user, v->addr);
	if (v->session == NULL) {
		parked_kick(v);
		return;
	}
	/* It may be on its way to be parked. */
	v->kicked = 1;
	peer_send(v->session, M_KICK, &m, -1);
}

/* Those that wait for another login, too. */
static void
end_processes(struct work *w)
{
	char service[WHO_ID_SIZE];
	struct who_facts facts = { .addr = "", .service = service, .id = "" };
	struct child *c;

	who_service(service, sizeof(service));
	TAILQ_FOREACH(c, &sv.children, entry) {
		if (c->peer == NULL || c->def->role != ROLE_SESSION)
			continue;
		facts.user = c->user;
		if (!who_filter_match(w->filter, &facts))
			continue;
		w->processes++;
		sessions_end(c->peer);
	}
}
