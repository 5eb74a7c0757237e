/*
 * queue_add: see queue_add.h.  One place gets one copy, whatever leads there.
 */
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "smtpd/queue_add.h"

int
place_from_add(struct erecipient *e, const struct msg_TX_ADD *a)
{
	struct place	*p = &e->place;

	memset(e, 0, sizeof(*e));
	e->status = RCPT_ACTIVE;
	/* RFC 3461 5.2.7.1 (b): a list sends what it gets anew. */
	e->notify = a->owner[0] == '\0' ? a->notify : 0;
	p->local = a->local;
	p->scheme = a->scheme;
	p->port = a->port;
	p->nomx = a->nomx;
	p->route = a->route;
	/* envelope_free() frees what there is of it */
	if ((e->rcpt = strdup(a->rcpt)) == NULL ||
	    (e->orig = strdup(a->orig)) == NULL ||
	    (e->orcpt = strdup(a->owner[0] == '\0' ? a->orcpt : "")) == NULL ||
	    (e->owner = strdup(a->owner)) == NULL ||
	    (p->user = strdup(a->user)) == NULL ||
	    (p->host = strdup(a->host)) == NULL ||
	    (p->label = strdup(a->label)) == NULL ||
	    (p->source = strdup(a->source)) == NULL)
		return (-1);
	return (0);
}

/* One account, command, or address outside gets one copy. */
static int
same_place(const struct erecipient *e, const struct msg_TX_ADD *a)
{
	if (e->place.local != (int)a->local)
		return (0);
	if (a->local && *a->user != '\0')
		return (strcmp(e->place.user, a->user) == 0 &&
		    strcmp(e->place.host, a->host) == 0 &&
		    strcmp(e->place.label, a->label) == 0);
	return (strcmp(e->rcpt, a->rcpt) == 0);
}

int
adding_has(const struct envelope *env, size_t index,
    const struct msg_TX_ADD *a)
{
	size_t	i;

	for (i = 0; i < env->nrcpts; i++)
		if (i != index && same_place(&env->rcpts[i], a))
			return (1);
	return (0);
}

static uint32_t
place_hash(const struct msg_TX_ADD *a)
{
	const char	*s = a->local && *a->user != '\0' ? a->user : a->rcpt;
	uint32_t	 h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return (h);
}

static int
room_for_one(struct adding *t, struct envelope *env)
{
	struct erecipient	*v;
	uint32_t		*h;
	size_t			 n = t->nhashes == 0 ? 8 : 2 * t->nhashes;

	if (env->nrcpts < t->nhashes)
		return (0);
	if ((v = reallocarray(env->rcpts, n, sizeof(*v))) == NULL)
		return (-1);
	env->rcpts = v;
	if ((h = reallocarray(t->hashes, n, sizeof(*h))) == NULL)
		return (-1);
	t->hashes = h;
	t->nhashes = n;
	return (0);
}

/*
 * 1 is there already, 0 added, -1 no memory or too many.  All hashes are
 * looked at: ten thousand members cost some ten milliseconds.
 */
static int
add_recipient(struct adding *t, struct envelope *env,
    const struct msg_TX_ADD *a)
{
	struct erecipient	*v;
	uint32_t		 hash = place_hash(a);
	size_t			 i;

	for (i = 0; i < env->nrcpts; i++)
		if (t->hashes[i] == hash && same_place(&env->rcpts[i], a))
			return (1);
	if (env->nrcpts == ENVELOPE_RCPTS || room_for_one(t, env) == -1)
		return (-1);
	v = env->rcpts;
	t->hashes[env->nrcpts] = hash;
	if (place_from_add(&v[env->nrcpts], a) == -1) {
		erecipient_free(&v[env->nrcpts]);
		return (-1);
	}
	env->nrcpts++;
	return (0);
}

void
adding_begin(struct adding *t, const struct envelope *env)
{
	free(t->success);
	t->success = NULL;
	t->first = env->nrcpts;
	t->n = t->nnew = t->plain = 0;
}

/* What the RCPT asked for is needed when all of it is there. */
static void
count(struct adding *t, const struct msg_TX_ADD *a)
{
	if (t->n++ == 0 && (a->notify & NOTIFY_SUCCESS) &&
	    (t->success = malloc(sizeof(*t->success))) != NULL)
		*t->success = *a;
	t->plain += a->owner[0] == '\0';
}

int
adding_one(struct adding *t, struct envelope *env, const struct msg_TX_ADD *a)
{
	int	r;

	if (!a->copy)
		count(t, a);
	r = add_recipient(t, env, a);
	t->nnew += r == 0 && !a->copy;
	return (r);
}

void
adding_undo(struct adding *t, struct envelope *env)
{
	size_t	i, left = env->nrcpts - t->first - t->nnew;

	for (i = 0; i < t->nnew; i++)
		erecipient_free(&env->rcpts[t->first + i]);
	memmove(&env->rcpts[t->first], &env->rcpts[t->first + t->nnew],
	    left * sizeof(*env->rcpts));
	memmove(&t->hashes[t->first], &t->hashes[t->first + t->nnew],
	    left * sizeof(*t->hashes));
	env->nrcpts -= t->nnew;
	t->nnew = 0;
}

/* The RCPT itself, as a recipient that is over. */
static int
add_itself(struct adding *t, struct envelope *env, enum rcpt_status status,
    const char *reply)
{
	struct msg_TX_ADD	 a = { .local = 1,
				    .notify = t->success->notify };
	struct erecipient	*e;
	size_t			 i = env->nrcpts;

	strlcpy(a.rcpt, t->success->orig, sizeof(a.rcpt));
	strlcpy(a.orig, t->success->orig, sizeof(a.orig));
	strlcpy(a.orcpt, t->success->orcpt, sizeof(a.orcpt));
	if (add_recipient(t, env, &a) != 0)
		return (-1);
	e = &env->rcpts[i];
	e->status = status;
	e->reply = strdup(reply);
	return (0);
}

/*
 * RFC 3461 5.2.7.1: what a list with an owner got is delivered.  5.2.7.3: of
 * an address with several members its sender hears that it was expanded, if he
 * wants to know, and not of each member.
 */
void
adding_end(struct adding *t, struct envelope *env)
{
	size_t	i, members = env->nrcpts;

	if (t->success == NULL || t->first >= members ||
	    env->sender[0] == '\0' || (t->n < 2 && t->plain == t->n))
		return;
	if ((t->plain == 0 ? add_itself(t, env, RCPT_DELIVERED,
	    "250 2.1.5 sent on to the list") : add_itself(t, env,
	    RCPT_EXPANDED, "250 2.1.5 sent on to its members")) == -1)
		return;			/* then each of them is told of */
	for (i = t->first; i < members; i++) {
		if (env->rcpts[i].owner[0] != '\0')
			continue;
		env->rcpts[i].notify &= ~(unsigned int)NOTIFY_SUCCESS;
		if (env->rcpts[i].notify == 0)
			env->rcpts[i].notify = NOTIFY_NEVER;
	}
}

void
adding_free(struct adding *t)
{
	free(t->hashes);
	free(t->success);
}
