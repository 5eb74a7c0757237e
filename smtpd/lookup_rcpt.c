/*
 * lookup_rcpt: see lookup_rcpt.h.  Nothing is said before all of it is known:
 * a table that has to be read again makes the whole question come again.
 */
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "os/compat.h"
#include "privsep/role.h"
#include "smtpd/contract.h"
#include "smtpd/lookup_rcpt.h"

struct copies {
	size_t			n;
	const char		*to[RULES_ARCHIVES];
	struct rules_dests	dests[RULES_ARCHIVES];
};

void
lookup_verdict(uint64_t internal, uint64_t conn, uint64_t seq, int accepted,
    const char *reply)
{
	struct msg_TX_VERDICT	v = { .internal = internal, .conn = conn,
				    .seq = seq, .accepted = accepted };
	struct peer		*queue = role_peer(ROLE_QUEUE);

	if (queue == NULL)
		return;			/* net was told that queue is gone */
	strlcpy(v.reply, reply, sizeof(v.reply));
	peer_send(queue, M_TX_VERDICT, &v, -1);
}

static void
add(const struct resolving *v, const struct rules_dest *d, int copy)
{
	struct msg_TX_ADD	a = { .internal = v->internal, .copy = copy,
				    .conn = v->conn, .seq = v->seq,
				    .local = d->local };

	/* The sender does not hear of an archive (RFC 3461 4.1). */
	a.notify = copy ? NOTIFY_NEVER : v->notify;
	strlcpy(a.orcpt, copy ? "" : v->orcpt, sizeof(a.orcpt));
	a.scheme = d->scheme;
	a.port = d->port;
	a.nomx = d->nomx;
	a.route = d->route;
	strlcpy(a.rcpt, d->rcpt, sizeof(a.rcpt));
	strlcpy(a.orig, v->rcpt, sizeof(a.orig));
	strlcpy(a.owner, d->owner, sizeof(a.owner));
	strlcpy(a.user, d->user, sizeof(a.user));
	strlcpy(a.host, d->host, sizeof(a.host));
	strlcpy(a.label, d->label, sizeof(a.label));
	strlcpy(a.source, d->source, sizeof(a.source));
	peer_send(role_peer(ROLE_QUEUE), M_TX_ADD, &a, -1);
}

static int
has_copy(const struct archived *a, const char *to)
{
	size_t	i;

	for (i = 0; i < a->n; i++)
		if (strcmp(a->v[i], to) == 0)
			return (1);
	return (0);
}

static void
copies_free(struct copies *c)
{
	while (c->n > 0)
		rules_dests_free(&c->dests[--c->n]);
}

/* An archive that cannot be reached holds up the mail: none goes past it. */
static enum rules_result
archives(const struct rules_env *env, const struct resolving *v,
    const struct rules_dests *dests, struct copies *c, char reply[C_REPLY])
{
	static struct log_limit	 limit;
	const char		*to[RULES_ARCHIVES];
	enum rules_result	 r;
	size_t			 i, n;

	n = rules_archives(env->conf, v->sender, v->rcpt, dests, to);
	for (i = 0; i < n; i++) {
		if (has_copy(v->archived, to[i]))
			continue;
		r = rules_resolve(env, v->sender, to[i], 1, &c->dests[c->n],
		    reply);
		if (r == RULES_OK) {
			c->to[c->n++] = to[i];
			continue;
		}
		if (r == RULES_NO) {
			if (log_allowed(&limit))
				log_warnx("archive %s: %s", to[i], reply);
			strlcpy(reply, "451 4.3.5 the archive cannot take its "
			    "copy now", C_REPLY);
			r = RULES_TEMPFAIL;
		}
		return (r);
	}
	return (RULES_OK);
}

static void
send_copies(const struct resolving *v, const struct copies *c)
{
	size_t	i, j;

	for (i = 0; i < c->n; i++) {
		for (j = 0; j < c->dests[i].n; j++)
			add(v, &c->dests[i].v[j], 1);
		if (v->archived->n < RULES_ARCHIVES)
			v->archived->v[v->archived->n++] = c->to[i];
	}
}

enum rules_result
lookup_places(const struct rules_env *env, const struct resolving *v)
{
	struct rules_dests	dests = { NULL, 0 };
	struct copies		copies;
	enum rules_result	r;
	char			reply[C_REPLY];
	size_t			i;

	copies.n = 0;
	r = rules_resolve(env, v->sender, v->rcpt, v->expand, &dests, reply);
	if (r == RULES_OK && v->archived != NULL)
		r = archives(env, v, &dests, &copies, reply);
	if (r == RULES_OK && role_peer(ROLE_QUEUE) != NULL) {
		for (i = 0; i < dests.n; i++)
			add(v, &dests.v[i], 0);
		send_copies(v, &copies);
	}
	if (r == RULES_OK)
		lookup_verdict(v->internal, v->conn, v->seq, 1,
		    "250 2.1.5 Recipient ok");
	else if (r != RULES_PENDING && v->ask != NULL)
		lookup_refuse(v->ask, reply);
	else if (r != RULES_PENDING)
		lookup_verdict(v->internal, v->conn, v->seq, 0, reply);
	rules_dests_free(&dests);
	copies_free(&copies);
	return (r == RULES_PENDING ? r : RULES_OK);
}
