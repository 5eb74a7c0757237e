/*
 * secrets: passwords and tokens for other servers, as relay asks for them.
 *
 * Part of the lookup role.  relay names a route and a label, and gets an
 * answer only if the configuration has that label in that route.  A line
 * "label: user:password" holds a password.  A line "label: user" has an OAuth
 * 2 access token, which lies in a file beside the table (its name and the
 * label) and is read anew for each login, as somebody else renews it; the
 * parent opens it.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "log/log.h"
#include "os/compat.h"
#include "privsep/role.h"
#include "rules/rules.h"
#include "smtpd/contract.h"
#include "smtpd/secrets.h"
#include "smtpd/tables.h"

#define WANTS_MAX	2000
#define TRIES_MAX	16		/* a table that is never fresh */

/* A question that waits for a table or a token. */
struct want {
	LIST_ENTRY(want)	 entry;
	uint32_t		 ticket;
	uint32_t		 generation;	/* of who is answered */
	int			 tries;
	int			 running;
	struct msg_SECRET_ASK	 ask;
	struct msg_SECRET	 answer;
};

static struct {
	const struct conf	*conf;
	LIST_HEAD(, want)	 wants;
	size_t			 n;
	uint32_t		 ticket;
} self;

static void	run(struct want *);

void
secrets_init(const struct conf *conf)
{
	self.conf = conf;
}

static const struct conf_route *
route_of(const struct msg_SECRET_ASK *ask)
{
	const struct conf_route	*r;

	TAILQ_FOREACH(r, &self.conf->routes, entry)
		if (r->index + 1 == ask->route)
			break;
	if (r == NULL || r->secrets == NULL || r->url.label == NULL ||
	    strcmp(r->url.label, ask->label) != 0)
		return (NULL);
	return (r);
}

/* The answer, and the end of the question. */
static void
answer(struct want *w)
{
	struct peer	*relay = role_peer_of(ROLE_RELAY, w->generation);

	if (relay != NULL)
		peer_send(relay, M_SECRET, &w->answer, -1);
	LIST_REMOVE(w, entry);
	self.n--;
	freezero(w, sizeof(*w));
}

static void
resume(void *arg)
{
	struct want	*w = arg;

	if (!w->running)
		run(w);
}

static void
ask_token(struct want *w)
{
	struct msg_TOKEN_ASK	ask = { .ticket = w->ticket,
				    .route = w->ask.route };

	w->answer.token = 1;
	peer_send(role_parent(), M_TOKEN_ASK, &ask, -1);
}

/* "user:password", or "user" alone. */
static void
take_value(struct want *w, char *value)
{
	struct msg_SECRET	*s = &w->answer;
	char			*colon = strchr(value, ':');

	if (colon != NULL)
		*colon++ = '\0';
	if (value[0] == '\0' ||
	    strlcpy(s->user, value, sizeof(s->user)) >= sizeof(s->user)) {
		answer(w);
		return;
	}
	if (colon == NULL) {
		ask_token(w);
		return;
	}
	s->found = strlcpy(s->pass, colon, sizeof(s->pass)) <
	    sizeof(s->pass);
	answer(w);
}

static void
run(struct want *w)
{
	struct rules_env	 env = { .conf = self.conf,
				    .lookup = tables_lookup,
				    .resume = resume, .arg = w };
	const struct conf_route	*route = route_of(&w->ask);
	enum rules_result	 r = RULES_NO;
	char			*value = NULL;
	size_t			 len;

	w->running = 1;
	if (route != NULL && ++w->tries <= TRIES_MAX)
		r = rules_table(&env, route->secrets, w->ask.label, &value);
	w->running = 0;
	len = value != NULL ? strlen(value) : 0;
	if (r == RULES_OK)
		take_value(w, value);
	else if (r != RULES_PENDING)
		answer(w);
	freezero(value, len);
}

void
lookup_secret_ask(struct peer *p, struct msg *m)
{
	const struct msg_SECRET_ASK	*ask = m->body;
	struct msg_SECRET		 none = { .session = ask->session };
	struct want			*w;

	if (self.n >= WANTS_MAX || (w = calloc(1, sizeof(*w))) == NULL) {
		peer_send(p, M_SECRET, &none, -1);
		return;
	}
	w->ticket = ++self.ticket;
	w->generation = peer_generation(p);
	w->ask = *ask;
	w->answer.session = ask->session;
	LIST_INSERT_HEAD(&self.wants, w, entry);
	self.n++;
	run(w);
}

static struct want *
by_ticket(uint64_t ticket)
{
	struct want	*w;

	LIST_FOREACH(w, &self.wants, entry)
		if (w->ticket == ticket && w->answer.token)
			break;
	return (w);
}

/* The first line of the file, without blanks around it. */
static int
take_token(struct msg_SECRET *s, char *text)
{
	char	*end;

	text += strspn(text, " \t\r\n");
	end = text + strcspn(text, " \t\r\n");
	*end = '\0';
	return (text[0] != '\0' && strlcpy(s->pass, text, sizeof(s->pass)) <
	    sizeof(s->pass));
}

void
lookup_token(struct peer *p, struct msg *m)
{
	const struct msg_TOKEN	*a = m->body;
	struct want		*w = by_ticket(a->ticket);
	char			*text;
	size_t			 len;

	if (w == NULL)
		return;
	if ((text = role_slurp(m->fd, 2 * C_TOKEN, &len)) != NULL) {
		w->answer.found = take_token(&w->answer, text);
		freezero(text, len);
	} else
		log_warn("token of %s", w->ask.label);
	answer(w);
}

void
lookup_no_token(struct peer *p, struct msg *m)
{
	const struct msg_NO_TOKEN	*a = m->body;
	struct want			*w = by_ticket(a->ticket);

	if (w != NULL)
		answer(w);
}
